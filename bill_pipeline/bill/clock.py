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


#: Clocks that are right may differ by so much, BILL's and ours or those of two of our machines.
CLOCKS_DIFFER = timedelta(minutes=10)


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


def clock_alarm(clock_ahead: timedelta | None) -> str | None:
    """What to say when this machine's clock is so far ahead of BILL's; None: nothing."""
    if clock_ahead is None or abs(clock_ahead) <= CLOCKS_DIFFER:
        return None
    which = "ahead of" if clock_ahead > timedelta() else "behind"
    return (
        f"This machine's clock is {_in_words(abs(clock_ahead))} {which} BILL's, and the books are "
        "made as of its day. Set it; the next sync puts right what it noted."
    )


def _in_words(length: timedelta) -> str:
    hours = length / timedelta(hours=1)
    if hours < 1:
        return f"{length // timedelta(minutes=1)} minutes"
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:,.0f} days"
