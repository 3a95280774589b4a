"""What the reading needs to know of the documents stored already, and how it uses it.

Where they are stored is the caller's business: it implements ``KnownDocuments``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import orjson

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.documents import Document, document_of, is_reference
from bill_pipeline.bill.lists import BillList
from bill_pipeline.bill.pages import read_one


class KnownDocuments(Protocol):
    """What is stored already. Implemented where the documents are kept."""

    def hashes(self, table: str, ids: list[str]) -> dict[str, str]:
        """The content hash of each of ``ids`` that is stored and not marked as deleted."""

    def texts(self, table: str, ids: list[str]) -> dict[str, bytes]:
        """The stored documents of ``ids``, those marked as deleted left out."""

    def next_id(self, table: str, document_id: str) -> str | None:
        """The smallest stored id after ``document_id``, or ``None``."""


def read_or_tombstone(
    api: BillApi, row: BillList, known: KnownDocuments, document_id: str
) -> list[Document]:
    """The document; or, when BILL no longer has it, its last content marked as deleted."""
    try:
        return [read_one(api, row, document_id)]
    except errors.DocumentGone:
        return tombstone(known, row.table, document_id)


def tombstone(known: KnownDocuments, table: str, document_id: str) -> list[Document]:
    """The stored document marked as deleted; nothing when it was never stored."""
    text = known.texts(table, [document_id]).get(document_id)
    if text is None:
        return []
    last = document_of(document_id, orjson.loads(text))
    return [
        Document(
            id=document_id,
            updated_at=last.updated_at,
            is_archived=last.is_archived,
            is_deleted=True,
            content_hash=f"deleted-{last.content_hash}",
            text=text,
        )
    ]


def ids_at(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    """The ids that ``value`` names at ``path``, looking into every array on the way."""
    if isinstance(value, list):
        for item in value:
            yield from ids_at(item, path)
    elif not path:
        if isinstance(value, str) and is_reference(value):
            yield value
    elif isinstance(value, dict):
        yield from ids_at(value.get(path[0]), path[1:])
