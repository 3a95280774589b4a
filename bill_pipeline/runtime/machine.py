"""What the machine under us says (a full disk, a lock, no memory), in words a person can act on.

Python, DuckDB and SQLite each say it in their own way, often deep inside another error. Here is the
one table of them. What BILL and our own checks say is in ``failures``.
"""

from __future__ import annotations

import errno
import os
import resource
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bill_pipeline.runtime import memory
from bill_pipeline.runtime.memory import chain, is_out_of_memory

_STAYS = "Nothing is lost: the last good books stay."


@dataclass(frozen=True)
class MachineError:
    """What happened, and what a person can do."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


#: A file of DuckDB's or SQLite's is not what it was; all else is the machine's state, which passes.
_NOT_A_DATABASE = (
    "not a valid DuckDB database", "Corrupt", "checksum", "Could not read enough bytes",
    "Is a directory",
)  # fmt: skip
#: DuckDB quotes the data or the SQL in these, which may hold any of the words below.
_QUOTING = (
    duckdb.DataError, duckdb.IntegrityError, duckdb.BinderException, duckdb.ParserException,
    duckdb.InvalidInputException,
)  # fmt: skip
#: A file where a folder belongs, or the reverse.
_MIXED_UP = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST)
#: Fewer files than this, and opening a database with its log may have failed for want of them.
_FEW_HANDLES = 16


def _says(*words: str, numbers: tuple[int, ...] = ()) -> Callable[[BaseException], bool]:
    def is_said(error: BaseException) -> bool:
        if getattr(error, "errno", None) in numbers:
            return True
        if isinstance(error, _QUOTING):
            return False
        is_machines = isinstance(error, (OSError, sqlite3.Error, duckdb.Error))
        return is_machines and any(word in str(error) for word in words)

    return is_said


def _has_no_handles(error: BaseException) -> bool:
    if not isinstance(error, sqlite3.OperationalError) or "unable to open" not in str(error):
        return _says("Too many open files", numbers=(errno.EMFILE, errno.ENFILE))(error)
    # SQLite does not say why, and a few were closed again on the way here, or none.
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return limit - len(list(Path("/dev/fd").iterdir())) < _FEW_HANDLES
    except OSError:
        return True


def is_damaged(error: BaseException) -> bool:
    """Whether a DuckDB file is no longer one, rather than the machine in a bad moment."""
    if isinstance(error, (duckdb.SerializationException, duckdb.FatalException)):
        return True
    if not isinstance(error, duckdb.Error):
        return False
    said = str(error)
    if "replaying WAL" in said:  # what a foreign log breaks may be of any kind
        return True
    return not isinstance(error, _QUOTING) and any(word in said for word in _NOT_A_DATABASE)


def _is_damaged_registry(error: BaseException) -> bool:
    return isinstance(error, sqlite3.DatabaseError) and any(
        words in str(error) for words in ("file is not a database", "malformed")
    )


_TABLE: tuple[tuple[Callable[[BaseException], bool], MachineError], ...] = (
    (
        _says(
            "No space left on device", "Disk quota exceeded", "File too large",
            "database or disk is full", numbers=(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        ),
        MachineError(
            "The disk that holds the books is full.",
            f"Free space on it, then sync again. {_STAYS}",
        ),
    ),
    (
        _says("disk I/O error", "Input/output error", numbers=(errno.EIO,)),
        MachineError(
            "The disk that holds the books refuses to be read or written.",
            f"See whether it is full or failing, then sync again. {_STAYS}",
        ),
    ),
    (
        _has_no_handles,
        MachineError(
            "This program may not open as many files as it needs.",
            f"Raise the limit (`ulimit -n 4096`), then sync again. {_STAYS}",
        ),
    ),
    (
        _says("Could not set lock on file"),
        MachineError(
            "Another program has the client's file open.",
            "Close it there, then sync again. Analysts open ledger.duckdb instead: it is never "
            "locked.",
        ),
    ),
    (
        _says(
            "Permission denied", "Read-only file system", "readonly database",
            "unable to open database file", numbers=(errno.EACCES, errno.EPERM, errno.EROFS),
        ),
        MachineError(
            "The folder of the books cannot be written to.",
            f"Let the user that runs bill-pipeline write to it, then sync again. {_STAYS}",
        ),
    ),
    (
        is_damaged,
        MachineError(
            "The client's file is damaged.",
            "Put it back from a backup, without the .wal file beside it, then sync again: what is "
            "newer is read from BILL once more.",
        ),
    ),
    (
        _is_damaged_registry,
        MachineError(
            "The list of connected clients, registry.sqlite, is damaged.",
            "Put it back from a backup, without the -wal and -shm files beside it. The books "
            "themselves are in the clients' files.",
        ),
    ),
    (
        _says("database is locked"),
        MachineError(
            "Another process has held the list of connected clients, registry.sqlite, too long.",
            "Wait until it is done or end it, then try again.",
        ),
    ),
    (
        _says(numbers=_MIXED_UP),
        MachineError(
            "In the folder of the books a file stands where a folder belongs, or a folder where a "
            "file does.",
            f"Move it away, then sync again. {_STAYS}",
        ),
    ),
)  # fmt: skip


def machine_error(error: BaseException) -> MachineError | None:
    """What the machine said in ``error`` or in what led to it; None when it said nothing."""
    if is_out_of_memory(error):  # before all else: what it broke on its way names another cause
        return MachineError(memory.WHAT, memory.REMEDY)
    for said in chain(error):
        for is_so, client_error in _TABLE:
            if is_so(said):
                # The file may be none of the books', so it is named.
                if named := _in_the_way(said) or getattr(said, "filename", None):
                    return MachineError(f"{client_error.what} ({named})", client_error.remedy)
                return client_error
    return None


def _in_the_way(error: BaseException) -> Path | None:
    """The folder that stands where a file belongs, or the file in a folder's place."""
    if getattr(error, "errno", None) not in _MIXED_UP or not isinstance(error, OSError):
        return None
    named = [Path(os.fsdecode(name)) for name in (error.filename2, error.filename) if name]
    if error.errno == errno.EISDIR:
        return next((path for path in named if path.is_dir()), None)
    return next((part for path in named for part in (path, *path.parents) if part.is_file()), None)
