"""The processes that `bill-pipeline ui` starts: what each of them is given, and when they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.dagster import services as module
from bill_pipeline.dagster.services import HomeIsServed, Service, Services
from bill_pipeline.settings import Home

pytestmark = pytest.mark.slow


def fakes(patch: pytest.MonkeyPatch) -> list[Path]:
    """Have each service only wait; their temporary folders."""
    start, given = subprocess.Popen, list[Path]()

    def wait(command: list[str], **further: Any) -> subprocess.Popen[bytes]:
        if "bill_pipeline.runtime.end_groups" in command:
            return start(command, **further)
        given.append(Path(further["env"]["TMPDIR"]))
        return start(["sleep", "60"], **further)

    patch.setattr(subprocess, "Popen", wait)
    patch.setattr(Services, "_await", lambda *_ignored: None)
    return given


def services_of(home: Path) -> Services:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Services(Home.at(home), port=free.getsockname()[1])


def test_temporary_files_and_sockets_lie_where_nobody_else_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster makes sockets among its temporary files, open to whoever reaches them."""
    given = fakes(monkeypatch)
    services = services_of(tmp_path / "home")
    services.start()
    try:
        (folder,) = set(given)
        assert len(given) == 4
        assert folder.stat().st_mode & 0o777 == 0o700
        assert folder.stat().st_uid == os.getuid()
        assert len(str(folder / "tmp12345678")) < 100
        (folder / "tmp12345678").touch()
    finally:
        services.stop()
    assert not folder.exists()
    again = services_of(tmp_path / "home")  # who ends, leaves the home to others at once
    monkeypatch.setattr(module, "HELD_SECONDS", 0)
    again.start()
    again.stop()


def test_a_log_that_grew_is_kept_once_and_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bill_pipeline.dagster.services.LARGEST_LOG_BYTES", 100)
    services = Services(Home.at(tmp_path / "home"))
    services.services = [Service("console", []), Service("daemon", [])]
    log = services.log_of(services.services[0])
    log.parent.mkdir(parents=True)
    with log.open("ab", buffering=0) as writer:
        for line in (b"first" * 30, b"second", b"third" * 30):
            writer.write(line)
            services.shorten_logs()
        writer.write(b"last")
    assert log.read_bytes() == b"last"
    assert log.with_suffix(".log.1").read_bytes() == b"second" + b"third" * 30
    assert len(list(log.parent.iterdir())) == 2


#: A `ui` whose services only wait. It prints their process groups.
KILLED = """
import sys, pytest
from pathlib import Path
from tests.dagster.test_services import fakes, services_of
fakes(pytest.MonkeyPatch())
services = services_of(Path(sys.argv[1]))
services.start()
print(*(service.process.pid for service in services.services), flush=True)
services.watch()
"""


def lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_one_home_has_one_set_and_none_outlives_who_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "home")],
                          stdout=subprocess.PIPE, text=True) as ui:  # fmt: skip
        assert ui.stdout is not None
        groups = [int(word) for word in ui.stdout.readline().split()]
        try:
            assert len(groups) == 4
            assert all(lives(group) for group in groups)
            monkeypatch.setattr(module, "HELD_SECONDS", 0.3)
            with pytest.raises(HomeIsServed, match=f"already: process {ui.pid} on "):
                services_of(tmp_path / "home").start()
            ui.kill()
            ui.wait()
            monkeypatch.undo()
            fakes(monkeypatch)
            next_ui = services_of(tmp_path / "home")
            next_ui.start()  # waits for what is left of the killed one
            assert not any(lives(group) for group in groups)
            next_ui.stop()
        finally:
            ui.kill()
            for group in groups:
                if lives(group):
                    os.killpg(group, signal.SIGKILL)
