"""A process that ends others when the one that started them is gone, however it went.

``kill -9`` gives nobody a word to say, and Linux alone can tell a child of its parent's death. So
the parent keeps the writing end of a pipe, on which it says which process groups are its own; when
the pipe closes, what was said last is ended here: interrupted first, killed if need be.

Run as ``python -m bill_pipeline.runtime.end_groups SECONDS``, with the pipe as standard input: one
line is all groups at that moment. It imports next to nothing, because it runs as long as they do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time


def end_with_parent(grace_seconds: float) -> None:
    """Wait for the end of standard input, then end the groups of its last whole line."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal sends them to us as well; only
    groups: list[int] = []
    for line in sys.stdin:
        if line.endswith("\n"):
            groups = [int(word) for word in line.split()]
    _send(groups, signal.SIGINT)
    ends = time.monotonic() + grace_seconds
    while time.monotonic() < ends and _send(groups, 0):
        time.sleep(0.05)
    _send(groups, signal.SIGKILL)


def _send(groups: list[int], number: int) -> bool:
    """Send a signal to each; whether any of them lives."""
    lives = False
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            lives = True
    return lives


if __name__ == "__main__":
    end_with_parent(float(sys.argv[1]))
