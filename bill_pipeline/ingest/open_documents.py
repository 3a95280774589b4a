"""Compare what is still open with BILL, in a few requests: the daily part of reconciliation.

Comparing all of a client costs a request per hundred documents it ever had. Money can only be wrong
where something is open, so once a day the open bills, invoices and receipts are asked for by id,
fifty in one request: by the day's first whole sync, and by the nightly job, which reads a client
that differs in full. What lies closed is compared over the week (``bill.comparing``).
"""

from __future__ import annotations

from pathlib import Path

from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.errors import BillError, refuses_list
from bill_pipeline.bill.lists import LISTS
from bill_pipeline.bill.pages import IDS_PER_REQUEST, read_by_ids
from bill_pipeline.ingest.raw import make_raw_tables, open_client_file

#: What is still open in each list, as BILL states it.
OPEN_AMOUNTS = {
    "bills": "dueAmount",
    "invoices": "dueAmount",
    "received_payments": "unappliedAmount",
}
#: A list with more open documents than this is compared by its newest ones: 20 requests.
MOST_OPEN = 1_000


def open_documents(database: Path) -> dict[str, dict[str, str]]:
    """List → id → content hash of what the file holds as open, archived documents left out."""
    with open_client_file(database) as connection:
        make_raw_tables(connection)
        return {
            table: dict(
                connection.execute(
                    f"select id, content_hash from raw.{table} "
                    "where not is_deleted and not is_archived "
                    f"and try_cast(document->>'$.{amount}' as decimal(18, 3)) <> 0 "
                    "order by updated_at desc limit ?",
                    [MOST_OPEN if LISTS[table].has_id_filter else IDS_PER_REQUEST],
                ).fetchall()
            )
            for table, amount in OPEN_AMOUNTS.items()
        }


def differing(api: BillApi, expected: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """List → ids of ``expected`` that BILL has otherwise or no longer. Raises ``BillError``."""
    found = {table: _differing(api, table, hashes) for table, hashes in expected.items()}
    return {table: ids for table, ids in found.items() if ids}


def _differing(api: BillApi, table: str, hashes: dict[str, str]) -> list[str]:
    ids = sorted(hashes)
    now: dict[str, str] = {}
    for at in range(0, len(ids), IDS_PER_REQUEST):
        try:
            documents = read_by_ids(api, LISTS[table], ids[at : at + IDS_PER_REQUEST])
        except BillError as error:
            if not refuses_list(error):
                raise
            return []  # a list that may no longer be read tells nothing; the sync says so
        now.update((document.id, document.content_hash) for document in documents)
    return [one for one in ids if now.get(one) != hashes[one]]
