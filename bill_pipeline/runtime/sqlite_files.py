"""SQLite files of which a byte may be damaged: said by SQLite's own errors, whatever byte it is."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from typing import Any

_WAIT_SECONDS = 30


class SqliteFile(sqlite3.Connection):
    """Opened by ``sqlite3.connect(path, factory=SqliteFile)``.

    Python reads what SQLite says as UTF-8 and raises UnicodeDecodeError when it quotes a damaged
    name; here that is a sqlite3.DatabaseError, as all other damage is.
    """

    def execute(self, *args: Any) -> sqlite3.Cursor:
        with _damage_named():
            return super().execute(*args)

    def executemany(self, *args: Any) -> sqlite3.Cursor:
        with _damage_named():
            return super().executemany(*args)

    def executescript(self, *args: Any) -> sqlite3.Cursor:
        with _damage_named():
            return super().executescript(*args)


def set_journal_mode(db: sqlite3.Connection, mode: str) -> None:
    """Have the file of ``db`` written in ``mode``, such as ``wal``.

    SQLite does not wait here, as it does elsewhere, for who sets it at the same time; this does.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            db.execute(f"pragma journal_mode = {mode}")
            return
        except sqlite3.OperationalError as error:
            is_busy = getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not is_busy or time.monotonic() > deadline:
                raise
        time.sleep(0.05)


@contextlib.contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise sqlite3.DatabaseError("malformed database schema: a name is not UTF-8") from error
