"""BILL's limits, counted once for all clients and processes of a developer key.

20,000 requests and 200 logins per clock hour and developer key, three requests at a time per
organisation, where the settings say nothing else. The counts live in one SQLite file of the home,
so a web process, a daemon and a command line share them. BILL's hour is taken to start at the full
hour, UTC.

Places in flight are leases: a process that dies leaves its lease behind. Whoever needs the place
takes it over when the holder is known to be dead; otherwise the lease lapses.
"""

from __future__ import annotations

import itertools
import logging
import os
import random
import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from bill_pipeline.bill.clock import Clock, SystemClock
from bill_pipeline.bill.errors import HourlyLimit
from bill_pipeline.bill.holders import is_dead, this_process
from bill_pipeline.runtime.sqlite_files import set_journal_mode

REQUESTS_PER_HOUR = 20_000
LOGINS_PER_HOUR = 200
IN_FLIGHT_PER_ORGANIZATION = 3
# Longer than any one request may take (api.REQUEST_SECONDS); a process that died on another machine
# blocks that long.
LEASE_SECONDS = 120.0
POLL_SECONDS = 0.02
HOUR = 3600
_log = logging.getLogger(__name__)

_SCHEMA = """
create table if not exists request_hours (
    dev_key text not null, hour integer not null,
    requests integer not null default 0, logins integer not null default 0,
    primary key (dev_key, hour)
) without rowid;
create table if not exists requests_in_flight (
    lease text primary key, dev_key text not null, organization_id text not null,
    ends_at real not null
) without rowid;
"""


class RequestBudget(Protocol):
    """Says when the next request may start."""

    def place(
        self, dev_key: str, organization_id: str, *, is_login: bool, patience_seconds: float
    ) -> AbstractContextManager[None]:
        """A context manager that holds one request's place; waits for it when it must.

        Raises ``HourlyLimit`` when the hour is spent and its end is further than
        ``patience_seconds`` away.
        """

    def spend_hour(self, dev_key: str, *, is_login: bool) -> None:
        """BILL says that this hour is spent: nobody asks (logs in) again before the next one."""


def _opened(path: Path | None, journal_mode: str) -> sqlite3.Connection:
    """The counts, with their tables. Raises sqlite3.DatabaseError when the file is damaged."""
    database = sqlite3.connect(
        ":memory:" if path is None else path,
        timeout=30,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        set_journal_mode(database, journal_mode)
        # Losing the last counts in a power cut is harmless: BILL's own count still protects it.
        database.execute("pragma synchronous = off")
        database.executescript(_SCHEMA)
        (found,) = database.execute("pragma quick_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
    except UnicodeDecodeError as error:  # what SQLite quotes of a damaged file
        database.close()
        raise sqlite3.DatabaseError("a name in the file is damaged") from error
    except BaseException:
        database.close()
        raise
    return database


def _moved_aside(path: Path) -> Path:
    """Rename the folder in the file's place, which may be somebody's, and return its new path."""
    numbers = itertools.count(1)
    aside = next(new for number in numbers if not (new := Path(f"{path}.aside-{number}")).exists())
    return path.rename(aside)


class SharedBudget:
    """``RequestBudget`` in an SQLite file; ``path=None`` keeps it in this process."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        clock: Clock | None = None,
        requests_per_hour: int = REQUESTS_PER_HOUR,
        logins_per_hour: int = LOGINS_PER_HOUR,
        journal_mode: str = "wal",
    ) -> None:
        self._clock = clock or SystemClock()
        self._limits = {"requests": requests_per_hour, "logins": logins_per_hour}
        self._lock = threading.Lock()
        # Waiting threads of this process queue here instead of polling the file.
        self._gates: dict[tuple[str, str], threading.BoundedSemaphore] = {}
        if path and path.is_dir():
            _log.warning("%s was a folder and is moved aside as %s.", path, _moved_aside(path))
        try:
            self._database = _opened(path, journal_mode)
        except sqlite3.DatabaseError as error:
            if path is None or isinstance(error, sqlite3.OperationalError):
                raise  # the machine's trouble, not the file's
            _log.warning("%s was damaged: the requests of this hour are counted anew.", path)
            for ending in ("-wal", "-shm"):
                Path(f"{path}{ending}").unlink(missing_ok=True)
            os.truncate(path, 0)  # not a new file: this one is as open as it should be
            self._database = _opened(path, journal_mode)

    @contextmanager
    def place(
        self, dev_key: str, organization_id: str, *, is_login: bool, patience_seconds: float
    ) -> Iterator[None]:
        with self._gate(dev_key, organization_id):
            # Count first: waiting for the next hour must not hold a place in flight.
            self._count(dev_key, is_login=is_login, patience_seconds=patience_seconds)
            lease = self._take_place(dev_key, organization_id)
            try:
                yield
            finally:
                self._write("delete from requests_in_flight where lease = ?", (lease,))

    def spend_hour(self, dev_key: str, *, is_login: bool) -> None:
        spent = "logins" if is_login else "requests"
        self._write(
            f"insert into request_hours (dev_key, hour, {spent}) values (?, ?, ?) "
            f"on conflict do update set {spent} = max({spent}, excluded.{spent})",
            (dev_key, self._hour(), self._limits[spent]),
        )

    def used(self, dev_key: str) -> tuple[int, int]:
        """Requests and logins counted in the current hour."""
        with self._lock:
            row = self._database.execute(
                "select requests, logins from request_hours where dev_key = ? and hour = ?",
                (dev_key, self._hour()),
            ).fetchone()
        return (row[0], row[1]) if row else (0, 0)

    def left(self) -> int:
        """Requests left in this hour for the developer key that has spent the most of it."""
        with self._lock:
            (spent,) = self._database.execute(
                "select coalesce(max(requests), 0) from request_hours where hour = ?",
                (self._hour(),),
            ).fetchone()
        return max(self._limits["requests"] - spent, 0)

    def _gate(self, dev_key: str, organization_id: str) -> threading.BoundedSemaphore:
        with self._lock:
            return self._gates.setdefault(
                (dev_key, organization_id), threading.BoundedSemaphore(IN_FLIGHT_PER_ORGANIZATION)
            )

    def _take_place(self, dev_key: str, organization_id: str) -> str:
        """Wait until fewer than three requests of the organisation are in flight anywhere."""
        lease = f"{this_process()} {uuid.uuid4().hex}"
        key = (dev_key, organization_id)
        while True:
            now = self._clock.time()
            with self._transaction() as database:
                # A lease that ends later than one of now was taken by a clock that ran ahead.
                database.execute(
                    "delete from requests_in_flight where ends_at not between ? and ?",
                    (now, now + LEASE_SECONDS),
                )
                leases = database.execute(
                    "select lease from requests_in_flight "
                    "where dev_key = ? and organization_id = ?",
                    key,
                ).fetchall()
                if len(leases) >= IN_FLIGHT_PER_ORGANIZATION:
                    dead = [each for each in leases if is_dead(each[0].partition(" ")[0])]
                    database.executemany("delete from requests_in_flight where lease = ?", dead)
                    leases = leases[len(dead) :]
                if len(leases) < IN_FLIGHT_PER_ORGANIZATION:
                    database.execute(
                        "insert into requests_in_flight values (?, ?, ?, ?)",
                        (lease, *key, now + LEASE_SECONDS),
                    )
                    return lease
            self._clock.sleep(POLL_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311

    def _count(self, dev_key: str, *, is_login: bool, patience_seconds: float) -> None:
        """Count one request, in this hour or, when it is spent, in the next."""
        patience_ends = self._clock.time() + patience_seconds
        while not self._counted(dev_key, is_login):
            now = self._clock.time()
            next_hour = (self._hour() + 1) * HOUR
            if next_hour > patience_ends:
                what = f"The hour's {self._limits['requests']} requests to BILL are spent"
                if is_login and self.used(dev_key)[1] >= self._limits["logins"]:
                    what = f"The hour's {self._limits['logins']} logins to BILL are spent"
                raise HourlyLimit(what)
            # All waiting processes wake in the same second; a little spread keeps them apart.
            self._clock.sleep(next_hour - now + random.uniform(0.5, 3))  # noqa: S311

    def _counted(self, dev_key: str, is_login: bool) -> bool:
        hour = self._hour()
        with self._transaction() as database:
            database.execute("delete from request_hours where hour < ?", (hour - 48,))
            database.execute(
                "insert or ignore into request_hours (dev_key, hour) values (?, ?)",
                (dev_key, hour),
            )
            cursor = database.execute(
                "update request_hours set requests = requests + 1, logins = logins + ? "
                "where dev_key = ? and hour = ? and requests < ? and logins + ? <= ?",
                (
                    int(is_login),
                    dev_key,
                    hour,
                    self._limits["requests"],
                    int(is_login),
                    self._limits["logins"],
                ),
            )
            return cursor.rowcount == 1

    def _hour(self) -> int:
        return int(self._clock.time() // HOUR)

    def _write(self, sql: str, values: tuple[object, ...]) -> None:
        with self._transaction() as database:
            database.execute(sql, values)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("begin immediate")
            try:
                yield self._database
                self._database.execute("commit")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("rollback")
                raise
