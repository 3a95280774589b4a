"""The sandbox's clock: everything that happens in it carries this time, never the machine's.

It can be set, stepped, frozen (``speed`` 0) or run faster than the wall clock. All times are
milliseconds since 1970 in UTC; nothing here knows what the times are used for.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta

DAY_MS = 86_400_000
HOUR_MS = 3_600_000

_STEP = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(second|minute|hour|day|week)s?\s*")
_STEP_MS = {
    "second": 1_000,
    "minute": 60_000,
    "hour": HOUR_MS,
    "day": DAY_MS,
    "week": 7 * DAY_MS,
}


def to_ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def from_ms(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def timestamp(milliseconds: int) -> str:
    """As v3 writes it: ``2026-03-16T15:01:43.900+00:00``."""
    return from_ms(milliseconds).isoformat(timespec="milliseconds")


def timestamp_ms(text: str) -> int:
    """The inverse of ``timestamp``."""
    return to_ms(datetime.fromisoformat(text))


def day_ms(day: date, hour: int = 0, minute: int = 0) -> int:
    return to_ms(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC))


class Clock:
    """A settable clock. ``now_ms`` reads it; ``stamp_ms`` is for writes and never repeats."""

    def __init__(self, start: datetime, speed: float = 0.0) -> None:
        self.speed = speed
        self._base_ms = to_ms(start)
        self._wall = time.monotonic()
        self._last_stamp_ms = 0

    def __getstate__(self) -> dict[str, float]:
        return {
            "now_ms": self.now_ms(), "speed": self.speed, "last_stamp_ms": self._last_stamp_ms,
            "saved_at": time.time(),
        }  # fmt: skip

    def __setstate__(self, saved: dict[str, float]) -> None:
        """Go on as if it had been running since it was saved."""
        self.speed = saved["speed"]
        gone_ms = max(time.time() - saved["saved_at"], 0) * 1_000 * self.speed
        self._base_ms, self._wall = int(saved["now_ms"] + gone_ms), time.monotonic()
        self._last_stamp_ms = int(saved["last_stamp_ms"])

    def now_ms(self) -> int:
        return self._base_ms + int((time.monotonic() - self._wall) * 1_000 * self.speed)

    def now(self) -> datetime:
        return from_ms(self.now_ms())

    def stamp_ms(self) -> int:
        """The time of a write: now, yet always later than the write before it."""
        self._last_stamp_ms = max(self.now_ms(), self._last_stamp_ms + 1)
        return self._last_stamp_ms

    def set(self, moment: datetime) -> None:
        self.step_ms(to_ms(moment) - self.now_ms())

    def step_ms(self, milliseconds: int) -> None:
        self._base_ms, self._wall = self.now_ms() + milliseconds, time.monotonic()
        # A clock set back must stamp the earlier time: a client has to survive clock skew.
        self._last_stamp_ms = min(self._last_stamp_ms, self._base_ms)

    def set_speed(self, speed: float) -> None:
        self._base_ms, self._wall, self.speed = self.now_ms(), time.monotonic(), speed


def parse_step(text: str) -> int:
    """Milliseconds of ``"1 day"``, ``"90 minutes"``; raises ``ValueError`` for anything else."""
    match = _STEP.fullmatch(text)
    if match is None:
        raise ValueError(f"Not a time step: {text!r}. Write for example '1 day' or '90 minutes'.")
    return int(float(match[1]) * _STEP_MS[match[2]])


def parse_moment(text: str) -> datetime:
    """An ISO date or date-time; without a zone it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
