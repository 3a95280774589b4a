"""The published ledger in DuckLake: catalogue in PostgreSQL, files in a folder or object store.

A publication is one transaction of the lake, so readers on any machine see all of it or nothing; an
open ledger is attached at one snapshot and sees that one to its end. Publishers take turns.

DuckLake holds the tables and their words. It cannot hold our macros (a default of ``null`` makes
its whole catalogue unreadable, DuckLake 1.0), so each open ledger gets them as temporary ones, and
``ledger.sql`` does the same for analysts who use DuckDB alone.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from bill_pipeline.publishing.contents import Contents
from bill_pipeline.publishing.lake_connection import (
    BY_PATH,
    LakeAddress,
    beside_catalogue,
    connect,
    names_own_store,
    newest_snapshot,
    only_writer,
)
from bill_pipeline.publishing.lake_tables import (
    UnreadableTable,
    collect,
    has_registry,
    make_lake_tables,
    publishes_schema,
    read_lake_contents,
    read_lake_schema,
    replace_rows,
)
from bill_pipeline.publishing.ledger_store import ATTACHED_AS, OpenBooks, PublishReport, with_books
from bill_pipeline.publishing.registry import RegistryTables, kept_statuses
from bill_pipeline.publishing.tables import PublishedSchema, PublishError, published_schema, quoted
from bill_pipeline.publishing.versions import (
    Version,
    dead_notes,
    write_version,
    writer_note,
)
from bill_pipeline.registry.clients import ClientStatus, Registry
from bill_pipeline.registry.failures import ClientError, alone
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.built import next_number

_log = logging.getLogger(__name__)

#: A snapshot of the lake for every look at BILL would be thousands a day.
TIMES_ARE_BEHIND = timedelta(minutes=15)
#: Where a client's tables wait until it is this process's turn.
_STAGING = ".staging"
_DOOR = """\
-- The published ledger as of {at:%Y-%m-%d %H:%M:%S} UTC, for DuckDB 1.5: duckdb -init ledger.sql
-- DuckDB loads its extensions ducklake and postgres by itself where it can reach them.
-- PostgreSQL's password comes from PGPASSWORD or ~/.pgpass; reading needs no more than SELECT.
{attach};
use {name};
{macros}
"""


class LakeLedger:
    """The published ledger in a DuckLake that several machines share."""

    def __init__(self, home: Home, catalogue: str, data: str | None) -> None:
        self._home = home
        self._address = LakeAddress(catalogue, data or f"{home.lake}/")

    def publish(
        self,
        registry: Registry,
        clients: Sequence[str],
        open_books: OpenBooks,
        *,
        grace: timedelta,
        schema: PublishedSchema | None,
        anew: bool,
        ahead: Sequence[Version],
    ) -> PublishReport:
        """Replace the rows of ``clients`` in one transaction, always ``anew``.

        Raises PublishError.
        """
        home = self._home
        schema = schema or published_schema()
        if "://" not in self._address.data:
            Path(self._address.data).mkdir(parents=True, exist_ok=True)
        number = next_number()
        staging = home.published / _STAGING / number
        with writer_note(home.published) as note, connect(self._address) as lake:
            note.add(_STAGING, number)
            if self._make_ready(lake, schema):
                clients = [*clients, *with_books(registry)]
            try:
                versions, refused = _staged(clients, open_books, schema, staging)
                with only_writer(lake, self._address):
                    report = self._replace(lake, registry, schema, staging, versions)
                    dead = dead_notes(home.published)
                    report.files_collected = collect(lake, grace, with_orphans=bool(dead))
                    self._write_door(lake, schema)
                    for path, written in dead:
                        for _, left in written:
                            shutil.rmtree(home.published / _STAGING / left, ignore_errors=True)
                        path.unlink(missing_ok=True)
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        report.not_published = refused
        return report

    def write_ahead(self, client: str, books: duckdb.DuckDBPyConnection) -> Version | None:
        """Nothing: rows come into a lake in the transaction that shows them."""
        return None

    def _make_ready(self, lake: duckdb.DuckDBPyConnection, schema: PublishedSchema) -> bool:
        """Attach the lake for writing; True when its tables had to be made or changed."""
        if newest_snapshot(lake) is not None:
            self._attach_for_writing(lake)
            if publishes_schema(lake, schema):
                return False
            with only_writer(lake, self._address):
                return make_lake_tables(lake, schema)
        with only_writer(lake, self._address):
            self._attach_for_writing(lake)
            return make_lake_tables(lake, schema)

    def _attach_for_writing(self, lake: duckdb.DuckDBPyConnection) -> None:
        data = f"data_path {quoted(self._address.data)}, override_data_path true"
        lake.execute(
            f"attach {quoted(f'ducklake:postgres:{self._address.catalogue}')} as lake "
            f"({data}, data_inlining_row_limit 0)"
        )
        lake.execute("use lake")

    def _replace(
        self,
        lake: duckdb.DuckDBPyConnection,
        registry: Registry,
        schema: PublishedSchema,
        folder: Path,
        versions: list[Version],
    ) -> PublishReport:
        remade: set[str] = set()
        while True:
            at = datetime.now(UTC)
            try:
                with _transaction(lake):
                    contents = read_lake_contents(lake)
                    before = set(contents.current)
                    fresh = [version for version in versions if contents.replace(version, at)]
                    statuses = self._statuses(lake, registry, before)
                    removed = tuple(sorted(before - {status.client for status in statuses}))
                    for client in removed:
                        contents.remove(client, at)
                    replaced = sorted(before & {*removed, *(v.client for v in fresh)})
                    kept = sorted(before - set(replaced))
                    replace_rows(lake, schema, fresh, folder, replaced, kept, remade)
                    self._show(lake, statuses, contents)
            except UnreadableTable as unreadable:
                if unreadable.table in remade:
                    raise PublishError(
                        f"{unreadable.table} cannot be read in the lake, whoever is asked for. Run "
                        "`bill-pipeline publish --all`: it writes every client's tables anew."
                    ) from unreadable
                remade.add(unreadable.table)
                _log.warning("%s has damaged files in the lake and is made anew.", unreadable.table)
            else:
                published = {version.client: version.row_count for version in versions}
                builds = {version.client: version.build for version in fresh}
                return PublishReport(published=published, builds=builds, removed=removed)

    def builds(self) -> dict[str, str | None]:
        with connect(self._address) as lake:
            snapshot = newest_snapshot(lake)
            if snapshot is None:
                return {}
            lake.execute(self._address.for_reading(snapshot).format(name="lake"))
            lake.execute("use lake")
            if not has_registry(lake):
                return {}
            current = read_lake_contents(lake).current
        return {client: version.build for client, version in current.items()}

    def exists(self) -> bool:
        with connect(self._address) as connection:
            return newest_snapshot(connection) is not None

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        with beside_catalogue(connection, self._address):
            snapshot = newest_snapshot(connection)
        connection.execute(self._address.for_reading(snapshot or 0).format(name=ATTACHED_AS))
        connection.execute(f"use {ATTACHED_AS}")
        schema = read_lake_schema(connection)
        for statement in _macros(schema) if schema else ():
            connection.execute(statement)

    def readable_folders(self) -> list[str]:
        return [self._address.data]

    def show_status(self, registry: Registry) -> None:
        """Replace the rows of the registry's tables in a transaction of the lake, if they changed.

        A sync that finds nothing changes nothing but when BILL was asked: that may be behind.
        """
        with connect(self._address) as lake:
            if newest_snapshot(lake) is None:
                return
            self._attach_for_writing(lake)
            if has_registry(lake):  # else the next publication makes it so
                with only_writer(lake, self._address), _transaction(lake):
                    contents = read_lake_contents(lake)
                    statuses = self._statuses(lake, registry, contents.current)
                    self._show(lake, statuses, contents)

    def _statuses(
        self, lake: duckdb.DuckDBPyConnection, registry: Registry, shown: Collection[str]
    ) -> list[ClientStatus]:
        """Of all clients, those in the lake among them that the registry does not know."""
        unknown = set(shown) - set(registry.names()) - registry.disconnected()
        statuses = registry.all()
        if unknown and has_registry(lake):
            statuses += kept_statuses(lake, unknown)
        return sorted(statuses, key=lambda status: status.client)

    def _show(
        self, lake: duckdb.DuckDBPyConnection, statuses: Sequence[ClientStatus], contents: Contents
    ) -> None:
        tables = RegistryTables(tuple(statuses), contents.current)
        tables.bring_up_to_date(lake, behind=TIMES_ARE_BEHIND)

    def shell_arguments(self) -> list[str]:
        return ["-init", str(self._home.lake_door)]

    @property
    def where(self) -> str:
        return f"DuckLake at {self._address.catalogue}"

    def _write_door(self, lake: duckdb.DuckDBPyConnection, schema: PublishedSchema) -> None:
        snapshot = newest_snapshot(lake) or 0
        attach = self._address.for_reading(snapshot).format(name=ATTACHED_AS)
        text = _DOOR.format(
            at=datetime.now(UTC),
            attach=f"{BY_PATH};\n{attach}" if names_own_store(lake, self._address) else attach,
            name=ATTACHED_AS,
            macros="\n".join(f"{statement};" for statement in _macros(schema)),
        )
        draft = self._home.lake_door.with_name(".ledger.next.sql")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self._home.lake_door)


def _staged(
    clients: Iterable[str], open_books: OpenBooks, schema: PublishedSchema, folder: Path
) -> tuple[list[Version], dict[str, str]]:
    """Each client's tables as Parquet of one moment; and why some clients could not be read."""
    versions: list[Version] = []
    refused: dict[str, ClientError] = {}
    for client in dict.fromkeys(clients):
        with alone(client, refused), open_books(client) as books:
            versions.append(write_version(books, client, next_number(), schema, folder)[0])
    return versions, {client: str(client_error) for client, client_error in refused.items()}


@contextlib.contextmanager
def _transaction(lake: duckdb.DuckDBPyConnection) -> Iterator[None]:
    lake.execute("begin transaction")
    try:
        yield
        lake.execute("commit")
    except BaseException:
        lake.execute("rollback")
        raise


def _macros(schema: PublishedSchema) -> Iterable[str]:
    for macro in schema.macros:
        yield macro.sql.replace("create or replace macro", "create or replace temp macro", 1)
        yield f"comment on macro table temp.{macro.name} is {quoted(macro.summary)}"
