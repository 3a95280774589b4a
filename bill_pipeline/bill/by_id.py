"""Ask for documents by their ids: fifty at a time where a list can, the others one by one."""

from __future__ import annotations

from collections.abc import Iterable

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.documents import Document
from bill_pipeline.bill.lists import BillList
from bill_pipeline.bill.page_requests import NOT_OFFERED, REFUSED
from bill_pipeline.bill.pages import read_by_ids
from bill_pipeline.bill.stored import KnownDocuments, read_or_tombstone

# BILL refused so many documents in a row, each by itself: it would refuse the rest as well.
MOST_REFUSALS = 5


def read_each(
    api: BillApi, row: BillList, known: KnownDocuments, ids: Iterable[str], *, singly: bool = False
) -> tuple[list[Document], list[str]]:
    """The documents of ``ids`` as BILL has them now, and the ids that it refuses to show.

    One that BILL no longer has comes as its last content marked as deleted. ``singly`` asks for
    one at a time, where a list shows less of a document than reading it does. Raises ``BillError``
    for what concerns more than a document.
    """
    wanted = list(ids)
    found: list[Document] = []
    if row.has_id_filter and not singly:
        try:
            found = read_by_ids(api, row, wanted)
        except errors.RequestRefused as refusal:
            if refusal.status not in REFUSED:
                raise
        except errors.PermissionMissing:
            return [], wanted
    shown = {document.id for document in found}
    refused: list[str] = []
    for document_id in wanted:
        if document_id in shown:
            continue
        if len(refused) >= MOST_REFUSALS:
            refused.append(document_id)
            continue
        try:
            found.extend(read_or_tombstone(api, row, known, document_id))
        except errors.BillError as error:
            if error.code == NOT_OFFERED:
                break  # this list has no reading by id
            if not errors.refuses_list(error):
                raise
            refused.append(document_id)
    return found, refused
