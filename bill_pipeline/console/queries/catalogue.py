"""One published catalogue, narrowed to the clients a page is about.

The catalogue's views name the files of every client; planning a query over a thousand of them takes
longer than running it. Here the same tables and macros are made once, over files that a variable
names, and each page sets that variable to the files of the clients it shows: only what its queries
read is opened, and a client that nobody looked at before costs no more than the last one.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Collection
from pathlib import Path

import duckdb

from bill_pipeline.publishing.contents import Remembered
from bill_pipeline.publishing.tables import (
    CLIENT_COLUMN,
    PublishedSchema,
    PublishedTable,
    identifier,
    quoted,
)
from bill_pipeline.publishing.versions import version_path

#: (name, type) of the columns as they are stored.
Columns = tuple[tuple[str, str], ...]
#: (published table, shape) → columns: several versions of us may have written files of one table.
Parts = dict[tuple[str, str], Columns]
#: The same → files.
Files = dict[tuple[str, str], list[str]]


class Catalogue:
    """The tables and macros of one publication. Not for several threads at once; cursors are."""

    def __init__(
        self, remembered: Remembered, published: Path, folder: Path, before: Catalogue | None
    ) -> None:
        """``folder`` is for small files of our own.

        ``before`` lends its views when they are the same, as nearly always.
        """
        self._published = str(published)
        self._versions = remembered.contents.current
        schema = remembered.schema or PublishedSchema(())
        parts = {
            (written.table, written.shape): written.columns
            for layout in {version.layout for version in self._versions.values()}
            for written in layout.tables
        }
        lent = before.views if before else None
        fits = lent is not None and lent.fit(schema, parts)
        self.views: Views = lent if lent and fits else Views(schema, parts, folder)

    def files(self, clients: frozenset[str], tables: Collection[str] | None) -> Files:
        """What ``views.cursor`` needs to show the books of ``clients``, or some tables of them."""
        files: Files = {}
        for client in sorted(clients & self._versions.keys()):
            version = self._versions[client]
            for written in version.tables:
                if tables is None or written.table in tables:
                    path = version_path(self._published, written.table, client, version.number)
                    files.setdefault((written.table, written.shape), []).append(path)
        return files


class Views:
    """The published tables and macros over the files that each cursor names."""

    def __init__(self, schema: PublishedSchema, parts: Parts, folder: Path) -> None:
        self._schema, self._parts = schema, parts
        self._lock = threading.Lock()
        self._database = duckdb.connect()
        spilled = quoted(tempfile.mkdtemp(dir=folder))
        for setting in ("TimeZone = 'UTC'", "threads = 2", "parquet_metadata_cache = true",
                        f"temp_directory = {spilled}"):  # fmt: skip
            self._database.execute(f"set {setting}")
        # The first query with a value loads libraries for a second or two: not on a page's time.
        self._database.execute("select ?", ["warm"])
        self._none = {part: self._write_none(folder, *part) for part in parts}
        self._set_files(self._database, {})
        for table in schema.tables:
            self._database.execute(f"create view {table.name} as {self._select(table)}")
        for macro in schema.macros:
            self._database.execute(macro.sql)

    @property
    def schema(self) -> PublishedSchema:
        return self._schema

    def has_column(self, table: str, column: str) -> bool:
        return any(
            known.name == table and any(other.name == column for other in known.columns)
            for known in self._schema.tables
        )

    def fit(self, schema: PublishedSchema, parts: Parts) -> bool:
        return (schema, parts) == (self._schema, self._parts)

    def cursor(self, files: Files) -> duckdb.DuckDBPyConnection:
        """A connection in which the ledger's tables are those that ``files`` names."""
        with self._lock:
            cursor = self._database.cursor()
        self._set_files(cursor, files)
        return cursor

    def close(self) -> None:
        self._database.close()

    def _set_files(self, cursor: duckdb.DuckDBPyConnection, files: Files) -> None:
        if not self._parts:
            return
        fields = (
            f"part_{number}: [{', '.join(map(quoted, files.get(part, [self._none[part]])))}]"
            for number, part in enumerate(self._parts)
        )
        cursor.execute(f"set variable files = {{{', '.join(fields)}}}")

    def _write_none(self, folder: Path, table: str, shape: str) -> str:
        """A file with these columns and no rows: it stands where none of the clients has one."""
        path = folder / f"{table}-{shape}" / f"{CLIENT_COLUMN}=none" / "none.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = self._parts[table, shape]
        nulls = ", ".join(f"null::{type_} as {identifier(name)}" for name, type_ in columns)
        self._database.execute(f"copy (select {nulls} where false) to {quoted(str(path))}")
        return str(path)

    def _select(self, table: PublishedTable) -> str:
        selects = [
            _select_part(table, dict(columns), number)
            for number, ((name, _shape), columns) in enumerate(self._parts.items())
            if name == table.name
        ]
        return " union all ".join(selects) or _select_nothing(table)


def _select_part(table: PublishedTable, stored: dict[str, str], number: int) -> str:
    """The table's columns, in order and of the right type, whatever code wrote the files."""
    selected = []
    for column in table.columns:
        name = identifier(column.name)
        if stored.get(column.name) == column.type:
            selected.append(name)
        else:
            source = name if column.name in stored else "null"
            selected.append(f"{source}::{column.type} as {name}")
    return (
        f"select {CLIENT_COLUMN}, {', '.join(selected)} "
        f"from read_parquet(getvariable('files').part_{number}, "
        f"hive_partitioning = true, hive_types = {{'{CLIENT_COLUMN}': varchar}})"
    )


def _select_nothing(table: PublishedTable) -> str:
    columns = "".join(f", null::{c.type} as {identifier(c.name)}" for c in table.columns)
    return f"select null::varchar as {CLIENT_COLUMN}{columns} where false"
