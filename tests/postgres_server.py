"""A real PostgreSQL on loopback for tests: of its own, on a free port, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
FOUND = str(BINARIES[-1] / "initdb") if BINARIES else shutil.which("initdb")
needs_postgres = pytest.mark.skipif(
    FOUND is None, reason="PostgreSQL is not installed: apt-get install postgresql"
)


@contextlib.contextmanager
def postgres_server() -> Iterator[int]:
    """The port of a new server; its user ``firm`` needs no password, its database is postgres."""
    binaries = Path(str(FOUND)).parent
    # Not pytest's folder: PostgreSQL runs as another user, who may not look into ours.
    folder = Path(tempfile.mkdtemp(prefix="bill-pipeline-postgres-"))
    # PostgreSQL refuses to run as root; test machines often are.
    owner = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
    if owner:
        shutil.chown(folder, "nobody", "nogroup")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    subprocess.run([binaries / "initdb", "-D", data, "-U", "firm", "-A", "trust", "--no-sync"],
                   check=True, capture_output=True, cwd=folder, **owner)  # fmt: skip
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-p", str(port), "-k", folder, "-F",
         "-c", "listen_addresses=127.0.0.1"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **owner,
    )  # fmt: skip
    try:
        _await(binaries / "pg_isready", port)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _await(is_ready: Path, port: int) -> None:
    ends = time.monotonic() + 60
    asking = [is_ready, "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(asking, check=False).returncode:
        assert time.monotonic() < ends
        time.sleep(0.1)


def create_database(port: int, name: str) -> str:
    """A new empty database, as words for PostgreSQL's client library."""
    import duckdb
    from duckdb_extension_postgres_scanner import __file__ as package

    where = f"host=127.0.0.1 port={port} user=firm dbname="
    (extension,) = Path(package).parent.rglob("*.duckdb_extension")
    with duckdb.connect() as db:
        db.execute(f"load '{extension}'; attach '{where}postgres' as pg (type postgres)")
        db.execute("call postgres_execute('pg', ?, use_transaction := false)",
                   [f"create database {name}"])  # fmt: skip
    return where + name
