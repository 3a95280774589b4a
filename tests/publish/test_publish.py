"""The published ledger: whole, consistent, documented, bounded and movable."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from bill_pipeline.clients import Registry, State, UnknownClient
from bill_pipeline.publish import publish, relocate
from bill_pipeline.publishing.catalogue import Contents, read_contents
from bill_pipeline.publishing.tables import PublishError
from bill_pipeline.publishing.versions import Version
from bill_pipeline.settings import Home
from tests.publish.publish_fixture import SCHEMA, connect_clients, fill_books, older, write_books

Rows = Callable[[str], list[tuple[Any, ...]]]


def parquet_files(home: Home) -> list[str]:
    return sorted(
        str(path.relative_to(home.published)) for path in home.published.rglob("*.parquet")
    )


def test_every_clients_rows_are_published_with_the_client_first(
    home: Home, clients: list[str], rows: Rows
) -> None:
    report = publish(home, clients, schema=SCHEMA)
    assert report.published == {"acme": 21, "birch": 21}
    assert rows(
        "select client, count(*), sum(amount) from journal_lines group by 1 order by 1"
    ) == [
        ("acme", 20, Decimal("211.90")),
        ("birch", 20, Decimal("211.90")),
    ]
    assert rows("select column_name from (describe journal_lines)")[0] == ("client",)


def test_a_ledger_without_clients_has_every_table_with_its_columns(home: Home, rows: Rows) -> None:
    publish(home, [], schema=SCHEMA)
    assert rows("select column_name, column_type from (describe journal_lines)") == [
        ("client", "VARCHAR"),
        ("line_id", "INTEGER"),
        ("batch", "INTEGER"),
        ("date", "DATE"),
        ("amount", "DECIMAL(18,2)"),
    ]
    for table in ("journal_lines", "totals", "clients", "sync_status", "lines_at('nobody')"):
        assert rows(f"from {table}") == []


def test_the_types_with_clients_are_the_types_without(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(home, [], schema=SCHEMA)
    described = {name: rows(f"describe {name}") for name in ("journal_lines", "totals")}
    publish(home, clients, schema=SCHEMA)
    assert {name: rows(f"describe {name}") for name in described} == described


def test_tables_columns_and_macros_are_documented_in_the_file(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(home, clients, schema=SCHEMA)
    undocumented = """
        select table_name, column_name from duckdb_columns()
        where not internal and schema_name = 'main' and coalesce(comment, '') = ''
        union all select view_name, null from duckdb_views()
        where not internal and coalesce(comment, '') = ''
        union all select table_name, null from duckdb_tables() where coalesce(comment, '') = ''
        union all select function_name, null from duckdb_functions()
        where not internal and coalesce(comment, '') = ''
    """
    assert rows(undocumented) == []
    assert rows("select comment from duckdb_views() where view_name = 'totals'") == [
        ("The sum of each client's journal. Grain: one row per batch. Key: client, batch.",)
    ]


def test_an_open_connection_keeps_its_snapshot_and_a_new_one_sees_the_new_books(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(home, clients, schema=SCHEMA)
    with duckdb.connect(str(home.ledger), read_only=True) as before:
        write_books(home, "acme", 2)
        publish(home, ["acme"], schema=SCHEMA)
        batches = "select distinct batch from journal_lines where client = 'acme'"
        assert before.execute(batches).fetchall() == [(1,)]
        # In one process DuckDB shares an open file; another path is what another process sees.
        copy = shutil.copy(home.ledger, home.path / "copy.duckdb")
        with duckdb.connect(str(copy), read_only=True) as after:
            assert after.execute(batches).fetchall() == [(2,)]
    assert rows("select client, batch from totals order by 1") == [("acme", 2), ("birch", 1)]


def test_a_caller_with_the_file_open_publishes_what_it_committed(
    home: Home, clients: list[str], rows: Rows
) -> None:
    with duckdb.connect(str(home.client_file("acme"))) as books:
        fill_books(books, 7, 5)
        books.execute("begin transaction")
        books.execute("delete from ledger.journal_lines")  # not committed, so not published
        publish(home, ["acme"], connections={"acme": books}, schema=SCHEMA)
        books.execute("rollback")
        assert rows("select count(*), max(batch) from journal_lines") == [(5, 7)]
        publish(home, ["acme"], schema=SCHEMA)  # the same without handing the connection over
    assert rows("select count(*), max(batch) from journal_lines") == [(5, 7)]


def test_old_versions_are_collected_after_the_grace_period_and_not_before(
    home: Home, clients: list[str]
) -> None:
    publish(home, clients, schema=SCHEMA)
    first = parquet_files(home)
    publish(home, clients, schema=SCHEMA)
    assert set(first) < set(parquet_files(home))
    report = publish(home, [], schema=SCHEMA, grace=timedelta(0))
    assert report.files_collected == len(first)
    assert not set(first) & set(parquet_files(home))
    assert len(parquet_files(home)) == len(first)


def test_grace_counts_from_when_a_version_was_superseded(home: Home, clients: list[str]) -> None:
    old = Version("acme", "20200101T000000.000000Z-000000", ())
    contents = Contents(current={"acme": old})
    now = datetime.now(UTC)
    contents.replace(Version("acme", "20260101T000000.000000Z-000000", ()), now)
    assert contents.superseded == {("acme", old.number): now}


def test_an_older_read_never_replaces_a_newer_one() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    newer = Version("acme", "20260201T000000.000000Z-000000", ())
    older_read = Version("acme", "20260101T000000.000000Z-000000", ())
    contents = Contents(current={"acme": newer})
    assert not contents.replace(older_read, now)
    assert contents.current["acme"] is newer
    assert ("acme", older_read.number) in contents.superseded


def test_a_version_from_the_future_does_not_block_its_client() -> None:
    future = Version("acme", "20300101T000000.000000Z-000000", ())
    contents = Contents(current={"acme": future})
    assert contents.replace(
        Version("acme", "20260101T000000.000000Z-000000", ()), datetime(2026, 1, 2, tzinfo=UTC)
    )


def test_a_disconnected_client_leaves_the_ledger(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(home, clients, schema=SCHEMA)
    Registry(home).disconnect("birch", purge=True)
    report = publish(home, [], schema=SCHEMA)
    assert report.removed == ("birch",)
    for table in ("journal_lines", "totals", "clients", "sync_status"):
        assert rows(f"select distinct client from {table}") == [("acme",)]
    publish(home, [], schema=SCHEMA, grace=timedelta(0))
    assert not [path for path in parquet_files(home) if "birch" in path]


def test_files_of_other_code_versions_do_not_break_the_views(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(home, clients, schema=SCHEMA)
    changed = older(SCHEMA)
    with duckdb.connect(str(home.client_file("birch"))) as db:
        db.execute("alter table ledger.journal_lines add column currency varchar default 'USD'")
        db.execute("alter table ledger.journal_lines alter line_id type bigint")
    publish(home, ["birch"], schema=changed)
    assert rows(
        "select client, count(*), count(currency) from journal_lines group by 1 order by 1"
    ) == [
        ("acme", 20, 0),
        ("birch", 20, 20),
    ]
    publish(home, [], schema=SCHEMA)  # and back, as after a rolled-back release
    assert rows(
        "select client, sum(amount) is not null from journal_lines group by 1 order by 1"
    ) == [
        ("acme", True),
        ("birch", True),
    ]
    assert rows("select column_name from (describe journal_lines)")[-1] == ("amount",)


def test_a_client_whose_file_lacks_a_table_has_no_rows_there(
    home: Home, clients: list[str], rows: Rows
) -> None:
    with duckdb.connect(str(home.client_file("birch"))) as db:
        db.execute("drop table reports.totals")
    publish(home, clients, schema=SCHEMA)
    assert rows("select client from totals") == [("acme",)]


def test_a_moved_home_is_put_right_by_one_call(home: Home, clients: list[str]) -> None:
    publish(home, clients, schema=SCHEMA)
    moved = Home(home.path.rename(home.path.with_name("moved")))
    assert relocate(moved, schema=SCHEMA)
    assert not relocate(moved, schema=SCHEMA)
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


def test_a_client_without_books_or_registration_is_named(home: Home) -> None:
    connect_clients(home, ["acme"])
    report = publish(home, ["acme"], schema=SCHEMA)
    assert "bill-pipeline sync acme" in report.not_published["acme"]
    with pytest.raises(UnknownClient):
        publish(home, ["nobody"], schema=SCHEMA)


def test_an_unreadable_ledger_is_reported_with_the_remedy(home: Home) -> None:
    home.ledger.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(PublishError, match="bill-pipeline publish --all"):
        publish(home, [], schema=SCHEMA)


def test_sync_status_tells_how_fresh_each_client_is(
    home: Home, clients: list[str], rows: Rows
) -> None:
    success = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    Registry(home).update("acme", state=State.UP_TO_DATE, last_success_at=success)
    Registry(home).update("birch", state=State.RECONNECT, error="refused", remedy="new token")
    publish(home, ["acme"], schema=SCHEMA)
    sql = """select client, state, last_success_at, remedy, books_as_of is not null,
             published_row_count from sync_status order by client"""
    assert rows(sql) == [
        ("acme", "up_to_date", success.replace(tzinfo=None), None, True, 21),
        ("birch", "reconnect", None, "new token", False, 0),
    ]


def test_no_secret_of_the_registry_is_published(home: Home, clients: list[str]) -> None:
    publish(home, clients, schema=SCHEMA)
    for path in [home.ledger, *home.published.rglob("*.parquet")]:
        assert b"not-a-real" not in path.read_bytes()


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
