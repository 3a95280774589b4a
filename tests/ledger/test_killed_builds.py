"""A sync that is killed anywhere leaves books that the next one completes."""

from __future__ import annotations

import os
import random
import signal
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.pipeline.steps import LAYERS, build_layer
from bill_pipeline.warehouse.builds import BUILDS
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.ledger.company import Company, new_company
from tests.ledger.lives import FIRST_SYNC, State, begin, hand_over
from tests.ledger.test_replay import decide, drawn
from tests.ledger.test_scoped_builds import Thrifty, always_in_scope, differing

__all__ = ["always_in_scope"]

KILLS = 3
#: About as many statements as a sync of a small company takes.
STATEMENTS = 450


class Counted:
    """A DuckDB connection that kills its process with SIGKILL before the statement ``last``."""

    def __init__(self, connection: Any, last: int) -> None:
        self._connection, self._left = connection, last

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, *sql: Any) -> Any:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._connection.execute(*sql)


def sync_killed(path: Path, at: datetime, last: int) -> bool:
    """Sync in a process that is killed before its statement ``last``, if it gets there."""
    child = os.fork()
    if not child:
        try:
            with Warehouse.at(path, "acme") as warehouse:
                warehouse.connection.execute("set threads = 1")
                counted: Any = Counted(warehouse.connection, last)
                warehouse.connection = counted
                Thrifty(warehouse).sync(at)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def layers_built(books: Company, at: datetime) -> list[str]:
    books.connection.execute(BUILDS)
    built = books.connection.execute(
        "select room from upkeep.builds where as_of = ?", [at.replace(tzinfo=None)]
    ).fetchall()
    return [layer for layer in LAYERS if (layer,) in built]


@pytest.mark.slow
@pytest.mark.rotating(days=8)
@pytest.mark.parametrize("seed", range(8))
def test_a_build_that_is_killed_anywhere_is_completed_by_the_next(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)  # noqa: S311 - an invented life
    path, at, kills = tmp_path / "books.duckdb", FIRST_SYNC, 0
    states = [State(), State()]
    with new_company() as whole:
        for number in range(4):
            with Warehouse.at(path, "acme") as warehouse:
                happenings, decided = list(drawn(chance)), chance.random()
                for company, state in zip((whole, Company(warehouse)), states, strict=True):
                    if not number:
                        begin(company)
                    state.today = at.date()
                    for happening in happenings:
                        state.happen(*happening)
                    decide(company, state, random.Random(decided), at)  # noqa: S311
                    hand_over(company, state, at)
            for _ in range(KILLS):
                kills += sync_killed(path, at, chance.randrange(1, STATEMENTS))
                with Warehouse.at(path, "acme") as warehouse:
                    for layer in layers_built(Company(warehouse), at):
                        build_layer(whole.warehouse, layer, at)
                at += timedelta(hours=1)
            with Warehouse.at(path, "acme") as warehouse:
                for company in (whole, Thrifty(warehouse)):
                    company.sync(at)
                assert differing(whole, Company(warehouse)) == {}, f"life {seed}, sync {number + 1}"
            at += timedelta(hours=chance.choice([1, 30]))
    assert kills > KILLS
