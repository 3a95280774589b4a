"""Read the published ledger for the pages: one consistent snapshot per page, never a lock.

Publishing replaces the catalogue file in one step. The console copies the catalogue it reads,
because DuckDB hands out the old database again when a path is opened a second time while the first
is still in use.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from typing import Any

import duckdb

from bill_pipeline.console.queries.catalogue import Catalogue, Files, Views
from bill_pipeline.errors import PipelineError
from bill_pipeline.publishing.contents import identity_of, read_catalogue
from bill_pipeline.publishing.query import QueryError, damaged_ledger, errors_explained
from bill_pipeline.publishing.tables import PublishedMacro, PublishedTable
from bill_pipeline.runtime.private_folder import PrivateFolder
from bill_pipeline.settings import Home

#: One row of an answer: column name → value.
Row = dict[str, Any]
#: A query and its values.
Question = tuple[str, Sequence[Any] | dict[str, Any]]
#: Pages that ask two questions at a time: more than these at once wait for each other.
_THREADS = 4


class Ledger:
    """The published books of one home, for many threads at once."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._folder = PrivateFolder()
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="question")
        self._newest: tuple[tuple[int, int, int], Catalogue] | None = None

    @contextlib.contextmanager
    def reading(
        self, clients: Iterable[str], tables: Collection[str] | None = None
    ) -> Iterator[Snapshot]:
        """The books of ``clients`` as published now; the same throughout the ``with``.

        ``tables``: what is read of many clients; other tables are empty.
        Before anything is published there is a ledger without tables, and every query is empty.
        """
        with self._lock:
            catalogue = self._current()
            files = catalogue.files(frozenset(clients), tables) if catalogue else {}
        with contextlib.ExitStack() as cursors:
            views = catalogue.views if catalogue else None
            yield Snapshot(views, files, cursors, self._threads)

    def warm(self) -> None:
        """Read the catalogue before the first page asks for it; of a damaged one the pages tell."""
        with contextlib.suppress(PipelineError), self.reading([]):
            pass

    def close(self) -> None:
        with self._lock:
            if self._newest is not None:
                self._newest[1].views.close()
            self._newest = None
        self._threads.shutdown()
        self._folder.cleanup()

    def _current(self) -> Catalogue | None:
        identity = identity_of(self._home.ledger)
        if self._newest is None or self._newest[0] != identity:
            if not self._home.ledger.exists():
                return None
            remembered = read_catalogue(self._home)
            if remembered.is_damaged:
                raise QueryError(damaged_ledger(self._home.ledger))
            if remembered.schema is None:
                return None  # written by another version of us: the next publication replaces it
            before = self._newest[1] if self._newest else None
            # Cursors keep their database alive: a page that still reads is not cut off.
            self._newest = (
                remembered.identity,
                Catalogue(remembered, self._home.published, self._folder.path, before),
            )
        return self._newest[1]


class Snapshot:
    """The published books of one moment; ``cursors`` closes what is opened for them."""

    def __init__(
        self, views: Views | None, files: Files, cursors: contextlib.ExitStack, threads: Executor
    ) -> None:
        self._views, self._files, self._cursors = views, files, cursors
        self._threads = threads
        self._cursor = self._open()

    @property
    def is_empty(self) -> bool:
        return self._cursor is None

    def together(self, one: Question, other: Question) -> tuple[list[Row], list[Row]]:
        """The rows of two queries, asked at the same time.

        Planning a query on a report takes longer than running it, and one core does it.
        """
        beside = Snapshot(self._views, self._files, self._cursors, self._threads)
        answer = self._threads.submit(beside.rows, *other)
        try:
            rows = self.rows(*one)
        finally:
            wait([answer])  # its cursor is closed with ours
        return rows, answer.result()

    def rows(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Row]:
        """Every row of a query; nothing when nothing is published yet."""
        if self._cursor is None:
            return []
        with errors_explained():
            result = self._cursor.execute(sql, values)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def row(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> Row | None:
        """The first row, or None."""
        return next(iter(self.rows(sql, values)), None)

    @property
    def tables(self) -> tuple[PublishedTable, ...]:
        """The tables of the ledger as it was published last."""
        return self._views.schema.tables if self._views else ()

    @property
    def macros(self) -> tuple[PublishedMacro, ...]:
        return self._views.schema.macros if self._views else ()

    def has_column(self, table: str, column: str) -> bool:
        """Whether the ledger was published by a version that knew this column."""
        return self._views is not None and self._views.has_column(table, column)

    def _open(self) -> duckdb.DuckDBPyConnection | None:
        if self._views is None:
            return None
        return self._cursors.enter_context(self._views.cursor(self._files))

    def table(
        self, sql: str, values: Sequence[Any] | dict[str, Any] = ()
    ) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows, for downloads."""
        if self._cursor is None:
            return [], []
        with errors_explained():
            result = self._cursor.execute(sql, values)
            return [column[0] for column in result.description or ()], result.fetchall()
