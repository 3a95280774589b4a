"""Time as the BILL client sees it, so that tests live through an hour without waiting."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def time(self) -> float:
        """Seconds since 1970, UTC."""

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds``."""

    def stop(self) -> None:
        """Have every ``sleep``, of other threads too, raise ``WaitingEnded`` from now on."""


class WaitingEnded(Exception):
    """Nobody waits for the answer any more: the work was interrupted."""


class SystemClock:
    """The machine's clock."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def time(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise WaitingEnded

    def stop(self) -> None:
        self._stopped.set()


def is_within(length: timedelta, moment: str | None, now: datetime) -> bool:
    """Whether ``moment`` (ISO) was less than ``length`` ago; one yet to come was never."""
    return moment is not None and timedelta() <= now - datetime.fromisoformat(moment) < length
