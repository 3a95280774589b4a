"""Fixtures of the publish tests; the invented books themselves are in ``publish_fixture``."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from bill_pipeline.publishing.lake_connection import LakeAddress, load_extensions
from bill_pipeline.settings import Home
from tests.object_store import BUCKET, object_store
from tests.postgres_server import create_database, needs_postgres, postgres_server
from tests.publish.publish_fixture import connect_clients, write_books

S3_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "invented",
    "AWS_SECRET_ACCESS_KEY": "invented",
    "AWS_REGION": "us-east-1",
    "DUCKDB_S3_ENDPOINT": "127.0.0.1:{port}",
    "DUCKDB_S3_USE_SSL": "false",
}


@pytest.fixture(scope="session")
def postgres() -> Iterator[int]:
    with postgres_server() as port:
        yield port


#: The default, and a lake with its files in a folder.
STORES = ["files", pytest.param("ducklake", marks=[needs_postgres, pytest.mark.slow])]
#: And a lake with its files in an object store: what every store promises holds there as well.
ALL_STORES = [*STORES, pytest.param("ducklake on s3", marks=[needs_postgres, pytest.mark.slow])]


@pytest.fixture(params=STORES)
def store(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """Which store the test publishes to; every test runs on two unless it says otherwise."""
    with contextlib.ExitStack() as stack:
        if request.param == "ducklake on s3":
            # The bucket's objects are the files that a lake in the home would have.
            port = stack.enter_context(object_store(tmp_path / "home" / "lake"))
            monkeypatch.setenv("BILL_PIPELINE_DUCKLAKE_DATA", f"s3://{BUCKET}/")
            for name, value in S3_ENVIRONMENT.items():
                monkeypatch.setenv(name, value.format(port=port))
        if request.param != "files":
            _choose_lake(request, monkeypatch)
        yield str(request.param)


def _choose_lake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    port = request.getfixturevalue("postgres")
    database = create_database(port, f"lake_{secrets.token_hex(4)}")
    monkeypatch.setenv("BILL_PIPELINE_DUCKLAKE_CATALOGUE", database)


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
    data = "" if store == "ducklake" else f"s3://{BUCKET}/"
    load_extensions(db, LakeAddress("dbname=x", data))
    db.execute(home.lake_door.read_text())
    return db


def stored_files(home: Home) -> list[str]:
    """Every Parquet file with rows of a client, wherever the ledger is kept."""
    return sorted(
        str(path.relative_to(home.path))
        for folder in (home.published, home.lake)
        for path in folder.rglob("client=*/*.parquet")
    )
