"""Publish clients' books: from one DuckDB file per client to the ledger that analysts read.

A client's file can be open in one process only, so publishing runs in the process that just built
the books. Readers are never refused, never see half a version, and keep what they see until the
grace period ends. A publisher that is killed at any moment leaves the old ledger whole.

Where the books go is ``publishing/stores.py``'s choice; reading is ``query``'s work.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from bill_pipeline.clients import Registry, UnknownClient
from bill_pipeline.publishing.stores import GRACE, PublishReport, store_of
from bill_pipeline.publishing.tables import PublishedSchema
from bill_pipeline.publishing.versions import Version
from bill_pipeline.settings import Home

__all__ = ["GRACE", "PublishReport", "Written", "publish", "relocate", "write_ahead"]


@dataclass(frozen=True)
class Written:
    """A client's tables that are written and not shown yet."""

    version: Version
    built_at: datetime | None  # when the books were built that they are from


def publish(
    home: Home,
    clients: Iterable[str],
    *,
    connections: Mapping[str, duckdb.DuckDBPyConnection] | None = None,
    grace: timedelta = GRACE,
    schema: PublishedSchema | None = None,
    anew: bool = False,
    written: Iterable[Written] = (),
) -> PublishReport:
    """Show analysts the present books of ``clients``, and who is connected.

    ``connections`` are client files this process has open; other clients' files are opened for
    reading. A file that another process is writing is left for that process to publish, and
    reported in ``not_published``. Without clients only ``clients`` and ``sync_status`` are brought
    up to date, and disconnected clients are taken out. After the catalogue was lost, every client
    is published. What a table had before is not written again when it is still the same, unless
    ``anew``. ``written`` are those of ``clients`` whose tables are written already.

    Raises UnknownClient, PublishError.
    """
    started = time.perf_counter()
    wanted = list(dict.fromkeys(clients))
    registry = Registry(home)
    built_at = {status.client: status.unpublished_since for status in registry.all()}
    for client in wanted:
        if client not in built_at:
            raise UnknownClient(client)
    ahead = {each.version.client: each for each in written if each.version.client in built_at}
    built_at |= {client: each.built_at for client, each in ahead.items()}

    def open_books(client: str) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        return _books_of(home, client, connections or {})

    report = store_of(home).publish(
        wanted,
        open_books,
        grace=grace,
        schema=schema,
        anew=anew,
        ahead=[each.version for each in ahead.values()],
    )
    for client in report.published:
        # Books that were built meanwhile are for their own sync to publish.
        if registry.status(client).unpublished_since == built_at.get(client):
            registry.update(client, unpublished_since=None)
    report.seconds = time.perf_counter() - started
    return report


def write_ahead(home: Home, client: str, connection: duckdb.DuckDBPyConnection) -> Written | None:
    """Write ``client``'s tables while its file is open, for a later ``publish`` to show.

    What this process wrote is kept as long as it lives. None where the store writes only what it
    shows, or the disk refuses: then ``publish`` does all of it, and says what is wrong.
    """
    built_at = Registry(home).status(client).unpublished_since
    try:
        version = store_of(home).write_ahead(client, connection)
    except (duckdb.IOException, OSError):
        return None
    return Written(version, built_at) if version else None


def relocate(home: Home) -> bool:
    """Make the ledger name its files where they are now; False when it did already.

    DuckDB's views hold absolute paths, so a home that was moved or restored elsewhere is put right
    by whatever opens it next: every publication, ``bill-pipeline query`` and ``shell``.
    """
    return store_of(home).put_right()


@contextlib.contextmanager
def _books_of(
    home: Home, client: str, connections: Mapping[str, duckdb.DuckDBPyConnection]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The client's file: the caller's connection, else one for reading that is closed again."""
    if client in connections:
        yield connections[client]
        return
    path = home.client_file(client)
    if not path.exists():
        raise FileNotFoundError(f"{client} has no books yet: run `bill-pipeline sync {client}`.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.ConnectionException:
        # This very process has the file open for writing; DuckDB then hands out the same database.
        connection = duckdb.connect(str(path))
    with connection:
        yield connection
