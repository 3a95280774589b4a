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
from datetime import timedelta

import duckdb

from bill_pipeline.clients import Registry, UnknownClient
from bill_pipeline.publishing.stores import GRACE, PublishReport, store_of
from bill_pipeline.publishing.tables import PublishedSchema
from bill_pipeline.settings import Home

__all__ = ["GRACE", "PublishReport", "publish", "relocate"]


def publish(
    home: Home,
    clients: Iterable[str],
    *,
    connections: Mapping[str, duckdb.DuckDBPyConnection] | None = None,
    grace: timedelta = GRACE,
    schema: PublishedSchema | None = None,
) -> PublishReport:
    """Show analysts the present books of ``clients``, and who is connected.

    ``connections`` are client files this process has open; other clients' files are opened for
    reading. A file that another process is writing is left for that process to publish, and
    reported in ``not_published``. Without clients only ``clients`` and ``sync_status`` are brought
    up to date, and disconnected clients are taken out. After the catalogue was lost, every client
    is published. Raises UnknownClient, PublishError.
    """
    started = time.perf_counter()
    wanted = list(dict.fromkeys(clients))
    registry = Registry(home)
    built_at = {status.client: status.unpublished_since for status in registry.all()}
    for client in wanted:
        if client not in built_at:
            raise UnknownClient(client)

    def open_books(client: str) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        return _books_of(home, client, connections or {})

    report = store_of(home).publish(wanted, open_books, grace=grace, schema=schema)
    for client in report.published:
        # Books that were built meanwhile are for their own sync to publish.
        if registry.status(client).unpublished_since == built_at.get(client):
            registry.update(client, unpublished_since=None)
    report.seconds = time.perf_counter() - started
    return report


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
