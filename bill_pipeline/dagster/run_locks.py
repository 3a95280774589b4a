"""Whether a run's process still lives: it holds a file lock for as long as it does.

Dagster's launcher for local processes cannot say so once the code server that started the run is
gone; the operating system always can.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import filelock

from bill_pipeline.settings import Home

#: A run without a lock file is starting; after this long it never will.
STARTING_SECONDS = 600
#: Lock files of ended runs are kept this long, so that no tick can mistake ending for dying.
KEPT_SECONDS = 3 * 24 * 3600
_ENDED = "ended"


@contextlib.contextmanager
def hold_run_lock(home: Home, run_id: str) -> Iterator[None]:
    """Hold the lock of ``run_id`` until the run ends, well or badly."""
    _forget_old_locks(home)
    path = _path(home, run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(path, timeout=10):
        _note(path).unlink(missing_ok=True)
        yield
        _note(path).write_text(_ENDED, encoding="utf-8")


def is_alive(home: Home, run_id: str, started_at: float | None) -> bool:
    """False when the run's process is certainly gone. ``started_at`` is in Unix seconds."""
    path = _path(home, run_id)
    if not path.exists():
        # One that starts in the future began while the clock was ahead.
        return started_at is None or abs(time.time() - started_at) < STARTING_SECONDS
    if _note(path).exists():
        return True
    lock = filelock.FileLock(path, timeout=0)
    try:
        with lock:
            return False
    except filelock.Timeout:
        return True


def _path(home: Home, run_id: str) -> Path:
    return home.dagster / "run_locks" / f"{run_id}.lock"


def _note(path: Path) -> Path:
    return path.with_suffix(".ended")


def _forget_old_locks(home: Home) -> None:
    oldest = time.time() - KEPT_SECONDS
    for note in (home.dagster / "run_locks").glob("*.ended"):
        with contextlib.suppress(FileNotFoundError):
            if note.stat().st_mtime < oldest:
                note.with_suffix(".lock").unlink(missing_ok=True)
                note.unlink()
