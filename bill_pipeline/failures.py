"""Why a sync failed and what to do, in the words a person reads beside the client.

BILL's errors and ours bring their words along. What the machine under us says (a full disk, a lock,
no memory) is put into words here. Recording it is ``books``' work.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

import duckdb

from bill_pipeline.bill.errors import BillError
from bill_pipeline.errors import PipelineError
from bill_pipeline.warehouse import ChecksFailed

_STAYS = "Nothing is lost: the last good books stay."


def _is_disk_full(error: BaseException) -> bool:
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or any(
        words in str(error) for words in ("No space left on device", "Disk quota exceeded")
    )


def _is_out_of_memory(error: BaseException) -> bool:
    return isinstance(error, (MemoryError, duckdb.OutOfMemoryException))


def _is_locked(error: BaseException) -> bool:
    return "Could not set lock on file" in str(error)


def _may_not_write(error: BaseException) -> bool:
    return getattr(error, "errno", None) in (errno.EACCES, errno.EPERM, errno.EROFS) or (
        isinstance(error, duckdb.IOException) and "Permission denied" in str(error)
    )


def _is_damaged(error: BaseException) -> bool:
    return isinstance(error, duckdb.IOException) and any(
        words in str(error) for words in ("not a valid DuckDB database", "Corrupt", "checksum")
    )


#: (what the machine said, what happened, what to do)
_MACHINE: tuple[tuple[Callable[[BaseException], bool], str, str], ...] = (
    (
        _is_disk_full,
        "The disk that holds the books is full.",
        f"Free space on it, then sync again. {_STAYS}",
    ),
    (
        _is_out_of_memory,
        "The machine ran out of memory.",
        f"End other programs or give it more memory, then sync again. {_STAYS}",
    ),
    (
        _is_locked,
        "Another program has the client's file open.",
        "Close it there, then sync again. Analysts open ledger.duckdb instead: it is never locked.",
    ),
    (
        _may_not_write,
        "The folder of the books cannot be written to.",
        f"Let the user that runs bill-pipeline write to it, then sync again. {_STAYS}",
    ),
    (
        _is_damaged,
        "The client's file is damaged.",
        "Put it back from a backup, then sync again: what is newer is read from BILL once more.",
    ),
)


def what_and_remedy(error: BaseException) -> tuple[str, str | None]:
    """What happened, and what to do where the first does not say it already."""
    if isinstance(error, ChecksFailed):
        found = "; ".join(
            f"{check.summary.rstrip('.')}: not so in {check.row_count:,} rows, for example "
            + ", ".join(f"{name} {value}" for name, value in check.rows[0].items())
            if check.rows
            else check.summary
            for check in error.report.failed
        )
        return (
            f"The new books were not taken over, because a check failed. {found}.",
            f"Correct in BILL what is named here, then sync again. {_STAYS}",
        )
    if isinstance(error, BillError):
        return error.what, error.remedy
    said = error.__cause__ if isinstance(error.__cause__, duckdb.Error) else error
    for is_so, what, remedy in _MACHINE:
        if is_so(said):
            return what, remedy
    if isinstance(error, PipelineError):
        return str(error), getattr(error, "remedy", None)
    return (
        f"Something unforeseen happened: {type(error).__name__}: {error}",
        f"Sync again; if it happens once more, report it with these words. {_STAYS}",
    )
