"""The file analysts open: views and macros that name exact versions.

It is written anew for every publication and put in place by one rename, so a reader has the old one
or the new one, whole. Which versions those are is ``contents``; writing Parquet is ``versions``'
work.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from bill_pipeline.publishing.contents import (
    MALFORMED,
    Contents,
    create_contents,
    fill_contents,
    read_schema,
)
from bill_pipeline.publishing.registry import CLIENTS_TABLE, RegistryTables
from bill_pipeline.publishing.tables import (
    CLIENT_COLUMN,
    PublishedSchema,
    PublishError,
    comments,
    quoted,
)
from bill_pipeline.publishing.versions import Layout, Version
from bill_pipeline.publishing.views import Layouts
from bill_pipeline.settings import Home

_ABOUT_LISTS = "The files of a table: those of the versions that this catalogue shows."


def write_catalogue(
    home: Home,
    contents: Contents,
    schema: PublishedSchema,
    registry: RegistryTables,
    at: datetime,
    *,
    amend: bool = True,
) -> None:
    """Put a new catalogue in place. Call it while holding the catalogue's lock.

    ``amend``: from a copy of the one in place where that can be, which is quicker.
    """
    draft = home.path / ".ledger.next.duckdb"
    _discard(draft)  # the lock is ours, so a draft that exists was left by a writer that died
    wanted = _Wanted(home, contents, Layouts.of(contents.current.values()), schema, registry, at)
    try:
        if not (amend and _amend(draft, wanted)):
            _discard(draft)
            _write_whole(draft, wanted)
        # Analysts' tools open files for writing by habit, which would lock everybody else out.
        draft.chmod(draft.stat().st_mode & 0o444)
        _require_written(draft, at)
        os.utime(draft, ns=(_nanoseconds(at), _nanoseconds(at)))
        # The draft and every file that it names: a power cut must not leave names without content.
        # For thousands of files one call takes a hundredth of the time of as many fsyncs.
        os.sync()
        draft.replace(home.ledger)
    except BaseException:  # where the disk is full, half a catalogue must not fill it further
        _discard(draft)
        raise
    # Left by a tool that opened the old file for writing; it must not be replayed on the new one.
    _wal_of(home.ledger).unlink(missing_ok=True)
    _to_disk(home.path)


@dataclass(frozen=True)
class _Wanted:
    """What the catalogue shall show."""

    home: Home
    contents: Contents
    layouts: Layouts
    schema: PublishedSchema
    registry: RegistryTables
    at: datetime

    def fill(self, db: duckdb.DuckDBPyConnection, *, only_first: bool = False) -> None:
        fill_contents(db, self.contents, self.at)
        self.registry.fill(db, [CLIENTS_TABLE.name])
        self.write_lists(db, only_first=only_first)

    def write_lists(self, db: duckdb.DuckDBPyConnection, *, only_first: bool = False) -> None:
        """By layout, the macro that lists a table's files; ``only_first``: of one client."""
        for layout, versions in self.layouts.versions.items():
            shown = versions[:1] if only_first else versions
            db.execute(_list_macro(self.home, _list_of(layout), shown))
            db.execute(f"comment on macro {_list_of(layout)} is {quoted(_ABOUT_LISTS)}")


def _write_whole(draft: Path, wanted: _Wanted) -> None:
    with _changing(draft) as db:
        create_contents(db, wanted.home, wanted.schema)
        wanted.registry.create(db, _folder(wanted.home))
        wanted.fill(db, only_first=True)
        for table in wanted.schema.tables:
            select = wanted.layouts.select(
                table, lambda layout, _, of: f"{_list_of(layout)}('{of.name}')"
            )
            db.execute(f"create view {table.name} as {select}")
            db.execute(comments(table, "view"))
        for macro in wanted.schema.macros:
            db.execute(macro.sql)
            db.execute(f"comment on macro table {macro.name} is {quoted(macro.summary)}")
        # Only now all files: DuckDB looks at every file that a new view names, and for a
        # thousand clients with thirty tables that took longer than everything else together.
        wanted.write_lists(db)


def _amend(draft: Path, wanted: _Wanted) -> bool:
    """The catalogue in place with other versions in it; False when it must be written whole.

    Views and macros are the same as long as tables and code are; writing them and their
    thousand comments again takes four times as long as the rest.
    """
    try:
        shutil.copyfile(wanted.home.ledger, draft)
    except FileNotFoundError:
        return False
    if _wal_of(wanted.home.ledger).exists():
        return False
    written_ns = wanted.home.ledger.stat().st_mtime_ns
    # Whatever is strange about it, it is written whole.
    with contextlib.suppress(duckdb.Error, *MALFORMED), _changing(draft) as db:
        about = db.execute("select path, written_at from catalogue.home").fetchall()
        layouts = db.execute("select layout from catalogue.layouts").fetchall()
        # Another time than ours on the file: a tool may have changed what is in it.
        ours = [(str(wanted.home.path), written_ns)]
        if (
            [(path, _nanoseconds(at)) for path, at in about] == ours
            and {name for (name,) in layouts} == {of.name for of in wanted.layouts.versions}
            and read_schema(db) == wanted.schema
        ):
            wanted.fill(db)
            return True
    return False


def _list_of(layout: Layout) -> str:
    return f"catalogue.files_{layout.name}"


@contextlib.contextmanager
def _changing(draft: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The draft, open for one transaction."""
    with duckdb.connect(str(draft)) as db:
        db.execute("set enable_progress_bar = false")
        db.execute("begin transaction")
        yield db
        db.execute("commit")
        db.execute("checkpoint")  # closing does so as well, and is silent where the disk is full


def _require_written(draft: Path, at: datetime) -> None:
    """Raises PublishError unless ``draft`` alone, closed, holds the transaction of ``at``."""
    with duckdb.connect(str(draft), read_only=True) as db:
        written = db.execute("select written_at from catalogue.home").fetchall()
    if _wal_of(draft).exists() or written != [(at.replace(tzinfo=None),)]:
        raise PublishError(
            f"The catalogue could not be written into {draft.parent}, and the one in place stays. "
            "Free space on its disk, then run `bill-pipeline publish`."
        )


def _list_macro(home: Home, name: str, versions: Sequence[Version]) -> str:
    """A macro that gives a table's files: one text for all tables, put together when it is asked.

    Who moved the folder may say where it is: ``set variable ledger_home = '/new/place'``.
    """
    names = "\n".join(f"~/{CLIENT_COLUMN}={v.client}/{v.number}.parquet" for v in versions)
    folder = f"{_folder(home)} || '/' || of_table"
    return (
        f"create or replace macro {name}(of_table) as "
        f"string_split(replace('{names}', '~', {folder}), '\n')"
    )


def _folder(home: Home) -> str:
    """The SQL of the folder with the files: where the variable ``ledger_home`` says, else here."""
    where = f"coalesce(getvariable('ledger_home'), {quoted(str(home.path))})"
    return f"({where} || '/{home.published.name}')"


def _nanoseconds(at: datetime) -> int:
    """``at`` as a file's time; without a zone it is UTC."""
    since = at.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since // timedelta(microseconds=1)) * 1000


def _wal_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _discard(draft: Path) -> None:
    draft.unlink(missing_ok=True)
    _wal_of(draft).unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
