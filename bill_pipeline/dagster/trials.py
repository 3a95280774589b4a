"""A trial of one client's challenger against its champion, on the client's recent past.

The split is by time. The challenger's method is judged on the newest lines after learning from the
older ones alone; the champion on those of them that it had not seen when it was trained. What is
shown is the trial's outcome; the challenger that may be promoted has learned from all lines.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bill_pipeline.dagster.charts import (
    calibration_picture,
    confusion_picture,
    coverage_picture,
)
from bill_pipeline.dagster.evidence import plotted, table_value
from bill_pipeline.settings import Home, Settings

if TYPE_CHECKING:
    import dagster as dg
    import pandas as pd

    from models.categorizer import Categorizer

#: The newest lines that are held back for the trial.
HELD_BACK_SHARE = 0.3
HELD_BACK_LINES = 4_000
#: Fewer lines than this say nothing about which model is better.
FEWEST_LINES = 30
#: Without a fair trial, this much more knowledge is taken for better.
GROWTH = 1.1


@dataclass
class Trial:
    """What the trial found; ``outcomes`` are empty when there were too few lines for one."""

    lines: pd.DataFrame
    challenger: Categorizer
    outcomes: pd.DataFrame  # account_id, confidence, needs_review, truth
    champion_outcomes: pd.DataFrame
    is_better: bool
    reason: str
    target_precision: float
    seconds: float

    def facts_of_lines(self) -> dict[str, Any]:
        """What a person wants to know of the training set."""
        facts: dict[str, Any] = {
            "lines": plotted(len(self.lines)),
            "corrections": plotted(int(self.lines["is_correction"].sum())),
            "accounts": plotted(int(self.lines["account_id"].nunique())),
        }
        if len(self.lines):
            facts["from"] = str(self.lines["date"].min())[:10]
            facts["through"] = str(self.lines["date"].max())[:10]
            shown = ["date", "party_name", "description", "amount", "account_id"]
            facts["sample"] = table_value(self.lines[shown].tail(5).to_dict("records"))
        return facts

    def figures(self) -> dict[str, Any]:
        """The challenger's figures on the lines held back, the champion's on those it had not
        seen, and always the vendor's last account beside them."""
        figures: dict[str, Any] = {"lines_judged": plotted(len(self.outcomes))}
        if not len(self.outcomes):
            needed = FEWEST_LINES / HELD_BACK_SHARE
            figures["note"] = f"No trial: it takes {needed:.0f} coded lines to say anything."
            return figures
        booked = self.outcomes[~self.outcomes["needs_review"].astype(bool)]
        figures["share_right"] = plotted(_share_right(self.outcomes))
        figures["share_right_of_vendors_last_account"] = plotted(
            float((self.outcomes["vendor_last"] == self.outcomes["truth"]).mean())
        )
        figures["share_booked_without_asking"] = plotted(len(booked) / len(self.outcomes))
        if len(booked):
            figures["share_right_of_booked"] = plotted(_share_right(booked))
        if len(self.champion_outcomes):
            figures["champion_share_right"] = plotted(_share_right(self.champion_outcomes))
            figures["champion_lines_judged"] = plotted(len(self.champion_outcomes))
        return figures

    def pictures(self) -> dict[str, dg.MetadataValue]:
        """Confusion, calibration, and coverage against precision."""
        from models.metrics import calibration_bins, confusion, coverage_curve

        if not len(self.outcomes):
            return {}
        return {
            "confusion": confusion_picture(confusion(self.outcomes)),
            "calibration": calibration_picture(calibration_bins(self.outcomes)),
            "coverage": coverage_picture(coverage_curve(self.outcomes), self.target_precision),
        }

    def record(self) -> dict[str, Any]:
        """What is kept beside the model when it is promoted."""
        return {
            "version": self.challenger.version_,
            "line_count": len(self.lines),
            "trained_through": str(self.lines["date"].max())[:10] if len(self.lines) else None,
            "reason": self.reason,
        }


def hold(home: Home, client: str) -> Trial:
    """Train ``client``'s challenger and try it. The caller holds the client's lock."""
    from bill_pipeline.categorize import training_lines
    from bill_pipeline.model_shelf import champion, champion_metadata, knowledge
    from bill_pipeline.warehouse import Warehouse
    from models.categorizer import Categorizer

    started = time.perf_counter()
    precision = Settings().target_precision
    with Warehouse.open(home, client) as warehouse:
        lines = training_lines(warehouse).sort_values("date", kind="stable")
        chart = warehouse.connection.execute("from categorized.chart").df()

    def fitted(known: pd.DataFrame) -> Categorizer:
        model = Categorizer(target_precision=precision, knowledge=knowledge(home), random_state=0)
        return model.fit(known, chart)

    challenger = fitted(lines)
    reigning = champion(home, client)
    held_back = min(int(len(lines) * HELD_BACK_SHARE), HELD_BACK_LINES)
    if held_back < FEWEST_LINES:
        outcomes = champions = lines.iloc[:0]
    else:
        older, newest = lines.iloc[:-held_back], lines.iloc[-held_back:]
        outcomes = _judged(fitted(older), newest, older)
        seen = champion_metadata(home, client).get("trained_through")
        unseen = newest[newest["date"].astype(str) > seen] if seen else newest.iloc[:0]
        champions = lines.iloc[:0]
        if reigning is not None and len(unseen) >= FEWEST_LINES:
            champions = _judged(reigning.use_chart(chart), unseen, older)
    is_better, reason = verdict(
        len(lines), reigning.line_count_ if reigning is not None else None, outcomes, champions
    )
    return Trial(lines, challenger, outcomes, champions, is_better, reason, precision,
                 time.perf_counter() - started)  # fmt: skip


def verdict(
    line_count: int,
    champion_line_count: int | None,
    outcomes: pd.DataFrame,
    champion_outcomes: pd.DataFrame,
) -> tuple[bool, str]:
    """Whether the challenger is to be promoted, and why, as a sentence."""
    if champion_line_count is None:
        return True, "The client has no model yet."
    if len(champion_outcomes):
        same = outcomes.loc[champion_outcomes.index]
        ours, theirs = _share_right(same), _share_right(champion_outcomes)
        words = f"on {len(same):,} lines the champion had not seen: {ours:.1%} against {theirs:.1%}"
        if ours > theirs:
            return True, f"Better {words}."
        return False, f"Not better {words}."
    if line_count > champion_line_count * GROWTH:
        return True, (
            f"No fair trial, because the champion has seen the recent lines; but {line_count:,} "
            f"lines are known now and {champion_line_count:,} were when it was trained."
        )
    return False, "No fair trial, and too little is new to replace the champion without one."


def _judged(model: Categorizer, lines: pd.DataFrame, older: pd.DataFrame) -> pd.DataFrame:
    last = older.dropna(subset=["party_id"]).groupby("party_id")["account_id"].last()
    return model.suggest(lines).assign(
        truth=lines["account_id"], vendor_last=lines["party_id"].map(last)
    )


def _share_right(outcomes: pd.DataFrame) -> float:
    return float((outcomes["account_id"] == outcomes["truth"]).mean())
