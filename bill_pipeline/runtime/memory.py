"""Too little memory, told from every other trouble, also while our own modules are loaded.

It is said by Python, DuckDB, SQLite and the loader of shared libraries, each in its own way, and
what stands in its wake (a file that cannot be mapped is "disk I/O error") names another cause.
Imports next to nothing: there may be no memory to import it with.
"""

from __future__ import annotations

import errno
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

WHAT = "The machine ran out of memory."
REMEDY = (
    "End other programs or give it more memory, then sync again. Nothing is lost: the last good "
    "books stay."
)
OUT_OF_MEMORY = f"{WHAT} {REMEDY}"
#: In any of these kinds, what tells of memory.
_KINDS = (ImportError, OSError, RuntimeError)
_WORDS = (
    "cannot allocate memory", "failed to map segment", "bad_alloc", "can't start new thread",
)  # fmt: skip
#: DuckDB's kinds that quote the data or the SQL, which may hold any words.
_QUOTING = {
    "DataError", "IntegrityError", "BinderException", "ParserException", "InvalidInputException",
}  # fmt: skip
#: SQLite's disk errors that are none: it found no memory, or no address to map a file at.
_SQLITE = ("SQLITE_NOMEM", "SQLITE_IOERR_NOMEM", "SQLITE_IOERR_SHMMAP")


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether ``error``, or anything it was raised from or during, is for want of memory."""
    return any(_says_so(said) for said in chain(error))


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """``error`` and what it was raised from or during, each once."""
    seen: set[int] = set()
    at = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def without_tracebacks() -> None:
    """Have no thread and no finalizer of this process print one for want of memory."""
    threading.excepthook = _unless_memory(threading.excepthook)
    sys.unraisablehook = _unless_memory(sys.unraisablehook)


def _unless_memory(hook: Callable[[Any], object]) -> Callable[[Any], object]:
    def show(told: Any) -> None:
        if not is_out_of_memory(told.exc_value):
            hook(told)

    return show


def _says_so(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    kind = type(error)
    # DuckDB may be what could not be loaded: its kinds are known by name.
    if kind.__name__ == "OutOfMemoryException":
        return True
    if getattr(error, "sqlite_errorname", None) in _SQLITE:
        return True
    names = {base.__name__ for base in kind.__mro__ if base.__module__ in ("duckdb", "_duckdb")}
    is_machines = isinstance(error, _KINDS) or (bool(names) and not names & _QUOTING)
    said = str(error).lower()
    return is_machines and any(words in said for words in _WORDS)
