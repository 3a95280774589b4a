"""Compare a client's file with BILL in full, repair what differs, and say what it was.

Between two reconciliations a sync trusts BILL's updatedTime. Here nothing is trusted: every list is
read to its end, every stored document must be seen again, and one that is not is asked for by id
before the books record that BILL no longer has it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.documents import Document
from bill_pipeline.bill.lists import LISTS, BillList
from bill_pipeline.bill.stored import read_or_tombstone, tombstone
from bill_pipeline.loading import load_lists, store_documents
from bill_pipeline.progress import Watcher
from bill_pipeline.raw import StoredDocuments, make_tables, opened

if TYPE_CHECKING:
    import duckdb

#: What is still open in each list, as BILL states it.
OPEN_AMOUNTS = {
    "bills": "dueAmount",
    "invoices": "dueAmount",
    "received_payments": "unappliedAmount",
}
# One request each; the rest waits for the next night.
MOST_VANISHED_PER_LIST = 500


@dataclass
class ReconciliationReport:
    """What differed between the file and BILL; all of it is repaired. Dictionaries are by list."""

    client: str
    as_of: datetime
    compared: dict[str, int] = field(default_factory=dict)  # documents seen at BILL
    drifted: dict[str, int] = field(default_factory=dict)  # changed, but no sync had noticed
    missing: dict[str, int] = field(default_factory=dict)  # at BILL, not in the file
    vanished: dict[str, int] = field(default_factory=dict)  # in the file, no longer at BILL
    open_before: dict[str, Decimal] = field(default_factory=dict)  # open amounts in the file
    open_at_bill: dict[str, Decimal] = field(default_factory=dict)
    skipped_lists: dict[str, str] = field(default_factory=dict)
    changed: int = 0  # versions added to the archive, ordinary changes included
    requests: int = 0
    seconds: float = 0.0

    @property
    def has_drift(self) -> bool:
        return bool(self.drifted or self.missing or self.vanished)


def reconcile_lists(
    api: BillApi,
    *,
    database: Path,
    dlt_folder: Path,
    as_of: datetime,
    tables: Iterable[str] | None = None,
    with_v2: bool = True,
    progress: Watcher | None = None,
) -> ReconciliationReport:
    """Read everything, repair what differs. Raises ``BillError``; what was read stays stored."""
    started = monotonic()
    report = ReconciliationReport(api.client, as_of)
    wanted = None if tables is None else list(tables)
    # First an ordinary sync, so that what changed since the last one does not count as drift.
    synced = load_lists(
        api, database=database, dlt_folder=dlt_folder, as_of=as_of, tables=wanted, with_v2=with_v2
    )
    report.open_before = open_amounts(database)
    seen = _SeenIds()
    full = load_lists(
        api,
        database=database,
        dlt_folder=dlt_folder,
        as_of=as_of,
        full=True,
        tables=wanted,
        with_v2=with_v2,
        progress=progress,
        seen=seen.add,
    )
    report.drifted, report.missing = full.archive.changed, full.archive.new
    report.skipped_lists = full.skipped_lists
    report.compared = {table: len(ids) for table, ids in seen.ids.items()}
    complete = [table for table in full.documents if table not in full.skipped_lists]
    gone = _vanished(api, database, complete, seen.ids)
    if gone:
        archived = store_documents(
            api.client, gone, database=database, dlt_folder=dlt_folder, as_of=as_of
        )
        report.vanished = archived.deleted
        report.changed += archived.versions
    report.open_at_bill = open_amounts(database)
    report.changed += synced.changed + full.changed
    report.requests = api.requests
    report.seconds = monotonic() - started
    return report


def open_amounts(database: Path) -> dict[str, Decimal]:
    """The sum of what is open in each list that states it, archived documents left out."""
    with opened(database) as connection:
        make_tables(connection)
        return {
            table: _open_amount(connection, table, name) for table, name in OPEN_AMOUNTS.items()
        }


def _open_amount(connection: duckdb.DuckDBPyConnection, table: str, name: str) -> Decimal:
    found = connection.execute(
        f"select coalesce(sum(try_cast(document->>'$.{name}' as decimal(18, 2))), 0) "
        f"from raw.{table} where not is_deleted and not is_archived"
    ).fetchone()
    return Decimal(found[0]) if found else Decimal(0)


def _vanished(
    api: BillApi, database: Path, tables: Iterable[str], seen: dict[str, set[str]]
) -> dict[str, list[Document]]:
    """Stored documents that the full reading did not show, as BILL has them now."""
    known = StoredDocuments(database)
    found: dict[str, list[Document]] = {}
    for table in tables:
        with opened(database) as connection:
            stored = connection.execute(
                f"select id from raw.{table} where not is_deleted"
            ).fetchall()
        absent = sorted({document_id for (document_id,) in stored} - seen.get(table, set()))
        documents = [
            document
            for document_id in absent[:MOST_VANISHED_PER_LIST]
            for document in _now(api, LISTS[table], known, document_id)
        ]
        if documents:
            found[table] = documents
    return found


def _now(api: BillApi, row: BillList, known: StoredDocuments, document_id: str) -> list[Document]:
    if row.can_vanish and (row.parent or row.shape != "pages"):
        # The whole list came in one answer and can lose documents: absent is gone.
        return tombstone(known, row.table, document_id)
    if row.is_v2 or row.parent or row.shape != "pages":
        return []  # BILL never deletes these; a list that hides one proves nothing
    try:
        return read_or_tombstone(api, row, known, document_id)
    except errors.BillError as error:
        if not errors.refuses_list(error):
            raise
        return []


class _SeenIds:
    """Every id that a reading showed, by list; filled from several threads."""

    def __init__(self) -> None:
        self.ids: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def add(self, table: str, documents: list[Document]) -> None:
        with self._lock:
            self.ids.setdefault(table, set()).update(document.id for document in documents)
