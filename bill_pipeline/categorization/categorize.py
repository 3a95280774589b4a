"""Give every line that nobody coded an account: by the model, or by asking a person.

Works between two builds of the layer ``categorized``: reads the lines that need a decision, appends
decisions. A line the model is not sure of gets no account: it is booked as uncategorized and
queued, and the model's suggestion is kept beside it. Lines that are queued are looked at again
whenever the model has learned something, so one answer settles many; what is booked stays booked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from bill_pipeline.categorization.client_model import (
    current_model,
    is_outgrown,
    read_frame,
    version_now,
)
from bill_pipeline.categorization.model_registry import training_of_champion
from bill_pipeline.decisions.alternatives import Alternative, read_alternatives
from bill_pipeline.decisions.tables import record_categories
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse

_LINE = ["document_type", "document_id", "line_id", "features_hash"]
#: Accounts shown for a line, the chosen or suggested one first.
ACCOUNTS_SHOWN = 3
#: A queued line's suggestion is written down anew when its confidence moved by this much.
CONFIDENCE_STEP = 0.05


@dataclass
class CategorizeReport:
    """How many lines were decided, by source, and how many of them a person is asked about."""

    by_source: dict[str, int] = field(default_factory=dict)
    asked: int = 0
    model_version: str | None = None
    mean_confidence: float | None = None

    @property
    def count(self) -> int:
        return sum(self.by_source.values())


def categorize_lines(warehouse: Warehouse, home: Home, as_of: datetime) -> CategorizeReport:
    """Decide what is open in ``categorized.lines_to_decide`` and record the decisions."""
    report = CategorizeReport()
    lines = read_frame(warehouse, "from categorized.lines_to_decide")
    if not len(lines):
        return report
    report.model_version = _known_version(warehouse, home)
    lines = lines[lines["answered_model_version"] != report.model_version]
    if not len(lines):
        return report
    using = current_model(warehouse, home)
    lines = lines[lines["answered_model_version"] != using.version]
    if not len(lines):
        return report
    report.model_version = using.version
    suggestions = using.model.suggest(lines)
    report.mean_confidence = float(suggestions["confidence"].mean())
    both = lines[[*_LINE, "has_standing_decision"]].assign(before=lines["alternatives"])
    rows = [
        decision
        for row in both.join(suggestions).to_dict("records")
        for decision in [_model_decision(row, using.version)]
        if not row["has_standing_decision"] or _says_something_new(row, decision)
    ]
    _record(warehouse, rows, as_of, report)
    return report


def _known_version(warehouse: Warehouse, home: Home) -> str | None:
    """The version that would decide now, found without reading a model; None: train one first."""
    found = training_of_champion(home, warehouse.client)
    if found is None or is_outgrown(warehouse, found[1]):
        return None
    return version_now(warehouse, *found)


def _model_decision(row: dict[str, Any], model_version: str) -> dict[str, Any]:
    """A sure suggestion is a decision; an unsure one is only kept as the first alternative."""
    is_asked = bool(row["needs_review"])
    suggested = (row["account_id"], float(row["confidence"]))
    shown = [suggested, *row["alternatives"]][:ACCOUNTS_SHOWN]
    return {
        **{name: row[name] for name in _LINE},
        "account_id": None if is_asked else row["account_id"],
        "source": "default" if is_asked else "model",
        "confidence": suggested[1],
        "needs_review": is_asked,
        "model_version": model_version,
        "reason": row["reason"],
        "alternatives": [
            Alternative(account_id=account, confidence=round(float(confidence), 4))
            for account, confidence in (shown if is_asked else shown[1:])
            if account is not None
        ],
    }


def _says_something_new(row: dict[str, Any], decision: dict[str, Any]) -> bool:
    """Whether the answer to a queued line differs from the one that stands."""
    if not decision["needs_review"]:
        return True
    before, after = _first(read_alternatives(row["before"])), _first(decision["alternatives"])
    return before[0] != after[0] or abs(before[1] - after[1]) >= CONFIDENCE_STEP


def _first(alternatives: list[Alternative]) -> tuple[str | None, float]:
    for other in alternatives:
        return other["account_id"], float(other["confidence"])
    return None, 0.0


def _record(
    warehouse: Warehouse, rows: list[dict[str, Any]], as_of: datetime, report: CategorizeReport
) -> None:
    with warehouse.transaction():
        record_categories(
            warehouse.connection,
            rows,
            decided_at=as_of.replace(tzinfo=None),
            decided_by=f"model {report.model_version}",
        )
    counts = pd.Series([row["source"] for row in rows], dtype=object).value_counts()
    report.by_source = {str(source): int(count) for source, count in counts.items()}
    report.asked = report.by_source.get("default", 0)
