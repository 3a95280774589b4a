"""Large lists: what an import compares, copies and keeps is bounded, whatever the client's size."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bill_pipeline.ingest import document_versions as archive
from bill_pipeline.ingest.raw import make_raw_tables, open_client_file, put_into_pages
from tests.imports.books import Client

pytestmark = pytest.mark.rotating(days=8)


def test_a_list_larger_than_a_batch_is_archived_whole(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_IDS_PER_PART", 37)
    monkeypatch.setattr(archive, "_DOCUMENTS_PER_BATCH", 10)
    report = client.sync()
    for table in ("bills", "payments", "vendors"):
        [(stored,)] = client.query(f"select count(*) from raw.{table}")
        assert stored > 37
        versions = client.query(
            "select count(*), count(distinct id), max(version) "
            f"from raw.document_versions where list = '{table}'"
        )
        assert versions == [(stored, stored, 1)]
        assert report.archive.new[table] == stored
    assert client.sync().changed == 0
    client.sandbox.control.change(client.name, count=25)
    assert client.sync().archive.changed["bills"] == 25


def test_bills_of_many_lines_are_archived_within_an_import_s_memory(tmp_path: Path) -> None:
    """Reading a document once for each field kept so many copies that 2,000 bills were too many."""
    with open_client_file(tmp_path / "client.duckdb") as connection:
        archive.make_archive(connection)
        make_raw_tables(connection)
        connection.execute(
            """
            insert into raw.bills
            select
                '00n' || i, null, false, false, i::varchar,
                json_object(
                    'id', '00n' || i, 'vendorId', '009', 'amount', 100,
                    'billLineItems', list_transform(range(40), lambda line: json_object(
                        'id', line, 'amount', 2.5, 'description', repeat(i::varchar || ' ', 30)
                    ))
                )
            from range(6000) as bills(i)
            """
        )
        connection.execute("checkpoint")
        as_of = datetime(2026, 1, 1, tzinfo=UTC)
        report = archive.archive_documents(connection, as_of, tables=["bills"])
        assert report.new == {"bills": 6000}


def test_dlt_keeps_no_copy_of_what_it_loaded(client: Client) -> None:
    client.sync(documents_per_chunk=100)
    packages = list((client.folder / "dlt").rglob("*.parquet"))
    assert packages == []
    client.sandbox.control.change(client.name, count=5)
    assert client.sync().archive.changed["bills"] == 5


def test_what_was_loaded_leaves_memory_although_a_sync_holds_the_file_open(
    tmp_path: Path,
) -> None:
    """dlt raises the limit at which DuckDB writes its log into the file's pages to a gigabyte."""
    database = tmp_path / "client.duckdb"
    log = database.with_suffix(".duckdb.wal")
    with open_client_file(database) as held:
        held.execute("set global checkpoint_threshold = '1GB'")
        held.execute("create table loaded as select repeat('x', 1000) as t from range(20000)")
        assert log.stat().st_size > 0
        put_into_pages(database)
        assert not log.exists() or log.stat().st_size == 0
        (in_memory,) = held.execute(
            "select memory_usage_bytes from duckdb_memory() where tag = 'IN_MEMORY_TABLE'"
        ).fetchone() or (0,)
        assert in_memory == 0
