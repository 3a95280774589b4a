"""A page of BILL's JSON as whole documents, with no digit of an amount lost.

Documents are stored as text with their keys sorted, so that the same content always has the
same hash. Floats, DuckDB's as well as Python's, hold 15 digits exactly; pages with longer numbers
take a slower way, and a number that no float holds is stored as text.

What is no JSON by the letter and can be read all the same (NaN, raw control characters, half a
surrogate, bytes that are no UTF-8) concerns the document it is in, not its page: characters that
are none become U+FFFD, and NaN becomes text, which is no amount.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa

# Control characters but tab and line ends, as orjson writes them; and those of Unicode.
_CONTROL = re.compile(rb"\\(u00[01]|[bf])")
_NO_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
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
    updated_at: datetime | None = None


def parse_exactly(content: bytes) -> Any:
    """JSON as Python values; numbers that no float holds come as text.

    Raises ``ValueError`` when ``content`` cannot be read as JSON.
    """
    if not _LONG_NUMBER.search(content):
        with contextlib.suppress(orjson.JSONDecodeError):
            return orjson.loads(content)
    try:
        return json.loads(
            content.decode("utf-8", "replace"),
            strict=False,
            parse_float=_fraction,
            parse_int=_whole_number,
            parse_constant=str,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _fraction(digits: str) -> Any:
    """The number as BILL wrote it, in quotes where reading it as a float would change it."""
    number = float(digits)
    is_held = math.isfinite(number) and Decimal(repr(number)) == Decimal(digits)
    return orjson.Fragment(digits) if is_held else digits


def _whole_number(digits: str) -> Any:
    return int(digits) if len(digits) < 16 else orjson.Fragment(digits)


def split_rows(rows: Iterable[Any], id_field: str = "id") -> tuple[list[Document], list[Stray]]:
    """The documents among ``rows`` in their order, and what cannot be one."""
    documents: list[Document] = []
    strays: list[Stray] = []
    for row in rows:
        document_id = row.get(id_field) if isinstance(row, dict) else None
        if isinstance(document_id, str) and document_id.isprintable() and document_id:
            documents.append(document_of(document_id, row))
        else:
            moment = timestamp(row.get("updatedTime")) if isinstance(row, dict) else None
            strays.append(Stray("it has no id", _canonical(row).decode(), moment))
    return documents, strays


def document_of(document_id: str, row: dict[str, Any], *, is_deleted: bool = False) -> Document:
    text = _canonical(row)
    return Document(
        id=document_id,
        updated_at=timestamp(row.get("updatedTime")),
        # v2 says isActive "2" where v3 says archived.
        is_archived=row.get("archived") is True or str(row.get("isActive", "1")) == "2",
        is_deleted=is_deleted,
        content_hash=hash_of(text),
        text=text,
    )


def hash_of(text: bytes) -> str:
    """The content hash of a document's canonical JSON."""
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def hash_of_deleted(content_hash: str) -> str:
    """The content hash of a document that is gone at BILL, and whose last text had this one."""
    return f"deleted-{content_hash}"


def is_reference(text: str) -> bool:
    """Whether ``text`` can be an id: one that names nothing is "" or zeros only in BILL."""
    return bool(text.strip(" \t0-"))


def _canonical(row: Any) -> bytes:
    """The JSON of ``row``, keys sorted, without characters that are none."""
    try:
        text = orjson.dumps(row, option=_CANONICAL)
    except TypeError:  # half a surrogate
        return orjson.dumps(_cleaned(row), option=_CANONICAL)
    return orjson.dumps(_cleaned(row), option=_CANONICAL) if _CONTROL.search(text) else text


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _NO_CHARACTERS.sub("�", value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(one) for name, one in value.items()}
    return value


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
