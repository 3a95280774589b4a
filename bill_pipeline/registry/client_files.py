"""The clients' files as a home holds them: there or lost, known to the registry or not, and whose
turn it is to work on one.

Whose books a file holds, the file itself says: ``whose_books``. What is in it is ``warehouse``'s.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import filelock

from bill_pipeline.errors import PipelineError, WarehouseError
from bill_pipeline.registry.clients import ClientAlreadyConnected, Registry, UnknownClient
from bill_pipeline.registry.whose_books import organization_in
from bill_pipeline.runtime.machine import machine_error
from bill_pipeline.settings import CLIENT_NAME, Home

#: Bytes, DuckDB's least. A client's file has 170 tables, most of them small, and each takes whole
#: blocks: with DuckDB's usual 262,144 the file of a small client is four times as large.
BLOCK_SIZE = 16_384


class ClientBusy(PipelineError):
    """Another process is working on this client's books."""

    def __init__(self, client: str, said: str = "") -> None:
        super().__init__(
            said
            or f"Another process is bringing {client}'s books up to date. Wait until it is done; "
            "`bill-pipeline clients` shows its progress."
        )


class SyncUnderWay(ClientBusy):
    """The other process is a sync: it brings what this one would."""

    def __init__(self, client: str) -> None:
        super().__init__(
            client,
            f"Another sync of {client} is at work, which brings the same and publishes it; "
            "`bill-pipeline clients` shows its progress.",
        )


class BooksMissing(PipelineError):
    """A client that has had books has no file any more."""

    def __init__(self, client: str, path: Path) -> None:
        super().__init__(
            f"{client}: its file {path} is missing, although it has had books; its published books "
            "stay. Put the file back from a backup and sync. Or, where there is none, run "
            f"`bill-pipeline sync {client} --new-file`: all is read anew from BILL, and what only "
            "that file had is lost: closings, answers, rules, opening balances, write-offs and the "
            "history of the books."
        )


@contextlib.contextmanager
def client_lock(home: Home, client: str) -> Iterator[None]:
    """Hold ``client`` for this process. Raises ClientBusy at once when another one has it."""
    lock = filelock.FileLock(home.client_file(client).with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise ClientBusy(client) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def sync_lock(home: Home, client: str) -> Iterator[None]:
    """Be the one sync of ``client``, before its lock is taken. Raises SyncUnderWay at once."""
    lock = _sync_lock(home, client)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise SyncUnderWay(client) from None
    try:
        yield
    finally:
        lock.release()


def is_syncing(home: Home, client: str) -> bool:
    """Whether a process is syncing ``client`` now; one that was killed is not."""
    try:
        with _sync_lock(home, client):
            return False
    except filelock.Timeout:
        return True


def _sync_lock(home: Home, client: str) -> filelock.BaseFileLock:
    return filelock.FileLock(home.client_file(client).with_suffix(".sync.lock"), timeout=0)


def has_had_books(registry: Registry, client: str) -> bool:
    """Whether a sync of ``client`` was ever finished; not of one that is not connected."""
    try:
        status = registry.status(client)
    except UnknownClient:
        return False
    return status.last_success_at is not None or status.document_count > 0


def require_file(home: Home, client: str) -> None:
    """Raises BooksMissing when ``client``'s file is not there and the registry or the published
    ledger knows that it has had books; one whose first import never ended may begin again.
    """
    path = home.client_file(client)
    if not path.exists() and (has_had_books(Registry(home), client) or _is_shown(home, client)):
        raise BooksMissing(client, path)


def _is_shown(home: Home, client: str) -> bool:
    from bill_pipeline.publishing.stores import store_of

    # A ledger that cannot be read is for its publication to report.
    with contextlib.suppress(PipelineError, duckdb.Error, OSError):
        return client in store_of(home).builds()
    return False


def require_own_file(registry: Registry, client: str, organization_id: str) -> None:
    """Raises ClientAlreadyConnected when the file under ``client``'s name is another organization's
    than ``organization_id``; PipelineError when it cannot be read.
    """
    path = registry.home.client_file(client)
    try:
        found = organization_in(path)
    except (duckdb.Error, OSError) as error:
        if client in registry.names():  # a sync has it, say; what writes into it looks as well
            return
        raise cannot_open(client, path, error) from error
    if found not in (None, organization_id):
        raise ClientAlreadyConnected(
            f"{path} holds the books of organization {found}, not of {organization_id}: "
            f"nothing was stored. Connect organization {organization_id} under another name, "
            f"or organization {found} as {client!r}; `bill-pipeline disconnect {client} "
            "--purge` deletes the books that are there."
        )


def require_no_other_file(registry: Registry, client: str, organization_id: str) -> None:
    """Raises ClientAlreadyConnected when a file that the registry does not know holds the books."""
    for other in unknown_files(registry):
        if other == client:
            continue
        with contextlib.suppress(duckdb.Error, OSError):  # whose it is, nobody can say
            if organization_in(registry.home.client_file(other)) != organization_id:
                continue
            raise ClientAlreadyConnected(
                f"The books of organization {organization_id} are in "
                f"{registry.home.client_file(other)}, which {registry.home.registry} does not "
                f"know: connect it as {other!r}, and they go on. As {client!r} its amounts would "
                f"count twice; `bill-pipeline disconnect {other}` takes it out of the ledger."
            )


def unknown_files(registry: Registry) -> list[str]:
    """Clients whose files are here though nobody is connected under their name, nor was
    disconnected: this registry is older than they are, or was made anew.
    """
    files = {
        path.stem
        for path in registry.home.clients.glob("*.duckdb")
        if CLIENT_NAME.fullmatch(path.stem)
    }
    if not files:
        return []
    return sorted(files - set(registry.names()) - registry.disconnected())


def cannot_open(client: str, path: Path | str, error: Exception) -> WarehouseError:
    """``error``, met when ``client``'s file at ``path`` was opened, with what to do about it."""
    said = machine_error(error)
    return WarehouseError(f"{client}: {path} cannot be opened. {said or error}")


def make_file(path: Path | str) -> None:
    """Make the file, where it is missing, with blocks of our size: a file keeps the size it has.

    Whole or not at all: half a file would look like a damaged one.
    """
    if str(path) == ":memory:" or Path(path).exists():
        return
    draft = Path(path).with_suffix(".new")
    draft.unlink(missing_ok=True)
    quoted = "'" + str(draft).replace("'", "''") + "'"
    with duckdb.connect() as connection:
        connection.execute(f"attach {quoted} as books (block_size {BLOCK_SIZE})")
    # Left by a file that was lost, and of no use without it: it must not be played into this one.
    Path(f"{path}.wal").unlink(missing_ok=True)
    draft.rename(path)
