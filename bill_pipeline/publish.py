"""Publish clients' books: from one DuckDB file per client to the ledger that analysts read.

A client's file can be open in one process only, so publishing runs in the process that just built
the books. Readers are never refused, never see half a version, and keep what they see until the
grace period ends. A publisher that is killed at any moment leaves the old ledger whole.

Where the books go is ``publishing/stores.py``'s choice; reading is ``query``'s work.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from bill_pipeline.clients import Registry, UnknownClient
from bill_pipeline.errors import PipelineError
from bill_pipeline.failures import alone
from bill_pipeline.publishing.stores import GRACE, PublishReport, store_of
from bill_pipeline.publishing.tables import PublishedSchema, PublishError
from bill_pipeline.publishing.versions import Version, being_written, taken_at
from bill_pipeline.registry_file import exists
from bill_pipeline.settings import Home
from bill_pipeline.warehouse import cannot_open

__all__ = [
    "GRACE",
    "PublishReport",
    "Written",
    "left_behind",
    "publish",
    "show_status",
    "write_ahead",
]

_BUILDS = (
    "select count(distinct as_of) from upkeep.builds "
    "where room in ('staging', 'categorized', 'ledger', 'reports')"
)
_log = logging.getLogger(__name__)


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
    is published; each time also those who were ``left_behind``, or whose published files are
    damaged or missing. What a table had before is not written again when it is still the same,
    unless ``anew``. ``written`` are those of ``clients`` whose tables are written already.

    Raises UnknownClient, PublishError.
    """
    started = time.perf_counter()
    _require_registry(home)
    wanted = list(dict.fromkeys(clients))
    registry = Registry(home)
    built_at = {status.client: status.unpublished_since for status in registry.all()}
    for client in wanted:
        if client not in built_at:
            raise UnknownClient(client)
    ahead = {each.version.client: each for each in written if each.version.client in built_at}
    built_at |= {client: each.built_at for client, each in ahead.items()}
    behind = [client for client in left_behind(home) if client not in wanted]

    def open_books(client: str) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        return _books_of(home, client, connections or {}, of_one_sync=client in behind)

    report = store_of(home).publish(
        [*wanted, *behind],
        open_books,
        grace=grace,
        schema=schema,
        anew=anew,
        ahead=[each.version for each in ahead.values()],
    )
    for client in report.not_published.keys() - set(wanted):  # the next publication tries again
        _log.warning("Not published yet: %s", report.not_published.pop(client))
    shown = [
        status.client
        for status in registry.unpublished()
        # Books that were built meanwhile are for their own sync to publish.
        if status.client in report.published
        and status.unpublished_since == built_at.get(status.client)
    ]
    for client in shown:
        registry.update(client, unpublished_since=None)
    if shown:
        show_status(home)
    report.seconds = time.perf_counter() - started
    return report


def write_ahead(home: Home, client: str, connection: duckdb.DuckDBPyConnection) -> Written | None:
    """Write ``client``'s tables while its file is open, for a later ``publish`` to show.

    What this process wrote is kept as long as it lives. None where the store writes only what it
    shows, or anything goes wrong: then ``publish`` does all of it, and says what is wrong.
    """
    with alone(client, {}):
        built_at = Registry(home).status(client).unpublished_since
        version = store_of(home).write_ahead(client, connection)
        return Written(version, built_at) if version else None
    return None


def left_behind(home: Home) -> list[str]:
    """Clients whose books were built by somebody who died, or failed, before they were published.

    Every publication takes them in.
    """
    alive: dict[str, datetime] = {}
    for client, number in being_written(home.published):
        alive[client] = max(taken_at(number), alive.get(client, taken_at(number)))
    return [
        status.client
        for status in Registry(home).unpublished()
        if (built := status.unpublished_since)
        and (status.client not in alive or alive[status.client] < built)
    ]


def show_status(home: Home) -> None:
    """Make ``sync_status`` say what the registry knows now, where no publication follows.

    Analysts' freshness is not worth a sync: what goes wrong is logged.
    """
    try:
        store_of(home).show_status()
    except (duckdb.Error, sqlite3.Error, OSError, PipelineError) as error:
        _log.warning("sync_status could not be brought up to date: %s", error)


def _require_registry(home: Home) -> None:
    """Raises PublishError when there are books and nothing says whose they are."""
    if exists(home) or not (home.ledger.exists() or any(home.clients.glob("*.duckdb"))):
        return
    raise PublishError(
        f"{home.registry}, the list of connected clients, is missing, so nothing is published: the "
        "ledger would lose every client. Put it back from a backup together with secret.key, or "
        "connect the clients again."
    )


@contextlib.contextmanager
def _books_of(
    home: Home,
    client: str,
    connections: Mapping[str, duckdb.DuckDBPyConnection],
    *,
    of_one_sync: bool,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The client's file: the caller's connection, else one for reading that is closed again.

    ``of_one_sync``: refuse books of which a later sync built some rooms and failed in others.
    """
    if client in connections:
        yield connections[client]
        return
    path = home.client_file(client)
    if not path.exists():
        raise PublishError(f"{client} has no books yet: run `bill-pipeline sync {client}`.")
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.ConnectionException:
        # This very process has the file open for writing; DuckDB then hands out the same database.
        connection = duckdb.connect(str(path))
    except duckdb.Error as error:
        raise cannot_open(client, path, error) from error
    with connection:
        if of_one_sync and not _is_of_one_sync(connection):
            remedy = f"Run `bill-pipeline sync {client}`."
            raise PublishError(f"{client}: its last sync built a part of its books only. {remedy}")
        yield connection


def _is_of_one_sync(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        found = connection.execute(_BUILDS).fetchone()
    except duckdb.CatalogException:
        return True
    return found is None or found[0] <= 1
