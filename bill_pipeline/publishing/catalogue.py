"""The file analysts open: views and macros that name exact versions.

It is written anew for every publication and put in place by one rename, so a reader has the old one
or the new one, whole. Which versions those are is ``contents``; writing Parquet is ``versions``'
work.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from bill_pipeline.publishing.contents import Contents, write_contents
from bill_pipeline.publishing.registry import RegistryTables
from bill_pipeline.publishing.tables import (
    CLIENT_COLUMN,
    PublishedSchema,
    comments,
    quoted,
)
from bill_pipeline.publishing.versions import Version
from bill_pipeline.publishing.views import Layouts
from bill_pipeline.settings import Home

_ABOUT_LISTS = "The files of a table: those of the versions that this catalogue shows."


def write_catalogue(
    home: Home, contents: Contents, schema: PublishedSchema, registry: RegistryTables, at: datetime
) -> None:
    """Put a new catalogue in place. Call it while holding the catalogue's lock."""
    draft = home.path / ".ledger.next.duckdb"
    # The lock is ours, so a draft that exists was left by a writer that died.
    draft.unlink(missing_ok=True)
    draft.with_name(draft.name + ".wal").unlink(missing_ok=True)
    layouts = Layouts.of(contents.current.values())
    lists = {layout: f"catalogue.files_{n}" for n, layout in enumerate(layouts.versions)}
    with duckdb.connect(str(draft)) as db:
        db.execute("set enable_progress_bar = false")
        db.execute("begin transaction")
        write_contents(db, home, contents, schema, at)
        registry.write(db)
        for layout, versions in layouts.versions.items():
            db.execute(_list_macro(home, lists[layout], versions[:1]))
        for table in schema.tables:
            select = layouts.select(table, lambda layout, _, of: f"{lists[layout]}('{of.name}')")
            db.execute(f"create view {table.name} as {select}")
            db.execute(comments(table, "view"))
        for macro in schema.macros:
            db.execute(macro.sql)
            db.execute(f"comment on macro table {macro.name} is {quoted(macro.summary)}")
        # Only now all files: DuckDB looks at every file that a new view names, and for a thousand
        # clients with thirty tables that took longer than everything else together.
        for layout, versions in layouts.versions.items():
            db.execute(_list_macro(home, lists[layout], versions))
            db.execute(f"comment on macro {lists[layout]} is {quoted(_ABOUT_LISTS)}")
        db.execute("commit")
    # Analysts' tools open files for writing by habit, which would lock everybody else out.
    draft.chmod(0o444)
    _to_disk(draft)
    draft.replace(home.ledger)
    # Left by a tool that opened the old file for writing; it must not be replayed on the new one.
    home.ledger.with_name(home.ledger.name + ".wal").unlink(missing_ok=True)
    _to_disk(home.path)


def _list_macro(home: Home, name: str, versions: Sequence[Version]) -> str:
    """A macro that gives a table's files: one text for all tables, put together when it is asked.

    Who moved the folder may say where it is: ``set variable ledger_home = '/new/place'``.
    """
    names = "\n".join(f"~/{CLIENT_COLUMN}={v.client}/{v.number}.parquet" for v in versions)
    where = f"coalesce(getvariable('ledger_home'), {quoted(str(home.path))})"
    folder = f"{where} || '/{home.published.name}/' || of_table"
    return (
        f"create or replace macro {name}(of_table) as "
        f"string_split(replace('{names}', '~', {folder}), '\n')"
    )


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
