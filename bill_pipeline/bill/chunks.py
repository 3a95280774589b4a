"""What an import reads at a time: the documents that changed, and the state that goes with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bill_pipeline.bill.documents import Document, Stray

ListState = dict[str, Any]


@dataclass
class ListOutcome:
    """What reading one list brought in this import."""

    pages: int = 0
    documents: int = 0
    first_page_seconds: float = 0.0
    skipped: str = ""  # why the list was left out


@dataclass
class Chunk:
    """Changed documents by table, what could not be a document, and the state behind them."""

    documents: dict[str, list[Document]] = field(default_factory=dict)
    strays: dict[str, list[Stray]] = field(default_factory=dict)
    state: ListState = field(default_factory=dict)
    is_last: bool = False

    @property
    def count(self) -> int:
        return sum(len(documents) for documents in self.documents.values())


@dataclass
class Room:
    """How many documents this chunk may still take; pages in flight may exceed it a little."""

    limit: int
    taken: int = 0

    @property
    def is_full(self) -> bool:
        return self.taken >= self.limit
