"""A pool of processes that end when their parent does, or tells them to, whatever they are doing.

Python's own pool waits for every task it has begun, and outlives a parent that is killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Event
from types import TracebackType
from typing import Any

from bill_pipeline.runtime.signals import GRACE_SECONDS, raise_interrupt_on_sigterm

_SECONDS_BETWEEN_LOOKS = 0.5


class WorkerProcesses(ProcessPoolExecutor):
    """``count`` processes; ``prepare`` runs first in each of them.

    Used as a context that is left by an exception, or interrupted, it stops them; else it waits.
    """

    def __init__(self, count: int, prepare: Callable[[], None] | None = None) -> None:
        # Spawned, not forked: threads, locks and open connections of this process are its own.
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        super().__init__(
            count,
            mp_context=context,
            initializer=_begin,
            initargs=(os.getpid(), self._stop, prepare),
        )

    def stop(self) -> None:
        """Interrupt what is being done, begin nothing more, and do not wait."""
        self._stop.set()
        self.shutdown(wait=False, cancel_futures=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any:
        if error is None:
            return super().__exit__(kind, error, trace)
        self.stop()  # Python's own exit would take back that nothing more is to begin
        return None


def _begin(parent: int, stop: Event, prepare: Callable[[], None] | None) -> None:
    # A terminal sends Ctrl-C to all its processes; only the parent answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_interrupt_on_sigterm()
    threading.Thread(target=_end_with, args=(parent, stop), daemon=True, name="end").start()
    if prepare:
        prepare()


def _end_with(parent: int, stop: Event) -> None:
    while os.getppid() == parent and not stop.wait(_SECONDS_BETWEEN_LOOKS):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)
