"""One published catalogue, narrowed to the clients a page is about.

The catalogue's views name the files of every client; planning a query over a thousand of them takes
longer than running it. A page knows whose books it shows, so here the same tables and macros are
made over those clients' files alone, once per publication.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import duckdb

from bill_pipeline.publishing.contents import read_contents
from bill_pipeline.publishing.tables import identifier, quoted
from bill_pipeline.publishing.versions import file_of
from bill_pipeline.settings import Home

#: Sets of clients whose views are kept; making them anew takes some ten milliseconds.
_SETS_KEPT = 200


class Catalogue:
    """The tables and macros of one publication. Not for several threads at once; cursors are."""

    def __init__(self, path: Path, home: Home) -> None:
        self._published = home.published
        with duckdb.connect(str(path), read_only=True) as catalogue:
            self._columns = _columns(catalogue)
            self._macros = catalogue.execute(
                "select function_name, parameters, macro_definition from duckdb_functions() "
                "where function_type = 'table_macro' and not internal"
            ).fetchall()
        # Read after the copy was taken: should there be a newer publication by now, its versions
        # are shown, which the next look at the file would have done.
        self._versions = read_contents(home).current
        path.unlink()
        self._database = duckdb.connect()
        for setting in ("TimeZone = 'UTC'", "threads = 2", "parquet_metadata_cache = true"):
            self._database.execute(f"set {setting}")
        self._schemas: OrderedDict[frozenset[str], str] = OrderedDict()
        self._schema_count = 0

    def cursor(self, clients: frozenset[str]) -> duckdb.DuckDBPyConnection:
        """A connection in which the ledger's tables are those of ``clients``."""
        if clients not in self._schemas:
            self._schemas[clients] = self._make_schema(clients)
            while len(self._schemas) > _SETS_KEPT:
                _clients, schema = self._schemas.popitem(last=False)
                self._database.execute(f"drop schema {schema} cascade")
        self._schemas.move_to_end(clients)
        cursor = self._database.cursor()
        cursor.execute(f"use memory.{self._schemas[clients]}")
        return cursor

    def close(self) -> None:
        self._database.close()

    def _make_schema(self, clients: frozenset[str]) -> str:
        self._schema_count += 1
        schema = f"set_{self._schema_count}"
        maker = self._database.cursor()
        maker.execute(f"create schema {schema}")
        maker.execute(f"use memory.{schema}")
        for table, columns in self._columns.items():
            maker.execute(f"create view {table} as {self._select(table, columns, clients)}")
        for name, (of_client, *others), body in self._macros:
            parameters = ", ".join([of_client, *(f"{other} := null" for other in others)])
            maker.execute(f"create macro {name}({parameters}) as table {body}")
        maker.close()
        return schema

    def _select(self, table: str, columns: list[tuple[str, str]], clients: frozenset[str]) -> str:
        """Files with the same columns are read together, as in the catalogue itself."""
        files: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for client in sorted(clients & self._versions.keys()):
            version = self._versions[client]
            for written in version.tables:
                if written.table == table:
                    path = file_of(self._published, table, client, version.number)
                    files.setdefault(tuple(written.columns), []).append(quoted(str(path)))
        selects = [
            f"select {', '.join(_selected(columns, dict(stored)))} from read_parquet("
            f"[{', '.join(paths)}], hive_partitioning = true, hive_types = {{'client': varchar}})"
            for stored, paths in files.items()
        ]
        empty = ", ".join(f"null::{type_} as {identifier(name)}" for name, type_ in columns)
        return " union all ".join(selects) or f"select {empty} where false"


def _columns(catalogue: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    """Published table → its columns and types, in order."""
    found: dict[str, list[tuple[str, str]]] = {}
    rows = catalogue.execute(
        """
        select columns.table_name, columns.column_name, columns.data_type
        from duckdb_columns() as columns
        inner join duckdb_views() as views
            on views.view_name = columns.table_name and views.schema_name = columns.schema_name
        where not views.internal and views.schema_name = 'main'
        order by columns.table_name, columns.column_index
        """
    ).fetchall()
    for table, column, type_ in rows:
        found.setdefault(table, []).append((column, type_))
    return found


def _selected(columns: list[tuple[str, str]], stored: dict[str, str]) -> list[str]:
    selected = []
    for column, type_ in columns:
        name = identifier(column)
        if column == "client" or stored.get(column) == type_:
            selected.append(name)
        elif column in stored:
            selected.append(f"{name}::{type_} as {name}")
        else:
            selected.append(f"null::{type_} as {name}")
    return selected
