"""The ledger as files: bounded, movable, and whole again after every kind of loss."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import duckdb
import pytest

from bill_pipeline.publish import publish, relocate
from bill_pipeline.publishing.contents import read_contents
from bill_pipeline.publishing.tables import PublishError
from bill_pipeline.settings import Home
from tests.publish.publish_fixture import SCHEMA

pytestmark = pytest.mark.parametrize("store", ["files"], indirect=True)
Rows = Callable[[str], list[tuple[Any, ...]]]


def parquet_files(home: Home) -> list[str]:
    return sorted(
        str(path.relative_to(home.published)) for path in home.published.rglob("*.parquet")
    )


def test_a_moved_home_is_put_right_by_one_call(home: Home, clients: list[str]) -> None:
    publish(home, clients, schema=SCHEMA)
    moved = Home(home.path.rename(home.path.with_name("moved")))
    assert relocate(moved)
    assert not relocate(moved)
    with duckdb.connect(str(moved.ledger), read_only=True) as db:
        assert db.execute("select count(*) from journal_lines").fetchall() == [(40,)]


def test_a_killed_writers_files_are_collected_by_the_next_one(
    home: Home, clients: list[str]
) -> None:
    publish(home, clients, schema=SCHEMA)
    kept = parquet_files(home)
    left = home.published / "totals" / "client=acme" / "20260101T000000.000000Z-abcdef.parquet"
    left.write_bytes(b"half a file")
    (home.published / ".writing" / "1-dead").write_text("acme 20260101T000000.000000Z-abcdef\n")
    (home.path / ".ledger.next.duckdb").write_bytes(b"half a catalogue")
    report = publish(home, [], schema=SCHEMA)
    assert report.files_collected == 1
    assert parquet_files(home) == kept
    assert list((home.published / ".writing").iterdir()) == []


def test_an_unreadable_ledger_is_reported_with_the_remedy(home: Home) -> None:
    home.ledger.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(PublishError, match="bill-pipeline publish --all"):
        publish(home, [], schema=SCHEMA)


def test_what_a_tool_left_of_a_write_is_not_replayed(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(home, clients, schema=SCHEMA)
    wal = home.ledger.with_name("ledger.duckdb.wal")
    wal.write_bytes(b"left by a tool that opened the file for writing")
    publish(home, clients, schema=SCHEMA)
    assert not wal.exists()
    assert rows("select count(*) from totals") == [(2,)]


def test_the_catalogue_names_only_files_that_exist(home: Home, clients: list[str]) -> None:
    publish(home, clients, schema=SCHEMA)
    contents = read_contents(home)
    assert {v.client for v in contents.current.values()} == {"acme", "birch"}
    for version in contents.current.values():
        for written in version.tables:
            file = f"{written.table}/client={version.client}/{version.number}.parquet"
            assert (home.published / file).exists()


@pytest.mark.parametrize("loss", ["deleted", "of another layout"])
def test_a_lost_catalogue_is_made_again_with_every_client(
    home: Home, clients: list[str], rows: Rows, loss: str
) -> None:
    publish(home, clients, schema=SCHEMA)
    before = parquet_files(home)
    home.ledger.unlink()
    if loss != "deleted":
        with duckdb.connect(str(home.ledger)) as db:
            db.execute("create schema catalogue; create table catalogue.home (path varchar)")
    report = publish(home, ["acme"], schema=SCHEMA)
    assert set(report.published) == {"acme", "birch"}
    assert rows("select client from totals order by 1") == [("acme",), ("birch",)]
    report = publish(home, [], schema=SCHEMA, grace=timedelta(0))
    assert report.files_collected == len(before)
