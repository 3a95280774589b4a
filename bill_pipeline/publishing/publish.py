"""Publish clients' books: from one DuckDB file per client to the ledger that analysts read.

What is published is compared with what was built (``built``) by every publication, so whoever died
or failed between the two is made up for by the next one. A client's file can be open in one process
only, so publishing runs in the process that just built
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
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb

from bill_pipeline.errors import PipelineError
from bill_pipeline.publishing.ledger_store import GRACE, PublishReport
from bill_pipeline.publishing.registry import remedy_for_unknown
from bill_pipeline.publishing.stores import require_books, store_of
from bill_pipeline.publishing.tables import PublishedSchema, PublishError
from bill_pipeline.publishing.versions import Version, being_written
from bill_pipeline.registry.client_errors import ClientBusy, UnknownClient
from bill_pipeline.registry.client_files import cannot_open, is_syncing
from bill_pipeline.registry.clients import ClientStatus, Registry
from bill_pipeline.registry.failures import alone
from bill_pipeline.registry.registry_file import exists, why_lost
from bill_pipeline.registry.whose_books import require_own_books
from bill_pipeline.settings import Home, Settings
from bill_pipeline.warehouse.built import (
    Comparison,
    compare,
    left_alone,
    open_for_reading,
    taken_at,
)
from bill_pipeline.warehouse.transforms import SCHEMAS

__all__ = [
    "GRACE",
    "PublishReport",
    "as_published",
    "left_behind",
    "publish",
    "show_status",
    "stage_version",
]

_BUILDS = (
    "select count(*), count(distinct as_of) from upkeep.builds "
    "where room in ('staging', 'categorized', 'ledger', 'reports')"
)
_log = logging.getLogger(__name__)


def publish(
    registry: Registry,
    clients: Iterable[str],
    *,
    connections: Mapping[str, duckdb.DuckDBPyConnection] | None = None,
    grace: timedelta = GRACE,
    schema: PublishedSchema | None = None,
    anew: bool = False,
    written: Iterable[Version] = (),
) -> PublishReport:
    """Show analysts the present books of ``clients``, and who is connected.

    ``connections`` are client files this process has open; other clients' files are opened for
    reading. A file that another process is writing is left for that process to publish, and
    reported in ``not_published``. Without clients only ``clients`` and ``sync_status`` are brought
    up to date, and disconnected clients are taken out. After the catalogue was lost, every client
    is published; each time also those who were ``left_behind``, because their books are not those
    that are published, or whose published files are damaged or missing. What a table had before is
    not written again when it is still the same, unless ``anew``. ``written`` are those of
    ``clients`` whose tables are written already.

    Raises UnknownClient, PublishError.
    """
    started = time.perf_counter()
    home = registry.home
    _require_registry(home)
    wanted = list(dict.fromkeys(clients))
    store = store_of(home)
    connected = registry.names()
    for client in wanted:
        if client not in connected:
            raise UnknownClient(client)
    shown = store.builds()
    behind = [each for each in _left_behind(home, _compared(registry, shown)) if each not in wanted]

    def open_books(client: str) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        return _books_of(registry, client, connections or {}, is_left_behind=client in behind)

    report = store.publish(
        registry,
        [*wanted, *behind],
        open_books,
        grace=grace,
        schema=schema,
        anew=anew,
        ahead=[each for each in written if each.client in connected],
    )
    for client in report.not_published.keys() - set(wanted):  # the next publication tries again
        report.left_behind[client] = report.not_published.pop(client)
        _log.warning("Not published yet: %s", report.left_behind[client])
    for client in registry.unknown_files():
        path = home.client_file(client)
        _log.warning(
            "%s: nobody is connected under that name. %s", path, remedy_for_unknown(client)
        )
    if _note(registry, _compared(registry, store.builds())):
        show_status(registry)
    report.seconds = time.perf_counter() - started
    return report


def stage_version(home: Home, client: str, connection: duckdb.DuckDBPyConnection) -> Version | None:
    """Write ``client``'s tables while its file is open, for a later ``publish`` to show.

    What this process wrote is kept as long as it lives. None where the store writes only what it
    shows, or anything goes wrong: then ``publish`` does all of it, and says what is wrong.
    """
    with alone(client, {}):
        return store_of(home).write_ahead(client, connection)
    return None


def left_behind(registry: Registry) -> list[str]:
    """Clients whose books were built by somebody who died, or failed, before they were published,
    or whose ledger was put back from a backup since; not those whose own file was.

    Every publication takes them in.
    """
    compared = _compared(registry, store_of(registry.home).builds())
    _note(registry, compared)
    return _left_behind(registry.home, compared)


def as_published(home: Home, statuses: Iterable[ClientStatus]) -> list[ClientStatus]:
    """``statuses`` whose ``unpublished_since`` is true now, whatever the registry remembers.

    A lake, which may not answer, is not asked: its clients are as the last publication or sweep
    found them.
    """
    found = list(statuses)
    if Settings.now().ducklake_catalogue:
        return found
    try:
        shown = store_of(home).builds()
    except (duckdb.Error, OSError, PipelineError) as error:
        _log.debug("What is published cannot be told: %s", error)
        return found
    compared = compare(home, [status.client for status in found], shown)
    return [replace(each, unpublished_since=_unpublished(each, compared)) for each in found]


def _compared(registry: Registry, shown: Mapping[str, str | None]) -> Comparison:
    return compare(registry.home, registry.names(), shown)


def _left_behind(home: Home, compared: Comparison) -> list[str]:
    """Those whose tables no living process has staged already."""
    alive: dict[str, datetime] = {}
    for client, number in being_written(home.published):
        alive[client] = max(taken_at(number), alive.get(client, taken_at(number)))
    return [
        client
        for client, built in compared.behind.items()
        if client not in compared.older and (client not in alive or alive[client] < built)
    ]


def _unpublished(status: ClientStatus, compared: Comparison) -> datetime | None:
    """Since when there are books that are not published; of a client at work as it was said."""
    if status.client in compared.unknown:
        return status.unpublished_since
    built = compared.behind.get(status.client)
    return built and (status.unpublished_since or built)


def _note(registry: Registry, compared: Comparison) -> bool:
    """Have the registry say of each client what the comparison found; True when it said else."""
    is_changed = False
    for status in registry.all():
        since = _unpublished(status, compared)
        if since != status.unpublished_since:
            is_changed = True
            with contextlib.suppress(UnknownClient):  # disconnected meanwhile
                registry.update(status.client, unpublished_since=since)
    return is_changed


def show_status(registry: Registry) -> None:
    """Make ``sync_status`` say what the registry knows now, where no publication follows.

    Analysts' freshness is not worth a sync: what goes wrong is logged.
    """
    try:
        store_of(registry.home).show_status(registry)
    except (duckdb.Error, sqlite3.Error, OSError, PipelineError) as error:
        _log.warning("sync_status could not be brought up to date: %s", error)


def _require_registry(home: Home) -> None:
    """Raises PublishError when there are books and nothing says whose they are."""
    if said := why_lost(home):
        raise PublishError(said)
    if home.ledger.exists() and not exists(home):
        raise PublishError(
            f"{home.path} has a published ledger and no list of connected clients: nothing is "
            "published here, or the ledger would lose every client."
        )


@contextlib.contextmanager
def _books_of(
    registry: Registry,
    client: str,
    connections: Mapping[str, duckdb.DuckDBPyConnection],
    *,
    is_left_behind: bool,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The client's file: the caller's connection, else one for reading that is closed again.

    Whoever begins to work on the client meanwhile waits, or DuckDB would refuse it the file. Books
    of one who ``is_left_behind`` are refused while somebody works on them, and when a sync built
    some of their layers and failed in others, or died.
    """
    if client in connections:
        yield connections[client]
        return
    home = registry.home
    path = home.client_file(client)
    require_books(registry, client)
    if not path.exists():
        raise PublishError(f"{client} has no books yet: run `bill-pipeline sync {client}`.")
    with contextlib.ExitStack() as opened:
        busy = None
        try:
            opened.enter_context(left_alone(home, client, "published"))
        except ClientBusy as error:
            busy = error
            if is_left_behind:
                raise PublishError(f"{error} The next publication takes it in.") from None
        try:  # also of one who is busy: this process may have the file open itself
            connection = opened.enter_context(open_for_reading(path))
        except duckdb.Error as error:
            if busy and is_syncing(home, client):
                raise PublishError(
                    f"{client}: a sync is at work on it, and publishes it when it is done."
                ) from None
            raise (PublishError(str(busy)) if busy else cannot_open(client, path, error)) from error
        require_own_books(connection, client, path, registry.organization_of(client))
        if is_left_behind and not _is_of_one_sync(connection):
            remedy = f"Run `bill-pipeline sync {client}`."
            raise PublishError(f"{client}: its last sync built a part of its books only. {remedy}")
        yield connection


def _is_of_one_sync(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        found = connection.execute(_BUILDS).fetchone()
    except duckdb.CatalogException:
        return True
    return found is None or found == (len(SCHEMAS), 1)
