"""What BILL had no longer, and shows again: an outage hid it, and its updatedTime did not move.

A list that is read by time never shows it. So what was found gone lately is asked for by its id.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.errors import BillError, refuses_list
from bill_pipeline.bill.lists import BillList
from bill_pipeline.bill.pages import IDS_PER_REQUEST, read_by_ids
from bill_pipeline.ingest.document_versions import gone_lately
from bill_pipeline.ingest.raw import open_client_file

LOOKED_FOR = timedelta(days=30)
#: Of each list: four requests where BILL takes many ids at once, else a request for each.
_MOST_AT_ONCE = 200
_MOST_SINGLY = 10


def to_read_again(
    api: BillApi, database: Path, rows: Iterable[BillList], now: datetime
) -> dict[str, list[str]]:
    """List → ids of documents that were gone and are worth reading again. Raises ``BillError``."""
    missed = {row.table: row for row in rows if row.can_be_missed}
    with open_client_file(database) as connection:
        gone = gone_lately(connection, missed, now - LOOKED_FOR, _MOST_AT_ONCE)
    return {
        table: _shown(api, missed[table], ids)
        if missed[table].has_id_filter
        else ids[:_MOST_SINGLY]
        for table, ids in gone.items()
    }


def _shown(api: BillApi, row: BillList, ids: list[str]) -> list[str]:
    shown: list[str] = []
    for at in range(0, len(ids), IDS_PER_REQUEST):
        try:
            documents = read_by_ids(api, row, ids[at : at + IDS_PER_REQUEST])
        except BillError as error:
            if not refuses_list(error):
                raise
            return []  # a list that may no longer be read tells nothing; the sync says so
        shown.extend(document.id for document in documents)
    return shown
