"""The published ledger: whole, consistent, documented, bounded and movable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.publishing.publish import publish
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.registry.client_errors import UnknownClient
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.settings import Home
from tests.publish.conftest import ALL_STORES, opened, stored_files
from tests.publish.publish_fixture import SCHEMA, connect_clients, fill_books, older, write_books

pytestmark = [
    pytest.mark.rotating(days=4),
    pytest.mark.parametrize("store", ALL_STORES, indirect=True),
]
Rows = Callable[[str], list[tuple[Any, ...]]]


def test_every_clients_rows_are_published_with_the_client_first(
    home: Home, clients: list[str], rows: Rows
) -> None:
    report = publish(Registry(home), clients, schema=SCHEMA)
    assert report.published == {"acme": 21, "birch": 21}
    assert rows(
        "select client, count(*), sum(amount) from journal_lines group by 1 order by 1"
    ) == [
        ("acme", 20, Decimal("211.90")),
        ("birch", 20, Decimal("211.90")),
    ]
    assert rows("select column_name from (describe journal_lines)")[0] == ("client",)


def test_a_ledger_without_clients_has_every_table_with_its_columns(home: Home, rows: Rows) -> None:
    publish(Registry(home), [], schema=SCHEMA)
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
    publish(Registry(home), [], schema=SCHEMA)
    described = {name: rows(f"describe {name}") for name in ("journal_lines", "totals")}
    publish(Registry(home), clients, schema=SCHEMA)
    assert {name: rows(f"describe {name}") for name in described} == described


def test_tables_columns_and_macros_are_documented_in_the_file(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    undocumented = """
        select table_name, column_name from duckdb_columns()
        where not internal and schema_name = 'main' and coalesce(comment, '') = ''
        union all select view_name, null from duckdb_views()
        where not internal and coalesce(comment, '') = ''
        union all select table_name, null from duckdb_tables()
        where not internal and schema_name = 'main' and coalesce(comment, '') = ''
        union all select function_name, null from duckdb_functions()
        where not internal and coalesce(comment, '') = ''
    """
    assert rows(undocumented) == []
    described = """
        select comment from duckdb_views() where view_name = 'totals'
        union all select comment from duckdb_tables() where table_name = 'totals'
    """
    assert rows(described) == [
        ("The sum of each client's journal. Grain: one row per batch. Key: client, batch.",)
    ]


def test_an_open_connection_keeps_its_snapshot_and_a_new_one_sees_the_new_books(
    home: Home, store: str, clients: list[str], rows: Rows
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    with opened(home, store) as before:
        write_books(home, "acme", 2)
        publish(Registry(home), ["acme"], schema=SCHEMA)
        batches = "select distinct batch from journal_lines where client = 'acme'"
        assert before.execute(batches).fetchall() == [(1,)]
        with open_ledger(home) as after:
            assert after.execute(batches).fetchall() == [(2,)]
        assert before.execute(batches).fetchall() == [(1,)]
    assert rows("select client, batch from totals order by 1") == [("acme", 2), ("birch", 1)]


def test_a_caller_with_the_file_open_publishes_what_it_committed(
    home: Home, clients: list[str], rows: Rows
) -> None:
    with duckdb.connect(str(home.client_file("acme"))) as books:
        found = "select count(*), max(batch) from journal_lines where client = 'acme'"
        fill_books(books, 7, 5)
        books.execute("begin transaction")
        books.execute("delete from ledger.journal_lines")  # not committed, so not published
        publish(Registry(home), ["acme"], connections={"acme": books}, schema=SCHEMA)
        books.execute("rollback")
        assert rows(found) == [(5, 7)]
        publish(
            Registry(home), ["acme"], schema=SCHEMA
        )  # the same without handing the connection over
    assert rows(found) == [(5, 7)]


def test_old_versions_are_collected_after_the_grace_period_and_not_before(
    home: Home, clients: list[str]
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    first = stored_files(home)
    publish(Registry(home), clients, schema=SCHEMA)
    assert set(first) < set(stored_files(home))
    report = publish(Registry(home), [], schema=SCHEMA, grace=timedelta(0))
    assert report.files_collected >= len(first)  # the lake has small ones of its own
    assert not set(first) & set(stored_files(home))
    assert len(stored_files(home)) == len(first)


def test_a_disconnected_client_leaves_the_ledger(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    Registry(home).disconnect("birch", purge=True)
    report = publish(Registry(home), [], schema=SCHEMA)
    assert report.removed == ("birch",)
    for table in ("journal_lines", "totals", "clients", "sync_status"):
        assert rows(f"select distinct client from {table}") == [("acme",)]
    publish(Registry(home), [], schema=SCHEMA, grace=timedelta(0))
    assert not [path for path in stored_files(home) if "birch" in path]


def test_files_of_other_code_versions_do_not_break_the_views(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    changed = older(SCHEMA)
    with duckdb.connect(str(home.client_file("birch"))) as db:
        db.execute("alter table ledger.journal_lines add column currency varchar default 'USD'")
        db.execute("alter table ledger.journal_lines alter line_id type bigint")
    publish(Registry(home), ["birch"], schema=changed)
    assert rows(
        "select client, count(*), count(currency) from journal_lines group by 1 order by 1"
    ) == [
        ("acme", 20, 0),
        ("birch", 20, 20),
    ]
    publish(Registry(home), [], schema=SCHEMA)  # and back, as after a rolled-back release
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
    publish(Registry(home), clients, schema=SCHEMA)
    assert rows("select client from totals") == [("acme",)]


def test_a_client_without_books_or_registration_is_named(home: Home) -> None:
    connect_clients(home, ["acme"])
    report = publish(Registry(home), ["acme"], schema=SCHEMA)
    assert "bill-pipeline sync acme" in report.not_published["acme"]
    with pytest.raises(UnknownClient):
        publish(Registry(home), ["nobody"], schema=SCHEMA)


def test_sync_status_tells_how_fresh_each_client_is(
    home: Home, clients: list[str], rows: Rows
) -> None:
    success = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    Registry(home).update("acme", state=State.UP_TO_DATE, last_success_at=success)
    Registry(home).update("acme", quarantined={"bills": 2, "vendors": 1})
    Registry(home).update("birch", state=State.RECONNECT, error="refused", remedy="new token")
    home.client_file("birch").unlink()
    publish(Registry(home), ["acme"], schema=SCHEMA)
    sql = """select client, state, last_success_at, remedy, books_as_of is not null,
             quarantined_count, published_row_count from sync_status order by client"""
    assert rows(sql) == [
        ("acme", "up_to_date", success.replace(tzinfo=None), None, True, 3, 21),
        ("birch", "reconnect", None, "new token", False, 0, 0),
    ]


def test_no_secret_of_the_registry_is_published(home: Home, clients: list[str]) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    written = [home.ledger, home.lake_door, *home.path.rglob("*.parquet")]
    for path in filter(Path.exists, written):
        assert b"not-a-real" not in path.read_bytes()
