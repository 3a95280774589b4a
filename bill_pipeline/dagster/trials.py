"""What a training looks like in the UI: facts of the lines, figures that plot, pictures.

Who is better is decided by ``models.training``; nothing is judged here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bill_pipeline.dagster.asset_events import plotted, table_value
from bill_pipeline.dagster.charts import (
    calibration_picture,
    confusion_picture,
    coverage_picture,
    errors_picture,
)
from bill_pipeline.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

    from bill_pipeline.pipeline.training import ClientTraining
    from models.training import Scores


def facts_of_lines(training: ClientTraining) -> dict[str, Any]:
    """What a person wants to know of the training set."""
    lines = training.lines
    facts: dict[str, Any] = {
        "lines": plotted(len(lines)),
        "corrections": plotted(int(lines["is_correction"].sum())),
        "accounts": plotted(int(lines["account_id"].nunique())),
        "data_hash": training.trained.data_hash,
    }
    if len(lines):
        facts["from"] = str(lines["date"].min())[:10]
        facts["through"] = str(lines["date"].max())[:10]
        shown = ["date", "party_name", "description", "amount", "account_id"]
        facts["sample"] = table_value(lines[shown].tail(5).to_dict("records"))
    return facts


def figures(training: ClientTraining) -> dict[str, Any]:
    """Challenger and champion on the same newest lines, and the vendor's usual account beside."""
    trained = training.trained
    if trained.challenger is None:
        return {"lines_judged": plotted(0), "note": "Too few coded lines to judge by."}
    found = {"lines_judged": plotted(trained.challenger.lines), **_plots("", trained.challenger)}
    if trained.champion is not None:
        found |= _plots("champion_", trained.champion)
    if trained.vendor_majority_top1 is not None:
        found["vendor_majority_share_right"] = plotted(trained.vendor_majority_top1)
    return found


def pictures(training: ClientTraining) -> dict[str, dg.MetadataValue]:
    """Confusion, calibration, coverage against precision, error by account."""
    from models.metrics import calibration_bins, confusion, coverage_curve, errors_by_account

    outcomes = training.trained.outcomes
    if not len(outcomes):
        return {}
    names = training.account_names
    named = outcomes.assign(
        account_id=outcomes["account_id"].map(lambda account: names.get(account, account)),
        truth=outcomes["truth"].map(lambda account: names.get(account, account)),
    )
    return {
        "confusion": confusion_picture(confusion(named)),
        "calibration": calibration_picture(calibration_bins(outcomes)),
        "coverage": coverage_picture(coverage_curve(outcomes), Settings.now().target_precision),
        "error by account": errors_picture(errors_by_account(named)),
    }


def _plots(prefix: str, scores: Scores) -> dict[str, Any]:
    plots = {
        f"{prefix}share_right": plotted(scores.top1),
        f"{prefix}share_booked_without_asking": plotted(scores.coverage),
        f"{prefix}calibration_error": plotted(scores.calibration_error),
    }
    if scores.coverage > 0:
        plots[f"{prefix}share_right_of_booked"] = plotted(scores.precision)
    return plots
