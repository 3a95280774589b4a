"""The published ledger as files: versioned Parquet beside a catalogue that names exact versions.

Each client's tables are written as a new version beside the old one; then, under a lock, a new
catalogue that names it replaces the old one in a single rename. A publisher that is killed at any
moment leaves the old catalogue whole.
"""

from __future__ import annotations

import contextlib
import logging
import random
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import filelock

from bill_pipeline.publishing.catalogue import write_catalogue
from bill_pipeline.publishing.contents import (
    Contents,
    Remembered,
    identity_of,
    read_catalogue,
    read_contents,
)
from bill_pipeline.publishing.ledger_store import (
    ATTACHED_AS,
    OpenBooks,
    PublishReport,
    with_books,
)
from bill_pipeline.publishing.registry import RegistryTables, kept_statuses, write_status
from bill_pipeline.publishing.reuse_manifest import (
    NOTHING_TO_REUSE,
    forget_manifest,
    read_manifest,
    write_manifest,
)
from bill_pipeline.publishing.tables import (
    PublishedSchema,
    PublishError,
    code_signature,
    published_schema,
    quoted,
)
from bill_pipeline.publishing.versions import (
    Version,
    WriterNote,
    collect_abandoned,
    delete_versions,
    empty_versions,
    is_there,
    is_whole,
    note_of_this_process,
    write_version,
    writer_note,
)
from bill_pipeline.registry.clients import ClientStatus, Registry
from bill_pipeline.registry.failures import ClientError, alone
from bill_pipeline.runtime.private_folder import PrivateFolder
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.built import next_number

#: Rewriting the catalogue takes well under a second; somebody who waits this long waits for ever.
CATALOGUE_LOCK_SECONDS = 120
#: To look at the files of so many clients takes some 30 ms; a larger firm's are taken by turns.
CLIENTS_LOOKED_AT = 50
#: To read so much of them takes another 60 ms; larger clients' files are read as they are linked.
BYTES_READ = 256 << 20
#: DuckDB takes these in a path for a pattern or a partition, and we end a path at a line's end.
_UNFIT = set("=*?[\n")


_log = logging.getLogger(__name__)


class FilesLedger:
    """The published ledger in a folder of one machine."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def publish(
        self,
        registry: Registry,
        clients: Sequence[str],
        open_books: OpenBooks,
        *,
        grace: timedelta,
        schema: PublishedSchema | None,
        anew: bool,
        ahead: Sequence[Version],
    ) -> PublishReport:
        """Write new versions of ``clients`` and swap the catalogue. Raises PublishError."""
        home = self._home
        if unfit := set(str(home.path)) & _UNFIT:
            raise PublishError(
                f"{home.path} cannot hold a ledger: rename the folder to one without "
                f"{' or '.join(repr(sign) for sign in sorted(unfit))}."
            )
        home.published.mkdir(parents=True, exist_ok=True)
        before = read_catalogue(home)
        schema = schema or _schema_of_this_code(before)
        if before.is_lost:
            _log.warning("%s was lost or damaged and is written anew.", home.ledger)
            clients = [*clients, *with_books(registry)]
        # A catalogue that is written whole looks into the files that it names.
        of_all = anew or before.schema != schema
        damaged = _damaged(home, before.contents, schema.code, of_all=of_all)
        for client in damaged:
            _log.warning("%s: its published files were damaged and are written anew.", client)
        clients = [*clients, *damaged, *_missing(registry, before.contents)]
        # Of another one's writer it is not known whether it lives to the end.
        ahead = [version for version in ahead if is_whole(home.published, version)]
        written_already = {version.client for version in ahead}
        with writer_note(home.published) as note:
            versions: list[Version] = []
            refused: dict[str, ClientError] = {}
            for client in dict.fromkeys(clients):
                if client not in written_already:
                    is_new = anew or client in damaged
                    with alone(client, refused), open_books(client) as books:
                        versions.append(_write(home, client, books, schema, note, anew=is_new))
            with catalogue_lock(home):
                for version in ahead:
                    # Its writer may have died since, and another one have cleaned up after it.
                    with alone(version.client, refused):
                        _require_whole(home, version)
                        versions.append(version)
                is_unchanged = identity_of(home.ledger) == before.identity
                now = before if is_unchanged else read_catalogue(home)
                report = _swap(registry, now.contents, versions, schema, grace)
        report.not_published = {
            client: str(client_error) for client, client_error in refused.items()
        }
        return report

    def show_status(self, registry: Registry) -> None:
        """Tell ``sync_status`` what the registry knows now, without a publication."""
        if self._home.published.exists():
            _write_status(registry, set(self.builds()))

    def write_ahead(self, client: str, books: duckdb.DuckDBPyConnection) -> Version | None:
        """Write a version that ``publish`` shows later; it is kept as long as this process lives.

        None where there is no catalogue yet: it says what is published.
        """
        home = self._home
        schema = _schema_for_writing_ahead(home)
        if schema is None:
            return None
        return _write(home, client, books, schema, note_of_this_process(home.published))

    def builds(self) -> dict[str, str | None]:
        current = read_contents(self._home).current
        published = self._home.published
        return {
            client: version.build if is_there(published, version) else None
            for client, version in current.items()
        }

    def exists(self) -> bool:
        return self._home.ledger.exists()

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        attaching = f"attach {quoted(str(self._home.ledger))} as {ATTACHED_AS} (read_only)"
        connection.execute(attaching)
        named = connection.execute(f"select path from {ATTACHED_AS}.catalogue.home").fetchall()
        if named != [(str(self._home.path),)]:  # it was moved or copied; reading writes nothing
            connection.execute(f"set variable ledger_home = {quoted(str(self._home.path))}")
        connection.execute(f"use {ATTACHED_AS}")

    def readable_folders(self) -> list[str]:
        return [f"{self._home.published}/"]

    def shell_arguments(self) -> list[str]:
        here = f"set variable ledger_home = {quoted(str(self._home.path))}"
        return ["-readonly", "-cmd", here, str(self._home.ledger)]

    @property
    def where(self) -> str:
        return str(self._home.ledger)


def _write(
    home: Home,
    client: str,
    books: duckdb.DuckDBPyConnection,
    schema: PublishedSchema,
    note: WriterNote,
    *,
    anew: bool = False,
) -> Version:
    """Write a version of ``client``, after ``note`` says so; all of it or nothing."""
    number = next_number()
    note.add(client, number)
    last = NOTHING_TO_REUSE if anew else read_manifest(home.published, client, schema.code)
    try:
        version, kept = write_version(books, client, number, schema, home.published, last=last)
    except BaseException:
        delete_versions(home.published, [(client, number)])
        raise
    write_manifest(home.published, client, kept)
    return version


def _require_whole(home: Home, version: Version) -> None:
    if not is_whole(home.published, version):
        raise PublishError(
            f"The process that wrote {version.client}'s tables died before they were published. "
            f"Run `bill-pipeline publish {version.client}`."
        )


def _damaged(home: Home, contents: Contents, code: str, *, of_all: bool) -> list[str]:
    """Clients whose current files are not as they were written, ``of_all`` or of as many as are
    looked at in one publication.
    """
    current = list(contents.current.values())
    count, left = (len(current), sys.maxsize) if of_all else (CLIENTS_LOOKED_AT, BYTES_READ)
    damaged = []
    for version in random.sample(current, min(count, len(current))):
        written = read_manifest(home.published, version.client, code)
        if written.number != version.number or written.size > left:
            written = NOTHING_TO_REUSE
        left -= written.size
        if not is_whole(home.published, version, written):
            damaged.append(version.client)
    return sorted(damaged)


def _missing(registry: Registry, contents: Contents) -> list[str]:
    """Clients without a version though they were published: it was lost while they were busy."""
    if contents.current.keys() >= set(registry.names()):
        return []
    return [
        status.client
        for status in registry.all()
        if status.client not in contents.current
        and status.last_success_at
        and not status.unpublished_since
        and registry.home.client_file(status.client).exists()
    ]


def _write_status(registry: Registry, shown: Collection[str]) -> list[ClientStatus]:
    """Write what ``sync_status`` reads; returns the statuses in it.

    With those of ``shown`` clients, of the ledger in place, that the registry does not know.
    """
    gone = registry.disconnected()
    with registry.held() as statuses:
        unknown = set(shown) - {status.client for status in statuses} - gone
        if unknown:
            statuses += _kept_statuses(registry.home, unknown)
            statuses.sort(key=lambda status: status.client)
        write_status(registry.home.published, statuses)
        return statuses


def _kept_statuses(home: Home, clients: Collection[str]) -> list[ClientStatus]:
    # From a copy: somebody's tool may have opened the file for writing and so locked it.
    with PrivateFolder() as folder:
        copy = shutil.copy(home.ledger, Path(folder) / "ledger.duckdb")
        with duckdb.connect(str(copy), read_only=True) as ledger:
            return kept_statuses(ledger, clients)


@cache
def _schema_for_writing_ahead(home: Home) -> PublishedSchema | None:
    """What the catalogue publishes, if this very code wrote it; read once a process."""
    return _remembered_schema(read_catalogue(home))


def _schema_of_this_code(remembered: Remembered) -> PublishedSchema:
    """As the catalogue remembers it when this very code wrote it, else read from the SQL files."""
    return _remembered_schema(remembered) or published_schema()


def _remembered_schema(remembered: Remembered) -> PublishedSchema | None:
    """The catalogue's, if this very code wrote it."""
    schema = remembered.schema
    return schema if schema is not None and schema.code == code_signature() else None


@contextlib.contextmanager
def catalogue_lock(home: Home) -> Iterator[None]:
    """Hold the catalogue for this process. Raises PublishError when nobody lets go of it."""
    home.published.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(home.published / ".lock", timeout=CATALOGUE_LOCK_SECONDS):
            yield
    except filelock.Timeout:
        raise PublishError(
            f"The catalogue {home.ledger} has been locked for {CATALOGUE_LOCK_SECONDS} seconds. "
            f"Find the process that holds {home.published / '.lock'}, and publish again."
        ) from None


def _swap(
    registry: Registry,
    contents: Contents,
    versions: list[Version],
    schema: PublishedSchema,
    grace: timedelta,
) -> PublishReport:
    """Put the catalogue with ``versions`` in place; collect what no connection can need.

    Of a client whose books were deleted nobody may go on reading: its rows go at once, its empty
    files with the grace period.
    """
    report = PublishReport()
    home, at = registry.home, datetime.now(UTC)
    before = set(contents.current)
    named = contents.named | {(version.client, version.number) for version in versions}
    abandoned = collect_abandoned(home.published, named)
    # No view has named these for as long as the grace period, so they may go before the swap; if
    # this process dies in between, they are still listed and the next one tries again.
    expired = [version for version, when in contents.superseded.items() if at - when > grace]
    report.files_collected = abandoned + delete_versions(home.published, expired)
    for version in expired:
        del contents.superseded[version]
    for new in versions:
        contents.replace(new, at)
        report.published[new.client] = new.row_count
        report.builds[new.client] = new.build
    statuses = _write_status(registry, before)
    report.removed = tuple(sorted(set(contents.current) - {s.client for s in statuses}))
    for client in report.removed:
        contents.remove(client, at)
        forget_manifest(home.published, client)
    purged = {client for client in report.removed if not home.client_file(client).exists()}
    tables = RegistryTables(tuple(statuses), contents.current)
    # Amended, the file would keep the words of a purged client where its rows were.
    write_catalogue(home, contents, schema, tables, at, amend=not purged)
    empty_versions(home.published, [each for each in contents.superseded if each[0] in purged])
    return report
