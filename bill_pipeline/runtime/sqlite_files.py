"""SQLite files of which a byte may be damaged: said by SQLite's own errors, whatever byte it is."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any


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


@contextlib.contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise sqlite3.DatabaseError("malformed database schema: a name is not UTF-8") from error
