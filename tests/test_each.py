"""A test of many things fails when one of them does, and tells all that do."""

from __future__ import annotations

import pytest

from tests.each import of_each


def test_every_thing_that_fails_is_named() -> None:
    @of_each({"one": 1, "two": 2, "three": 3, "zero": 0})
    def test_is_small_and_divides(number: int) -> None:
        assert 6 / number > 2

    with pytest.raises(AssertionError) as told:
        test_is_small_and_divides()
    said = str(told.value)
    assert "three: AssertionError" in said
    assert "zero: ZeroDivisionError" in said
    assert "one:" not in said


def test_a_law_of_nothing_is_no_law() -> None:
    @of_each({})
    def test_nothing(thing: int) -> None:
        assert thing

    with pytest.raises(AssertionError, match="nothing to look at"):
        test_nothing()


@of_each({"one": 1})
def test_pytest_runs_it_without_a_fixture(number: int) -> None:
    assert number == 1
