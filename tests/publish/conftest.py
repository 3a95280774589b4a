"""Fixtures of the publish tests; the invented books themselves are in ``publish_fixture``."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from bill_pipeline.publishing.lake_connection import LakeAddress, load_extensions
from bill_pipeline.settings import Home
from tests.postgres_server import create_database, needs_postgres, postgres_server
from tests.publish.publish_fixture import connect_clients, write_books


@pytest.fixture(scope="session")
def postgres() -> Iterator[int]:
    with postgres_server() as port:
        yield port


@pytest.fixture(
    params=["files", pytest.param("ducklake", marks=[needs_postgres, pytest.mark.slow])]
)
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which store the test publishes to; every test runs on both unless it says otherwise."""
    if request.param == "ducklake":
        database = create_database(
            request.getfixturevalue("postgres"), f"lake_{secrets.token_hex(4)}"
        )
        monkeypatch.setenv("BILL_PIPELINE_DUCKLAKE_CATALOGUE", database)
    return str(request.param)


@pytest.fixture
def home(store: str, tmp_path: Path) -> Home:
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
def rows(home: Home, store: str) -> Callable[[str], list[tuple[object, ...]]]:
    """Run SQL on the published ledger as any DuckDB tool would: open, ask, close."""

    def ask(sql: str) -> list[tuple[object, ...]]:
        with opened(home, store) as db:
            return db.execute(sql).fetchall()

    return ask


def opened(home: Home, store: str) -> duckdb.DuckDBPyConnection:
    """The ledger in DuckDB alone; the lake by the SQL that is written for analysts."""
    if store == "files":
        return duckdb.connect(str(home.ledger), read_only=True)
    db = duckdb.connect()
    load_extensions(db, LakeAddress("dbname=x", ""))
    db.execute(home.lake_door.read_text())
    return db


def stored_files(home: Home) -> list[str]:
    """Every Parquet file with rows of a client, wherever the ledger is kept."""
    return sorted(
        str(path.relative_to(home.path))
        for folder in (home.published, home.lake)
        for path in folder.rglob("client=*/*.parquet")
    )
