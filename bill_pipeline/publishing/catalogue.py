"""The file analysts open: views and macros that name exact versions.

It is written anew for every publication and put in place by one rename, so a reader has the old one
or the new one, whole. Which versions those are is ``contents``; writing Parquet is ``versions``'
work.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import duckdb

from bill_pipeline.publishing.contents import Contents, write_contents
from bill_pipeline.publishing.registry import RegistryTables
from bill_pipeline.publishing.tables import PublishedSchema, comments, quoted
from bill_pipeline.publishing.views import Layouts
from bill_pipeline.settings import Home


def write_catalogue(
    home: Home, contents: Contents, schema: PublishedSchema, registry: RegistryTables, at: datetime
) -> None:
    """Put a new catalogue in place. Call it while holding the catalogue's lock."""
    draft = home.path / ".ledger.next.duckdb"
    # The lock is ours, so a draft that exists was left by a writer that died.
    draft.unlink(missing_ok=True)
    draft.with_name(draft.name + ".wal").unlink(missing_ok=True)
    layouts = Layouts.of(str(home.published), contents.current.values())
    with duckdb.connect(str(draft)) as db:
        db.execute("set enable_progress_bar = false")
        db.execute("begin transaction")
        write_contents(db, home, contents, schema, at)
        registry.write(db)
        for table in schema.tables:
            db.execute(f"create view {table.name} as {layouts.select(table)}")
            db.execute(comments(table, "view"))
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


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
