"""A page of BILL's JSON as whole documents, with no digit of an amount lost.

Documents are stored as text with their keys sorted, so that the same content always has the
same hash. Python's floats hold 15 digits exactly; pages with longer numbers take a slower way
that never turns a number into a float.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa

# A number of 16 characters or more where JSON allows a number.
_LONG_NUMBER = re.compile(rb"[:\[,]\s*-?[0-9.eE+-]{16}")
_CANONICAL = orjson.OPT_SORT_KEYS

ARROW_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("updated_at", pa.timestamp("us")),  # UTC
        pa.field("is_archived", pa.bool_(), nullable=False),
        pa.field("is_deleted", pa.bool_(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),
        pa.field("document", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Document:
    """One object of BILL as it was read: ``text`` is its whole JSON, keys sorted."""

    id: str
    updated_at: datetime | None  # BILL's updatedTime, UTC; None when it has none
    is_archived: bool
    is_deleted: bool
    content_hash: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Stray:
    """Something in a list that cannot be a document, because it has no id."""

    reason: str
    text: str


def parse_exactly(content: bytes) -> Any:
    """JSON as Python values; numbers too long for a float stay text inside.

    Raises ``ValueError`` when ``content`` is not JSON.
    """
    if _LONG_NUMBER.search(content):
        return json.loads(
            content,
            parse_float=orjson.Fragment,
            parse_int=_whole_number,
            parse_constant=_refuse_constant,
        )
    return orjson.loads(content)


def _whole_number(digits: str) -> Any:
    return int(digits) if len(digits) < 16 else orjson.Fragment(digits)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def split(rows: Iterable[Any], id_field: str = "id") -> tuple[list[Document], list[Stray]]:
    """The documents among ``rows`` in their order, and what cannot be one."""
    documents: list[Document] = []
    strays: list[Stray] = []
    for row in rows:
        document_id = row.get(id_field) if isinstance(row, dict) else None
        if isinstance(document_id, str) and document_id:
            documents.append(document_of(document_id, row))
        else:
            strays.append(Stray("it has no id", orjson.dumps(row, option=_CANONICAL).decode()))
    return documents, strays


def document_of(document_id: str, row: dict[str, Any], *, is_deleted: bool = False) -> Document:
    text = orjson.dumps(row, option=_CANONICAL)
    return Document(
        id=document_id,
        updated_at=timestamp(row.get("updatedTime")),
        # v2 says isActive "2" where v3 says archived.
        is_archived=row.get("archived") is True or str(row.get("isActive", "1")) == "2",
        is_deleted=is_deleted,
        content_hash=hashlib.blake2b(text, digest_size=16).hexdigest(),
        text=text,
    )


def is_reference(text: str) -> bool:
    """Whether ``text`` can be an id: one that names nothing is "" or zeros only in BILL."""
    return bool(text.strip(" \t0-"))


def timestamp(text: Any) -> datetime | None:
    """BILL's ``2026-03-16T15:01:43.900+00:00`` (v2: ``+0000``) in UTC; ``None`` for anything else.

    A time without a zone is taken as UTC: every sample of BILL is.
    """
    if not isinstance(text, str) or len(text) < 16:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def arrow_table(documents: Iterable[Document]) -> pa.Table:
    """The documents as one Arrow table of ``ARROW_SCHEMA``."""
    rows = list(documents)
    columns = [
        pa.array([row.id for row in rows], pa.string()),
        pa.array([_naive(row.updated_at) for row in rows], pa.timestamp("us")),
        pa.array([row.is_archived for row in rows], pa.bool_()),
        pa.array([row.is_deleted for row in rows], pa.bool_()),
        pa.array([row.content_hash for row in rows], pa.string()),
        pa.array([row.text.decode() for row in rows], pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=ARROW_SCHEMA)


def _naive(moment: datetime | None) -> datetime | None:
    """Without its zone, which is UTC: SQL's plain timestamps are UTC throughout."""
    return None if moment is None else moment.replace(tzinfo=None)
