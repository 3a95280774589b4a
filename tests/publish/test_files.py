"""The ledger as files: bounded, movable, and whole again after every kind of loss."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic import SecretStr

from bill_pipeline.console import leaving
from bill_pipeline.console.auth.users import Role, Users
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.console.postponed import ReviewMemory
from bill_pipeline.publishing import catalogue, files
from bill_pipeline.publishing.contents import read_contents
from bill_pipeline.publishing.publish import publish
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.publishing.tables import PublishError
from bill_pipeline.publishing.versions import write_version
from bill_pipeline.registry.client_errors import ClientBusy
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.registry.webhooks import Webhooks
from bill_pipeline.settings import Home
from tests.publish.publish_fixture import SCHEMA, write_books

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("store", ["files"], indirect=True)]
Rows = Callable[[str], list[tuple[Any, ...]]]


def parquet_files(home: Home) -> list[str]:
    return sorted(
        str(path.relative_to(home.published)) for path in home.published.rglob("*.parquet")
    )


def test_a_moved_home_is_put_right_by_the_next_publication(home: Home, clients: list[str]) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    moved = Home(home.path.rename(home.path.with_name("moved")))
    publish(Registry(moved), [], schema=SCHEMA)
    with duckdb.connect(str(moved.ledger), read_only=True) as db:
        assert db.execute("select count(*) from journal_lines").fetchall() == [(40,)]


def test_a_killed_writers_files_are_collected_by_the_next_one(
    home: Home, clients: list[str]
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    kept = parquet_files(home)
    left = home.published / "totals" / "client=acme" / "20260101T000000.000000Z-abcdef.parquet"
    left.write_bytes(b"half a file")
    (home.published / ".writing" / "1-dead").write_text("acme 20260101T000000.000000Z-abcdef\n")
    (home.path / ".ledger.next.duckdb").write_bytes(b"half a catalogue")
    report = publish(Registry(home), [], schema=SCHEMA)
    assert report.files_collected == 1
    assert parquet_files(home) == kept
    assert list((home.published / ".writing").iterdir()) == []


def test_nobody_begins_to_work_on_a_client_whose_file_a_publication_reads(
    home: Home, clients: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB would refuse the file to them, and a sync would count that as a failure."""
    said = []

    def write(books: Any, client: str, *values: Any, **options: Any) -> Any:
        with pytest.raises(ClientBusy) as caught, client_lock(home, client, "synced"):
            pass
        said.append(str(caught.value))
        return write_version(books, client, *values, **options)

    monkeypatch.setattr(files, "write_version", write)
    publish(Registry(home), clients, schema=SCHEMA)
    assert [client for client in clients for each in said
            if each.startswith(f"{client}'s books are being published")] == clients  # fmt: skip


def test_what_a_tool_left_of_a_write_is_not_replayed(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    wal = home.ledger.with_name("ledger.duckdb.wal")
    wal.write_bytes(b"left by a tool that opened the file for writing")
    publish(Registry(home), clients, schema=SCHEMA)
    assert not wal.exists()
    assert rows("select count(*) from totals") == [(2,)]


def test_the_catalogue_names_only_files_that_exist(home: Home, clients: list[str]) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    contents = read_contents(home)
    assert {v.client for v in contents.current.values()} == {"acme", "birch"}
    for version in contents.current.values():
        for written in version.tables:
            file = f"{written.table}/client={version.client}/{version.number}.parquet"
            assert (home.published / file).exists()


#: What ``ledger.duckdb`` became: gone, or written by code that kept other things in it.
LOSSES = {
    "deleted": "",
    "of another layout": "create schema catalogue; create table catalogue.home (path varchar)",
    "of an earlier layout": """
        create schema catalogue;
        create table catalogue.home (path varchar, written_at timestamp, schema json);
        create table catalogue.layouts (layout varchar, tables json);
        create table catalogue.versions (client varchar, layout varchar, row_counts bigint[]);
        create table catalogue.superseded (client varchar, version varchar, moment timestamp)
    """,
}


@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_catalogue_is_made_again_with_every_client(
    home: Home, clients: list[str], rows: Rows, loss: str
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    before = parquet_files(home)
    home.ledger.unlink()
    if LOSSES[loss]:
        with duckdb.connect(str(home.ledger)) as db:
            db.execute(LOSSES[loss])
    report = publish(Registry(home), ["acme"], schema=SCHEMA)
    assert set(report.published) == {"acme", "birch"}
    assert rows("select client from totals order by 1") == [("acme",), ("birch",)]
    report = publish(Registry(home), [], schema=SCHEMA, grace=timedelta(0))
    assert report.files_collected == len(before)


@pytest.mark.slow
def test_the_next_catalogue_is_the_last_one_with_other_versions(
    home: Home, clients: list[str], rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    words = """
        select view_name, comment from duckdb_views() where not internal
        union all select table_name || '.' || column_name, comment from duckdb_columns()
        where not internal and schema_name = 'main'
        union all select schema_name || '.' || function_name, comment from duckdb_functions()
        where not internal order by all
    """
    described, size = rows(words), home.ledger.stat().st_size
    assert all(comment for _name, comment in described)
    monkeypatch.setattr(catalogue, "_write_whole", lambda *_: pytest.fail("it was written whole"))
    for batch in range(2, 8):
        write_books(home, "acme", batch)
        publish(Registry(home), ["acme"], schema=SCHEMA)
    assert rows("select client, batch from totals order by 1") == [("acme", 7), ("birch", 1)]
    assert rows("select count(distinct published_version) from sync_status") == [(2,)]
    assert rows(words) == described
    assert home.ledger.stat().st_size <= 2 * size


def test_what_a_tool_changed_in_the_ledger_is_gone_after_the_next_publication(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    home.ledger.chmod(0o644)
    with duckdb.connect(str(home.ledger)) as db:
        db.execute("create table mine (a int); drop view totals; create view totals as select 1")
    publish(Registry(home), ["acme"], schema=SCHEMA)
    assert rows("select client from totals order by 1") == [("acme",), ("birch",)]
    with pytest.raises(duckdb.CatalogException):
        rows("from mine")


def test_publishing_does_not_load_what_takes_long_to_load(home: Home, clients: list[str]) -> None:
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from publish_fixture import SCHEMA
from bill_pipeline.registry.clients import Registry
from bill_pipeline.publishing.publish import publish
from bill_pipeline.publishing.tables import PublishError
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.settings import Home
assert publish(Registry(Home(Path({str(home.path)!r}))), ["acme"], schema=SCHEMA).published
assert not {{"httpx", "pandas", "sklearn"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_copy_where_nothing_may_be_written_is_read_when_told_where_it_is(
    home: Home, clients: list[str]
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    copy = Home(home.path.rename(home.path.with_name("backup")))
    for path in copy.path.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    count = "select count(*) from lines_at('acme')"
    with duckdb.connect(str(copy.ledger), read_only=True) as ledger:
        with pytest.raises(duckdb.IOException, match="No files found"):
            ledger.execute(count)
        ledger.execute(f"set variable ledger_home = '{copy.path}'")
        assert ledger.execute(count).fetchall() == [(20,)]
    ledger_bytes = copy.ledger.read_bytes()
    with open_ledger(copy) as ledger:
        assert ledger.execute(count).fetchall() == [(20,)]
        assert ledger.execute("select count(*) from sync_status").fetchall() == [(2,)]
    assert copy.ledger.read_bytes() == ledger_bytes


def test_a_disk_that_is_full_at_the_end_costs_nothing_and_is_left_as_it_was(
    home: Home, clients: list[str], rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    write_books(home, "acme", 2)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(catalogue.os, "utime", refuse)
        with pytest.raises(OSError, match="No space left"):
            publish(Registry(home), ["acme"], schema=SCHEMA)
    assert list(home.path.glob(".ledger*")) == []
    assert rows("select client, batch from totals order by 1") == [("acme", 1), ("birch", 1)]
    publish(Registry(home), ["acme"], schema=SCHEMA)
    assert rows("select client, batch from totals order by 1") == [("acme", 2), ("birch", 1)]


@pytest.mark.parametrize("share", [0.5, 0.99, 1.0, 1.01])
def test_a_disk_that_ends_within_the_catalogue_shows_all_of_it_or_what_was(
    home: Home, clients: list[str], rows: Rows, share: float
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    write_books(home, "acme", 2)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(home.ledger.stat().st_size * share), hard))
    try:
        publish(Registry(home), [], schema=SCHEMA)
    except (duckdb.Error, OSError, PublishError):
        shown = 1
    else:
        shown = 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(home.path.glob(".ledger*")) == []
    assert rows("select client, batch from totals order by 1") == [("acme", shown), ("birch", 1)]
    publish(Registry(home), [], schema=SCHEMA)
    assert rows("select client, batch from totals order by 1") == [("acme", 2), ("birch", 1)]


@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_of_a_large_firm_some_are_looked_at_each_time_until_the_damage_is_found(
    home: Home,
    clients: list[str],
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    monkeypatch.setattr(files, "CLIENTS_LOOKED_AT", 1)
    (path,) = home.published.glob("totals/client=birch/*.parquet")
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        path.unlink()
    looked = 0
    while not publish(Registry(home), [], schema=SCHEMA).published:
        looked += 1
        assert looked < 100
    assert rows("select client, batch from totals order by 1") == [("acme", 1), ("birch", 1)]


@pytest.mark.slow
def test_a_purged_clients_rows_go_at_once_and_open_readers_notice_nothing(
    home: Home, clients: list[str], rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    with Registry(home).database() as db:
        db.execute("update clients set organization_name = 'Birch & Sons' where client = 'birch'")
    write_books(home, "birch", 2)
    publish(Registry(home), clients, schema=SCHEMA)  # the version before is kept for its readers
    monkeypatch.setattr(leaving, "publish", partial(publish, schema=SCHEMA))
    (home.statements / "birch").mkdir()
    Webhooks(Registry(home)).add("birch", "one", SecretStr("a key"), utc_now())
    console = ConsoleDatabase(home.console)
    users = Users(console)
    for name, may in (("ann", {"acme", "birch"}), ("bob", {"birch"})):
        users.create(name, SecretStr("five words of a sentence"), Role.VIEWER,
                     clients=frozenset(may), created_by="x")  # fmt: skip
    users.create("eve", SecretStr("five words of a sentence"), Role.ADMIN,
                 clients="all", created_by="x")  # fmt: skip
    ReviewMemory(console).postpone("birch", ["bill:1:1"], "ann")
    of_acme = "select count(*), sum(amount) from journal_lines where client = 'acme'"
    of_all = "select count(*) from journal_lines"
    with duckdb.connect(str(home.ledger), read_only=True) as reader:
        before = reader.execute(of_acme).fetchall()
        assert reader.execute(of_all).fetchall() == [(40,)]
        leaving.disconnect(Registry(home), "birch", purge=True)
        assert reader.execute(of_acme).fetchall() == before == rows(of_acme)
        assert reader.execute("select count(*) from lines_at('acme')").fetchall() == [(20,)]
        assert reader.execute(of_all).fetchall() == [(20,)]
    assert rows(of_all) == [(20,)]
    left = [path for path in home.path.rglob("*") if path.is_file() and "birch" in str(path)]
    lock = home.clients / "birch.lock"
    with duckdb.connect() as db:
        names = [str(path) for path in left if path != lock]
        assert db.execute("select count(*) from read_parquet(?, union_by_name = true)", [names]
                          ).fetchall() == [(0,)]  # fmt: skip
    assert b"Birch & Sons" not in home.ledger.read_bytes()
    with Registry(home).database() as db:
        assert db.execute("select * from webhooks").fetchall() == []
    # Whoever saw the old client does not see a new one of its name.
    assert [user.clients for user in users.all()] == [frozenset({"acme"}), frozenset(), "all"]
    assert not ReviewMemory(console).postponed()
    publish(Registry(home), [], schema=SCHEMA, grace=timedelta(0))
    left = [path for path in home.path.rglob("*") if path.is_file() and "birch" in str(path)]
    assert left == [lock]
