"""What a power cut leaves: the names of files, and content only of what was told to be kept."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb
import pytest

from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from tests.publish.publish_fixture import SCHEMA, write_books

pytestmark = pytest.mark.parametrize("store", ["files"], indirect=True)


class Disk:
    """Remembers what is safe under ``home``: a file's content as of the last sync or fsync."""

    def __init__(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        self._home = home
        self._safe: dict[int, bytes] = {}  # by inode: a rename carries the content along
        fsync = os.fsync

        def sync_one(descriptor: int) -> None:
            fsync(descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path.is_file():
                self._keep(path)

        monkeypatch.setattr(os, "sync", self.sync)
        monkeypatch.setattr(os, "fsync", sync_one)

    def sync(self) -> None:
        for path in self._home.path.rglob("*"):
            if path.is_file():
                self._keep(path)

    def _keep(self, path: Path) -> None:
        self._safe[path.stat().st_ino] = path.read_bytes()

    def cut(self, folder: Path) -> Home:
        """The home as it is found when the power is back: whatever was not kept is empty."""
        shutil.copytree(self._home.path, folder)
        for path in self._home.path.rglob("*"):
            if path.is_file():
                copied = folder / path.relative_to(self._home.path)
                copied.chmod(0o600)
                copied.write_bytes(self._safe.get(path.stat().st_ino, b""))
        return Home.at(folder)


def rows_of(home: Home) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.ledger), read_only=True) as ledger:
        ledger.execute(f"set variable ledger_home = '{home.path}'")
        return ledger.execute("from journal_lines order by all").fetchall()


def test_a_power_cut_after_a_publication_leaves_a_ledger_that_can_be_read(
    home: Home, clients: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    disk = Disk(home, monkeypatch)
    disk.sync()  # the first publication was long ago
    write_books(home, clients[0], 2)
    publish(Registry(home), clients, schema=SCHEMA)
    assert rows_of(disk.cut(tmp_path / "after the cut")) == rows_of(home)
