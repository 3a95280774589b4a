"""Read the published ledger for the pages: one consistent snapshot per page, never a lock.

Publishing replaces the catalogue file in one step. The console copies the catalogue it reads (a
few hundred kilobytes: views that name Parquet files), because DuckDB hands out the old database
again when a path is opened a second time while the first is still in use.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

from bill_pipeline.settings import Home

#: One row of an answer: column name → value.
Row = dict[str, Any]
#: Old snapshots that a slow page may still be reading.
_SNAPSHOTS_KEPT = 2


class Ledger:
    """The published books of one home, for many threads at once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._folder = Path(tempfile.mkdtemp(prefix="bill-pipeline-console-"))
        self._lock = threading.Lock()
        self._snapshots: dict[tuple[int, int], duckdb.DuckDBPyConnection] = {}

    @contextlib.contextmanager
    def reading(self) -> Iterator[Snapshot]:
        """The books as published now; the same throughout the ``with``.

        Before anything is published there is a ledger without tables, and every query is empty.
        """
        database = self._current()
        if database is None:
            yield Snapshot(None)
            return
        cursor = database.cursor()
        try:
            yield Snapshot(cursor)
        finally:
            cursor.close()

    def close(self) -> None:
        with self._lock:
            for database in self._snapshots.values():
                database.close()
            self._snapshots.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _current(self) -> duckdb.DuckDBPyConnection | None:
        try:
            stat = self._home.ledger.stat()
        except FileNotFoundError:
            return None
        key = (stat.st_ino, stat.st_mtime_ns)
        with self._lock:
            if key not in self._snapshots:
                path = self._folder / f"{stat.st_ino}-{stat.st_mtime_ns}.duckdb"
                shutil.copyfile(self._home.ledger, path)
                database = duckdb.connect(str(path), read_only=True)
                database.execute("set TimeZone = 'UTC'")
                database.execute("set threads = 2")
                # A version's file never changes, so what is known of it stays true.
                database.execute("set enable_object_cache = true")
                self._snapshots[key] = database
                self._forget_oldest()
            return self._snapshots[key]

    def _forget_oldest(self) -> None:
        # Cursors keep their database alive: a page that still reads is not cut off.
        while len(self._snapshots) > _SNAPSHOTS_KEPT:
            self._snapshots.pop(next(iter(self._snapshots))).close()
        for path in self._folder.glob("*.duckdb"):
            inode, _, modified = path.stem.partition("-")
            if (int(inode), int(modified)) not in self._snapshots:
                path.unlink(missing_ok=True)


class Snapshot:
    """The published books of one moment."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection | None) -> None:
        self._cursor = cursor

    @property
    def is_empty(self) -> bool:
        return self._cursor is None

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """Every row of a query; nothing when nothing is published yet."""
        if self._cursor is None:
            return []
        result = self._cursor.execute(sql, values)
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(sql, values)), None)

    def has_column(self, table: str, column: str) -> bool:
        """Whether the ledger was published by a version that knew this column."""
        sql = "select 1 as n from duckdb_columns() where table_name = ? and column_name = ?"
        return self.row(sql, [table, column]) is not None

    def table(
        self, sql: str, values: Sequence[Any] | dict[str, Any] = ()
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows, for downloads."""
        if self._cursor is None:
            return [], []
        result = self._cursor.execute(sql, values)
        return [column[0] for column in result.description or ()], result.fetchall()
