"""Which version of each client counts, and which versions counted not long ago.

The catalogue file remembers it in its schema ``catalogue``, beside the views that name the same
versions, so the two can never disagree.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from bill_pipeline.publishing.tables import (
    CLIENT_COLUMN,
    PublishedSchema,
    PublishError,
    insert,
    quoted,
)
from bill_pipeline.publishing.versions import Layout, Version, WrittenTable
from bill_pipeline.runtime.machine import is_damaged, machine_error
from bill_pipeline.runtime.private_folder import PrivateFolder
from bill_pipeline.settings import Home

_VERSIONS = "select client, version, layout, row_count from catalogue.versions"
#: What a catalogue raises, besides DuckDB's errors, whose words are not those that we wrote.
MALFORMED = (ValueError, KeyError, TypeError, AttributeError)
_DDL = """
create schema catalogue;
create table catalogue.home (path varchar, written_at timestamp, schema json);
create table catalogue.layouts (layout varchar, tables json);
create table catalogue.versions (
    client varchar, version varchar, layout varchar, row_count bigint, build varchar
);
create table catalogue.superseded (client varchar, version varchar, superseded_at timestamp);
comment on table catalogue.home is 'The folder the views name, and when this file was written.';
comment on table catalogue.layouts is
    'The tables and columns that a version has; clients booked by the same code share one.';
comment on table catalogue.versions is 'The version of each client that the views show.';
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

    def copy(self) -> Contents:
        return Contents(dict(self.current), dict(self.superseded), self.home_path)

    @property
    def named(self) -> set[tuple[str, str]]:
        return {(v.client, v.number) for v in self.current.values()} | set(self.superseded)


@dataclass(frozen=True)
class Remembered:
    """What the catalogue file in place says; ``identity`` changes whenever it is replaced.

    ``is_lost`` when there are published files, but no catalogue of this layout to say which count:
    after ``ledger.duckdb`` was deleted or damaged, and after an update that changed the layout.
    Then every client is published anew, and the files there are counted as superseded.
    """

    identity: tuple[int, int, int]
    contents: Contents
    schema: PublishedSchema | None = None
    is_lost: bool = False
    is_damaged: bool = False


def identity_of(ledger: Path) -> tuple[int, int, int]:
    """Tells one catalogue file from the next; the same for every file that is not there."""
    try:
        found = ledger.stat()
    except FileNotFoundError:
        return (0, 0, 0)
    return (found.st_ino, found.st_mtime_ns, found.st_size)


#: The catalogue that this process read last: each publication asks for it several times.
_last_read: dict[Path, Remembered] = {}


def read_catalogue(home: Home) -> Remembered:
    """What the catalogue in place remembers; a damaged one counts as lost.

    Raises PublishError when the machine does not let it be read.
    """
    identity = identity_of(home.ledger)
    if not home.ledger.exists():
        return _lost(home, identity)
    last = _last_read.get(home.ledger)
    if last is None or last.identity != identity:
        last = _read(home, identity)
        if last.is_lost:
            return last
        _last_read.clear()
        _last_read[home.ledger] = last
    return replace(last, contents=last.contents.copy())


def _read(home: Home, identity: tuple[int, int, int]) -> Remembered:
    try:
        # From a copy: somebody's tool may have opened the file for writing and so locked it.
        with PrivateFolder() as folder:
            copy = shutil.copy(home.ledger, Path(folder) / "ledger.duckdb")
            with duckdb.connect(str(copy), read_only=True) as db:
                return Remembered(identity, _contents(db), read_schema(db))
    except (duckdb.CatalogException, duckdb.BinderException):
        return _lost(home, identity)
    except (duckdb.Error, OSError, *MALFORMED) as error:
        said = None if is_damaged(error) else machine_error(error)
        if said:  # a bad moment of the machine must not cost a catalogue
            raise PublishError(f"{home.ledger} cannot be read. {said}") from error
        # It says only what can be found out again from the clients' files.
        return _lost(home, identity, was_damaged=True)


def read_contents(home: Home) -> Contents:
    """Which versions the catalogue in place names; nothing when there is none yet."""
    remembered = read_catalogue(home)
    return Contents() if remembered.is_lost else remembered.contents


def _lost(home: Home, identity: tuple[int, int, int], *, was_damaged: bool = False) -> Remembered:
    at = datetime.now(UTC)
    contents = Contents()
    for path in home.published.glob(f"*/{CLIENT_COLUMN}=*/*.parquet"):
        client = path.parent.name.removeprefix(f"{CLIENT_COLUMN}=")
        contents.superseded[client, path.stem] = at
    is_lost = was_damaged or bool(contents.superseded)
    return Remembered(identity, contents, is_lost=is_lost, is_damaged=was_damaged)


def read_schema(db: duckdb.DuckDBPyConnection) -> PublishedSchema | None:
    """What the open catalogue publishes."""
    found = db.execute("select schema from catalogue.home").fetchone()
    return PublishedSchema.from_json(found[0]) if found else None


def _contents(db: duckdb.DuckDBPyConnection) -> Contents:
    contents = Contents()
    for (path,) in db.execute("select path from catalogue.home").fetchall():
        contents.home_path = path
    layouts = {
        layout: Layout(
            layout,
            tuple(
                WrittenTable(table, shape, tuple((name, type_) for name, type_ in columns))
                for table, shape, columns in json.loads(tables)
            ),
        )
        for layout, tables in db.execute("from catalogue.layouts").fetchall()
    }
    builds: dict[str, str] = {}
    with contextlib.suppress(duckdb.BinderException):  # an earlier release wrote them down nowhere
        builds = dict(db.execute("select client, build from catalogue.versions").fetchall())
    for client, number, layout, count in db.execute(_VERSIONS).fetchall():
        version = Version(client, number, layouts[layout], count, builds.get(client))
        contents.current[client] = version
    for client, number, at in db.execute("from catalogue.superseded").fetchall():
        contents.superseded[client, number] = at.replace(tzinfo=UTC)
    return contents


def create_contents(db: duckdb.DuckDBPyConnection, home: Home, schema: PublishedSchema) -> None:
    """Create the schema ``catalogue`` in the open file; ``fill_contents`` says which versions."""
    db.execute(_DDL)
    about = f"{quoted(str(home.path))}, null, {quoted(schema.to_json())}"
    db.execute(f"insert into catalogue.home values ({about})")


def fill_contents(db: duckdb.DuckDBPyConnection, contents: Contents, at: datetime) -> None:
    """Make the open file name the versions of ``contents``, in the place of those it named."""
    current = contents.current.values()
    layouts = [
        [layout.name, [[t.table, t.shape, t.columns] for t in layout.tables]]
        for layout in {version.layout for version in current}
    ]
    versions = [[v.client, v.number, v.layout.name, v.row_count, v.build] for v in current]
    superseded = [
        [client, number, when.replace(tzinfo=None)]
        for (client, number), when in contents.superseded.items()
    ]
    db.execute(f"update catalogue.home set written_at = '{at.replace(tzinfo=None)}'")
    for table, types, rows in (
        ("layouts", ["varchar", "json"], layouts),
        ("versions", ["varchar", "varchar", "varchar", "bigint", "varchar"], versions),
        ("superseded", ["varchar", "varchar", "timestamp"], superseded),
    ):
        db.execute(f"delete from catalogue.{table}")
        insert(db, f"catalogue.{table}", types, rows)
