"""What a day's run takes of the tests that are too many for one: a part of them, by the date.

``make test`` sets the day. The cases of a test marked ``rotating(days=4)`` are spread over four
days, so each day has some of every kind and four days have all; a file that is ``together`` keeps
its tests on one day, because what they share is the most of their time. Without a day, in
``make test-nightly`` and by plain pytest, everything runs.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import date
from zlib import crc32

import pytest

DAY = "BILL_PIPELINE_TEST_DAY"


def day() -> date | None:
    """The day whose part runs; None when all of it does."""
    text = os.environ.get(DAY)
    return date.fromisoformat(text) if text else None


def is_due(name: str, number: int, days: int) -> bool:
    """Whether case ``number`` of ``name`` is in the part of the day; it is once in ``days``."""
    today = day()
    return today is None or (crc32(name.encode()) + number + today.toordinal()) % days == 0


def examples(count: int, *, by_day: int) -> int:
    """How many random examples a law is tried on: ``count``, or ``by_day`` in a day's part.

    The examples are other ones in every run, so the days add up.
    """
    return count if day() is None else by_day


def split(items: list[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """Those of ``items`` that are due, and those whose day is another one."""
    due: list[pytest.Item] = []
    others: list[pytest.Item] = []
    cases: Counter[str] = Counter()
    for item in items:
        mark = item.get_closest_marker("rotating")
        together = bool(mark and mark.kwargs.get("together"))
        name = item.nodeid.split("::" if together else "[")[0]
        runs = mark is None or is_due(name, cases[name], mark.kwargs["days"])
        cases[name] += not together
        (due if runs else others).append(item)
    return due, others
