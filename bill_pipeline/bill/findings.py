"""What comparing a list with BILL found, beside what is merely new since the last sync."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bill_pipeline.bill.documents import Document


@dataclass
class Finding:
    """Counts of one list's documents."""

    compared: int = 0  # shown by BILL
    missing: int = 0  # at BILL, not in the file
    differing: int = 0  # in both, otherwise
    gone: int = 0  # in the file, no longer at BILL
    news: int = 0  # changed since the last sync: the next one brings them

    @property
    def is_wrong(self) -> bool:
        return bool(self.missing or self.differing or self.gone)

    def count(
        self,
        changed: Iterable[Document],
        stored: Mapping[str, str],
        known_until: datetime | None,
        now: datetime,
        news: Iterable[str],
    ) -> None:
        """Count ``changed``; ``stored`` are the hashes by id of those that were known.

        What is later than ``known_until``, or is among ``news``, no sync can have brought yet. A
        time after ``now`` says nothing of when the document was changed.
        """
        expected = frozenset(news)
        for document in changed:
            at = document.updated_at
            is_later = at is not None and known_until is not None and known_until < at <= now
            if document.is_deleted:
                self.gone += 1
            elif is_later or document.id in expected:
                self.news += 1
            elif document.id in stored:
                self.differing += 1
            else:
                self.missing += 1


def findings_in_words(findings: Mapping[str, Finding]) -> str:
    """``bills: 3 missing, 1 differing; …``, or nothing where all is as BILL has it."""
    return "; ".join(
        f"{table}: "
        + ", ".join(
            f"{count:,} {kind}"
            for kind in ("missing", "differing", "gone")
            if (count := getattr(finding, kind))
        )
        for table, finding in sorted(findings.items())
        if finding.is_wrong
    )
