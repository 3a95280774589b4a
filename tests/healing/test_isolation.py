"""Whatever one client's file, folder or documents do, it is that client's trouble alone."""

from __future__ import annotations

import errno
import logging
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from bill_pipeline.actions import sharing
from bill_pipeline.actions.book_settings import change_policies
from bill_pipeline.dagster import idle_clients, reconciling, workers
from bill_pipeline.ingest import client_import as imports
from bill_pipeline.pipeline.client_sync import Sync
from bill_pipeline.pipeline.interrupted import mend_interrupted
from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.clients import Registry, State, utc_now
from bill_pipeline.registry.failures import ClientError, alone, client_error_of
from bill_pipeline.runtime.worker_processes import WorkerProcesses
from tests.healing.deadly import Deadly
from tests.healing.test_publication import LINES, cut, empty, fill
from tests.journey.firm import Firm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("building"), pytest.mark.rotating(days=8)]


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "cut": (cut, "Put it back from a backup"),
    "garbage": (fill, "Put it back from a backup"),
    "empty": (empty, "Put it back from a backup"),
    "a folder": (make_folder, "Put it back from a backup"),
}


def stale(firm: Firm, client: str) -> str:
    (row,) = firm.query(f"select published_version as v from sync_status where client = '{client}'")
    return str(row["v"])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_stops_nobody_else_and_the_backup_heals_it(
    firm: Firm, names: list[str], tmp_path: Path, damage: str
) -> None:
    damaged, *others = names
    whole = firm.query(LINES)
    path = firm.home.client_file(damaged)
    backup = shutil.copy(path, tmp_path / "backup.duckdb")
    make, remedy = DAMAGES[damage]
    make(path)
    before = {name: stale(firm, name) for name in names}
    result = firm.run("sync", "--all")
    assert result.exit_code == 1
    assert f"{damaged}: failed." in result.output
    assert "is damaged" in result.output
    assert "busy" not in result.output
    assert "until that sync is done" not in result.output  # nobody holds it
    assert remedy in result.output
    after = {name: stale(firm, name) for name in names}
    assert {name for name in names if after[name] > before[name]} == set(others)
    assert firm.query(LINES) == whole  # its last good books stay
    status = Registry(firm.home).status(damaged)
    assert status.state is State.FAILING
    assert remedy in (status.remedy or "")
    if path.is_dir():
        path.rmdir()
    shutil.copy(backup, path)
    result = firm.run("sync", "--all")
    assert result.exit_code == 0, result.output
    assert firm.query(LINES) == whole
    assert Registry(firm.home).status(damaged).state is State.UP_TO_DATE


def test_a_log_of_writes_that_belongs_to_another_file_is_named_by_the_remedy(
    firm: Firm, names: list[str], tmp_path: Path
) -> None:
    path = firm.home.client_file(names[0])
    backup = shutil.copy(path, tmp_path / "backup.duckdb")
    with duckdb.connect(str(path)) as books:
        books.execute("create table later as select 1 as a")
    program = (
        f"import duckdb, os; books = duckdb.connect({str(path)!r}); "
        "books.execute('insert into later values (2)'); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    wal = path.with_suffix(".duckdb.wal")
    assert wal.exists()
    shutil.copy(backup, path)  # as a person does who does not read to the end
    result = firm.run("sync", names[0])
    assert result.exit_code == 1
    assert "without the .wal file beside it" in result.output
    wal.unlink()
    shutil.copy(backup, path)
    result = firm.run("sync", names[0])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("error", [KeyError("amount"), ZeroDivisionError(), MemoryError()])
def test_any_exception_in_one_client_is_its_own(
    firm: Firm, names: list[str], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    build = Sync.build

    def fail_in_one(sync: Sync, layer: str, *, reuse: bool = True) -> object:
        if sync.client == names[0] and layer == "ledger":
            raise error
        return build(sync, layer, reuse=reuse)

    monkeypatch.setattr(Sync, "build", fail_in_one)
    result = firm.run("sync", "--all")
    assert result.exit_code == 1
    assert f"{names[0]}: failed." in result.output
    assert all(f"{name}: " in result.output for name in names[1:])
    left = [s.client for s in Registry(firm.home).all() if s.unpublished_since]
    assert left == []


def test_a_publication_goes_on_without_the_client_whose_file_is_damaged(
    firm: Firm, names: list[str]
) -> None:
    whole = firm.query(LINES)
    fill(firm.home.client_file(names[0]))
    report = publish(Registry(firm.home), names, anew=True)
    assert set(report.published) == set(names[1:])
    assert "Put it back from a backup" in report.not_published[names[0]]
    assert firm.query(LINES) == whole
    versions = {row["v"] for row in firm.query("select published_version as v from sync_status")}
    files = {path.stem for path in firm.home.published.rglob("*.parquet")}
    assert versions <= files


def test_what_a_failed_writing_left_is_removed(
    firm: Firm, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bill_pipeline.publishing import versions

    before = set(firm.home.published.rglob("*.parquet"))
    write = versions._write_table

    def fail_at_the_end(*words: object) -> int:
        if words[1] == "reports.vendor_spend":
            raise KeyError("a type that nobody has seen")
        return write(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(versions, "_write_table", fail_at_the_end)
    report = publish(Registry(firm.home), names[:1], anew=True)
    assert set(report.not_published) == {names[0]}
    assert set(firm.home.published.rglob("*.parquet")) == before


def test_a_probe_of_one_client_may_fail_in_any_way(
    firm: Firm, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(_home: object, client: str, *_rest: object) -> list[str]:
        if client == names[0]:
            raise KeyError("results")
        return []

    monkeypatch.setattr(idle_clients, "lists_with_news", answer)
    monkeypatch.setattr(idle_clients, "lists_to_ask", lambda *_: ("bills",))
    news = idle_clients.with_news(Registry(firm.home), names, utc_now(), logging.getLogger())
    assert news == {names[0]: None}  # it is synced, and the sync says what is wrong


def test_a_file_is_probed_after_a_persons_decision_and_not_once_it_was_put_back(
    firm: Firm, names: list[str], tmp_path: Path
) -> None:
    home, client = firm.home, names[0]

    def news() -> list[str] | None:
        return imports.lists_with_news(Registry(home), client, Registry(home).connection(client))

    def decide(threshold: str) -> None:
        change_policies(home, client, {"form_1099_threshold": threshold}, by="a test")

    assert firm.run("sync", client).exit_code == 0
    assert news() == []
    backup = shutil.copy(home.client_file(client), tmp_path / "backup.duckdb")
    decide("601")
    assert news() == []
    shutil.copy(backup, home.client_file(client))
    assert news() is None
    decide("602")
    assert news() is None  # how far that file was read, a decision does not know
    assert firm.run("sync", client).exit_code == 0
    assert news() == []


def test_the_nightly_comparison_goes_on_without_a_damaged_file(
    firm: Firm, names: list[str]
) -> None:
    fill(firm.home.client_file(names[0]))
    differing = reconciling.differing_clients(Registry(firm.home), names, logging.getLogger())
    assert differing == names[:1]


def test_pooling_training_and_mending_go_on_without_a_damaged_file(
    firm: Firm, names: list[str]
) -> None:
    for name in names:
        sharing.set_shared(firm.home, name, shared=True, by="a test", reason="to see")
        Registry(firm.home).update(name, state=State.IMPORTING)
    fill(firm.home.client_file(names[0]))
    lock = firm.home.client_file(names[1]).with_suffix(".lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()
    assert mend_interrupted(Registry(firm.home)) == [names[0], names[2]]
    lock.rmdir()
    pooled = sharing.pool(firm.home)
    assert pooled.contributors == sorted(names[1:])
    assert "Put it back from a backup" in str(pooled.left_out[names[0]])
    result = firm.run("train", "--all")
    assert result.exit_code == 1
    assert all(f"{name}: " in result.output for name in names[1:])
    assert f"{names[0]}: failed." in result.output


def test_a_killed_process_is_the_trouble_of_its_client_alone() -> None:
    task: object = Deadly("b")
    done = {
        outcome.client: outcome
        for outcome in workers._in_processes(task, ["a", "b", "c", "d"], 2)  # type: ignore[arg-type]
    }
    assert sorted(done) == ["a", "b", "c", "d"]
    assert [client for client, outcome in done.items() if outcome.client_error] == ["b"]
    assert "was killed" in str(done["b"].client_error)


def test_interruptions_are_nobodys_trouble() -> None:
    client_errors: dict[str, ClientError] = {}
    with pytest.raises(KeyboardInterrupt), alone("acme", client_errors):
        raise KeyboardInterrupt
    assert client_errors == {}


def test_our_own_mistakes_are_told_apart() -> None:
    assert client_error_of("acme", KeyError("amount")).is_internal
    assert not client_error_of("acme", OSError(28, "No space left on device")).is_internal


def test_words_in_the_data_are_not_the_machines() -> None:
    for text in ("Corrupt Ltd", "checksum", "No space left on device"):
        with pytest.raises(duckdb.ConversionException) as caught:
            duckdb.sql("select cast($text as integer)", params={"text": text}).fetchall()
        assert client_error_of("acme", caught.value).is_internal


def test_a_file_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    refused = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "books.csv"))
    assert "books.csv" in str(client_error_of("acme", refused))


def test_without_a_single_file_to_open_it_is_still_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(Path, "iterdir", refuse)
    client_error = client_error_of("acme", sqlite3.OperationalError("unable to open database file"))
    assert "ulimit" in str(client_error)


def test_workers_that_an_error_ends_begin_nothing_more() -> None:
    waiting = []
    with suppress(KeyError), WorkerProcesses(1) as processes:
        waiting = [processes.submit(time.sleep, 30) for _ in range(10)]
        raise KeyError
    ends = time.monotonic() + 30
    while not all(future.done() for future in waiting) and time.monotonic() < ends:
        time.sleep(0.1)
    assert all(future.cancelled() for future in waiting[3:])


DAMAGED_ROWS = {
    "a state of nobody's": "state = 'archiving'",
    "half a document": "looked_at = '{\"bills\":', activity = '[', quarantined = '{'",
    "documents of other types": "looked_at = '[1]', quarantined = '3', skipped_lists = '\"x\"'",
    "other values in documents": (
        'looked_at = \'{"bills": "yesterday", "vendors": 7}\', quarantined = \'{"bills": []}\''
    ),
    "no moments": (
        "connected_at = 'once', next_sync_at = 'soon', last_success_at = 'never', "
        "compared_at = 7, unpublished_since = 'x'"
    ),
    "moments of no zone": "last_success_at = '2026-06-01T10:00:00', connected_at = '2026-06-01'",
    "no counts": "failure_count = 'many', document_count = x'00ff', review_count = 'x'",
    "bytes that are no text": "organization_name = cast(x'ff80' as text), error = x'ff'",
    "a sealed secret cut off": "token_password_sealed = 'x'",
}


@pytest.mark.parametrize("damage", DAMAGED_ROWS)
def test_a_damaged_row_of_the_registry_is_its_clients_own(
    firm: Firm, names: list[str], damage: str
) -> None:
    damaged, *others = names
    whole = firm.query(LINES)
    before = {name: stale(firm, name) for name in names}
    with sqlite3.connect(firm.home.registry) as registry:
        registry.execute(f"update clients set {DAMAGED_ROWS[damage]} where client = ?", [damaged])
    listed = firm.run("clients", "--json")
    assert listed.exit_code == 0, listed.output
    assert all(name in listed.output for name in names)
    assert firm.query("select count(*) as n from sync_status") == [{"n": len(names)}]
    result = firm.run("sync", "--all")
    assert "Traceback" not in result.output
    after = {name: stale(firm, name) for name in names}
    assert {name for name in others if after[name] > before[name]} == set(others), result.output
    if "secret" in damage:
        assert "connect the client anew" in result.output
        assert firm.connect(0).exit_code == 0
        result = firm.run("sync", damaged)
    assert result.exit_code == 0, result.output
    assert Registry(firm.home).status(damaged).state is State.UP_TO_DATE
    assert firm.query("from sync_status where unpublished_since is not null or error > ''") == []
    assert firm.query(LINES) == whole


def test_an_unknown_state_is_said_with_what_to_do(firm: Firm, names: list[str]) -> None:
    with sqlite3.connect(firm.home.registry) as registry:
        registry.execute("update clients set state = 'archiving' where client = ?", names[:1])
    status = Registry(firm.home).status(names[0])
    assert (status.state, status.is_syncable) == (State.FAILING, True)
    assert "archiving" in str(status.error)
    assert f"`bill-pipeline sync {names[0]}`" in str(status.remedy)


@pytest.mark.parametrize("name", ["../elsewhere", "", "ACME Inc.", None])
def test_a_row_that_cannot_be_a_client_is_left_out(
    firm: Firm, names: list[str], name: str | None
) -> None:
    with sqlite3.connect(firm.home.registry) as registry:
        registry.execute("update clients set client = ? where client = ?", [name, names[0]])
    result = firm.run("sync", "--all")
    assert result.exit_code == 0, result.output
    assert Registry(firm.home).names() == names[1:]
    # Nobody disconnected whose row it was.
    assert [row["client"] for row in firm.query("from sync_status order by 1")] == names


@pytest.mark.parametrize("damage", [cut, empty, fill], ids=["cut", "empty", "garbage"])
def test_a_damaged_key_is_said_and_both_remedies_are_right(
    firm: Firm, names: list[str], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    key = firm.home.secret_key
    backup = shutil.copy(key, tmp_path / "key")
    damage(key)
    key.chmod(0o600)
    result = firm.run("sync", names[0])
    assert result.exit_code == 1
    assert f"{key} is damaged. Put it back from a backup, or delete it and connect the clients" in (
        " ".join(result.output.split())
    )
    assert "unforeseen" not in result.output
    if damage is cut:
        shutil.copy(backup, key)
    else:
        key.unlink()
        assert firm.connect(0).exit_code == 0
    result = firm.run("sync", names[0])
    assert result.exit_code == 0, result.output
