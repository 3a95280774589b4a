"""Which build of the books a client's file holds, to be compared with what is published.

Every build of what is published writes a new number into the file, in the transaction that replaces
the tables; the published ledger keeps the number of the build it was written from. What was built
is published when both are the same, whatever a process that died, a full disk or a backup put back
left elsewhere. A small note beside the client's file says which number the file holds as it is now,
so that a thousand idle files need not be opened; a note about any other state of the file says
nothing, and the file is asked.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import orjson

from bill_pipeline.registry.client_errors import ClientBusy
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.settings import Home

_NOTE = "build.json"
#: By code that gave no numbers: when the file's layers were built tells one build from the next.
_OF_OLDER_CODE = "select strftime(max(as_of), '%Y%m%dT%H%M%S.%fZ') from upkeep.builds"


def next_number() -> str:
    """Begins with the time in UTC and sorts by it; different in every process."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(3)}"


def taken_at(number: str) -> datetime:
    """When ``number`` was taken (UTC)."""
    return datetime.fromisoformat(number.split("-")[0])


def mark_built(connection: duckdb.DuckDBPyConnection) -> None:
    """Say that the open file's tables are of a new build, in the caller's transaction."""
    number = next_number()
    connection.execute("create schema if not exists upkeep")
    connection.execute(f"create or replace table upkeep.build as select '{number}' as number")


def read_build(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The number of the build that the open file holds; None when nothing was built yet."""
    for sql in ("select number from upkeep.build", _OF_OLDER_CODE):
        with contextlib.suppress(duckdb.CatalogException):
            row = connection.execute(sql).fetchone()
            return row[0] if row else None
    return None


@dataclass(frozen=True)
class Comparison:
    """Clients' files beside the published ledger."""

    behind: Mapping[str, datetime]  # client → when the books were built that are not published
    unknown: frozenset[str]  # somebody works on their files, or they cannot be read
    #: Of those behind: their files are older than what is published, as one put back is. A sync
    #: brings them up to date; until then what is published is the better.
    older: frozenset[str] = frozenset()


def compare(home: Home, clients: list[str], shown: Mapping[str, str | None]) -> Comparison:
    """Compare what ``clients``' files hold with ``shown``: client → the build that is published."""
    behind: dict[str, datetime] = {}
    unknown: set[str] = set()
    older: set[str] = set()
    now = datetime.now(UTC)
    for client in clients:
        try:
            number = _number_in(home, client)
        except (ClientBusy, duckdb.Error, OSError):
            unknown.add(client)
            continue
        published = shown.get(client)
        if number and number != published:
            behind[client] = taken_at(number)
            # What a clock that was ahead published is later than any build since.
            if published and behind[client] < taken_at(published) <= now:
                older.add(client)
    return Comparison(behind, frozenset(unknown), frozenset(older))


def note_build(home: Home, client: str, number: str | None) -> None:
    """Note that ``client``'s file, closed and locked for others, holds the build ``number``."""
    _write(home, client, number, _state_of(home.client_file(client)))


@contextlib.contextmanager
def open_for_reading(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A client's file; the same database where this process has it open for writing already."""
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.ConnectionException:
        connection = duckdb.connect(str(path))
    with connection:
        yield connection


def _number_in(home: Home, client: str) -> str | None:
    path = home.client_file(client)
    state = _state_of(path)
    if state is None and not path.exists():
        return None
    with contextlib.suppress(OSError, orjson.JSONDecodeError, KeyError, TypeError):
        noted = orjson.loads((home.dlt_folder(client) / _NOTE).read_bytes())
        if state is not None and noted["file"] == state:
            number: str | None = noted["build"]
            return number
    with left_alone(home, client), open_for_reading(path) as connection:
        state = _state_of(path)
        number = read_build(connection)
        _write(home, client, number, state)
    return number


@contextlib.contextmanager
def left_alone(home: Home, client: str, doing: str = "looked at") -> Iterator[None]:
    """While nobody works on the client. Raises ClientBusy at once when somebody does."""
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):  # a home that may only be read: what is there stays so
            held.enter_context(client_lock(home, client, doing))
        yield


def _state_of(path: Path) -> list[int] | None:
    """Tells the file as it is now from any other state of it, without opening it.

    None where that cannot be told: no file, or one beside which a write-ahead log lies.
    """
    if path.with_name(f"{path.name}.wal").exists():
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _write(home: Home, client: str, number: str | None, state: list[int] | None) -> None:
    folder = home.dlt_folder(client)
    if state is None:
        return
    new = folder / f"{_NOTE}.new"
    with contextlib.suppress(OSError):  # then the file is asked again
        folder.mkdir(parents=True, exist_ok=True)
        new.write_bytes(orjson.dumps({"file": state, "build": number}))
        new.chmod(folder.stat().st_mode & 0o666)  # for those for whom the folder is
        new.replace(folder / _NOTE)
