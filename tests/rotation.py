"""What a day's run takes of the tests that are too many for one: a part of them, by the date.

``make test`` sets the day. The cases of a file's tests marked ``rotating(days=4)`` are dealt to
four days in turn, so each day has some of every kind and four days have all. A file that is
``together`` keeps its tests on one day, because what they share is the most of their time.
``part`` says which of the days has a test (of several cases the first) that takes so long that the
days would differ by it. Without a day, in ``make test-nightly`` and by plain pytest, everything
runs.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import date
from zlib import crc32

import pytest

DAY = "BILL_PIPELINE_TEST_DAY"
#: The days after which everything ran. Every ``days`` divides it: what falls together once in a
#: cycle does so in each, and no day is longer than those of the first.
CYCLE = 16
#: All tests that were collected, those of other days too.
COLLECTED = pytest.StashKey[list[pytest.Item]]()


def day() -> date | None:
    """The day whose part runs; None when all of it does."""
    text = os.environ.get(DAY)
    return date.fromisoformat(text) if text else None


def is_due(part: int, days: int) -> bool:
    """Whether ``part`` is that of the day; it is once in ``days``."""
    assert CYCLE % days == 0, f"rotating over {days} days: take a divisor of {CYCLE}"
    today = day()
    return today is None or (part + today.toordinal()) % days == 0


def first_part(name: str) -> int:
    """The part of what has none of its own."""
    return crc32(name.encode())


def examples(count: int, *, by_day: int) -> int:
    """How many random examples a law is tried on: ``count``, or ``by_day`` in a day's part.

    The examples are other ones in every run, so the days add up.
    """
    return count if day() is None else by_day


def split(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Those of ``items`` that are due, and those whose day is another one."""
    due: list[pytest.Item] = []
    others: list[pytest.Item] = []
    dealt: Counter[str] = Counter()
    for item in items:
        mark = item.get_closest_marker("rotating")
        is_due_today = mark is None or _is_due(item, dealt, **mark.kwargs)
        (due if is_due_today else others).append(item)
    return due, others


def _is_due(
    item: pytest.Item,
    dealt: Counter[str],
    *,
    days: int,
    part: int | None = None,
    together: bool = False,
) -> bool:
    """``dealt``: how many cases of a file, or of a test with a part of its own, came before."""
    file, test = item.nodeid.split("::")[0], item.nodeid.split("[")[0]
    name = f"{file} {days}" if part is None else test
    number = 0 if together else dealt[name]
    dealt[name] += 1
    return is_due((first_part(file) if part is None else part) + number, days)
