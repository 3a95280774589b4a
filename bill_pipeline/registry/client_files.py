"""The clients' files as a home holds them, and whose turn it is to work on one.

Whose books a file holds, the file itself says: ``whose_books``. What is in it is ``warehouse``'s.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb
import filelock

from bill_pipeline.errors import WarehouseError
from bill_pipeline.registry.client_errors import ClientAlreadyConnected, ClientBusy, SyncUnderWay
from bill_pipeline.registry.whose_books import organization_in
from bill_pipeline.runtime.machine import machine_error
from bill_pipeline.settings import CLIENT_NAME, Home

#: Bytes, DuckDB's least. A client's file has 170 tables, most of them small, and each takes whole
#: blocks: with DuckDB's usual 262,144 the file of a small client is four times as large.
BLOCK_SIZE = 16_384


@contextlib.contextmanager
def client_lock(
    home: Home, client: str, doing: str, *, patience_seconds: float = 0.0
) -> Iterator[None]:
    """Hold ``client`` for this process. Raises ClientBusy when another one has it, at once or after
    ``patience_seconds``, and says what that one is ``doing``: "its books are being …".
    """
    path = home.client_file(client).with_suffix(".lock")
    lock = filelock.FileLock(path, timeout=patience_seconds)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise ClientBusy(client, _what_holds(path)) from None
    try:
        _note(path, f"{os.getpid()} {doing}")
        yield
    finally:
        _note(path, "")
        lock.release()


def _note(lock: Path, text: str) -> None:
    with contextlib.suppress(OSError):  # nothing but a sentence depends on it
        lock.write_text(text, encoding="utf-8")


def _what_holds(lock: Path) -> str:
    """What the process that has ``lock`` noted; nothing when it is the note of one that died."""
    with contextlib.suppress(OSError, ValueError):
        process, doing = lock.read_text(encoding="utf-8").split(maxsplit=1)
        os.kill(int(process), 0)
        return f"{doing} (process {process})"
    return ""


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


def require_own_file(home: Home, client: str, organization_id: str, *, is_connected: bool) -> None:
    """Raises ClientAlreadyConnected when the file under ``client``'s name is another organization's
    than ``organization_id``; WarehouseError when it cannot be read.

    One that cannot be read ``is_connected``'s to somebody: whoever writes into it looks as well.
    """
    path = home.client_file(client)
    try:
        found = organization_in(path)
    except (duckdb.Error, OSError) as error:
        if is_connected:  # a sync has it, say
            return
        raise cannot_open(client, path, error) from error
    if found not in (None, organization_id):
        raise ClientAlreadyConnected(
            f"{path} holds the books of organization {found}, not of {organization_id}: "
            f"nothing was stored. Connect organization {organization_id} under another name, "
            f"or organization {found} as {client!r}; `bill-pipeline disconnect {client} "
            "--purge` deletes the books that are there."
        )


def require_no_other_file(
    home: Home, client: str, organization_id: str, known: Collection[str]
) -> None:
    """Raises ClientAlreadyConnected when a file of none of the ``known`` clients holds the books
    of ``organization_id``.
    """
    for other in files_of_others(home, known):
        if other == client:
            continue
        with contextlib.suppress(duckdb.Error, OSError):  # whose it is, nobody can say
            if organization_in(home.client_file(other)) != organization_id:
                continue
            raise ClientAlreadyConnected(
                f"The books of organization {organization_id} are in "
                f"{home.client_file(other)}, which {home.registry} does not "
                f"know: connect it as {other!r}, and they go on. As {client!r} its amounts would "
                f"count twice; `bill-pipeline disconnect {other}` takes it out of the ledger."
            )


def files_of_others(home: Home, known: Collection[str]) -> list[str]:
    """The clients whose files are here and who are none of the ``known`` ones."""
    names = {path.stem for path in home.clients.glob("*.duckdb")}
    return sorted(name for name in names - set(known) if CLIENT_NAME.fullmatch(name))


def delete_files(home: Home, client: str) -> None:
    """Delete the client's books, its model and what was made of them, but for what is published."""
    books = home.client_file(client)
    books.unlink(missing_ok=True)
    books.with_suffix(".duckdb.wal").unlink(missing_ok=True)
    for folder in (
        home.dlt_folder(client), home.models / "clients" / client, home.statements / client,
    ):  # fmt: skip
        if folder.exists():
            shutil.rmtree(folder)


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
