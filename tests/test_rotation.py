"""A day's part of the tests: every case has its day, every day its part, and no day means all."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from tests import rotation

pytest_plugins = ["pytester"]

CASES = """
import pytest

@pytest.mark.rotating(days=4)
@pytest.mark.parametrize("number", range(9))
def test_one(number): ...

@pytest.mark.rotating(days=2)
def test_alone(): ...

@pytest.mark.rotating(days=8, part=3)
def test_long(): ...

@pytest.mark.rotating(days=8, part=4)
def test_longer(): ...

def test_always(): ...
"""
TOGETHER = """
import pytest

pytestmark = pytest.mark.rotating(days=4, together=True)

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


def due_items(
    day: date, items: list[pytest.Item], monkeypatch: pytest.MonkeyPatch
) -> list[pytest.Item]:
    monkeypatch.setenv(rotation.DAY, day.isoformat())
    due, others = rotation.split(items)
    assert sorted(names_of(due + others)) == sorted(names_of(items))
    return due


def due_on(day: date, items: list[pytest.Item], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return names_of(due_items(day, items, monkeypatch))


@pytest.mark.slow
def test_days_in_a_row_have_every_case_once_and_each_day_a_fair_part(
    collected: list[pytest.Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [due_on(FIRST + timedelta(n), collected, monkeypatch) for n in range(rotation.CYCLE)]
    every = {"test_always": 1, "test_alone": 2, "test_long": 8, "test_longer": 8}
    for name in names_of(collected):
        assert sum(name in day for day in days) == rotation.CYCLE // every.get(name, 4)
    for day in days:
        assert 2 <= sum(name.startswith("test_one") for name in day) <= 3
        assert ("test_first" in day) == ("test_second" in day)
        assert not {"test_long", "test_longer"} <= set(day)


def test_every_test_of_the_house_has_its_day_in_each_cycle(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = request.config.stash[rotation.COLLECTED]
    times = Counter(
        item.nodeid
        for number in range(rotation.CYCLE)
        for item in due_items(FIRST + timedelta(number), items, monkeypatch)
    )
    wrong = []
    for item in items:
        mark = item.get_closest_marker("rotating")
        days = mark.kwargs["days"] if mark else 1
        if times[item.nodeid] != rotation.CYCLE // days:
            wrong.append(f"{item.nodeid}: on {times[item.nodeid]} days")
    assert not wrong


@pytest.mark.parametrize("days", [3, 5, 32])
def test_what_does_not_fit_into_a_cycle_is_refused(days: int) -> None:
    with pytest.raises(AssertionError, match="take a divisor of 16"):
        rotation.is_due(1, days)


@pytest.mark.slow
def test_without_a_day_everything_runs_with_all_examples(
    collected: list[pytest.Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(rotation.DAY, FIRST.isoformat())
    assert rotation.examples(12, by_day=4) == 4
    monkeypatch.delenv(rotation.DAY)
    assert rotation.split(collected) == (collected, [])
    assert rotation.examples(12, by_day=4) == 12
