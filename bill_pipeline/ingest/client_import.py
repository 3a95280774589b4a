"""The ways into BILL by client: check the access, import, check for changes, compare.

Each opens BILL with what the home keeps: the shared request budget and the sealed session. How an
import goes is in ``loading``; what BILL offers, in ``bill``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from bill_pipeline.at_rest import make_private
from bill_pipeline.bill import errors
from bill_pipeline.bill.api import DEFAULT_PATIENCE_SECONDS, BillApi
from bill_pipeline.bill.beliefs.observer import CappedBudget
from bill_pipeline.bill.beliefs.report import BeliefReport, check_beliefs
from bill_pipeline.bill.budget import RequestBudget, SharedBudget
from bill_pipeline.bill.clock import Clock, SystemClock
from bill_pipeline.bill.connection import Connection
from bill_pipeline.bill.lists import ESSENTIAL, POLLED, BillList, lists_to_read
from bill_pipeline.bill.pages import Query, read_page
from bill_pipeline.bill.sessions import MemorySessions, SessionStore
from bill_pipeline.ingest import change_check, open_documents
from bill_pipeline.ingest.loading import ImportReport, load_lists
from bill_pipeline.ingest.progress import Progress, Watcher
from bill_pipeline.ingest.reconciliation import compare_lists
from bill_pipeline.registry.clients import Registry
from bill_pipeline.registry.session_store import SealedSessions
from bill_pipeline.settings import Home, Settings

__all__ = [
    "Access",
    "ImportReport",
    "Progress",
    "check_access",
    "compare_client",
    "import_client",
    "lists_with_news",
    "open_bill",
    "open_documents_differ",
    "requests_left",
    "see_beliefs",
]


@dataclass
class Access:
    """What a connection may read: ``refused_lists`` by raw table, with BILL's reason."""

    client: str
    readable_lists: list[str] = field(default_factory=list)
    refused_lists: dict[str, str] = field(default_factory=dict)

    @property
    def is_useful(self) -> bool:
        return all(table in self.readable_lists for table in ESSENTIAL)


def open_bill(
    registry: Registry,
    client: str,
    connection: Connection,
    *,
    sessions: SessionStore | None = None,
    budget: RequestBudget | None = None,
    patience_seconds: float = DEFAULT_PATIENCE_SECONDS,
) -> BillApi:
    """BILL for one client, within this home's budget and with its stored session."""
    clock = SystemClock()
    return BillApi(
        connection,
        client=client,
        clock=clock,
        budget=budget or _budget(registry.home, clock),
        sessions=sessions or SealedSessions(registry),
        patience_seconds=patience_seconds,
    )


def requests_left(home: Home) -> int:
    """How many requests to BILL this hour still has, for all clients together."""
    return _budget(home).left()


def _budget(home: Home, clock: Clock | None = None) -> SharedBudget:
    settings = Settings.now()
    make_private(home.budget)
    return SharedBudget(
        home.budget,
        clock=clock,
        requests_per_hour=settings.requests_per_hour,
        journal_mode=settings.sqlite_journal_mode,
    )


def import_client(
    registry: Registry,
    client: str,
    connection: Connection,
    *,
    as_of: datetime,
    full: bool = False,
    since: date | None = None,
    tables: Iterable[str] | None = None,
    progress: Watcher | None = None,
) -> ImportReport:
    """Bring the client's raw tables and archive up to date; see ``loading.load_lists``.

    ``progress`` is called after each page, from several threads. Raises ``BillError``.
    """
    settings = Settings.now()
    with open_bill(registry, client, connection) as api:
        return load_lists(
            api,
            database=registry.home.client_file(client),
            dlt_folder=registry.home.dlt_folder(client),
            as_of=as_of,
            full=full,
            since=since,
            tables=tables,
            with_v2=settings.read_v2,
            with_documents=settings.read_documents,
            progress=progress,
            requests_per_hour=settings.requests_per_hour / max(len(registry.names()), 1),
        )


def lists_with_news(
    registry: Registry, client: str, connection: Connection, tables: Iterable[str] = POLLED
) -> list[str] | None:
    """Which lists BILL changed since the last import: one or two requests each, no database.

    ``None`` when all are to be read; see ``change_check.changed_lists``. Raises ``BillError``.
    """
    with open_bill(registry, client, connection) as api:
        folder, database = registry.home.dlt_folder(client), registry.home.client_file(client)
        return change_check.changed_lists(api, folder, database, tables)


def compare_client(
    registry: Registry, client: str, connection: Connection, *, progress: Watcher | None = None
) -> ImportReport:
    """Compare everything with BILL and keep nothing; see ``reconciliation.compare_lists``.

    The caller holds the client's lock. Raises ``BillError``, ``BooksMissing``, ``ForeignBooks``.
    """
    registry.require_file(client)
    with open_bill(registry, client, connection) as api:
        return compare_lists(
            api,
            database=registry.home.client_file(client),
            with_v2=Settings.now().read_v2,
            progress=progress,
        )


def open_documents_differ(registry: Registry, client: str, connection: Connection) -> bool:
    """Whether BILL has any open document otherwise than the client's file; a few requests.

    The caller holds the client's lock. Raises ``BillError``, ``BooksMissing``.
    """
    registry.require_file(client)
    expected = open_documents.open_documents(registry.home.client_file(client))
    with open_bill(registry, client, connection) as api:
        return bool(open_documents.differing(api, expected))


def check_access(registry: Registry, client: str, connection: Connection) -> Access:
    """Log in and ask every list for its first row, before the client is connected.

    Raises ``ConnectionRefused`` and its kin, ``BillUnavailable``, ``HourlyLimit``.
    """
    access = Access(client)
    with open_bill(registry, client, connection, sessions=MemorySessions()) as api:
        api.log_in()
        for row in lists_to_read(with_v2=Settings.now().read_v2):
            if row.parent:
                continue
            try:
                read_page(api, row, Query())
            except errors.BillError as error:
                if not _is_refused(row, error):
                    raise
                access.refused_lists[row.table] = str(error)
            else:
                access.readable_lists.append(row.table)
    return access


def see_beliefs(registry: Registry, client: str, connection: Connection) -> BeliefReport:
    """Look at BILL for what we believe about it; nothing here or there is changed.

    Raises ``BillError`` when BILL cannot be reached or refuses the client.
    """
    budget = CappedBudget(_budget(registry.home))
    with open_bill(registry, client, connection, budget=budget, patience_seconds=0) as api:
        return check_beliefs(api, budget, with_v2=Settings.now().read_v2)


def _is_refused(row: BillList, error: errors.BillError) -> bool:
    return errors.refuses_list(error) or (
        row.is_v2 and not isinstance(error, errors.ConnectionRefused)
    )
