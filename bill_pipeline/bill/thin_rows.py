"""Lists whose rows may leave out fields that reading a document by its id shows."""

from __future__ import annotations

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.cursor import Cursor
from bill_pipeline.bill.documents import Document
from bill_pipeline.bill.lists import BillList
from bill_pipeline.bill.pages import read_one

# So many documents are read one by one to find out whether a list shows them whole.
ROWS_TO_TELL = 3


def whole(api: BillApi, row: BillList, cursor: Cursor, documents: list[Document]) -> list[Document]:
    """The documents with all their fields, read one by one where the list's rows are thin.

    What is found out of the list is noted in ``cursor``. Raises ``BillError``.
    """
    fields = row.read_whole_for
    if not fields or not documents or cursor.has_thin_rows is False:
        return documents
    if cursor.has_thin_rows is None and not any(_has(one, fields) for one in documents):
        some = [_read_again(api, row, one) for one in documents[:ROWS_TO_TELL]]
        cursor.has_thin_rows = any(_has(one, fields) for one in some)
    if not cursor.has_thin_rows:
        return documents
    return [_read_again(api, row, one) for one in documents]


def _read_again(api: BillApi, row: BillList, document: Document) -> Document:
    try:
        return read_one(api, row, document.id)
    except (errors.DocumentGone, errors.PermissionMissing):
        return document


def _has(document: Document, fields: tuple[str, ...]) -> bool:
    return any(f'"{name}":'.encode() in document.text for name in fields)
