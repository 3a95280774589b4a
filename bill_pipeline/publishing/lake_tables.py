"""The tables in the DuckLake: make them, replace clients' rows, collect old snapshots.

Every function works on a connection whose current database is the lake. Connecting and taking
turns is ``lake_connection``'s work.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from bill_pipeline.publishing import registry
from bill_pipeline.publishing.contents import Contents
from bill_pipeline.publishing.tables import (
    CLIENT_COLUMN,
    PublishedSchema,
    PublishedTable,
    PublishError,
    columns_by_table,
    comments,
    create_table,
    identifier,
    insert,
)
from bill_pipeline.publishing.versions import Version
from bill_pipeline.publishing.views import Layouts, files_in

#: By itself: a lake of an earlier release has the table without it.
_BUILDS = "alter table catalogue.versions add column build varchar"
_OWN_TABLES = (
    "create schema catalogue",
    "create table catalogue.home (written_at timestamp, schema varchar)",
    "create table catalogue.versions (client varchar, version varchar, row_count bigint)",
    _BUILDS,
    "comment on table catalogue.home is 'What this lake publishes, and since when.'",
    "comment on table catalogue.versions is 'The version of each client that the tables hold.'",
)
_OPTIONS = ("call lake.set_option('parquet_compression', 'zstd')",)


def read_lake_schema(lake: duckdb.DuckDBPyConnection) -> PublishedSchema | None:
    """What the lake publishes; None when it is new."""
    if "catalogue.home" not in columns_by_table(lake):
        return None
    found = lake.execute("select schema from catalogue.home").fetchone()
    return PublishedSchema.from_json(found[0]) if found else None


def publishes_schema(lake: duckdb.DuckDBPyConnection, schema: PublishedSchema) -> bool:
    """Whether the lake publishes ``schema`` and its registry's tables have today's columns."""
    return read_lake_schema(lake) == schema and has_registry(lake)


def has_registry(lake: duckdb.DuckDBPyConnection) -> bool:
    """Whether the registry's and the catalogue's tables have today's columns."""
    existing = columns_by_table(lake)
    return "build" in existing.get("catalogue.versions", {}) and all(
        existing.get(f"main.{table.name}") == _columns(table) for table in registry.TABLES
    )


def _columns(table: PublishedTable) -> dict[str, str]:
    return {CLIENT_COLUMN: "VARCHAR", **{c.name: c.type for c in table.columns}}


def make_lake_tables(lake: duckdb.DuckDBPyConnection, schema: PublishedSchema) -> bool:
    """Give the lake the tables of ``schema``; True when clients' rows must be written anew.

    A table whose columns changed keeps the rows it has, with the columns that are left, until each
    client is published again.
    """
    existing = columns_by_table(lake)
    for option in _OPTIONS:
        lake.execute(option)
    lake.execute("begin transaction")
    if "catalogue.home" not in existing:
        for statement in _OWN_TABLES:
            lake.execute(statement)
    elif "build" not in existing["catalogue.versions"]:
        lake.execute(_BUILDS)
    is_changed = False
    for table in (*registry.TABLES, *schema.tables):
        before = existing.get(f"main.{table.name}")
        if before != _columns(table):
            is_changed = True
            _make_table(lake, table, before)
        lake.execute(comments(table, "table"))
    kept = {f"main.{table.name}" for table in (*registry.TABLES, *schema.tables)}
    for name in existing.keys() - kept:
        if name.startswith("main."):
            lake.execute(f"drop table {name}")
    lake.execute("delete from catalogue.home")
    now = datetime.now(UTC).replace(tzinfo=None)
    lake.execute("insert into catalogue.home values (?, ?)", [now, schema.to_json()])
    lake.execute("commit")
    return is_changed


class UnreadableTable(Exception):
    """Rows that were to be replaced could not be read: a file of ``table`` is damaged or lost."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


def _make_table(
    lake: duckdb.DuckDBPyConnection,
    table: PublishedTable,
    before: dict[str, str] | None,
    *,
    of: Sequence[str] | None = None,
) -> None:
    """Make the table, with the rows it had ``before``, or with those ``of`` some clients."""
    if before is not None:
        lake.execute(f"alter table {table.name} rename to {table.name}_before")
    lake.execute(create_table(table))
    if table not in registry.TABLES:
        # A file of its own for each client: replacing a client touches nobody else's.
        lake.execute(f"alter table {table.name} set partitioned by ({CLIENT_COLUMN})")
    if before is not None:
        kept = ", ".join(
            f"{identifier(c.name)}::{c.type}" if c.name in before else f"null::{c.type}"
            for c in table.columns
        )
        lake.execute(
            f"insert into {table.name} select {CLIENT_COLUMN}, {kept} from {table.name}_before"
            + ("" if of is None else f" where {_is_of(of)}")
        )
        lake.execute(f"drop table {table.name}_before")


def read_lake_contents(lake: duckdb.DuckDBPyConnection) -> Contents:
    """Which version of each client the tables hold. Raises PublishError."""
    try:
        rows = lake.execute(
            "select client, version, row_count, build from catalogue.versions"
        ).fetchall()
    except duckdb.Error as error:
        raise PublishError(
            f"The lake cannot be read: {error}\nWhere its files are damaged, or of another day "
            "than its catalogue in PostgreSQL, put both back from one backup, or name an empty "
            "database in BILL_PIPELINE_DUCKLAKE_CATALOGUE and run `bill-pipeline publish --all`."
        ) from error
    versions = [
        Version(client, number, row_count=n, build=build) for client, number, n, build in rows
    ]
    return Contents({version.client: version for version in versions})


def replace_rows(
    lake: duckdb.DuckDBPyConnection,
    schema: PublishedSchema,
    fresh: Sequence[Version],
    folder: Path,
    replaced: Sequence[str],
    kept: Sequence[str],
    remade: Collection[str],
) -> None:
    """Take out the rows of ``replaced`` clients; put in the ``fresh`` versions in ``folder``.

    DuckLake reads what it deletes. Tables that are ``remade`` are made anew instead, with the rows
    of the ``kept`` clients. Raises UnreadableTable.
    """
    layouts = Layouts.of(fresh)
    for table in schema.tables:
        try:
            if replaced and table.name in remade:
                _make_table(lake, table, _columns(table), of=kept)
                lake.execute(comments(table, "table"))
            elif replaced:
                lake.execute(f"delete from {table.name} where {_is_of(replaced)}")
        except duckdb.Error as error:
            raise UnreadableTable(table.name) from error
        if fresh:
            lake.execute(f"insert into {table.name} {layouts.select(table, files_in(folder))}")
    if replaced:
        lake.execute(f"delete from catalogue.versions where {_is_of(replaced)}")
    rows = [[version.client, version.number, version.row_count, version.build] for version in fresh]
    insert(lake, "catalogue.versions", ["varchar", "varchar", "bigint", "varchar"], rows)


def _is_of(clients: Sequence[str]) -> str:
    """A list of words, not a parameter: only so DuckLake leaves other clients' files alone."""
    names = ", ".join(f"'{name}'" for name in clients)
    return f"{CLIENT_COLUMN} in ({names})" if clients else "false"


def collect(lake: duckdb.DuckDBPyConnection, grace: timedelta, *, with_orphans: bool) -> int:
    """Forget snapshots superseded longer than ``grace`` ago, and delete files no snapshot needs.

    A snapshot's own age says nothing: it may have been the newest until a moment ago. Files
    ``with_orphans`` are those of publishers that died. Returns how many files were deleted.
    """
    expired = lake.execute(
        """
        with snapshots as (
            select snapshot_id, lead(snapshot_time) over (order by snapshot_id) as superseded_at
            from ducklake_snapshots('lake')
        )
        select snapshot_id from snapshots
        where epoch_us(superseded_at) < epoch_us(get_current_timestamp()) - ?
        """,
        [int(grace.total_seconds() * 1e6)],
    ).fetchall()
    if expired:
        versions = ", ".join(str(snapshot) for (snapshot,) in expired)
        lake.execute(f"call ducklake_expire_snapshots('lake', versions => [{versions}])")
    deleted = len(
        lake.execute("select path from ducklake_cleanup_old_files('lake', cleanup_all => true)")
        .fetchall()
    )  # fmt: skip
    if with_orphans:
        deleted += len(
            lake.execute(
                "select path from ducklake_delete_orphaned_files('lake', cleanup_all => true)"
            ).fetchall()
        )
    return deleted
