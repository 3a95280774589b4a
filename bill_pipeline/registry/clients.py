"""The registry of connected clients: how to reach each one's BILL account, and how it is doing.

One SQLite file that many processes may open at once. Sync tokens and BILL sessions are stored
sealed. The books themselves are elsewhere: one DuckDB file per client.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, cached_property
from typing import Any

from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.bill.lists import BESIDE_THE_BOOKS, POLLED
from bill_pipeline.registry.change_rates import Activity
from bill_pipeline.registry.client_errors import BooksMissing, ClientAlreadyConnected, UnknownClient
from bill_pipeline.registry.client_files import (
    delete_files,
    files_of_others,
    require_no_other_file,
    require_own_file,
)
from bill_pipeline.registry.registry_file import (
    exists,
    make_registry,
    migrate_registry,
    open_registry,
)
from bill_pipeline.registry.registry_values import SyncProgress, read_values, stored
from bill_pipeline.registry.vault import Vault
from bill_pipeline.settings import CLIENT_NAME, Home, require_client_name

_log = logging.getLogger(__name__)


class State(StrEnum):
    CONNECTED = "connected"  # token accepted, nothing imported yet
    IMPORTING = "importing"  # an import is running
    UP_TO_DATE = "up_to_date"
    RECONNECT = "reconnect"  # BILL refused the token: a person must act, nothing is tried again
    FAILING = "failing"  # the last sync failed; it is tried again later
    PAUSED = "paused"  # a person asked for no syncs


#: A person should look at clients in these states.
NEEDS_ATTENTION = (State.RECONNECT, State.FAILING)


@dataclass(frozen=True)
class ClientStatus:
    """What a person wants to know of one client at a glance; times are UTC."""

    client: str
    organization_id: str
    environment: str
    state: State
    connected_at: datetime
    organization_name: str | None = None
    last_attempt_at: datetime | None = None
    last_success_at: datetime | None = None
    last_change_at: datetime | None = None
    next_sync_at: datetime | None = None
    failure_count: int = 0
    error: str | None = None
    remedy: str | None = None
    document_count: int = 0
    review_count: int = 0
    skipped_lists: dict[str, str] = field(default_factory=dict)
    progress: SyncProgress = field(default_factory=SyncProgress)
    model_alarm: str | None = None  # what a person should know of the client's model
    clock_alarm: str | None = None  # that this machine's clock is not BILL's
    last_whole_sync_at: datetime | None = None  # when all lists were read
    activity: dict[str, Any] = field(default_factory=dict)  # ``change_rates.Activity``
    looked_at: dict[str, str] = field(default_factory=dict)  # when each list was last asked for
    # Documents that BILL sent and that cannot be read, by list: they wait for a good version.
    quarantined: dict[str, int] = field(default_factory=dict)
    refused_documents: dict[str, int] = field(default_factory=dict)  # not listed, refused by id
    compared_at: datetime | None = None  # all lists were compared whole with BILL then, or later
    unpublished_since: datetime | None = None  # when books were built that analysts do not see yet

    @property
    def unreadable_lists(self) -> dict[str, str]:
        """What the token may not read of what books are made from, and what BILL said.

        A sync token may never read the organization's own record, and nothing depends on it.
        """
        return {name: why for name, why in self.skipped_lists.items() if name != "organizations"}

    @property
    def lists_missing(self) -> dict[str, str]:
        """List → what BILL said, of those that make the books incomplete."""
        return {
            name: why for name, why in self.skipped_lists.items() if name not in BESIDE_THE_BOOKS
        }

    @cached_property
    def pattern(self) -> Activity:
        """When and where the client's documents change."""
        return Activity.stored(self.activity)

    @cached_property
    def asked_at(self) -> tuple[float, ...]:
        """When BILL was last asked for news of each of ``POLLED``, in seconds; long ago of those
        where it has said that there are."""
        connected = self.connected_at.timestamp()
        never = self.last_success_at.timestamp() if self.last_success_at else connected
        asked = (self.looked_at.get(table) for table in POLLED)
        return tuple(
            datetime.fromisoformat(at).timestamp() if at else never if at is None else connected
            for at in asked
        )

    @property
    def is_syncable(self) -> bool:
        return self.state not in (State.RECONNECT, State.PAUSED)


_STATUS_COLUMNS = [f.name for f in fields(ClientStatus)]
_SELECT_STATUS = f"select {', '.join(_STATUS_COLUMNS)} from clients"
_SETTABLE = set(_STATUS_COLUMNS) - {"client", "organization_id", "environment", "connected_at"}


def utc_now() -> datetime:
    return datetime.now(UTC)


class Registry:
    """All clients of one home. Every method is one short transaction."""

    def __init__(self, home: Home) -> None:
        """Raises NewerHome."""
        self.home = home
        migrate_registry(home)

    def database(self) -> AbstractContextManager[sqlite3.Connection]:
        """The registry's tables, in one transaction."""
        return open_registry(self.home)

    @contextlib.contextmanager
    def held(self) -> Iterator[list[ClientStatus]]:
        """Every client by name, while nobody else changes any."""
        with self.database() as db:
            if exists(self.home):
                db.execute("begin immediate")
            yield _statuses_of(db.execute(_SELECT_STATUS + " order by client"))

    def connect(
        self,
        client: str,
        connection: Connection,
        *,
        environment: str,
        allow_duplicate: bool = True,
    ) -> None:
        """Add ``client``, or give a connected one a new token.

        Raises ClientAlreadyConnected when the name, or the file that lies under it, belongs to
        another organization (two organizations' documents must never meet in one file) and, unless
        ``allow_duplicate``, when the organization is connected under another name, or was until
        the registry was lost: its amounts would be counted twice. Raises PipelineError when that
        file cannot be read.
        """
        require_client_name(client)
        names, organization_id = self.names(), connection.organization_id
        require_own_file(self.home, client, organization_id, is_connected=client in names)
        if not allow_duplicate:
            known = {*names, *self.disconnected()}
            require_no_other_file(self.home, client, organization_id, known)
        vault = Vault.of(self.home)
        make_registry(self.home)
        with self.database() as db:
            row = db.execute(
                "select organization_id from clients where client = ?", [client]
            ).fetchone()
            if row and row["organization_id"] != connection.organization_id:
                raise ClientAlreadyConnected(
                    f"{client!r} is already connected to organization {row['organization_id']}. "
                    f"Choose another name, or `bill-pipeline disconnect {client} --purge` first."
                )
            twin = db.execute(
                "select client from clients "
                "where organization_id = ? and base_url = ? and client <> ?",
                [connection.organization_id, connection.base_url, client],
            ).fetchone()
            if twin and not allow_duplicate:
                raise ClientAlreadyConnected(
                    f"Organization {connection.organization_id} is already connected as "
                    f"{twin['client']!r}. Connected twice, its amounts would count twice in the "
                    "firm's reports. Use that client, or connect again with --allow-duplicate."
                )
            db.execute(
                """
                insert into clients (client, organization_id, environment, base_url, v2_url,
                    token_name_sealed, token_password_sealed, dev_key_sealed, state, connected_at)
                values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                on conflict (client) do update set
                    environment = excluded.environment, base_url = excluded.base_url,
                    v2_url = excluded.v2_url, token_name_sealed = excluded.token_name_sealed,
                    token_password_sealed = excluded.token_password_sealed,
                    dev_key_sealed = excluded.dev_key_sealed,
                    state = case when last_success_at is null then 'connected'
                        else 'up_to_date' end,
                    failure_count = 0, error = null, remedy = null, next_sync_at = null
                """,
                [
                    client,
                    connection.organization_id,
                    environment,
                    connection.base_url,
                    connection.v2_url,
                    vault.seal(SecretStr(connection.token_name)),
                    vault.seal(connection.token_password),
                    vault.seal(connection.dev_key),
                    State.CONNECTED,
                    utc_now().isoformat(),
                ],
            )
            db.execute("delete from sessions where client = ?", [client])
            db.execute("delete from disconnected where client = ?", [client])

    def organization_of(self, client: str) -> str | None:
        """To which organization ``client`` is connected; None: to none, or its row is damaged."""
        try:
            return self.status(client).organization_id or None
        except UnknownClient:
            return None

    def has_had_books(self, client: str) -> bool:
        """Whether a sync of ``client`` was ever finished; not of one that is not connected."""
        try:
            status = self.status(client)
        except UnknownClient:
            return False
        return status.last_success_at is not None or status.document_count > 0

    def require_file(self, client: str) -> None:
        """Raises BooksMissing when ``client`` has had books and its file is not there."""
        path = self.home.client_file(client)
        if not path.exists() and self.has_had_books(client):
            raise BooksMissing(client, path)

    def unknown_files(self) -> list[str]:
        """Clients whose files are here though nobody is connected under their name, nor was
        disconnected: this registry is older than they are, or was made anew.
        """
        return files_of_others(self.home, {*self.names(), *self.disconnected()})

    def disconnected(self) -> set[str]:
        """Clients that somebody disconnected and nobody connected again."""
        with self.database() as db:
            return {row["client"] for row in db.execute("select client from disconnected")}

    def connection(self, client: str) -> Connection:
        """How to log in to ``client``'s BILL account. Raises UnknownClient, VaultError."""
        with self.database() as db:
            row = db.execute("select * from clients where client = ?", [client]).fetchone()
        if row is None:
            raise UnknownClient(client)
        vault = Vault.of(self.home)
        return Connection(
            organization_id=row["organization_id"],
            token_name=vault.open(row["token_name_sealed"]).get_secret_value(),
            token_password=vault.open(row["token_password_sealed"]),
            dev_key=vault.open(row["dev_key_sealed"]),
            base_url=row["base_url"],
            v2_url=row["v2_url"],
        )

    def status(self, client: str) -> ClientStatus:
        """Raises UnknownClient."""
        for status in self._statuses("where client = ?", [client]):
            return status
        raise UnknownClient(client)

    def all(self) -> list[ClientStatus]:
        """Every client, by name."""
        return self._statuses("order by client", [])

    def waiting(self) -> list[ClientStatus]:
        """The clients with lines to review, those with most of them first."""
        return self._statuses("where review_count > 0 order by review_count desc, client", [])

    def unpublished(self) -> list[ClientStatus]:
        """The clients whose books were built and are not published yet."""
        return self._statuses("where unpublished_since is not null order by client", [])

    def names(self) -> list[str]:
        with self.database() as db:
            found = [row["client"] for row in db.execute("select client from clients order by 1")]
        return [name for name in found if _is_client(name)]

    def syncable(self) -> list[str]:
        """The clients that are neither paused nor waiting for a new token."""
        return [status.client for status in self.all() if status.is_syncable]

    def _statuses(self, clause: str, values: list[Any]) -> list[ClientStatus]:
        with self.database() as db:
            rows = db.execute(f"{_SELECT_STATUS} {clause}", values).fetchall()
        return _statuses_of(rows)

    def update(self, client: str, **changes: Any) -> None:
        """Set columns of the client's status; a paused one stays so until somebody ``resume``s it.

        Raises UnknownClient, and ValueError for a column that is not part of the status.
        """
        if unknown := set(changes) - _SETTABLE:
            raise ValueError(f"Not part of a client's status: {', '.join(sorted(unknown))}")
        values = {name: stored(value) for name, value in changes.items()}
        # Work that began before the pause ends after it, and says how it ended.
        new = {"state": f"iif(state = '{State.PAUSED}', state, :state)"}
        assignments = ", ".join(f"{name} = {new.get(name, f':{name}')}" for name in values)
        with self.database() as db:
            cursor = db.execute(
                f"update clients set {assignments} where client = :client",
                {**values, "client": client},
            )
        if cursor.rowcount == 0:
            raise UnknownClient(client)

    def resume(self, client: str) -> None:
        """Have a paused client synced again, at once. Raises UnknownClient."""
        begun = State.UP_TO_DATE if self.status(client).last_success_at else State.CONNECTED
        sql = "update clients set state = ?, next_sync_at = null where client = ?"
        with self.database() as db:
            db.execute(sql, [begun, client])

    def disconnect(self, client: str, *, purge: bool) -> None:
        """Forget the client's token; with ``purge`` its books as well.

        Published data go with the next publication: ``leaving.disconnect`` does all of it. A client
        that only its file or the published ledger knows is disconnected just so.
        """
        require_client_name(client)
        make_registry(self.home)
        with self.database() as db:
            db.execute("delete from sessions where client = ?", [client])
            db.execute("delete from clients where client = ?", [client])
            db.execute(
                "insert or replace into disconnected values (?, ?)", [client, utc_now().isoformat()]
            )
        if purge:
            delete_files(self.home, client)

    def reseal(self) -> int:
        """Seal every stored secret with the vault's first key; returns how many clients."""
        vault = Vault.of(self.home)
        sealed = ["token_name_sealed", "token_password_sealed", "dev_key_sealed"]
        with self.database() as db:
            rows = db.execute(f"select client, {', '.join(sealed)} from clients").fetchall()
            for row in rows:
                db.execute(
                    f"update clients set {', '.join(f'{name} = ?' for name in sealed)} "
                    "where client = ?",
                    [*(vault.reseal(row[name]) for name in sealed), row["client"]],
                )
            db.execute("delete from sessions")
        return len(rows)


def _statuses_of(rows: Iterable[sqlite3.Row]) -> list[ClientStatus]:
    now = utc_now()
    return [_status_of(row, now) for row in rows if _is_client(row["client"])]


@cache
def _is_client(name: object) -> bool:
    """Whether a row is a client's: what cannot name a file is left out, said once a process."""
    if isinstance(name, str) and CLIENT_NAME.fullmatch(name):
        return True
    _log.warning("registry.sqlite has a row of %r, which cannot be a client: it is left out.", name)
    return False


def _status_of(row: sqlite3.Row, now: datetime) -> ClientStatus:
    """What the row says; what cannot be read there is unknown, and the next sync writes it anew.

    One client's damaged row must not keep anybody from reading the others'.
    """
    values: dict[str, Any] = {"organization_id": "", "environment": ""}
    values |= read_values(row, (name for name in _STATUS_COLUMNS if name != "state"), now)
    try:
        values["state"] = State(row["state"])
    except ValueError:
        values |= {
            "state": State.FAILING,
            "error": f"Its state in registry.sqlite, {row['state']!r}, is none that we know.",
            "remedy": f"Run `bill-pipeline sync {row['client']}`, or `pause` as it may have been.",
        }
    return ClientStatus(**values)
