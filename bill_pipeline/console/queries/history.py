"""What is behind a line: every version of its BILL document, every decision on its account."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bill_pipeline.console.queries.ledger import Snapshot

#: Words that change with every reading and would hide what really changed.
_NOISE = {"updatedTime", "updated_at"}


@dataclass(frozen=True)
class DocumentVersion:
    """One version of a document; ``changes`` are (field, before, after) since the one before."""

    version: int
    seen_at: datetime
    updated_at: datetime | None
    is_archived: bool
    is_deleted: bool
    changes: list[tuple[str, str, str]]
    text: str


@dataclass(frozen=True)
class CategoryDecision:
    """One answer to: which account? The last person's counts, else the last machine's."""

    line_id: str
    account_id: str | None
    source: str
    confidence: float | None
    model_version: str | None
    reason: str | None
    decided_at: datetime
    decided_by: str
    is_withdrawn: bool
    parts: list[dict[str, Any]] | None


@dataclass(frozen=True)
class DocumentHistory:
    """Newest first."""

    versions: list[DocumentVersion]
    decisions: list[CategoryDecision]


def document_history(
    books: Snapshot, client: str, document_type: str, document_id: str
) -> DocumentHistory | None:
    """None when the books were published by code that did not publish the history."""
    if not books.has_column("category_decisions", "parts"):
        return None
    of_document = [client, document_type, document_id]
    versions = books.rows(
        """
        select version, seen_at, updated_at, is_archived, is_deleted, document
        from document_versions
        where client = ? and document_type = ? and document_id = ? order by version
        """,
        of_document,
    )
    decisions = books.rows(
        """
        select line_id, account_id, source, confidence, model_version, reason, decided_at,
            decided_by, is_withdrawn, parts
        from category_decisions
        where client = ? and document_type = ? and document_id = ?
        order by decided_at desc, line_id, decision_no desc
        """,
        of_document,
    )
    return DocumentHistory(
        versions=list(_versions([tuple(row.values()) for row in versions]))[::-1],
        decisions=[CategoryDecision(**row) for row in decisions],
    )


def _versions(rows: list[tuple[Any, ...]]) -> Iterator[DocumentVersion]:
    before: dict[str, str] = {}
    for version, seen_at, updated_at, is_archived, is_deleted, text in rows:
        document = json.loads(text)
        fields = dict(_flat(document))
        names = sorted(fields.keys() | before.keys())
        changes = [
            (name, before.get(name, ""), fields.get(name, ""))
            for name in names
            if version > 1
            and before.get(name, "") != fields.get(name, "")
            and name.rpartition(".")[2] not in _NOISE
        ]
        yield DocumentVersion(
            version,
            seen_at,
            updated_at,
            is_archived,
            is_deleted,
            changes,
            json.dumps(document, indent=2, ensure_ascii=False),
        )
        before = fields


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(``billLineItems.1.amount``, ``12.50``) for every leaf of a document."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _flat(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for number, part in enumerate(value, start=1):
            yield from _flat(part, f"{name}.{number}")
    else:
        yield name, "" if value is None else str(value)
