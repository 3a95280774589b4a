"""The current state of every BILL list in a client's file: ``raw.<list>``.

dlt writes these tables (``loader``); here they are made, so that each exists in every file, and
looked up, so that an import knows what it has already. The history is in ``document_versions``.
"""

from __future__ import annotations

import base64
import contextlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from bill_pipeline.bill.chunks import ListState
from bill_pipeline.bill.documents import hash_of
from bill_pipeline.bill.lists import LISTS, BillList
from bill_pipeline.bill.spans import Span

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

_READING = (
    "create table if not exists raw.reading (state json not null, has_unarchived boolean not null)"
)


@contextlib.contextmanager
def open_client_file(
    database: Path, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
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
    """Undo what ``open_client_file`` set: an import's limits hold for all connections of this
    process."""
    for name in DUCKDB_SETTINGS:
        connection.execute(f"reset global {name}")


def put_into_pages(database: Path) -> None:
    """Write what was loaded into the file's own pages: until then it cannot leave memory.

    Closing the file does that, but a sync holds it open, and dlt sets the limit at which DuckDB
    does it by itself to a gigabyte. While somebody else writes it is left for the next time.
    """
    import duckdb

    with open_client_file(database) as connection, contextlib.suppress(duckdb.TransactionException):
        connection.execute("checkpoint")


def make_raw_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables of all lists that are missing: SQL finds each in every client's file."""
    connection.execute("create schema if not exists raw")
    for table in LISTS:
        connection.execute(f"create table if not exists raw.{table} ({_COLUMNS})")
    connection.execute(_READING)


def stored_state(connection: duckdb.DuckDBPyConnection) -> tuple[ListState, bool]:
    """How far this file's lists were read, and whether documents wait for their archiving.

    The state is ``{}`` before the first import.
    """
    found = connection.execute("select state, has_unarchived from raw.reading").fetchone()
    if found is not None:
        return orjson.loads(found[0]), found[1]
    state = _state_of_dlt(connection)
    # Whether dlt had finished its last load, its folder alone could tell.
    connection.execute(
        "insert into raw.reading values (?, ?)", [orjson.dumps(state).decode(), bool(state)]
    )
    return state, bool(state)


def store_state(connection: duckdb.DuckDBPyConnection, state: ListState) -> None:
    """Note how far the lists were read: after the documents, never before."""
    connection.execute("update raw.reading set state = ?", [orjson.dumps(state).decode()])


def begin_loading(connection: duckdb.DuckDBPyConnection) -> None:
    """Note that documents will be stored that are not archived."""
    connection.execute("update raw.reading set has_unarchived = true where not has_unarchived")


def end_loading(connection: duckdb.DuckDBPyConnection) -> None:
    """Note that every stored document is archived; within the archive's transaction."""
    connection.execute("update raw.reading set has_unarchived = false where has_unarchived")


def _state_of_dlt(connection: duckdb.DuckDBPyConnection) -> ListState:
    """The state as an earlier release left it to dlt, in a table of dlt's own."""
    exists = connection.execute(
        "select 1 from information_schema.tables "
        "where table_schema = 'raw' and table_name = '_dlt_pipeline_state'"
    ).fetchone()
    found = (
        exists
        and connection.execute(
            "select s.state from raw._dlt_pipeline_state as s "
            "join raw._dlt_loads as l on l.load_id = s._dlt_load_id and l.status = 0 "
            "order by s.version desc, s.created_at desc limit 1"
        ).fetchone()
    )
    if not found:
        return {}
    unpacked = orjson.loads(zlib.decompress(base64.b64decode(found[0])))
    state: ListState = unpacked.get("sources", {}).get("bill", {}).get("reading", {})
    return state


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
    ``is_interrupted``: an earlier import stored documents and did not archive them. What they
    change elsewhere may not have been read either, so only what is archived counts as known.
    ``is_doubted``: what is compared whole with BILL must be archived, and have the stored hash.
    """

    def __init__(
        self, database: Path, *, is_interrupted: bool = False, is_doubted: bool = False
    ) -> None:
        self._database = database
        self.is_interrupted = is_interrupted
        self._is_doubted = is_doubted

    def hashes(self, table: str, ids: list[str]) -> dict[str, str]:
        with open_client_file(self._database) as connection:
            if not self._has_rows(connection, table):
                return {}
            wanted = "not is_deleted and id in (select unnest($1::varchar[]))"
            stored = f"select id, content_hash from raw.{table} where {wanted}"
            if self.is_interrupted or self._is_doubted:
                stored += (
                    " intersect select id, arg_max(content_hash, version) "
                    f"from raw.document_versions where list = '{table}' and {wanted} group by id"
                )
            hashes = dict(connection.execute(stored, [ids]).fetchall())
        if self._is_doubted:
            for document_id, text in self.texts(table, list(hashes)).items():
                if hash_of(text) != hashes[document_id]:
                    hashes[document_id] = ""  # altered in the file: no document's hash
        return hashes

    def texts(self, table: str, ids: list[str]) -> dict[str, bytes]:
        with open_client_file(self._database) as connection:
            found = connection.execute(
                f"select id, document::varchar from raw.{table} "
                "where not is_deleted and id in (select unnest($1::varchar[]))",
                [ids],
            ).fetchall()
        return {document_id: text.encode() for document_id, text in found}

    def next_id(self, table: str, document_id: str) -> str | None:
        with open_client_file(self._database) as connection:
            found = connection.execute(
                f"select min(id) from raw.{table} where not is_deleted and id > ?", [document_id]
            ).fetchone()
        return found[0] if found else None

    def ids_within(self, table: str, span: Span) -> set[str]:
        with open_client_file(self._database) as connection:
            found = connection.execute(
                f"""
                select id from raw.{table}
                where
                    not is_deleted
                    and ($start is null or updated_at >= $start)
                    and ($end is null or updated_at < $end)
                    and ($is_archived is null or is_archived = $is_archived)
                """,
                {
                    "start": span.start and span.start.replace(tzinfo=None),
                    "end": span.end and span.end.replace(tzinfo=None),
                    "is_archived": span.is_archived,
                },
            ).fetchall()
        return {document_id for (document_id,) in found}

    def ids_below(self, row: BillList, parents: Iterable[str]) -> dict[str, set[str]]:
        with open_client_file(self._database) as connection:
            found = connection.execute(
                f"""
                select document->>'$.{row.parent_field}' as parent, list(id) from raw.{row.table}
                where not is_deleted and parent in (select unnest($1::varchar[]))
                group by parent
                """,
                [list(parents)],
            ).fetchall()
        return {parent: set(ids) for parent, ids in found}

    @staticmethod
    def _has_rows(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
        return connection.execute(f"select 1 from raw.{table} limit 1").fetchone() is not None
