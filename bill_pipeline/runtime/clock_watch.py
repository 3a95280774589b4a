"""Notice that the machine's clock was set back: what was noted meanwhile is yet to come."""

from __future__ import annotations

import time


class ClockWatch:
    """Says when the clock was set back by more than ``seconds``, by the clock that only goes on."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._started_at = self._began()

    def was_set_back(self) -> bool:
        """Whether it was since this was last asked."""
        before, self._started_at = self._started_at, self._began()
        return before - self._started_at > self._seconds

    @staticmethod
    def _began() -> float:
        """When the machine was started, as far as its clock knows."""
        return time.time() - time.monotonic()
