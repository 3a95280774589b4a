"""Too little memory has one sentence, wherever and however it shows itself."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import subprocess
import sys
import threading

import duckdb
import pytest

from bill_pipeline.ingest.loader import _settle_dlt
from bill_pipeline.runtime import memory
from bill_pipeline.runtime.machine import machine_error

#: What each says when it finds none; the rest stands in machine_error's table.
OTHERS = [
    MemoryError(),
    ImportError("/x/_sparsetools.so: failed to map segment from shared object"),
    ImportError("libx.so: cannot open shared object file: Cannot allocate memory"),
    OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
    RuntimeError("can't start new thread"),
    duckdb.OutOfMemoryException("Out of Memory Error: Allocation failure"),
    duckdb.Error("std::bad_alloc"),
]


def disk_error(kind: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = kind
    return error


@pytest.mark.parametrize("error", [*OTHERS, disk_error("SQLITE_IOERR_SHMMAP")], ids=repr)
def test_it_is_told_from_every_other_trouble(error: Exception) -> None:
    assert str(machine_error(error)) == memory.OUT_OF_MEMORY
    wake = sqlite3.OperationalError("disk I/O error")  # what it broke on its way
    wake.__context__ = error
    assert str(machine_error(wake)) == memory.OUT_OF_MEMORY


@pytest.mark.parametrize(
    "error",
    [
        disk_error("SQLITE_IOERR_SHMSIZE"),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        ImportError("No module named 'x'"),
        duckdb.ConversionException("Could not convert 'bad_alloc'"),
    ],
    ids=repr,
)
def test_other_troubles_are_not_it(error: Exception) -> None:
    assert not memory.is_out_of_memory(error)


STARVED = """
import resource, sys
import bill_pipeline.cli as cli
page, used = resource.getpagesize(), int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used * page + {spare}, -1))
cli.main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit binds on Linux alone")
@pytest.mark.parametrize("spare", [1, 12, 40])
def test_a_command_that_cannot_be_loaded_says_it(tmp_path: os.PathLike[str], spare: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", STARVED.format(spare=spare << 20), "query", "select 1",
         "--home", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert memory.WHAT in done.stderr
    assert done.returncode == 1


def test_what_dlt_meets_is_raised_and_not_printed_as_well() -> None:
    _settle_dlt()
    assert not logging.getLogger("dlt").isEnabledFor(logging.ERROR)


def test_no_thread_prints_a_traceback_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: printed.append(told.exc_value))
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    memory.without_tracebacks()
    errors = [MemoryError(), ValueError("told")]
    for error in errors:
        told = threading.ExceptHookArgs((type(error), error, None, threading.current_thread()))
        threading.excepthook(told)
    assert printed == errors[1:]
