"""The file analysts open: views and macros that name exact versions, and which versions those are.

It is written anew for every publication and put in place by one rename, so a reader has the old one
or the new one, whole. Which version of each client counts is part of the same file (schema
``catalogue``): the two can never disagree. Writing Parquet is ``versions``' work.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from bill_pipeline.publishing.registry import RegistryTables
from bill_pipeline.publishing.tables import (
    CLIENT_COLUMN,
    CLIENT_DESCRIPTION,
    PublishedSchema,
    PublishedTable,
    PublishError,
    identifier,
    insert,
    quoted,
)
from bill_pipeline.publishing.versions import Version, WrittenTable, path_of
from bill_pipeline.settings import Home

_DDL = """
create schema catalogue;
create table catalogue.home (path varchar, written_at timestamp, schema json);
create table catalogue.versions (client varchar, version varchar, tables json);
create table catalogue.shapes (shape varchar, columns json);
create table catalogue.superseded (client varchar, version varchar, superseded_at timestamp);
comment on table catalogue.home is 'The folder the views name, and when this file was written.';
comment on table catalogue.versions is 'The version of each client that the views show.';
comment on table catalogue.shapes is 'The columns that files have; most clients share one shape.';
comment on table catalogue.superseded is
    'Versions no view names any more, kept a while for connections opened before.';
"""


@dataclass
class Contents:
    """Which versions a catalogue names, and which it named not long ago."""

    current: dict[str, Version] = field(default_factory=dict)
    superseded: dict[tuple[str, str], datetime] = field(default_factory=dict)
    home_path: str | None = None

    def replace(self, version: Version, at: datetime) -> bool:
        """Make ``version`` its client's current one, unless a later one already is.

        A version from the future does not count as later: the clock was set back since.
        """
        before = self.current.get(version.client)
        if before is not None:
            if version.number < before.number <= f"{at:%Y%m%dT%H%M%S.%fZ}~":
                self.superseded[version.client, version.number] = at
                return False
            self.superseded[before.client, before.number] = at
        self.current[version.client] = version
        self.superseded.pop((version.client, version.number), None)
        return True

    def remove(self, client: str, at: datetime) -> None:
        """Leave ``client`` out of the ledger."""
        before = self.current.pop(client)
        self.superseded[before.client, before.number] = at

    @property
    def named(self) -> set[tuple[str, str]]:
        return {(v.client, v.number) for v in self.current.values()} | set(self.superseded)


def read_contents(home: Home) -> Contents:
    """What the catalogue in place names; nothing when there is none yet."""
    if not home.ledger.exists():
        return Contents()
    try:
        with _copy_of(home.ledger) as path, duckdb.connect(str(path), read_only=True) as db:
            return _contents(db)
    except duckdb.Error as error:
        raise PublishError(
            f"{home.ledger} is not a ledger this version can read: {error}. Move it away and run "
            "`bill-pipeline publish --all`; the books themselves are in the clients' files."
        ) from error


def is_lost(home: Home) -> bool:
    """Whether there are published files, but no catalogue of this layout to say which count.

    So after ``ledger.duckdb`` was deleted, and after an update that changed the layout: then every
    client is published anew.
    """
    if not any(home.published.glob("*/client=*/*.parquet")):
        return False
    if not home.ledger.exists():
        return True
    try:
        with _copy_of(home.ledger) as path, duckdb.connect(str(path), read_only=True) as db:
            _contents(db)
    except duckdb.CatalogException:
        return True
    except duckdb.Error:
        return False  # not a database of ours at all; read_contents says what to do
    return False


def found_on_disk(home: Home, at: datetime) -> Contents:
    """Contents for a lost catalogue: every file there is counts as superseded from now on."""
    contents = Contents()
    for path in home.published.glob("*/client=*/*.parquet"):
        client = path.parent.name.removeprefix(f"{CLIENT_COLUMN}=")
        contents.superseded[client, path.stem] = at
    return contents


def remembered_schema(home: Home) -> PublishedSchema | None:
    """What the catalogue in place publishes; None when there is none, or it cannot be read."""
    if not home.ledger.exists():
        return None
    try:
        with _copy_of(home.ledger) as path, duckdb.connect(str(path), read_only=True) as db:
            found = db.execute("select schema from catalogue.home").fetchone()
            return PublishedSchema.from_json(found[0]) if found else None
    except duckdb.Error:
        return None


@contextlib.contextmanager
def _copy_of(ledger: Path) -> Iterator[Path]:
    # Read from a copy: somebody's tool may have opened the file for writing and so locked it.
    with tempfile.TemporaryDirectory(prefix="bill-pipeline-") as folder:
        yield Path(shutil.copy(ledger, Path(folder) / "ledger.duckdb"))


def _contents(db: duckdb.DuckDBPyConnection) -> Contents:
    contents = Contents()
    for (path,) in db.execute("select path from catalogue.home").fetchall():
        contents.home_path = path
    shapes = {
        shape: tuple((name, type_) for name, type_ in json.loads(columns))
        for shape, columns in db.execute("from catalogue.shapes").fetchall()
    }
    for client, number, tables in db.execute("from catalogue.versions").fetchall():
        written = tuple(
            WrittenTable(name, shape, shapes[shape], count)
            for name, shape, count in json.loads(tables)
        )
        contents.current[client] = Version(client, number, written)
    for client, number, at in db.execute("from catalogue.superseded").fetchall():
        contents.superseded[client, number] = at.replace(tzinfo=UTC)
    return contents


def write_catalogue(
    home: Home, contents: Contents, schema: PublishedSchema, registry: RegistryTables, at: datetime
) -> None:
    """Put a new catalogue in place. Call it while holding the catalogue's lock."""
    draft = home.path / ".ledger.next.duckdb"
    # The lock is ours, so a draft that exists was left by a writer that died.
    draft.unlink(missing_ok=True)
    draft.with_name(draft.name + ".wal").unlink(missing_ok=True)
    with duckdb.connect(str(draft)) as db:
        db.execute("set enable_progress_bar = false")
        db.execute("begin transaction")
        db.execute(_DDL)
        _write_contents(db, home, contents, schema, at)
        registry.write(db)
        for table in schema.tables:
            db.execute(_view_sql(home.published, table, contents))
            db.execute(_comments(table))
        for macro in schema.macros:
            db.execute(macro.sql)
            db.execute(f"comment on macro table {macro.name} is {quoted(macro.summary)}")
        db.execute("commit")
    # Analysts' tools open files for writing by habit, which would lock everybody else out.
    draft.chmod(0o444)
    _to_disk(draft)
    draft.replace(home.ledger)
    # Left by a tool that opened the old file for writing; it must not be replayed on the new one.
    home.ledger.with_name(home.ledger.name + ".wal").unlink(missing_ok=True)
    _to_disk(home.path)


def _write_contents(
    db: duckdb.DuckDBPyConnection,
    home: Home,
    contents: Contents,
    schema: PublishedSchema,
    at: datetime,
) -> None:
    db.execute(
        "insert into catalogue.home values (?, ?, ?)",
        [str(home.path), at.replace(tzinfo=None), schema.to_json()],
    )
    versions = [
        [v.client, v.number, json.dumps([[t.table, t.shape, t.row_count] for t in v.tables])]
        for v in contents.current.values()
    ]
    shapes = {t.shape: t.columns for v in contents.current.values() for t in v.tables}
    listed = [[shape, json.dumps(columns)] for shape, columns in shapes.items()]
    superseded = [
        [client, number, when.replace(tzinfo=None)]
        for (client, number), when in contents.superseded.items()
    ]
    insert(db, "catalogue.versions", ["varchar", "varchar", "json"], versions)
    insert(db, "catalogue.shapes", ["varchar", "json"], listed)
    insert(db, "catalogue.superseded", ["varchar", "varchar", "timestamp"], superseded)


def _view_sql(published: Path, table: PublishedTable, contents: Contents) -> str:
    """One view over exact files; clients whose files have the same columns are read together."""
    files: dict[str, list[str]] = {}
    stored: dict[str, tuple[tuple[str, str], ...]] = {}
    folder = str(published)
    for client in sorted(contents.current):
        version = contents.current[client]
        for written in version.tables:
            if written.table == table.name:
                path = path_of(folder, table.name, client, version.number)
                files.setdefault(written.shape, []).append(quoted(path))
                stored[written.shape] = written.columns
    selects = [_select_from(table, dict(stored[shape]), paths) for shape, paths in files.items()]
    return f"create view {table.name} as " + (" union all ".join(selects) or _select_empty(table))


def _select_from(table: PublishedTable, stored: dict[str, str], paths: list[str]) -> str:
    """The table's columns, in order and of the right type, whatever code wrote the files."""
    selected = [CLIENT_COLUMN]
    for column in table.columns:
        name = identifier(column.name)
        if column.name not in stored:
            selected.append(f"null::{column.type} as {name}")
        elif stored[column.name] == column.type:
            selected.append(name)
        else:
            selected.append(f"{name}::{column.type} as {name}")
    # The folder's name says whose file it is: a query on one client opens one file.
    return (
        f"select {', '.join(selected)} from read_parquet([{', '.join(paths)}], "
        "hive_partitioning = true, hive_types = {'client': varchar})"
    )


def _select_empty(table: PublishedTable) -> str:
    columns = "".join(f", null::{c.type} as {identifier(c.name)}" for c in table.columns)
    return f"select null::varchar as {CLIENT_COLUMN}{columns} where false"


def _comments(table: PublishedTable) -> str:
    about = f"{table.summary} Grain: {table.grain}. Key: {', '.join(table.key_columns)}."
    statements = [
        f"comment on view {table.name} is {quoted(about)}",
        f"comment on column {table.name}.{CLIENT_COLUMN} is {quoted(CLIENT_DESCRIPTION)}",
    ]
    statements += [
        f"comment on column {table.name}.{identifier(column.name)} is {quoted(column.description)}"
        for column in table.columns
    ]
    return ";\n".join(statements)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
