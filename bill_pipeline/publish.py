"""Publish clients' books: from one DuckDB file per client to the ledger that analysts read.

A client's file can be open in one process only, so publishing runs in the process that just built
the books. Each client's tables are written as a new version beside the old one; then, under a lock,
a new catalogue that names it replaces the old one in a single rename. Readers are never refused,
never see half a version, and keep what they see until the grace period ends. A publisher that is
killed at any moment leaves the old catalogue whole.

The parts are in ``publishing/``; reading is ``query``'s work.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import duckdb
import filelock

from bill_pipeline.clients import Registry, UnknownClient, utc_now
from bill_pipeline.publishing.catalogue import (
    Contents,
    found_on_disk,
    is_lost,
    read_contents,
    remembered_schema,
    write_catalogue,
)
from bill_pipeline.publishing.registry import RegistryTables
from bill_pipeline.publishing.tables import (
    PublishedSchema,
    PublishError,
    code_signature,
    published_schema,
)
from bill_pipeline.publishing.versions import (
    Version,
    collect_abandoned,
    delete_versions,
    next_number,
    write_version,
    writer_note,
)
from bill_pipeline.settings import Home

#: How long a connection may go on reading what it saw when it was opened, after something newer
#: was published. Longer costs disk: every version a client had in that time is kept.
GRACE = timedelta(hours=1)
#: Rewriting the catalogue takes well under a second; somebody who waits this long waits for ever.
LOCK_TIMEOUT_SECONDS = 120


@dataclass
class PublishReport:
    """What one publication did."""

    published: dict[str, int] = field(default_factory=dict)  # client → rows in all tables
    removed: tuple[str, ...] = ()  # clients that are no longer connected
    not_published: dict[str, str] = field(default_factory=dict)  # client → why; the old books stay
    files_collected: int = 0
    seconds: float = 0.0


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
    if "=" in str(home.path):
        raise PublishError(
            f"{home.path} cannot hold a ledger: rename the folder to one without '='."
        )
    schema = schema or _schema_of_this_code(home)
    home.published.mkdir(parents=True, exist_ok=True)
    connected = set(Registry(home).names())
    refused: dict[str, str] = {}
    was_lost = is_lost(home)
    if was_lost:
        with_books = [name for name in sorted(connected) if home.client_file(name).exists()]
        clients = [*clients, *with_books]
    with writer_note(home.published) as note:
        versions: list[Version] = []
        for client in dict.fromkeys(clients):
            if client not in connected:
                raise UnknownClient(client)
            number = next_number()
            note.add(client, number)
            try:
                with _books_of(home, client, connections or {}) as books:
                    versions.append(write_version(books, client, number, schema, home.published))
            except (duckdb.IOException, FileNotFoundError) as error:
                refused[client] = str(error)
        with catalogue_lock(home):
            is_still_lost = was_lost and is_lost(home)
            contents = found_on_disk(home, utc_now()) if is_still_lost else read_contents(home)
            report = _swap(home, contents, versions, schema, grace)
    report.not_published = refused
    report.seconds = time.perf_counter() - started
    return report


def relocate(home: Home, *, schema: PublishedSchema | None = None) -> bool:
    """Make the catalogue name the files where they are now; False when it did already.

    DuckDB's views hold absolute paths, so a home that was moved or restored elsewhere is put right
    by whatever opens it next: every publication, ``bill-pipeline query`` and ``shell``.
    """
    with catalogue_lock(home):
        contents = read_contents(home)
        if contents.home_path == str(home.path):
            return False
        _swap(home, contents, [], schema or _schema_of_this_code(home), GRACE)
    return True


def _schema_of_this_code(home: Home) -> PublishedSchema:
    """As the catalogue remembers it when this very code wrote it, else read from the SQL files."""
    remembered = remembered_schema(home)
    if remembered is not None and remembered.code == code_signature():
        return remembered
    return published_schema()


@contextlib.contextmanager
def catalogue_lock(home: Home) -> Iterator[None]:
    """Hold the catalogue for this process. Raises PublishError when nobody lets go of it."""
    home.published.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(home.published / ".lock", timeout=LOCK_TIMEOUT_SECONDS):
            yield
    except filelock.Timeout:
        raise PublishError(
            f"The catalogue {home.ledger} has been locked for {LOCK_TIMEOUT_SECONDS} seconds. "
            f"Find the process that holds {home.published / '.lock'}, and publish again."
        ) from None


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


def _swap(
    home: Home,
    contents: Contents,
    versions: list[Version],
    schema: PublishedSchema,
    grace: timedelta,
) -> PublishReport:
    """Put the catalogue with ``versions`` in place; collect what no connection can need."""
    report = PublishReport()
    at = datetime.now(UTC)
    abandoned = collect_abandoned(home.published, contents.named)
    # No view has named these for as long as the grace period, so they may go before the swap; if
    # this process dies in between, they are still listed and the next one tries again.
    expired = [version for version, when in contents.superseded.items() if at - when > grace]
    report.files_collected = abandoned + delete_versions(home.published, expired)
    for version in expired:
        del contents.superseded[version]
    for new in versions:
        contents.replace(new, at)
        report.published[new.client] = new.row_count
    connected = set(Registry(home).names())
    report.removed = tuple(sorted(set(contents.current) - connected))
    for client in report.removed:
        contents.remove(client, at)
    write_catalogue(home, contents, schema, RegistryTables.of(home, contents.current), at)
    return report
