"""The current state of every BILL list in a client's file: ``raw.<list>``.

dlt writes these tables (``imports``); here they are made, so that each exists in every file, and
looked up, so that an import knows what it has already. The history is in ``archive``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bill_pipeline.bill.lists import LISTS

if TYPE_CHECKING:
    import duckdb

# An import holds this much in DuckDB, and as much again in libraries and documents. Without a
# limit DuckDB takes what the machine has; beyond it, it works on disk beside the client's file.
DUCKDB_SETTINGS = {"memory_limit": "250MB", "preserve_insertion_order": "false"}
# The columns and types that dlt gives these tables; a test compares them.
_COLUMNS = (
    "id varchar not null, updated_at timestamp, is_archived boolean not null, "
    "is_deleted boolean not null, content_hash varchar not null, document json not null"
)


@contextlib.contextmanager
def opened(database: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The client's file, closed at the end whatever happens."""
    import duckdb

    connection = duckdb.connect(str(database), read_only=read_only)
    try:
        # Times in our tables are UTC without a zone; a cast must not bring the machine's zone in.
        connection.execute("set timezone = 'UTC'")
        for name, value in DUCKDB_SETTINGS.items():
            connection.execute(f"set global {name} = '{value}'")
        yield connection
    finally:
        connection.close()


def lift_limits(connection: duckdb.DuckDBPyConnection) -> None:
    """Undo what ``opened`` set: an import's limits hold for all connections of this process."""
    for name in DUCKDB_SETTINGS:
        connection.execute(f"reset global {name}")


def put_into_pages(database: Path) -> None:
    """Write what was loaded into the file's own pages: until then it cannot leave memory.

    Closing the file does that, but a sync holds it open, and dlt sets the limit at which DuckDB
    does it by itself to a gigabyte. While somebody else writes it is left for the next time.
    """
    import duckdb

    with opened(database) as connection, contextlib.suppress(duckdb.TransactionException):
        connection.execute("checkpoint")


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of all lists that are missing: SQL finds each in every client's file."""
    connection.execute("create schema if not exists raw")
    for table in LISTS:
        connection.execute(f"create table if not exists raw.{table} ({_COLUMNS})")


def count_loads(connection: duckdb.DuckDBPyConnection) -> int:
    """How many load packages dlt has put into this file."""
    exists = connection.execute(
        "select 1 from information_schema.tables "
        "where table_schema = 'raw' and table_name = '_dlt_loads'"
    ).fetchone()
    if exists is None:
        return 0
    found = connection.execute("select count(*) from raw._dlt_loads").fetchone()
    return int(found[0]) if found else 0


def count_documents(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many documents of a list are stored, deleted ones left out."""
    found = connection.execute(f"select count(*) from raw.{table} where not is_deleted").fetchone()
    return int(found[0]) if found else 0


class StoredDocuments:
    """``bill.stored.KnownDocuments`` over a client's file.

    The file is opened for each question and closed again: dlt opens it too, in between.
    """

    def __init__(self, database: Path) -> None:
        self._database = database

    def hashes(self, table: str, ids: list[str]) -> dict[str, str]:
        with opened(self._database) as connection:
            if not self._has_rows(connection, table):
                return {}
            found = connection.execute(
                f"select id, content_hash from raw.{table} "
                "where not is_deleted and id in (select unnest($1::varchar[]))",
                [ids],
            )
            return dict(found.fetchall())

    def texts(self, table: str, ids: list[str]) -> dict[str, bytes]:
        with opened(self._database) as connection:
            found = connection.execute(
                f"select id, document::varchar from raw.{table} "
                "where not is_deleted and id in (select unnest($1::varchar[]))",
                [ids],
            ).fetchall()
        return {document_id: text.encode() for document_id, text in found}

    def next_id(self, table: str, document_id: str) -> str | None:
        with opened(self._database) as connection:
            found = connection.execute(
                f"select min(id) from raw.{table} where not is_deleted and id > ?", [document_id]
            ).fetchone()
        return found[0] if found else None

    @staticmethod
    def _has_rows(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
        return connection.execute(f"select 1 from raw.{table} limit 1").fetchone() is not None
