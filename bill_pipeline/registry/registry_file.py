"""The registry's SQLite file: its tables, how it is made, and how it is opened.

Reading writes nothing: no file is made where there is none (an empty registry would say that nobody
is connected), and a home that may not be written is read all the same. What the rows mean is in
``clients``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bill_pipeline.at_rest import make_private
from bill_pipeline.errors import PipelineError
from bill_pipeline.runtime.private_folder import PrivateFolder
from bill_pipeline.runtime.sqlite_files import SqliteFile, set_journal_mode
from bill_pipeline.settings import Home, Settings

#: Raised whenever older code could no longer work with what this code writes into a home.
HOME_VERSION = 3
_WAIT_SECONDS = 30
#: How SQLite says that there was no room for its log, or for what tells readers of it.
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE", "SQLITE_IOERR_SHMOPEN", "SQLITE_IOERR_WRITE")


class NewerHome(PipelineError):
    """A home that a newer release has used: what it wrote there this one would not understand."""

    def __init__(self, home: Home, version: int) -> None:
        super().__init__(
            f"{home.path} was last used by a newer release of bill-pipeline (its format is "
            f"{version}, this release knows {HOME_VERSION}): install that release, or a later one."
        )


_SCHEMA = """
create table if not exists clients (
    client text primary key,
    organization_id text not null,
    environment text not null,
    base_url text not null,
    v2_url text not null,
    token_name_sealed text not null,
    token_password_sealed text not null,
    dev_key_sealed text not null,
    state text not null,
    connected_at text not null,
    organization_name text,
    last_attempt_at text,
    last_success_at text,
    last_change_at text,
    next_sync_at text,
    failure_count integer not null default 0,
    error text,
    remedy text,
    document_count integer not null default 0,
    review_count integer not null default 0,
    skipped_lists text not null default '{}',
    progress text not null default '{}',
    model_alarm text,
    clock_alarm text,
    last_whole_sync_at text,
    activity text not null default '{}',
    looked_at text not null default '{}',
    quarantined text not null default '{}',
    refused_documents text not null default '{}',
    compared_at text,
    unpublished_since text
);
create table if not exists disconnected (
    client text primary key,
    disconnected_at text not null
);
create table if not exists sessions (
    client text primary key,
    session_sealed text not null,
    stored_at text not null
);
"""
#: Columns that a registry of an earlier version lacks.
_ADDED = {
    **dict.fromkeys(
        ("model_alarm", "clock_alarm", "last_whole_sync_at", "unpublished_since", "compared_at"),
        "text",
    ),
    **dict.fromkeys(
        ("activity", "looked_at", "quarantined", "refused_documents"), "text not null default '{}'"
    ),
}


def exists(home: Home) -> bool:
    """Whether the home has a registry; a file without a byte was lost."""
    if home.registry.is_dir():  # SQLite would not say what is wrong
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(home.registry))
    try:
        return home.registry.stat().st_size > 0
    except FileNotFoundError:
        return False


def why_lost(home: Home) -> str | None:
    """What to say when there are books and no registry, and what to do; ``None`` when all is well.

    A copy of the published ledger alone needs none to be read.
    """
    if exists(home) or not any(home.clients.glob("*.duckdb")):
        return None
    return (
        f"{home.registry}, the list of connected clients, is missing, though there are books: "
        "until it is back nothing is synced or published, and sync_status stays as it was. Put it "
        "back from a backup together with secret.key, or connect the clients again, each under its "
        "name."
    )


def migrate_registry(home: Home) -> None:
    """Give a registry of an earlier release what it lacks. Raises NewerHome."""
    with open_registry(home) as db:
        (version,) = db.execute("pragma user_version").fetchone()
        if version > HOME_VERSION:
            raise NewerHome(home, version)
        (mode,) = db.execute("pragma journal_mode").fetchone()
        (is_read_only,) = db.execute("pragma query_only").fetchone()
        is_current = (
            version == HOME_VERSION
            and mode == Settings.now().sqlite_journal_mode
            and _is_complete(db)
        )
    if not is_current and exists(home) and not is_read_only:
        make_registry(home)


def make_registry(home: Home) -> None:
    """Make the registry, or the tables and columns that it lacks."""
    make_private(home.registry)
    with contextlib.closing(
        sqlite3.connect(home.registry, timeout=_WAIT_SECONDS, factory=SqliteFile)
    ) as db:
        set_journal_mode(db, Settings.now().sqlite_journal_mode)
        _make_tables(db)


@contextlib.contextmanager
def open_registry(home: Home) -> Iterator[sqlite3.Connection]:
    """The registry, in one transaction; for reading only where it is missing, read-only or on a
    disk so full that SQLite cannot make its log: a change then raises what SQLite said of that.
    """
    with contextlib.ExitStack() as stack:
        db, trouble = _open(home, stack)
        stack.enter_context(contextlib.closing(db))
        db.row_factory = sqlite3.Row
        # A byte that is no text in one client's row must not keep the others from being read.
        db.text_factory = lambda text: text.decode(errors="replace")
        stack.enter_context(db)
        try:
            yield db
        except sqlite3.OperationalError as error:
            if trouble and getattr(error, "sqlite_errorname", "") == "SQLITE_READONLY":
                raise trouble from error
            raise


def _open(
    home: Home, stack: contextlib.ExitStack
) -> tuple[sqlite3.Connection, sqlite3.OperationalError | None]:
    """The registry, and why it can only be read where that is the disk's fault."""
    path = home.registry
    if not exists(home):
        db = sqlite3.connect(":memory:", factory=SqliteFile)
        _make_tables(db)
        return db, None
    trouble = None
    if _is_writable(home):
        db = sqlite3.connect(path, timeout=_WAIT_SECONDS, factory=SqliteFile)
        try:
            if _is_begun(db):
                _make_tables(db)
        except sqlite3.DatabaseError as error:
            db.close()
            is_full = getattr(error, "sqlite_errorname", "") in _NO_ROOM
            if not (is_full and isinstance(error, sqlite3.OperationalError)):
                raise
            trouble = error
        else:
            return db, None
    db = sqlite3.connect(_readable(path, stack), uri=True, factory=SqliteFile)
    if not _is_complete(db):
        db = _in_memory(db)
        _make_tables(db)
    db.execute("pragma query_only = on")  # what is written here would be lost
    return db, trouble


def _readable(path: Path, stack: contextlib.ExitStack) -> str:
    """Where to read the registry without writing beside it, as SQLite else does even to read."""
    log = Path(f"{path}-wal")
    if not (log.exists() and log.stat().st_size):
        return f"{path.absolute().as_uri()}?immutable=1"  # nobody is changing it
    folder = Path(stack.enter_context(PrivateFolder()))
    for ending in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(f"{path}{ending}", folder / f"{path.name}{ending}")
    return (folder / path.name).as_uri()


def _in_memory(db: SqliteFile) -> SqliteFile:
    with contextlib.closing(db):
        copy = sqlite3.connect(":memory:", factory=SqliteFile)
        db.backup(copy)
    return copy


def _make_tables(db: sqlite3.Connection) -> None:
    # In one transaction: several processes may begin at once.
    db.executescript(f"begin immediate; {_SCHEMA}")
    with db:
        # sqlite has no "if not exists" for columns.
        for name in _lacking(db):
            db.execute(f"alter table clients add column {name} {_ADDED[name]}")
        db.execute(f"pragma user_version = {HOME_VERSION}")


def _is_writable(home: Home) -> bool:
    return os.access(home.registry, os.W_OK) and os.access(home.path, os.W_OK)


def _is_begun(db: sqlite3.Connection) -> bool:
    """Whether it is being made at this moment, or who made it was killed."""
    (version,) = db.execute("pragma user_version").fetchone()
    return version == 0 and not _has_tables(db)


def _is_complete(db: sqlite3.Connection) -> bool:
    return _has_tables(db) and not _lacking(db)


def _has_tables(db: sqlite3.Connection) -> bool:
    found = db.execute("select 1 from sqlite_master where name = 'disconnected'").fetchone()
    return found is not None


def _lacking(db: sqlite3.Connection) -> list[str]:
    columns = [row[1] for row in db.execute("pragma table_info(clients)")]
    return [name for name in _ADDED if name not in columns]
