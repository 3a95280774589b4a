"""What can be found out again is thrown away when it is damaged, and made anew."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from bill_pipeline.bill.budget import SharedBudget
from bill_pipeline.categorization import model_registry
from bill_pipeline.publishing.tables import PublishError
from bill_pipeline.registry import registry_file
from bill_pipeline.registry.clients import Registry
from bill_pipeline.registry.session_store import SealedSessions
from bill_pipeline.registry.vault import Vault
from bill_pipeline.settings import Home
from models.knowledge import GlobalKnowledge
from tests.healing.test_publication import cut, empty, fill
from tests.publish.publish_fixture import connect_clients

pytestmark = pytest.mark.rotating(days=8)


def spoil_a_name(path: Path) -> None:
    """A byte of a table's name becomes none of UTF-8: Python cannot read what SQLite says of it."""
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE ", b"CREATE TABL\xba ", 1))


@pytest.mark.parametrize("damage", [cut, fill, spoil_a_name])
def test_a_damaged_budget_is_counted_anew_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: object
) -> None:
    path = tmp_path / "budget.sqlite"
    budget = SharedBudget(path, journal_mode="delete")
    for _ in range(60):
        with budget.place("key", "organization", is_login=False, patience_seconds=0):
            pass
    assert budget.used("key") == (60, 0)
    assert callable(damage)
    damage(path)
    with caplog.at_level(logging.WARNING):
        budget = SharedBudget(path, journal_mode="delete")
        SharedBudget(path, journal_mode="delete")
    assert [record.message for record in caplog.records] == [
        f"{path} was damaged: the requests of this hour are counted anew."
    ]
    with budget.place("key", "organization", is_login=False, patience_seconds=0):
        pass
    assert budget.used("key") == (1, 0)


def test_a_folder_in_the_place_of_the_budget_is_moved_aside_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "budget.sqlite"
    for count in (1, 2):
        path.unlink(missing_ok=True)
        path.mkdir()
        (path / "notes").write_text(f"{count}")
        caplog.clear()
        SharedBudget(path, journal_mode="delete").spend_hour("key", is_login=False)
        assert SharedBudget(path, journal_mode="delete").left() == 0
        aside = tmp_path / f"budget.sqlite.aside-{count}"
        assert (aside / "notes").read_text() == f"{count}"
        assert [record.message for record in caplog.records] == [
            f"{path} was a folder and is moved aside as {aside}."
        ]


def test_a_budget_that_could_not_be_written_goes_on_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = SharedBudget(tmp_path / "budget.sqlite")
    budget._database.execute("pragma query_only = on")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        budget.spend_hour("key", is_login=False)
    budget._database.execute("pragma query_only = off")
    budget.spend_hour("key", is_login=False)
    assert budget.left() == 0


@pytest.mark.parametrize("content", ["garbage", "[1, 2]", '{"session": 1}', "null", None])
def test_a_damaged_session_is_none(tmp_path: Path, content: str | None) -> None:
    home = Home.at(tmp_path / "home")
    connect_clients(home, ["acme"])
    registry = Registry(home)
    sealed: object = b"\x00\xff" if content is None else Vault.of(home).seal(SecretStr(content))
    with registry.database() as db:
        db.execute("insert into sessions values ('acme', ?, 'now')", [sealed])
    assert SealedSessions(registry).get("acme") is None


@pytest.mark.parametrize("damage", [cut, fill, empty])
@pytest.mark.parametrize("file", ["model.skops", "model.json"])
def test_damaged_knowledge_is_thrown_away_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: object, file: str
) -> None:
    home = Home.at(tmp_path / "home")
    model_registry.save_knowledge(home, GlobalKnowledge.from_seeds(), ["acme"])
    assert callable(damage)
    damage(home.models / "knowledge" / file)
    model_registry.load_knowledge.cache_clear()
    with caplog.at_level(logging.WARNING):
        model_registry.knowledge(home)
        model_registry.knowledge(home)
    assert len([r for r in caplog.records if "thrown away" in r.message]) == 1
    assert model_registry.contributors(home) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00garbage", b"../../secret.key\nv1\n"])
def test_a_damaged_list_of_champions_names_no_model(tmp_path: Path, content: bytes) -> None:
    home = Home.at(tmp_path / "home")
    path = home.models / "clients" / "acme" / "champions"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert model_registry.champion(home, "acme") is None
    assert model_registry.training_of_champion(home, "acme") is None


def test_a_registry_is_not_made_by_reading(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "home")
    assert Registry(home).all() == []
    assert not home.registry.exists()


@pytest.mark.parametrize("damage", [fill, spoil_a_name])
def test_a_damaged_registry_is_said_and_empties_nothing(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    from bill_pipeline.publishing.publish import publish
    from bill_pipeline.runtime.machine import machine_error

    home = Home.at(tmp_path / "home")
    connect_clients(home, ["acme"])
    home.client_file("acme").write_bytes(b"")
    damage(home.registry)
    with pytest.raises(sqlite3.DatabaseError) as caught:
        publish(Registry(home), [])
    said = machine_error(caught.value)
    assert said is not None
    assert "registry.sqlite, is damaged" in said.what
    home.registry.unlink()
    with pytest.raises(PublishError, match="connect the clients again"):
        publish(Registry(home), [])


def test_a_registry_of_an_earlier_release_is_completed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home.at(tmp_path / "home")
    connect_clients(home, ["acme"])
    with sqlite3.connect(home.registry) as db:
        db.execute("alter table clients drop column compared_at")
        db.execute("alter table clients drop column refused_documents")
    look = registry_file._lacking

    def look_slowly(db: sqlite3.Connection) -> list[str]:
        found = look(db)
        time.sleep(0.2)  # the others look, too
        return found

    monkeypatch.setattr(registry_file, "_lacking", look_slowly)
    with ThreadPoolExecutor(4) as processes:
        registries = list(processes.map(Registry, [home] * 4))
    assert [registry.names() for registry in registries] == [["acme"]] * 4
