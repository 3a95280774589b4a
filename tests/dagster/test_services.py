"""The processes that `bill-pipeline ui` starts: what each of them is given."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.dagster.services import Service, Services
from bill_pipeline.settings import Home

pytestmark = pytest.mark.slow


def test_temporary_files_and_sockets_lie_where_nobody_else_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster makes sockets among its temporary files, open to whoever reaches them."""
    start, given = subprocess.Popen, []

    def sleep(_command: list[str], env: dict[str, str], **further: Any) -> subprocess.Popen[bytes]:
        given.append(Path(env["TMPDIR"]))
        return start(["sleep", "60"], env=env, **further)

    monkeypatch.setattr(subprocess, "Popen", sleep)
    monkeypatch.setattr(Services, "_await", lambda *_ignored: None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        services = Services(Home.at(tmp_path / "home"), port=free.getsockname()[1])
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
