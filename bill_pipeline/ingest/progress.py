"""How far an import is: pages, documents, rate and remaining time, list by list.

BILL never says how many documents a list has. What is to come is known all the same where every
document is read anew (as many as are stored) and for lists below others (one page or more per
parent). Who shows it: the command line, the console and Dagster's log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from bill_pipeline.bill.chunks import ListOutcome


@dataclass(frozen=True)
class Progress:
    """How far the import of one list is."""

    table: str
    pages: int
    documents: int
    seconds: float  # since the list's first request
    expected_documents: int | None = None
    expected_pages: int | None = None

    @property
    def documents_per_second(self) -> float:
        return self.documents / self.seconds if self.seconds else 0.0

    @property
    def remaining_seconds(self) -> float | None:
        """What is left at the pace so far; ``None`` where the total is not known."""
        if self.expected_documents is not None:
            done, total = self.documents, self.expected_documents
        elif self.expected_pages is not None:
            done, total = self.pages, self.expected_pages
        else:
            return None
        return self.seconds * max(total - done, 0) / done if done else None

    def sentence(self) -> str:
        """>>> Progress("bills", 12, 1_200, 4.0, expected_documents=3_000).sentence()
        '12 pages, 1,200 documents, 300 documents/s, 6 s left'
        """
        pages = "1 page" if self.pages == 1 else f"{self.pages:,} pages"
        said = (
            f"{pages}, {self.documents:,} documents, {self.documents_per_second:,.0f} documents/s"
        )
        left = self.remaining_seconds
        return said if left is None else f"{said}, {_time(left)} left"


def _time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6_000 else f"{seconds / 3_600:.1f} h"


Watcher = Callable[[Progress], None]
#: (documents, pages) to expect of a list, each ``None`` where nobody knows.
Expected = Callable[[str], tuple[int | None, int | None]]


class ProgressWatch:
    """Makes ``Progress`` of what the reader counts; called after each page, by several threads."""

    def __init__(self, show: Watcher | None, expected: Expected) -> None:
        self._show = show
        self._expected = expected
        self._lock = threading.Lock()
        self._begun: dict[str, tuple[float, int | None, int | None]] = {}
        #: The last step of each list.
        self.last: dict[str, Progress] = {}

    def __call__(self, table: str, outcome: ListOutcome) -> None:
        now = monotonic()
        with self._lock:
            if table not in self._begun:
                documents, pages = self._expected(table)
                self._begun[table] = (now - outcome.first_page_seconds, documents, pages)
            begun, documents, pages = self._begun[table]
            step = Progress(table, outcome.pages, outcome.documents, now - begun, documents, pages)
            self.last[table] = step
        if self._show is not None:
            self._show(step)
