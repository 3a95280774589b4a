"""The registry keeps clients apart, secrets sealed and statuses true."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import filelock
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.bill.sessions import Session
from bill_pipeline.cli import main
from bill_pipeline.ingest.progress import Progress
from bill_pipeline.pipeline.interrupted import mend_interrupted
from bill_pipeline.pipeline.progress_notes import ProgressNotes
from bill_pipeline.registry.client_errors import ClientAlreadyConnected, ClientBusy, UnknownClient
from bill_pipeline.registry.client_files import client_lock, sync_lock
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.registry.session_store import SealedSessions
from bill_pipeline.registry.vault import (
    Vault,
    VaultError,
    new_key,
    retire_old_keys,
    rotate_key_file,
)
from bill_pipeline.settings import Home, Settings, SettingsError

CANARY = "canary-5f1e-password"


def connection(organization: str = "00801ACMEACMEACMEac01") -> Connection:
    return Connection(
        organization_id=organization,
        token_name="books",
        token_password=SecretStr(CANARY),
        dev_key=SecretStr("dev-" + CANARY),
        base_url="http://127.0.0.1:1/connect",
        v2_url="http://127.0.0.1:1/api/v2",
    )


def session(session_id: str) -> Session:
    return Session(session_id, "00801ACMEACMEACMEac01", fingerprint="of-these-credentials")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Home.at(tmp_path))


def test_a_connected_client_can_be_read_back(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    assert registry.names() == ["acme"]
    assert registry.status("acme").state is State.CONNECTED
    again = registry.connection("acme")
    assert again.token_password.get_secret_value() == CANARY
    assert again.organization_id == "00801ACMEACMEACMEac01"


def test_no_secret_is_stored_or_shown_in_clear(registry: Registry, tmp_path: Path) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    SealedSessions(registry).put("acme", session("session-" + CANARY))
    assert CANARY not in repr(registry.connection("acme"))
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path


def test_a_name_belongs_to_one_organization(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    other = connection(organization="00801OTHEROTHEROTot02")
    with pytest.raises(ClientAlreadyConnected, match="disconnect acme --purge"):
        registry.connect("acme", other, environment="sandbox")


def test_an_organization_is_connected_once_unless_told_otherwise(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox", allow_duplicate=False)
    with pytest.raises(ClientAlreadyConnected, match=r"already connected as 'acme'"):
        registry.connect("acme-2", connection(), environment="sandbox", allow_duplicate=False)
    assert registry.names() == ["acme"]
    registry.connect("acme", connection(), environment="sandbox", allow_duplicate=False)
    registry.connect("acme-2", connection(), environment="sandbox", allow_duplicate=True)
    assert registry.names() == ["acme", "acme-2"]


def test_a_client_whose_import_was_killed_does_not_stay_importing(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    registry.update("acme", state=State.IMPORTING, progress={"bills": 300})
    with client_lock(registry.home, "acme", "synced"):
        assert mend_interrupted(registry) == []  # an import is at work
        assert registry.status("acme").state is State.IMPORTING
    assert mend_interrupted(registry) == ["acme"]
    status = registry.status("acme")
    assert (status.state, status.progress) == (State.CONNECTED, {})
    assert "continues" in (status.remedy or "")
    assert mend_interrupted(registry) == []


def test_who_is_refused_a_client_learns_what_holds_it_and_nothing_of_who_was_killed(
    registry: Registry,
) -> None:
    ours = f"compared with BILL \\(process {os.getpid()}\\)"
    with (
        client_lock(registry.home, "acme", "compared with BILL"),
        pytest.raises(ClientBusy, match=ours),
    ):
        take(registry)
    note = registry.home.client_file("acme").with_suffix(".lock")
    assert note.read_text() == ""
    with filelock.FileLock(note):  # whoever has it could not note what for
        killed = subprocess.Popen(["true"])
        killed.wait()
        note.write_text(f"{killed.pid} compared with BILL")
        with pytest.raises(ClientBusy, match="Another process is at work on acme's books"):
            take(registry)
    take(registry)


def take(registry: Registry) -> None:
    with client_lock(registry.home, "acme", "synced"):
        pass


def test_everybody_sees_what_a_sync_is_doing(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    notes = ProgressNotes(registry, "acme")
    notes.waiting()
    assert registry.status("acme").progress["doing"] == "waiting to start"
    for step in (Progress("bills", 3, 300, 1.0), Progress("invoices", 1, 20, 1.0)):
        notes.reading(step)  # noted at once, at most, every half second
    notes.building("staging")
    progress = registry.status("acme").progress
    assert (progress["documents"], progress["lists"]) == (320, {"bills": 300, "invoices": 20})
    command = ["clients", "--home", str(registry.home.path), "--json"]
    with sync_lock(registry.home, "acme"):  # else it is what a killed sync left
        assert "building staging" in CliRunner().invoke(main, command).output


def test_a_new_token_clears_the_failure_and_the_old_session(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    SealedSessions(registry).put("acme", session("old"))
    registry.update("acme", state=State.RECONNECT, error="refused", failure_count=3)
    registry.connect("acme", connection(), environment="sandbox")
    status = registry.status("acme")
    assert (status.state, status.error, status.failure_count) == (State.CONNECTED, None, 0)
    assert SealedSessions(registry).get("acme") is None


def test_a_session_is_shared_until_the_same_session_is_dropped(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    mine, newer = session("mine"), session("newer")
    sessions = SealedSessions(registry)
    sessions.put("acme", mine)
    assert SealedSessions(Registry(registry.home)).get("acme") == mine
    sessions.put("acme", newer)
    sessions.drop("acme", mine)
    assert sessions.get("acme") == newer
    sessions.drop("acme", newer)
    assert sessions.get("acme") is None


def test_a_status_survives_the_round_trip(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    registry.update("acme", last_success_at=moment, skipped_lists={"users": "no permission"})
    status = registry.status("acme")
    assert status.last_success_at == moment
    assert status.skipped_lists == {"users": "no permission"}


def test_who_reads_while_the_registry_is_made_finds_its_tables(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    with sqlite3.connect(home.registry) as db:  # as far as who was first has come, or was killed
        db.execute("pragma journal_mode = wal")
    assert home.registry.stat().st_size
    assert Registry(home).all() == []
    Registry(home).connect("acme", connection(), environment="sandbox")
    assert Registry(home).names() == ["acme"]


def test_processes_that_make_the_registry_at_once_wait_for_each_other(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    names = [f"client-{number}" for number in range(8)]
    begin = threading.Barrier(len(names))

    def connect(name: str) -> None:
        begin.wait()
        Registry(home).connect(name, connection(f"00801{name}"), environment="sandbox")

    with ThreadPoolExecutor(len(names)) as threads:
        list(threads.map(connect, names))
    assert Registry(home).names() == names


def test_an_unknown_client_is_named_with_the_remedy(registry: Registry) -> None:
    with pytest.raises(UnknownClient, match="bill-pipeline connect nobody"):
        registry.connection("nobody")
    with pytest.raises(UnknownClient):
        registry.update("nobody", error="x")


@pytest.mark.parametrize("name", ["", "Acme", "../acme", "a b", "a" * 64, "-a"])
def test_a_name_that_could_leave_the_home_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(SettingsError):
        registry.connect(name, connection(), environment="sandbox")


def test_purge_removes_the_books_and_disconnect_alone_keeps_them(registry: Registry) -> None:
    for client, purge in (("acme", True), ("bakery", False)):
        registry.connect(client, connection(f"008{client:*<17}"), environment="sandbox")
        registry.home.client_file(client).write_bytes(b"books")
        registry.disconnect(client, purge=purge)
        assert registry.home.client_file(client).exists() is not purge
    assert registry.names() == []


def test_a_rotated_key_opens_old_secrets_until_it_is_retired(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    rotate_key_file(registry.home.secret_key)
    assert registry.connection("acme").token_password.get_secret_value() == CANARY
    assert registry.reseal() == 1
    retire_old_keys(registry.home.secret_key)
    assert registry.connection("acme").token_password.get_secret_value() == CANARY


def test_a_foreign_key_opens_nothing(registry: Registry) -> None:
    sealed = Vault.of(registry.home).seal(SecretStr(CANARY))
    registry.home.secret_key.unlink()
    with pytest.raises(VaultError, match="sealed"):
        Vault.of(registry.home).open(sealed)


def test_threads_that_need_the_first_key_at_once_agree_on_one(registry: Registry) -> None:
    """Many clients connected at once on a new home: no seal may be made with a lost key."""
    for _ in range(20):
        registry.home.secret_key.unlink(missing_ok=True)
        together = threading.Barrier(4)

        def seal(_: int, together: threading.Barrier = together) -> str:
            together.wait()
            return Vault.of(registry.home).seal(SecretStr(CANARY))

        with ThreadPoolExecutor(4) as threads:
            sealed = list(threads.map(seal, range(4)))
        vault = Vault.of(registry.home)
        assert [vault.open(text).get_secret_value() for text in sealed] == [CANARY] * 4


def test_a_key_file_others_can_read_is_refused(registry: Registry) -> None:
    Vault.of(registry.home)
    registry.home.secret_key.chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        Vault.of(registry.home)


def test_the_key_can_come_from_a_keyring(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key().get_secret_value()
    monkeypatch.setenv("BILL_PIPELINE_SECRET_KEY_COMMAND", f"echo {key}")
    sealed = Vault.of(registry.home).seal(SecretStr(CANARY))
    assert not registry.home.secret_key.exists()
    monkeypatch.setenv("BILL_PIPELINE_SECRET_KEY", key)
    assert Vault.of(registry.home).open(sealed).get_secret_value() == CANARY


@pytest.mark.parametrize("command", ["false", "true", "no-such-keyring", "'unclosed"])
def test_a_keyring_that_gives_no_key_is_named(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("BILL_PIPELINE_SECRET_KEY_COMMAND", command)
    with pytest.raises(VaultError, match="BILL_PIPELINE_SECRET_KEY_COMMAND gave no key"):
        Vault.of(registry.home)
    assert not registry.home.secret_key.exists()


def test_a_key_from_the_environment_is_rotated_there(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = CliRunner().invoke(main, ["rotate-key", "--print"]).output.strip()
    new = CliRunner().invoke(main, ["rotate-key", "--print"]).output.strip()
    monkeypatch.setenv("BILL_PIPELINE_SECRET_KEY", old)
    registry.connect("acme", connection(), environment="sandbox")
    monkeypatch.setenv("BILL_PIPELINE_SECRET_KEY", f"{new},{old}")
    result = CliRunner().invoke(main, ["rotate-key", "--home", str(registry.home.path)])
    assert "1 clients' secrets are sealed with the first of the given keys" in result.output
    monkeypatch.setenv("BILL_PIPELINE_SECRET_KEY", new)
    assert registry.connection("acme").token_password.get_secret_value() == CANARY


def test_a_key_made_meanwhile_is_taken_up_at_the_second_question(registry: Registry) -> None:
    registry.connect("acme", connection(), environment="sandbox")
    sessions = SealedSessions(registry)
    sessions.put("acme", session("before"))
    assert sessions.get("acme") == session("before")
    registry.home.secret_key.unlink()  # a new one is made by whoever needs it first
    SealedSessions(registry).put("acme", session("after"))
    assert sessions.get("acme") is None  # a login too many does no harm
    assert sessions.get("acme") == session("after")


def test_settings_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BILL_PIPELINE_REQUESTS_PER_HOUR", raising=False)
    assert Settings.now().requests_per_hour == 20_000
    assert Settings.now() is Settings.now()
    monkeypatch.setenv("BILL_PIPELINE_REQUESTS_PER_HOUR", "9000")
    assert Settings.now().requests_per_hour == 9_000
    monkeypatch.setenv("bill_pipeline_requests_per_hour", "8000")
    monkeypatch.delenv("BILL_PIPELINE_REQUESTS_PER_HOUR")
    assert Settings.now().requests_per_hour == 8_000


def test_a_new_home_is_open_to_its_owner_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home.at(tmp_path / "firm" / "home")
    assert home.path.stat().st_mode & 0o777 == 0o700
    home.path.chmod(0o750)  # for analysts of a group, as the administrator wants it
    assert Home.at(home.path).path.stat().st_mode & 0o777 == 0o750
    empty = tmp_path / "empty"
    empty.mkdir()
    empty.chmod(0o755)
    assert Home.at(empty).path.stat().st_mode & 0o777 == 0o700
    assert not caplog.records  # nothing was open
    everybodys = tmp_path / "like-tmp"
    everybodys.mkdir()
    everybodys.chmod(0o1777)
    assert Home.at(everybodys).path.stat().st_mode & 0o7777 == 0o1777
    everybodys.joinpath("made").touch()
    assert everybodys.joinpath("made").stat().st_mode & 0o777 == 0o600
