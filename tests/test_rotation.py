"""A day's part of the tests: every case has its day, every day its part, and no day means all."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests import rotation

pytest_plugins = ["pytester"]

CASES = """
import pytest

@pytest.mark.rotating(days=3)
@pytest.mark.parametrize("number", range(7))
def test_one(number): ...

@pytest.mark.rotating(days=4)
def test_alone(): ...

def test_always(): ...
"""
TOGETHER = """
import pytest

pytestmark = pytest.mark.rotating(days=3, together=True)

def test_first(): ...

def test_second(): ...
"""
FIRST = date(2026, 12, 30)


@pytest.fixture
def collected(pytester: pytest.Pytester) -> list[pytest.Item]:
    pytester.makeini("[pytest]\nmarkers = rotating")
    paths = pytester.makepyfile(test_cases=CASES), pytester.makepyfile(test_together=TOGETHER)
    return [item for path in paths for item in pytester.getitems(path)]


def names_of(items: list[pytest.Item]) -> list[str]:
    return [item.name for item in items]


def due_on(day: date, items: list[pytest.Item], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv(rotation.DAY, day.isoformat())
    due, others = rotation.split(items)
    assert sorted(names_of(due + others)) == sorted(names_of(items))
    return names_of(due)


def test_days_in_a_row_have_every_case_once_and_each_day_a_fair_part(
    collected: list[pytest.Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [due_on(FIRST + timedelta(n), collected, monkeypatch) for n in range(12)]
    for name in names_of(collected):
        every = 1 if name == "test_always" else 4 if name == "test_alone" else 3
        assert sum(name in day for day in days) == 12 // every
    for day in days:
        assert 2 <= sum(name.startswith("test_one") for name in day) <= 3
        assert ("test_first" in day) == ("test_second" in day)


def test_without_a_day_everything_runs_with_all_examples(
    collected: list[pytest.Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(rotation.DAY, FIRST.isoformat())
    assert rotation.examples(12, by_day=4) == 4
    monkeypatch.delenv(rotation.DAY)
    assert rotation.split(collected) == (collected, [])
    assert rotation.examples(12, by_day=4) == 12
