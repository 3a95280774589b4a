"""A folder for a while, outside of any home, that no other account of the machine reads.

Copies of books lie there, and what DuckDB writes to disk when a query needs more than the memory.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

_PREFIX = "bill-pipeline-private-"
#: Seconds in which who made a folder has locked it.
_SETTLED_AFTER = 60.0


class PrivateFolder(tempfile.TemporaryDirectory[str]):
    """A new folder (0700) with a name nobody can foresee, gone at the end of the ``with``.

    One that a killed process left is removed by the next process of the same account.
    """

    def __init__(self) -> None:
        # Before there is one of ours: only the clock says that it is not left over.
        _remove_left_over(Path(tempfile.gettempdir()))
        super().__init__(prefix=_PREFIX, ignore_cleanup_errors=True)
        self._held = os.open(self.name, os.O_RDONLY)
        fcntl.flock(self._held, fcntl.LOCK_EX)  # until this process ends, however it ends

    @property
    def path(self) -> Path:
        return Path(self.name)

    def cleanup(self) -> None:
        super().cleanup()
        if self._held >= 0:
            os.close(self._held)
            self._held = -1


@cache
def _remove_left_over(folder: Path) -> None:
    """Once in a process: looking through a busy folder takes its time."""
    for path in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            _remove_if_left_over(path)


def _remove_if_left_over(path: Path) -> None:
    # Followed nowhere: another account may put a link there.
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(held)
        if found.st_uid == os.getuid() and time.time() - found.st_mtime > _SETTLED_AFTER:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(held)
