"""Ctrl-C, SIGTERM and Dagster's Terminate: the work is ended, and nobody has failed.

Every step can be killed at any moment and is continued by the next sync, so a process that is told
to end does so within seconds. What a person sees is one sentence.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

#: Time for tidying up, where the main thread is not deep in somebody else's computation.
GRACE_SECONDS = 3.0
#: What shells say of a command that Ctrl-C ended.
EXIT_CODE = 130
SENTENCE = "Interrupted. What was done is kept: run the same command again to go on."


def interruption_in(error: BaseException | None) -> BaseException | None:
    """The interruption that led to ``error``, if one did.

    DuckDB answers a signal with an error of its own, and dlt wraps whatever it meets: the
    ``KeyboardInterrupt``, or Dagster's own kind of it, is then their cause.
    """
    while isinstance(error, Exception):
        error = error.__cause__ or error.__context__
    return error


def end_on_signals() -> None:
    """Have Ctrl-C and SIGTERM raise ``KeyboardInterrupt`` here, or end the process soon after.

    For the main thread of a process that is ours alone.
    """
    raise_interrupt_on_sigterm()
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    threading.Thread(target=_end_after_grace, args=(told,), daemon=True, name="end").start()


def raise_interrupt_on_sigterm() -> None:
    """Have SIGTERM raise ``KeyboardInterrupt`` in the main thread, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def end_now(code: int = EXIT_CODE) -> None:
    """End this process with exit ``code``, whatever its other threads wait for."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _end_after_grace(told: int) -> None:
    while True:
        if os.read(told, 1)[0] in (signal.SIGINT, signal.SIGTERM):
            time.sleep(GRACE_SECONDS)
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.write(f"{SENTENCE}\n")
            end_now()
