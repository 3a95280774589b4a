"""What is published is what was built, wherever a process died and whatever was put back since."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.actions.deciding import Answer, DocumentLine, decide_lines
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.pipeline.client_sync import Sync, SyncOptions, open_sync
from bill_pipeline.publishing import catalogue
from bill_pipeline.publishing.publish import as_published, publish
from bill_pipeline.publishing.stores import store_of
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.built import compare
from bill_pipeline.warehouse.upkeep import next_batch_time
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.journey.firm import Firm

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]
ROWS = "select entry_id, line_no, account_id, amount from {} order by all"
_SOME_LINE = """
select l.document_type, l.document_id, l.line_id, a.account_id
from categorized.lines l join ledger.accounts a on a.account_id <> l.account_id
where l.is_booked and l.document_type = 'bill' and a.account_type = 'Expense'
order by all limit 1
"""


class Killed(BaseException):
    """In a test's process no signal can be sent; nothing of ours may act on this one."""


@dataclass
class Crash:
    """What lies on the disk at the moment at which the process is killed."""

    firm: Firm
    folder: Path

    def now(self, *_: Any, **__: Any) -> None:
        shutil.copytree(self.firm.home.path, self.folder)
        raise Killed

    @property
    def left(self) -> Firm:
        return Firm(self.firm.sandbox, self.folder)


@pytest.fixture
def crash(firm: Firm, tmp_path: Path) -> Crash:
    return Crash(firm, tmp_path / "crashed")


def answer(home: Home, client: str) -> Answer:
    """A person's answer that brings new lines into the journal."""
    with duckdb.connect(str(home.client_file(client)), read_only=True) as books:
        *line, account = books.execute(_SOME_LINE).fetchone() or ()
    return Answer(DocumentLine(*line), account)


def learn(firm: Firm, client: str) -> None:
    """Something new that the client's next sync will book."""
    given = answer(firm.home, client)
    with Warehouse.open(Registry(firm.home), client) as warehouse:
        at = next_batch_time(warehouse, utc_now())
        decisions.record_categories(
            warehouse.connection,
            [{
                "document_type": given.line.document_type, "document_id": given.line.document_id,
                "line_id": given.line.line_id, "features_hash": None,
                "account_id": given.account_id, "source": "person", "confidence": 1.0,
                "reason": "told", "withdrawn": False, "parts": None,
            }],
            decided_at=at.replace(tzinfo=None),
            decided_by="a person",
        )  # fmt: skip


def published(firm: Firm, client: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(firm.home.ledger), read_only=True) as ledger:
        ledger.execute(f"set variable ledger_home = '{firm.home.path}'")
        return ledger.execute(
            ROWS.format(f"(from journal_lines where client = '{client}')")
        ).fetchall()


def built(firm: Firm, client: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(firm.home.client_file(client)), read_only=True) as books:
        return books.execute(ROWS.format("ledger.journal_lines")).fetchall()


def behind(firm: Firm) -> list[str]:
    return [
        s.client for s in as_published(firm.home, Registry(firm.home).all()) if s.unpublished_since
    ]


def sync_and_be_killed(crash: Crash, client: str) -> None:
    learn(crash.firm, client)
    with pytest.raises(Killed):
        crash.firm.run("sync", client)


def at_the_note(patch: pytest.MonkeyPatch, crash: Crash) -> None:
    update = Registry.update

    def die(registry: Registry, client: str, **changes: Any) -> None:
        if "unpublished_since" in changes:
            crash.now()
        update(registry, client, **changes)

    patch.setattr(Registry, "update", die)


def after_the_last_layer(patch: pytest.MonkeyPatch, crash: Crash) -> None:
    patch.setattr(Sync, "finish", crash.now)


def before_the_publication(patch: pytest.MonkeyPatch, crash: Crash) -> None:
    patch.setattr("bill_pipeline.pipeline.sync_many.publish", crash.now)


def before_the_catalogue(patch: pytest.MonkeyPatch, crash: Crash) -> None:
    patch.setattr("bill_pipeline.publishing.files.write_catalogue", crash.now)


Point = Callable[[pytest.MonkeyPatch, Crash], None]
POINTS: list[Point] = [
    at_the_note, after_the_last_layer, before_the_publication, before_the_catalogue,
]  # fmt: skip


def test_half_of_a_first_import_is_published_by_nobody(crash: Crash, names: list[str]) -> None:
    """Killed between two layers of the first sync there are books, and not yet all of them."""
    home = crash.firm.home
    with duckdb.connect(str(home.client_file(names[0]))) as books:
        books.execute("delete from upkeep.builds where room = 'reports'")
        books.execute("update upkeep.build set number = '20990101T000000.000000Z-000000'")
    home.ledger.unlink()
    report = publish(Registry(home), [])
    assert names[0] not in report.published
    assert "a part of its books only" in report.left_behind[names[0]]
    assert crash.firm.run("sync", names[0]).exit_code == 0
    assert published(crash.firm, names[0]) == built(crash.firm, names[0])


@pytest.mark.parametrize(("point", "who"), list(zip(POINTS, [0, 1, 0, None], strict=True)))
def test_books_of_a_killed_sync_are_published_by_the_next_command(
    crash: Crash, names: list[str], monkeypatch: pytest.MonkeyPatch, point: Point, who: int | None
) -> None:
    with monkeypatch.context() as patch:
        point(patch, crash)
        sync_and_be_killed(crash, names[0])
    left = crash.left
    assert len(built(left, names[0])) > len(published(left, names[0]))
    assert behind(left) == [names[0]]
    said = [json.loads(line) for line in left.run("clients", "--json").output.splitlines()]
    assert [each["client"] for each in said if each["unpublished_since"]] == [names[0]]
    result = left.run("publish") if who is None else left.run("sync", names[who])
    assert result.exit_code == 0, result.output
    assert published(left, names[0]) == built(left, names[0])
    assert behind(left) == []
    assert left.query("from sync_status where unpublished_since is not null") == []


def test_a_decision_that_a_killed_console_booked_is_published_by_anybody(
    crash: Crash, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = answer(crash.firm.home, names[0])
    with monkeypatch.context() as patch:
        at_the_note(patch, crash)
        with pytest.raises(Killed):
            decide_lines(crash.firm.home, names[0], [given], by="a person", reason="told")
    left = crash.left
    assert len(built(left, names[0])) > len(published(left, names[0]))
    assert left.run("publish").exit_code == 0
    assert published(left, names[0]) == built(left, names[0])


def test_a_registry_that_cannot_be_written_at_the_end_costs_nothing(
    firm: Firm, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(firm, names[0])
    update = Registry.update

    def refuse(registry: Registry, client: str, **changes: Any) -> None:
        if "unpublished_since" in changes:
            raise OSError(28, "No space left on device")
        update(registry, client, **changes)

    with monkeypatch.context() as patch:
        patch.setattr(Registry, "update", refuse)
        said = firm.run("sync", names[0])
    assert said.exit_code == 1
    assert firm.run("sync", names[0]).exit_code == 0  # as it says
    assert published(firm, names[0]) == built(firm, names[0])
    assert behind(firm) == []


@pytest.mark.parametrize("command", [("sync", "--all"), ("publish",)])
def test_a_registry_put_back_does_not_hide_what_was_built(
    firm: Firm,
    names: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
) -> None:
    backup = shutil.copy(firm.home.registry, tmp_path / "backup")
    crash = Crash(firm, tmp_path / "crashed")
    with monkeypatch.context() as patch:
        before_the_publication(patch, crash)
        sync_and_be_killed(crash, names[0])
    shutil.copy(backup, firm.home.registry)
    for suffix in ("-wal", "-shm"):
        firm.home.registry.with_name(firm.home.registry.name + suffix).unlink(missing_ok=True)
    assert behind(firm) == [names[0]]
    assert firm.run(*command).exit_code == 0
    assert published(firm, names[0]) == built(firm, names[0])


@pytest.mark.parametrize("command", [("sync", "--all"), ("publish",)])
def test_an_older_ledger_put_back_shows_everybodys_present_books_after_the_next_command(
    firm: Firm, names: list[str], tmp_path: Path, command: tuple[str, ...]
) -> None:
    backup = Path(shutil.copy2(firm.home.ledger, tmp_path / "backup"))
    for name in names[:2]:
        learn(firm, name)
    assert firm.run("sync", *names[:2]).exit_code == 0
    firm.home.ledger.unlink()
    shutil.copy2(backup, firm.home.ledger)
    assert sorted(behind(firm)) == sorted(names[:2])
    assert firm.run(*command).exit_code == 0
    assert all(published(firm, name) == built(firm, name) for name in names)
    assert behind(firm) == []


def test_an_older_client_file_put_back_is_published_as_it_is(
    firm: Firm, names: list[str], tmp_path: Path
) -> None:
    backup = shutil.copy(firm.home.client_file(names[0]), tmp_path / "backup")
    learn(firm, names[0])
    assert firm.run("sync", names[0]).exit_code == 0
    shutil.copy(backup, firm.home.client_file(names[0]))
    assert behind(firm) == [names[0]]
    assert firm.run("publish").exit_code == 0
    assert published(firm, names[0]) == built(firm, names[0])


def test_a_catalogue_that_did_not_come_onto_the_disk_is_not_put_in_place(
    firm: Firm, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(firm, names[0])
    before = published(firm, names[0])
    connect = duckdb.connect

    def closed_by_a_full_disk(path: str = ":memory:", **how: Any) -> Any:
        """DuckDB writes its log into the file when it is closed, and says nothing if it cannot."""
        connection = connect(path, **how)
        if path.endswith(".ledger.next.duckdb") and not how:
            connection.execute("set checkpoint_threshold = '1TB'")
            connection.execute("pragma disable_checkpoint_on_shutdown")
            return _WithoutCheckpoint(connection)
        return connection

    with monkeypatch.context() as disk:
        disk.setattr(catalogue.duckdb, "connect", closed_by_a_full_disk)
        said = firm.run("sync", names[0])
    assert said.exit_code == 1
    assert "Free space" in said.output
    assert list(firm.home.path.glob(".ledger*")) == []
    assert published(firm, names[0]) == before
    assert behind(firm) == [names[0]]
    assert firm.run("publish").exit_code == 0  # as it says
    assert published(firm, names[0]) == built(firm, names[0])


class _WithoutCheckpoint:
    """A connection whose checkpoints do nothing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __enter__(self) -> _WithoutCheckpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def execute(self, sql: str, *given: Any) -> Any:
        return self._connection.execute("select 1" if sql == "checkpoint" else sql, *given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_a_ledger_of_an_earlier_release_is_published_once(firm: Firm, names: list[str]) -> None:
    ledger = firm.home.ledger
    ledger.chmod(0o644)
    with duckdb.connect(str(ledger)) as db:
        db.execute("alter table catalogue.versions drop column build")
    for name in names:
        with duckdb.connect(str(firm.home.client_file(name))) as books:
            books.execute("drop table upkeep.build")
    assert sorted(publish(Registry(firm.home), []).published) == sorted(names)
    assert publish(Registry(firm.home), []).published == {}
    assert all(published(firm, name) == built(firm, name) for name in names)


def test_idle_clients_files_are_not_opened(
    firm: Firm, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert behind(firm) == []  # a copied home: each file is asked once
    opened: list[str] = []
    monkeypatch.setattr("bill_pipeline.warehouse.built.open_for_reading", opened.append)
    assert compare(firm.home, names, store_of(firm.home).builds()).behind == {}
    monkeypatch.undo()
    with open_sync(
        Registry(firm.home), names[0], SyncOptions()
    ) as sync:  # a sync that finds nothing
        sync.finish()
    monkeypatch.setattr("bill_pipeline.warehouse.built.open_for_reading", opened.append)
    assert behind(firm) == []
    assert opened == []
