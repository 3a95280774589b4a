"""A full disk, a read-only home, too little memory: one sentence, and books unharmed.

Each command runs in a process of its own, which gets what the machine is to lack.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bill_pipeline.pipeline import client_sync as books
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.healing.test_publication import LINES, snapshot
from tests.journey.firm import Firm

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]
STAYS = "Nothing is lost: the last good books stay."
Limit = tuple[int, int]


def run(firm: Firm, *words: str, limit: Limit | None = None) -> subprocess.CompletedProcess[str]:
    """``bill-pipeline`` with ``words``; ``limit`` is one of ``resource``'s and its value."""

    def lower() -> None:
        if limit:
            resource.setrlimit(limit[0], (limit[1], limit[1]))

    building = "from bill_pipeline.pipeline.client_sync import Sync; Sync.must_build = True"
    program = f"{building}; from bill_pipeline.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *words, "--home", str(firm.home.path)],
        env={**os.environ, "BILL_PIPELINE_DEV_KEY": firm.sandbox.dev_key},
        capture_output=True,
        text=True,
        preexec_fn=lower,
        check=False,
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    text = " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in text
    assert "unforeseen" not in text
    return text


def test_a_full_disk_is_said_and_the_next_sync_is_right(firm: Firm, names: list[str]) -> None:
    whole = firm.query(LINES)
    for size in (20_000, 300_000):
        done = run(firm, "sync", names[0], limit=(resource.RLIMIT_FSIZE, size))
        text = said(done)
        assert "The disk that holds the books" in text
        assert STAYS in text
        assert firm.query(LINES) == whole
    assert run(firm, "sync", names[0]).returncode == 0
    assert firm.query(LINES) == whole


@pytest.mark.parametrize("handles", [12, 16])
def test_too_few_open_files_are_said(firm: Firm, names: list[str], handles: int) -> None:
    whole = firm.query(LINES)
    done = run(firm, "sync", names[0], limit=(resource.RLIMIT_NOFILE, handles))
    assert "`ulimit -n 4096`" in said(done)
    assert firm.query(LINES) == whole
    assert run(firm, "sync", names[0]).returncode == 0
    assert firm.query(LINES) == whole


def test_too_little_memory_is_said(
    firm: Firm, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = firm.query(LINES)

    def starve(warehouse: Warehouse) -> None:
        warehouse.connection.execute("set temp_directory = ''; set memory_limit = '2MB'")

    with monkeypatch.context() as machine:
        machine.setattr(books, "suit_to_size", starve)
        machine.setattr(books.Sync, "must_build", True)
        result = firm.run("sync", names[0])
    assert result.exit_code == 1
    assert f"{names[0]}: failed. The machine ran out of memory." in result.output
    assert STAYS in result.output
    assert firm.query(LINES) == whole
    assert run(firm, "sync", names[0]).returncode == 0
    assert firm.query(LINES) == whole


@pytest.fixture
def read_only(firm: Firm, tmp_path: Path) -> Iterator[Firm]:
    """The home where nothing may be written; root is stopped by a file system only."""
    shutil.rmtree(firm.home.models)  # a copy to read may lack what reading does not need
    if os.geteuid() != 0:
        folders = [firm.home.path, *(path for path in firm.home.path.rglob("*"))]
        modes = {path: path.stat().st_mode for path in folders}
        for path, mode in modes.items():
            path.chmod(mode & ~0o222)
        yield firm
        for path, mode in modes.items():
            path.chmod(mode)
        return
    place = tmp_path / "read-only"
    place.mkdir()
    mount: Callable[..., object] = lambda *words: subprocess.run(words, check=True)  # noqa: E731
    try:
        mount("mount", "-t", "tmpfs", "tmpfs", str(place))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this container may not mount anything")
    try:
        shutil.copytree(firm.home.path, place / "home")
        mount("mount", "-o", "remount,ro", str(place))
        yield Firm(firm.sandbox, place / "home")
    finally:
        mount("umount", str(place))


def test_a_home_that_may_not_be_written_is_read_and_says_so_when_it_is_to_change(
    read_only: Firm, names: list[str]
) -> None:
    before = snapshot(read_only.home)
    whole = read_only.query(LINES)
    assert len(whole) == len(names)
    assert len(read_only.query("from sync_status")) == len(names)
    listed = run(read_only, "clients")
    assert listed.returncode == 0, listed.stderr
    assert names[0][:8] in listed.stdout
    for words in (["sync", names[0]], ["publish", "--all"], ["pause", names[0]]):
        assert "cannot be written to" in said(run(read_only, *words))
    assert snapshot(read_only.home) == before
    assert read_only.query(LINES) == whole


#: What stands in a file's or a folder's place, by its path in the home.
IN_THE_WAY = {
    "registry.sqlite": True,
    "ledger.duckdb": True,
    "dlt": False,
    "dlt/{client}": False,
    "dlt/{client}/change_check.json": True,
    "clients/{client}.lock": True,
    "published": False,
    "published/.writing": False,
    "published/.kept": False,
    "published/.kept/{client}.json": True,
    "published/.sync_status.json": True,
    "published/.lock": True,
}


@pytest.mark.usefixtures("building")
@pytest.mark.parametrize("place", IN_THE_WAY)
def test_what_stands_in_the_way_is_named_and_moving_it_away_heals(
    firm: Firm, names: list[str], tmp_path: Path, place: str
) -> None:
    whole = firm.query(LINES)
    path = firm.home.path / place.format(client=names[0])
    was = path.exists() and path.rename(tmp_path / "was")
    if IN_THE_WAY[place]:
        path.mkdir()
    else:
        path.write_text("a note to myself", encoding="utf-8")
    result = firm.run("sync", names[0])
    text = " ".join(result.output.split())
    assert result.exit_code == 1, text
    assert f"({path}) Move it away, then sync again." in text
    assert "Traceback" not in text
    path.rename(tmp_path / "in the way")
    if was and place == "registry.sqlite":
        was.rename(path)
    result = firm.run("sync", names[0])
    assert result.exit_code == 0, result.output
    assert firm.query(LINES) == whole
    assert firm.query("from sync_status where error > '' or unpublished_since is not null") == []
