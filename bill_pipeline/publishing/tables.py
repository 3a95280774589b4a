"""What is published: tables, columns, types and macros, with the words of ``transforms/``.

Types are not written down anywhere: they are those of an empty client's file, built once by the
same SQL that builds every client's. So a ledger without clients has every table already.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from bill_pipeline.errors import PipelineError
from bill_pipeline.warehouse.macros import macro_sql
from bill_pipeline.warehouse.transforms import (
    FOLDER,
    SCHEMAS,
    Transform,
    in_build_order,
    load_transforms,
)
from bill_pipeline.warehouse.warehouse import Warehouse

#: The first column of every published table, and what it means.
CLIENT_COLUMN = "client"
CLIENT_DESCRIPTION = "The client whose books the row is from; a name chosen by the firm."
#: Parquet has no whole numbers wider than 64 bits; DuckDB would store them as binary fractions.
_STORED_AS = {"HUGEINT": "BIGINT", "UHUGEINT": "BIGINT"}


class PublishError(PipelineError):
    """The published ledger cannot be written or read; the message says what to do."""


@dataclass(frozen=True)
class PublishedColumn:
    """A column of a published table; ``type`` is DuckDB's name of it."""

    name: str
    type: str
    description: str


@dataclass(frozen=True)
class PublishedTable:
    """One table of the ledger; ``source`` is its address in a client's file.

    ``columns`` are those of the source: ``client``, which comes first, is not among them.
    """

    name: str
    source: str
    summary: str
    grain: str
    key_columns: tuple[str, ...]
    columns: tuple[PublishedColumn, ...]


@dataclass(frozen=True)
class PublishedMacro:
    """A report as of any date: ``from name('client', date '2026-03-31')``."""

    name: str
    parameters: tuple[str, ...]
    summary: str
    sql: str


@dataclass(frozen=True)
class PublishedSchema:
    """Everything this version of the code publishes."""

    tables: tuple[PublishedTable, ...]
    macros: tuple[PublishedMacro, ...] = ()
    code: str = ""  # the code it was read from; see ``code_signature``

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> PublishedSchema:
        """The schema that ``to_json`` wrote."""
        read = json.loads(text)
        tables = tuple(
            PublishedTable(
                **{
                    **table,
                    "key_columns": tuple(table["key_columns"]),
                    "columns": tuple(PublishedColumn(**column) for column in table["columns"]),
                }
            )
            for table in read["tables"]
        )
        macros = tuple(
            PublishedMacro(**{**macro, "parameters": tuple(macro["parameters"])})
            for macro in read["macros"]
        )
        return cls(tables, macros, read["code"])


@cache
def code_signature() -> str:
    """Changes whenever the SQL of any table, or how it is published, changes."""
    files = [
        *sorted(Path(__file__).parent.glob("*.py")),
        Path(__file__).parents[1] / "warehouse" / "transforms.py",  # which writes the macros
        *(p for p in sorted(FOLDER.rglob("*")) if p.suffix in (".sql", ".ddl")),
    ]
    digest = hashlib.sha256(duckdb.__version__.encode())
    for path in files:
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def published_schema() -> PublishedSchema:
    """What ``transforms/`` marks as published. Raises PublishError when two share a name.

    Takes about a second; the catalogue remembers the answer for the next process.
    """
    transforms = [t for t in load_transforms().values() if t.is_published]
    types = _types_of_an_empty_client()
    tables = tuple(_table(transform, types[transform.key]) for transform in transforms)
    names = [table.name for table in tables]
    if twice := {name for name in names if names.count(name) > 1}:
        raise PublishError(f"Two published tables share a name: {', '.join(sorted(twice))}.")
    sources = {table.source: table.name for table in tables}
    # A macro may read another one, which must be there first.
    with_macros = in_build_order(transforms)
    macros = tuple(_macro(t, sources) for t in with_macros if t.macro is not None)
    return PublishedSchema(tables, macros, code_signature())


def _table(transform: Transform, types: dict[str, str]) -> PublishedTable:
    words = {column.name: column.description for column in transform.columns}
    columns = tuple(
        PublishedColumn(name, stored_type(type_), words.get(name, ""))
        for name, type_ in types.items()
    )
    return PublishedTable(
        name=transform.name,
        source=transform.key,
        summary=transform.summary,
        grain=transform.grain,
        key_columns=(CLIENT_COLUMN, *transform.key_columns),
        columns=columns,
    )


def _macro(transform: Transform, sources: dict[str, str]) -> PublishedMacro:
    def one_clients_rows(key: str) -> str:
        if key not in sources:
            raise PublishError(
                f"{transform.path}: the macro reads {key}, which is not published. Publish it, or "
                "read a table that is."
            )
        return f"(select * exclude ({CLIENT_COLUMN}) from {sources[key]} where client = of_client)"

    macro: Any = transform.macro
    return PublishedMacro(
        name=macro.name,
        parameters=macro.parameters,
        summary=transform.summary,
        sql=macro_sql(transform, table_reference=one_clients_rows),
    )


def stored_type(type_: str) -> str:
    """The type in Parquet of a column that is ``type_`` in a client's file."""
    return "VARCHAR" if type_.startswith("ENUM") else _STORED_AS.get(type_, type_)


def columns_by_table(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """``schema.table`` → column → type, for every table and view of the open file."""
    rows = connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and not internal "
        "order by 1, column_index"
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, column, type_ in rows:
        found.setdefault(table, {})[column] = type_
    return found


def create_table(table: PublishedTable) -> str:
    """The statement that makes ``table``, empty."""
    columns = "".join(f", {identifier(c.name)} {c.type}" for c in table.columns)
    return f"create table {table.name} ({CLIENT_COLUMN} VARCHAR{columns})"


def comments(table: PublishedTable, kind: str) -> str:
    """Statements that describe ``table``, a ``kind`` of thing (view or table), and its columns."""
    about = f"{table.summary} Grain: {table.grain}. Key: {', '.join(table.key_columns)}."
    statements = [
        f"comment on {kind} {table.name} is {quoted(about)}",
        f"comment on column {table.name}.{CLIENT_COLUMN} is {quoted(CLIENT_DESCRIPTION)}",
    ]
    statements += [
        f"comment on column {table.name}.{identifier(column.name)} is {quoted(column.description)}"
        for column in table.columns
    ]
    return ";\n".join(statements)


def quoted(text: str) -> str:
    """``text`` as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """``name`` as a SQL name, in quotes where it needs them."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and not _is_reserved(name) else (
        '"' + name.replace('"', '""') + '"'
    )  # fmt: skip


def insert(
    db: duckdb.DuckDBPyConnection,
    table: str,
    types: Sequence[str],
    rows: Sequence[Sequence[object]],
) -> None:
    """Insert ``rows``, whose columns have ``types``, in one statement.

    As JSON: row by row takes a second per thousand clients, and the first Python value that DuckDB
    is given in a process makes it load pandas, which takes two.
    """
    if rows:
        fields = [f"c{number}" for number in range(len(types))]
        shape = {f: [t[:-2]] if t.endswith("[]") else t for f, t in zip(fields, types, strict=True)}
        text = json.dumps([dict(zip(fields, row, strict=True)) for row in rows], default=str)
        db.execute(
            f"insert into {table} select row.* from "
            f"(select unnest(from_json({quoted(text)}, {quoted(json.dumps([shape]))})) as row)"
        )


@cache
def _reserved() -> frozenset[str]:
    with duckdb.connect() as connection:
        rows: Iterable[tuple[str]] = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"
        ).fetchall()
    return frozenset(row[0] for row in rows)


def _is_reserved(name: str) -> bool:
    return name in _reserved()


def _types_of_an_empty_client() -> dict[str, dict[str, str]]:
    with Warehouse.at(":memory:", "empty") as warehouse:
        for schema in SCHEMAS:
            warehouse.build_tables(schema, datetime(2000, 1, 1, tzinfo=UTC), checked=False)
        return columns_by_table(warehouse.connection)
