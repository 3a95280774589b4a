"""What the reading needs to know of the documents stored already, and how it uses it.

Where they are stored is the caller's business: it implements ``KnownDocuments``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

import orjson

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.documents import Document, document_of, hash_of_deleted, is_reference
from bill_pipeline.bill.lists import BillList
from bill_pipeline.bill.pages import read_one
from bill_pipeline.bill.spans import Span


class KnownDocuments(Protocol):
    """What is stored already. Implemented where the documents are kept."""

    def hashes(self, table: str, ids: list[str]) -> dict[str, str]:
        """The content hash of each of ``ids`` that is stored and not marked as deleted."""

    def texts(self, table: str, ids: list[str]) -> dict[str, bytes]:
        """The stored documents of ``ids``, those marked as deleted left out."""

    def next_id(self, table: str, document_id: str) -> str | None:
        """The smallest stored id after ``document_id``, or ``None``."""

    def ids_within(self, table: str, span: Span) -> set[str]:
        """The ids stored with a time within ``span``, those marked as deleted left out."""

    def ids_below(self, row: BillList, parents: Iterable[str]) -> dict[str, set[str]]:
        """Parent → the ids stored below it, of a list that hangs below another."""


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
            content_hash=hash_of_deleted(last.content_hash),
            text=text,
        )
    ]


def ids_not_shown(
    row: BillList,
    known: KnownDocuments,
    spans: Iterable[Span],
    below: Mapping[str, set[str]],
) -> set[str]:
    """What is stored where ``row`` was read and was not shown: in ``spans``, or below parents."""
    absent = {one for span in spans for one in known.ids_within(row.table, span) - span.ids}
    if row.can_vanish and below:
        stored = known.ids_below(row, below)
        absent |= {one for parent, ids in stored.items() for one in ids - below[parent]}
    return absent


def named_by(row: BillList, known: KnownDocuments, changed: list[Document]) -> dict[str, set[str]]:
    """By list, the ids of the documents that those ``changed`` name, and that they named before.

    A receipt that moved to another invoice changed the one it left as well.
    """
    if not row.touches:
        return {}
    before = known.texts(row.table, [document.id for document in changed])
    contents = [orjson.loads(text) for text in (*before.values(), *(d.text for d in changed))]
    found: dict[str, set[str]] = {}
    for touch in row.touches:
        ids = (one for content in contents for one in ids_at(content, touch.path))
        found.setdefault(touch.table, set()).update(ids)
    return found


def silent_halves(
    rows: Iterable[BillList],
    row: BillList,
    changed: list[Document],
    known_until: Mapping[str, datetime],
) -> dict[str, set[str]]:
    """By list, what v2 says of those ``changed`` whose times lie before what was read there.

    Paying a bill may move its time on neither plane, and both say what is paid.
    """
    found: dict[str, set[str]] = {}
    for half in rows:
        until = known_until.get(half.table)
        if half.is_half_of == row.table and until is not None:
            silent = {d.id for d in changed if d.updated_at and d.updated_at <= until}
            found |= {half.table: silent} if silent else {}
    return found


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
