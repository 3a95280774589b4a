"""What only the DuckLake store has: turns between machines, secrets kept out, orphans collected."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.publishing import registry
from bill_pipeline.publishing.lake import LakeLedger
from bill_pipeline.publishing.publish import publish, show_status
from bill_pipeline.publishing.query import QueryError, open_ledger, run
from bill_pipeline.publishing.tables import PublishError
from bill_pipeline.registry.clients import Registry, State, utc_now
from bill_pipeline.settings import Home
from tests.postgres_server import create_database, needs_postgres
from tests.publish.conftest import stored_files
from tests.publish.publish_fixture import SCHEMA, connect_clients, write_books

pytestmark = [
    needs_postgres,
    pytest.mark.slow,
    pytest.mark.parametrize("store", ["ducklake"], indirect=True),
    pytest.mark.rotating(days=4, part=1, together=True),
]
Rows = Callable[[str], list[tuple[Any, ...]]]


def test_two_machines_that_publish_at_once_both_succeed(
    home: Home, clients: list[str], tmp_path: Path, rows: Rows
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    other = Home.at(tmp_path / "other machine")
    connect_clients(other, clients)
    write_books(home, "acme", 2)
    write_books(other, "birch", 3)
    # One data folder, as two machines that share an object store or a file server have.
    other.lake.symlink_to(home.lake)
    threads = [
        threading.Thread(
            target=publish, args=(Registry(home), ["acme"]), kwargs={"schema": SCHEMA}
        ),
        threading.Thread(
            target=publish, args=(Registry(other), ["birch"]), kwargs={"schema": SCHEMA}
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open_ledger(home) as ledger:
        batches = "select client, batch from totals order by 1"
        assert ledger.execute(batches).fetchall() == [("acme", 2), ("birch", 3)]


def test_a_lake_of_before_gets_the_columns_that_its_registry_lacks(
    home: Home, clients: list[str], rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = registry.SYNC_STATUS
    before = replace(
        today, columns=tuple(c for c in today.columns if c.name != "quarantined_count")
    )
    with monkeypatch.context() as patched:
        patched.setattr(registry, "TABLES", (registry.CLIENTS_TABLE, before))
        patched.setattr(registry.RegistryTables, "bring_up_to_date", lambda *_, **__: None)
        publish(Registry(home), clients, schema=SCHEMA)
    publish(Registry(home), ["acme"], schema=SCHEMA)
    assert rows("select quarantined_count from sync_status where client = 'acme'") == [(0,)]
    assert rows("select count(distinct client) from totals") == [(2,)]


def damage(home: Home, client: str, how: str) -> None:
    with open_ledger(home) as lake:
        files = "select data_file from ducklake_list_files('ledger', 'totals')"
        found = [Path(path) for (path,) in lake.execute(files).fetchall()]
    (path,) = (each for each in found if each.parent.name == f"client={client}")
    data = path.read_bytes()
    end = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    if how == "gone":
        path.unlink()
    else:
        altered = data[:end] + b"\xff" * 40 + data[end + 40 :]
        path.write_bytes(data[:100] if how == "cut" else altered)


@pytest.mark.parametrize("how", ["cut", "altered", "gone"])
def test_a_damaged_file_is_replaced_by_the_next_publication_of_its_client(
    home: Home, clients: list[str], rows: Rows, how: str
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    damage(home, "acme", how)
    write_books(home, "acme", 2)
    publish(
        Registry(home), [], schema=SCHEMA, grace=timedelta(0)
    )  # which takes in who was left behind
    assert rows("select client, batch from totals order by 1") == [("acme", 2), ("birch", 1)]
    damage(home, "acme", how)
    damage(home, "birch", how)
    with pytest.raises(PublishError, match="`bill-pipeline publish --all`"):
        publish(Registry(home), ["acme"], schema=SCHEMA)
    publish(Registry(home), clients, schema=SCHEMA)
    assert rows("select client, batch from totals order by 1") == [("acme", 2), ("birch", 1)]


def test_files_of_another_day_than_their_catalogue_are_said_with_what_to_do(
    home: Home, clients: list[str], rows: Rows, postgres: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    shutil.rmtree(home.lake / "catalogue")
    with pytest.raises(PublishError, match="name an empty database"):
        publish(Registry(home), clients, schema=SCHEMA)
    other = create_database(postgres, "another")
    monkeypatch.setenv("BILL_PIPELINE_DUCKLAKE_CATALOGUE", other)
    publish(Registry(home), clients, schema=SCHEMA)
    assert rows("select client, batch from totals order by 1") == [("acme", 1), ("birch", 1)]


def test_what_a_killed_publisher_left_is_collected_and_nothing_else(
    home: Home, clients: list[str], rows: Rows
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    kept = stored_files(home)
    orphan = home.lake / "main" / "totals" / "client=acme" / "ducklake-dead.parquet"
    orphan.write_bytes((home.path / kept[0]).read_bytes())
    staged = home.published / ".staging" / "20260101T000000.000000Z-abcdef" / "totals"
    staged.mkdir(parents=True)
    (home.published / ".writing" / "1-dead").write_text(f".staging {staged.parent.name}\n")
    publish(Registry(home), [], schema=SCHEMA)
    assert stored_files(home) == kept
    assert not staged.exists()
    assert list((home.published / ".writing").iterdir()) == []
    assert rows("select count(*) from totals") == [(2,)]


def test_looking_at_bill_and_finding_nothing_makes_no_snapshot(
    home: Home, clients: list[str]
) -> None:
    registry, looked = Registry(home), utc_now() - timedelta(hours=2)
    registry.update("acme", last_attempt_at=looked, last_success_at=looked)
    publish(Registry(home), clients, schema=SCHEMA)

    def snapshots_after(**changes: object) -> int:
        registry.update("acme", **changes)
        show_status(Registry(home))
        publish(Registry(home), [], schema=SCHEMA)
        with open_ledger(home) as ledger:
            row = ledger.execute("select count(*) from ducklake_snapshots('ledger')").fetchone()
        return int((row or (0,))[0])

    begun = snapshots_after(error=None)
    soon, late = looked + timedelta(minutes=5), looked + timedelta(hours=1)
    assert snapshots_after(last_attempt_at=soon, last_success_at=soon) == begun
    assert snapshots_after(last_attempt_at=late, last_success_at=late) == begun + 1
    assert snapshots_after(state=State.FAILING, error="BILL is away.") == begun + 2


def test_a_snapshot_outlives_the_grace_period_while_it_is_the_newest(
    home: Home, clients: list[str]
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    with open_ledger(home) as before:
        write_books(home, "acme", 2)
        publish(Registry(home), ["acme"], schema=SCHEMA, grace=timedelta(minutes=5))
        assert before.execute("select max(batch) from journal_lines").fetchall() == [(1,)]


@pytest.mark.parametrize(
    "catalogue",
    ["host=db user=firm password=secret dbname=ledger", "postgresql://firm:secret@db/ledger"],
)
def test_a_password_in_the_address_is_refused_and_never_repeated(
    home: Home, catalogue: str
) -> None:
    with pytest.raises(PublishError) as refusal:
        LakeLedger(home, catalogue, None)
    assert "secret" not in str(refusal.value)


def test_a_catalogue_out_of_reach_is_said_in_a_sentence(home: Home, tmp_path: Path) -> None:
    ledger = LakeLedger(home, f"host={tmp_path} dbname=ledger", None)
    for ask in (ledger.exists, ledger.builds):
        with pytest.raises(PublishError, match="cannot be reached"):
            ask()


def test_nothing_but_reading_the_lake_is_possible(home: Home, clients: list[str]) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    publish(Registry(home), clients, schema=SCHEMA)
    before = stored_files(home)
    snapshots = "select count(*) from ducklake_snapshots('ledger')"
    with open_ledger(home) as ledger:
        count = ledger.execute(snapshots).fetchall()
        for sql in (
            "from postgres_query('__ducklake_metadata_ledger', 'truncate ducklake_snapshot')",
            "from ducklake_expire_snapshots('ledger', versions => [1])",
            "call ducklake_cleanup_old_files('ledger', cleanup_all => true)",
            "delete from totals",
            "attach 'ducklake:postgres:dbname=other' as other",
            f"from read_text('{home.path}/secret.key')",
        ):
            with pytest.raises((QueryError, duckdb.Error)):
                run(ledger, sql).fetchall()
    with open_ledger(home) as ledger:
        assert ledger.execute(snapshots).fetchall() == count
    assert stored_files(home) == before
