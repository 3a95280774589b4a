"""A look-alike that is started again goes on with the past that its clients have read."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.sandbox.companies import add_invented_companies
from bill_pipeline.sandbox.saved import NotThisLookAlike, load, save
from bill_pipeline.sandbox.state import DEFAULT_TODAY, SandboxState


def lived(days: int, state: SandboxState) -> SandboxState:
    """``state`` after so many more days of its companies' lives."""
    state.clock.set(state.clock.now() + timedelta(days=days))
    state.advance()
    return state


def documents(state: SandboxState) -> dict[str, list[Any]]:
    """Every document of every list, by organization and list."""
    return {
        f"{organization.client} {name}": list(found)
        for organization in state.organizations.values()
        for name, found in organization.lists.items()
    }


@pytest.fixture
def company() -> SandboxState:
    state = SandboxState(3, DEFAULT_TODAY)
    add_invented_companies(state, 2, 80, "full")
    state.set_live(True)
    return lived(20, state)


def test_a_saved_look_alike_goes_on_as_if_it_had_never_stopped(
    company: SandboxState, tmp_path: Path
) -> None:
    save(company, tmp_path / "state")
    assert documents(load(tmp_path / "state")) == documents(company)
    assert documents(lived(30, load(tmp_path / "state"))) == documents(lived(30, company))


def test_the_clock_goes_on_while_nobody_runs_it(
    company: SandboxState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.clock.set_speed(1.0)
    stopped_at = company.clock.now()
    save(company, tmp_path / "state")
    now = time.time() + timedelta(days=3).total_seconds()
    monkeypatch.setattr(time, "time", lambda: now)
    assert load(tmp_path / "state").clock.now() - stopped_at > timedelta(days=3)


def test_a_file_of_another_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"bill-pipeline look-alike 0.0.1\nanything")
    with pytest.raises(NotThisLookAlike, match="not written by this release"):
        load(tmp_path / "state")
