"""What one client's sync did and what its books hold since, in figures and in a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bill_pipeline.bill.findings import findings_in_words

if TYPE_CHECKING:
    from bill_pipeline.categorization.categorize import CategorizeReport
    from bill_pipeline.ingest.client_import import ImportReport
    from bill_pipeline.pipeline.posting_rules import NewRules
    from bill_pipeline.warehouse.layer_report import LayerReport
    from bill_pipeline.warehouse.warehouse import Warehouse


def found_by_comparing(imported: ImportReport | None) -> dict[str, dict[str, int]]:
    """List → counts of what was missing, differing or gone; for machines."""
    found = imported.found if imported else {}
    return {table: asdict(one) for table, one in sorted(found.items()) if one.is_wrong}


@dataclass
class SyncReport:
    """What one sync did, layer by layer; ``layers`` is empty when nothing had to be built."""

    client: str
    as_of: datetime
    new_rules: NewRules | None = None  # the posting rules changed since the last sync
    put_right: int | None = None  # entries posted when what a wrong clock noted was put right
    alarm: str | None = None  # what a person is to be told of clocks, and of closes by a wrong one
    imported: ImportReport | None = None
    categorized: CategorizeReport | None = None
    layers: dict[str, LayerReport] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def entries_posted(self) -> int:
        ledger = self.layers.get("ledger")
        posted = ledger.appended.get("ledger.journal_entries", 0) if ledger else 0
        return posted + (self.put_right or 0)

    def summary(self) -> dict[str, Any]:
        """The figures of this sync, for machines."""
        return {
            "client": self.client,
            "as_of": self.as_of,
            "documents_read": sum(self.imported.documents.values()) if self.imported else 0,
            "documents_changed": self.imported.changed if self.imported else 0,
            "lists_missing": self.imported.lists_missing if self.imported else [],
            "documents_quarantined": self.imported.quarantined if self.imported else 0,
            "documents_refused": sum(self.imported.refused_documents.values())
            if self.imported
            else 0,
            "found_by_comparing": found_by_comparing(self.imported),
            "requests": self.imported.requests if self.imported else 0,
            "entries_posted_under_new_rules": self.new_rules.entries if self.new_rules else 0,
            "lines_decided": self.categorized.by_source if self.categorized else {},
            "entries_posted": self.entries_posted,
            "clock_alarm": self.alarm,
            "seconds": round(self.seconds, 2),
        }

    def sentence(self) -> str:
        """What it did, for people; after changed posting rules a second line says what they did."""
        lines = [self._what_came()]
        if self.new_rules and self.new_rules.entries:
            lines.append(self.new_rules.sentence(self.client))
        if self.put_right is not None:
            lines.append(
                f"{self.client}: this machine's clock was ahead for a while; what the books learnt "
                "then is noted as learnt now, in the same order."
            )
        if self.alarm:
            lines.append(f"{self.client}: {self.alarm}")
        return "\n".join(lines)

    def _what_came(self) -> str:
        set_aside = self.imported.quarantined if self.imported else 0
        aside = f", {set_aside:,} set aside as unreadable" if set_aside else ""
        found = findings_in_words(self.imported.found) if self.imported else ""
        aside += f", not as BILL had them: {found}" if found else ""
        aside += self.imported.what_is_missing if self.imported else ""
        if not self.layers:
            return f"{self.client}: nothing changed{aside} ({self.seconds:.1f} s)."
        changed = self.imported.changed if self.imported else 0
        decided = sum(self.categorized.by_source.values()) if self.categorized else 0
        return (
            f"{self.client}: {changed:,} documents changed, {decided:,} lines decided, "
            f"{self.entries_posted:,} journal entries posted{aside} ({self.seconds:.1f} s)."
        )


def count_documents_and_reviews(warehouse: Warehouse) -> tuple[int, int]:
    """(documents BILL has for the client, lines that wait for a person)."""
    row = warehouse.connection.execute(
        """
        select
            (select count(distinct (list, id)) from raw.document_versions where not is_deleted),
            (select count(*) from categorized.lines where needs_review and is_booked)
        """
    ).fetchone()
    return row or (0, 0)


def model_alarm(warehouse: Warehouse) -> str | None:
    """What a person should know of the client's model, by its newest month; None: nothing."""
    row = warehouse.connection.execute(
        "select arg_max(coalesce(alarm, ''), month) from reports.model_health"
    ).fetchone()
    return (row[0] or None) if row else None
