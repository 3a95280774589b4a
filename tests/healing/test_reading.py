"""Reading goes on where nothing can be written, and a lost registry is said by whoever reads."""

from __future__ import annotations

import resource
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bill_pipeline.cli import main
from bill_pipeline.registry.clients import Registry
from bill_pipeline.runtime.machine import machine_error
from bill_pipeline.settings import Home
from tests.publish.publish_fixture import connect_clients


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home.at(tmp_path / "home")
    connect_clients(found, ["acme", "zenith"])
    return found


def clients(home: Home) -> Result:
    return CliRunner().invoke(main, ["clients", "--json", "--home", str(home.path)])


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow, as on a disk without a byte left."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)


def test_the_clients_are_listed_on_a_full_disk_and_a_change_says_that_it_is_full(
    home: Home,
) -> None:
    with full_disk():
        listed = clients(home)
        with pytest.raises(sqlite3.OperationalError) as caught:
            Registry(home).update("acme", review_count=3)
    assert listed.exit_code == 0, listed.output
    assert '"client": "acme"' in listed.output
    assert '"client": "zenith"' in listed.output
    said = machine_error(caught.value)
    assert said is not None
    assert said.what.startswith("The disk that holds the books")
    Registry(home).update("acme", review_count=3)
    assert Registry(home).status("acme").review_count == 3


def test_what_lies_in_the_log_is_read_with_the_rest(home: Home) -> None:
    """A process that has the registry open keeps changes in the log: they are not overlooked."""
    with closing(sqlite3.connect(home.registry)) as held:
        held.execute("pragma wal_autocheckpoint = 0")
        held.execute("update clients set review_count = 7 where client = 'acme'")
        held.commit()
        home.registry.chmod(0o400)
        monkey = pytest.MonkeyPatch()
        monkey.setattr("bill_pipeline.registry.registry_file._is_writable", lambda _home: False)
        try:
            assert Registry(home).status("acme").review_count == 7
        finally:
            monkey.undo()
            home.registry.chmod(0o600)


def test_a_lost_registry_is_said_by_whoever_lists_or_asks(home: Home) -> None:
    home.client_file("acme").parent.mkdir(parents=True, exist_ok=True)
    home.client_file("acme").write_bytes(b"books")
    home.registry.unlink()
    listed = clients(home)
    assert listed.exit_code == 1
    said = f"{home.registry}, the list of connected clients, is missing, though there are books"
    assert said in listed.output
    assert "connect the clients again" in listed.output
    assert not home.registry.exists()
    asked = CliRunner().invoke(main, ["query", "from sync_status", "--home", str(home.path)])
    assert f"Note: {said}" in asked.output


def test_nobody_is_connected_to_a_new_home_and_nothing_is_lost(tmp_path: Path) -> None:
    listed = CliRunner().invoke(main, ["clients", "--home", str(tmp_path)])
    assert listed.exit_code == 0
    assert "No client is connected" in listed.output
