"""Give every line that nobody coded an account: by rule, by model, or by asking a person.

Works between two builds of the room ``categorized``: reads the lines that need a decision, appends
decisions. A line the model is not sure of gets no account: it is booked as uncategorized and
queued, and the model's suggestion is kept beside it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from bill_pipeline.decisions import record_categories
from bill_pipeline.model_shelf import champion, knowledge, promote
from bill_pipeline.settings import Home, Settings
from bill_pipeline.warehouse import Warehouse
from models.categorizer import Categorizer

_LINE = ["document_type", "document_id", "line_id", "features_hash"]
#: A model trained on this many times fewer lines than there are now is trained anew at once,
#: between the weekly trainings: a client's first import must not wait a week for its own model.
GROWTH_THAT_RETRAINS = 2.0


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


def decide_lines(warehouse: Warehouse, home: Home, as_of: datetime) -> CategorizeReport:
    """Decide every line in ``categorized.lines_to_decide`` and record the decisions.

    Rules come first, in their order; the model takes the rest.
    """
    report = CategorizeReport()
    ruled = _read(warehouse, "select * from categorized.rule_matches")
    if len(ruled):
        rows = [_rule_decision(row) for row in ruled.to_dict("records")]
        _record(warehouse, rows, as_of, "rules", report)
    lines = _read(warehouse, "select * from categorized.lines_to_decide")
    lines = lines[~_keys(lines).isin(_keys(ruled))] if len(ruled) else lines
    if not len(lines):
        return report
    model = current_model(warehouse, home)
    report.model_version = model.version_
    suggestions = model.suggest(lines)
    report.mean_confidence = float(suggestions["confidence"].mean())
    both = lines[_LINE].join(suggestions)
    rows = [_model_decision(row, model.version_) for row in both.to_dict("records")]
    _record(warehouse, rows, as_of, f"model {model.version_}", report)
    return report


def current_model(warehouse: Warehouse, home: Home) -> Categorizer:
    """The client's champion, fitted to today's chart; a first or outgrown one is trained now."""
    chart = _read(warehouse, "select * from categorized.chart")
    count = warehouse.connection.execute(
        "select count(*) from categorized.training_lines"
    ).fetchone()
    coded = count[0] if count else 0
    model = champion(home, warehouse.client)
    if model is not None and coded < max(model.line_count_, 50) * GROWTH_THAT_RETRAINS:
        return model.use_chart(chart)
    model = Categorizer(
        target_precision=Settings().target_precision, knowledge=knowledge(home), random_state=0
    ).fit(training_lines(warehouse), chart)
    promote(home, warehouse.client, model, {"line_count": coded, "reason": "first or outgrown"})
    return model


def training_lines(warehouse: Warehouse) -> pd.DataFrame:
    """The client's labelled lines in the shape the models read."""
    lines = _read(warehouse, "select * from categorized.training_lines")
    return lines.assign(is_correction=lines["category_source"] == "person")


def _rule_decision(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in _LINE},
        "account_id": row["account_id"],
        "source": "rule",
        "confidence": 1.0,
        "needs_review": False,
        "reason": f"rule {row['rule_id']}: {row['reason'] or 'no reason given'}",
    }


def _model_decision(row: dict[str, Any], model_version: str) -> dict[str, Any]:
    """A sure suggestion is a decision; an unsure one is only kept as the first alternative."""
    is_asked = bool(row["needs_review"])
    suggested = (row["account_id"], float(row["confidence"]))
    alternatives = [suggested, *row["alternatives"]] if is_asked else row["alternatives"]
    return {
        **{name: row[name] for name in _LINE},
        "account_id": None if is_asked else row["account_id"],
        "source": "default" if is_asked else "model",
        "confidence": suggested[1],
        "needs_review": is_asked,
        "model_version": model_version,
        "reason": row["reason"],
        "alternatives": json.dumps(
            [
                {"account_id": account, "confidence": round(float(confidence), 4)}
                for account, confidence in alternatives
                if account is not None
            ]
        ),
    }


def _record(
    warehouse: Warehouse,
    rows: list[dict[str, Any]],
    as_of: datetime,
    decided_by: str,
    report: CategorizeReport,
) -> None:
    with warehouse.transaction():
        record_categories(
            warehouse.connection, rows, decided_at=as_of.replace(tzinfo=None), decided_by=decided_by
        )
    for row in rows:
        report.by_source[row["source"]] = report.by_source.get(row["source"], 0) + 1
        report.asked += bool(row["needs_review"])


def _read(warehouse: Warehouse, sql: str) -> pd.DataFrame:
    # Always in the same order: ties are broken by position, and a model must come out the same.
    frame = warehouse.connection.execute(f"{sql} order by all").df()
    return frame.rename(columns={"party": "party_name"})


def _keys(lines: pd.DataFrame) -> pd.Series:
    return lines["document_type"] + "/" + lines["document_id"] + "/" + lines["line_id"]
