"""What a pass over a list has shown: stretches of its updatedTime, and the ids within each.

A document that is stored with a time within such a stretch, and that the pass did not show, is
absent: BILL lost it, refuses it, or has it at another time now. Only asking for it by its id tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bill_pipeline.bill.documents import Document


@dataclass(frozen=True)
class Span:
    """A stretch of a list that was read to its end; ``ids`` are the documents it showed."""

    start: datetime | None  # None: from the beginning
    end: datetime | None  # exclusive; None: to the end
    is_archived: bool | None  # of archived documents only, of the others only, or of both
    ids: frozenset[str]


class Shown:
    """Collects the pages of one pass into spans, as far as their order lets.

    ``start`` is where the pass begins; behind a page token nobody knows (``is_known``).
    """

    def __init__(self, start: datetime | None, *, is_known: bool = True) -> None:
        self._start = start
        self._is_known = is_known
        self._seen: dict[str, datetime | None] = {}
        self._spans: list[Span] = []

    def add(self, documents: Iterable[Document]) -> None:
        self._seen.update((document.id, document.updated_at) for document in documents)

    def is_complete_up_to(self, end: datetime | None, is_archived: bool | None) -> None:
        """All documents of a time before ``end`` have been shown; ``None``: all there are."""
        if self._is_known:
            span = Span(self._start, end, is_archived, frozenset(self._seen))
            last = self._spans[-1] if self._spans else None
            if last and (last.end, last.is_archived) == (span.start, is_archived):
                self._spans[-1] = replace(last, end=end, ids=last.ids | span.ids)
            else:
                self._spans.append(span)
        self._start, self._is_known = end, end is not None
        self._seen = {
            key: moment
            for key, moment in self._seen.items()
            if end is not None and moment is not None and moment >= end
        }

    def begin(self, start: datetime | None) -> None:
        """Another pass begins."""
        self._start, self._is_known, self._seen = start, True, {}

    def take(self) -> list[Span]:
        """The spans since they were last taken."""
        spans, self._spans = self._spans, []
        return spans
