"""Fixtures of the publish tests; the invented books themselves are in ``publish_fixture``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from bill_pipeline.settings import Home
from tests.publish.publish_fixture import connect_clients, write_books


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.at(tmp_path / "home")


@pytest.fixture
def clients(home: Home) -> list[str]:
    """Two connected clients with books of batch 1; nothing is published yet."""
    names = ["acme", "birch"]
    connect_clients(home, names)
    for name in names:
        write_books(home, name, 1)
    return names


@pytest.fixture
def rows(home: Home) -> Callable[[str], list[tuple[object, ...]]]:
    """Run SQL on the published ledger as any DuckDB tool would: open, ask, close."""

    def ask(sql: str) -> list[tuple[object, ...]]:
        with duckdb.connect(str(home.ledger), read_only=True) as db:
            return db.execute(sql).fetchall()

    return ask
