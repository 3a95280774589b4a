"""Connect to the DuckLake: extensions, addresses, and one writer at a time.

No password is ever part of an address: DuckDB shows addresses to whoever asks, and the file that
analysts open holds one. PostgreSQL's own client library finds passwords by itself, in
``PGPASSWORD``, ``PGPASSFILE`` or ``~/.pgpass``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from bill_pipeline.publishing.tables import PublishError, quoted
from bill_pipeline.runtime.private_folder import PrivateFolder

#: A publication holds the lock for seconds; somebody who waits this long waits for ever.
LAKE_LOCK_SECONDS = 300
#: Object stores of one's own rarely answer to names of buckets, as Amazon's does.
BY_PATH = "set s3_url_style = 'path'"
#: PostgreSQL itself, beside the lake that it describes.
_CATALOGUE = "lake_catalogue"
#: Names the advisory lock in PostgreSQL; it means nothing but that every publisher takes the same.
_LOCK = 0x1ED6E2


@dataclass(frozen=True)
class LakeAddress:
    """Where the catalogue is (words for PostgreSQL's client library) and where the files are."""

    catalogue: str
    data: str

    def __post_init__(self) -> None:
        if "://" in self.catalogue or "=" not in self.catalogue:
            raise PublishError(
                "BILL_PIPELINE_DUCKLAKE_CATALOGUE must be written as 'dbname=… host=… user=…'."
            )
        if re.search(r"\bpassword\s*=", self.catalogue, re.IGNORECASE):
            raise PublishError(
                "BILL_PIPELINE_DUCKLAKE_CATALOGUE holds a password, which readers would see: leave "
                "it out and set PGPASSWORD, or write it to ~/.pgpass."
            )

    def for_reading(self, snapshot: int) -> str:
        """The statement that attaches the lake as it was at ``snapshot``; ends in a name's place.

        PostgreSQL refuses every write of such a session, whoever the user is.
        """
        catalogue = f"{self.catalogue} {_READ_ONLY}"
        return (
            f"attach {quoted(f'ducklake:postgres:{catalogue}')} as {{name}} (read_only, "
            f"snapshot_version {snapshot}, data_path {quoted(self.data)}, override_data_path true)"
        )


_READ_ONLY = "options='-c default_transaction_read_only=on'"


@contextlib.contextmanager
def connect(address: LakeAddress) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database beside PostgreSQL, that can attach the lake. Raises PublishError."""
    with PrivateFolder() as spilled, duckdb.connect(":memory:") as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set temp_directory = {quoted(spilled)}")
        _attach_catalogue(connection, address)
        yield connection


@contextlib.contextmanager
def beside_catalogue(connection: duckdb.DuckDBPyConnection, address: LakeAddress) -> Iterator[None]:
    """The same for a moment, on a connection that is not ours."""
    _attach_catalogue(connection, address)
    try:
        yield
    finally:
        connection.execute(f"detach {_CATALOGUE}")


def _attach_catalogue(connection: duckdb.DuckDBPyConnection, address: LakeAddress) -> None:
    load_extensions(connection, address)
    try:
        connection.execute(f"attach {quoted(address.catalogue)} as {_CATALOGUE} (type postgres)")
    except duckdb.IOException as error:
        raise PublishError(
            "The PostgreSQL of BILL_PIPELINE_DUCKLAKE_CATALOGUE cannot be reached. What was "
            f"built is kept; `bill-pipeline publish` shows it later. {error}"
        ) from error


def load_extensions(connection: duckdb.DuckDBPyConnection, address: LakeAddress) -> None:
    """Load what DuckDB needs for the lake; raises PublishError when it is not installed."""
    names = ["ducklake", "postgres_scanner"]
    if "://" in address.data:
        names.append("httpfs")
    for name in names:
        try:
            connection.execute(f"load {quoted(_extension_file(name) or name)}")
        except duckdb.Error as error:
            raise PublishError(
                f"DuckDB's extension {name} cannot be loaded: install bill-pipeline[ducklake]. "
                f"{error}"
            ) from error
    if names_own_store(connection, address):
        connection.execute(BY_PATH)


def names_own_store(connection: duckdb.DuckDBPyConnection, address: LakeAddress) -> bool:
    """Whether the files are in an object store of the firm's own, said by DUCKDB_S3_ENDPOINT."""
    if not address.data.startswith("s3://"):
        return False
    return bool(connection.execute("select current_setting('s3_endpoint')").fetchall()[0][0])


def _extension_file(name: str) -> str | None:
    """The extension as PyPI's package carries it, signed by DuckDB; None when not installed."""
    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    for folder in (found.submodule_search_locations or ()) if found else ():
        for path in Path(folder).glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension"):
            return str(path)
    return None


def newest_snapshot(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The lake's newest state, asked on what ``connect`` gave; None when there is no lake yet."""
    if not _asked(connection, "select to_regclass('ducklake_snapshot') is not null")[0][0]:
        return None
    return int(_asked(connection, "select max(snapshot_id) from ducklake_snapshot")[0][0])


@contextlib.contextmanager
def only_writer(connection: duckdb.DuckDBPyConnection, address: LakeAddress) -> Iterator[None]:
    """Hold the lake for this process, among all machines; freed by PostgreSQL if it dies.

    DuckLake refuses two transactions that change one table when either deletes: publishers replace
    rows, so they take turns. Raises PublishError.
    """
    # Of its own, because the caller's transactions begin and end while this one holds the lock.
    with connection.cursor() as holder:
        holder.execute("begin transaction")
        limit = f"select set_config('lock_timeout', '{LAKE_LOCK_SECONDS}s', true)"
        try:
            _asked(holder, limit)
            _asked(holder, f"select pg_advisory_xact_lock({_LOCK})::text")
        except duckdb.Error as error:
            raise PublishError(
                f"Another process has been publishing to the lake at {address.catalogue} for "
                f"{LAKE_LOCK_SECONDS} seconds, or PostgreSQL is gone. {error}"
            ) from error
        try:
            yield
        finally:
            holder.execute("rollback")


def _asked(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"from postgres_query('{_CATALOGUE}', {quoted(sql)})").fetchall()
