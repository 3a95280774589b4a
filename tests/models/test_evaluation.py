"""The evaluation is honest: split by time, nothing of the future, baselines in the same run."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.baselines import BASELINES
from models.evaluation import EvaluationDataMissing, decisions, evaluate, read_ledger, window_edges
from models.metrics import coverage_curve, self_agreement

from .conftest import invented_lines


def ledger(organizations: int = 1, count: int = 700) -> pd.DataFrame:
    """Invented lines in the layout of the published ledgers."""
    parts = []
    for number in range(organizations):
        lines = invented_lines(count, seed=100 + number)
        parts.append(
            pd.DataFrame(
                {
                    "organization": f"org{number}",
                    "date": lines["date"],
                    "vendor": lines["party_name"],
                    "description": lines["description"],
                    "amount": lines["amount"],
                    "account": lines["account_id"],
                    "canonical_account": lines["account_id"],
                    "department": "",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def walked() -> pd.DataFrame:
    return decisions(ledger(), "walk-forward", windows=2)


def test_every_baseline_is_in_the_same_run_on_the_same_lines(walked):
    assert set(walked["model"]) == {"ours", *BASELINES}
    truths = [part["truth"].tolist() for _, part in walked.groupby("model")]
    assert all(truth == truths[0] for truth in truths)


def test_the_figures_cover_what_was_promised():
    table = evaluate(ledger(count=400), "static")
    wanted = {
        "top1", "top3", "macro_f1", "top1_seen", "top1_unseen", "coverage95", "precision95",
        "coverage98", "calibration_error", "questions_per_1000", "fit_seconds", "lines_per_second",
        "agreement", "repeated_share",
    }  # fmt: skip
    assert wanted <= set(table)
    assert table["top1"].between(0, 1).all()


def test_only_the_newest_lines_are_judged(walked):
    dates = read_ledger(ledger())["date"]
    assert walked["date"].min() >= dates.quantile(0.65)


def test_shuffling_the_future_changes_no_past_prediction(walked):
    data = ledger()
    months = sorted(walked["date"].dt.to_period("M").unique())
    future = data["date"].dt.to_period("M") > months[0]
    shuffled = data.copy()
    for column in ("account", "vendor", "description", "amount"):
        values = data.loc[future, column].sample(frac=1, random_state=5).to_numpy()
        shuffled.loc[future, column] = values
    again = decisions(shuffled, "walk-forward", windows=2)
    columns = ["account_id", "confidence", "booked95"]
    for model in ("ours", *BASELINES):
        first = [
            part[(part["model"] == model) & (part["date"].dt.to_period("M") == months[0])]
            for part in (walked, again)
        ]
        assert len(first[0]) > 5
        pd.testing.assert_frame_equal(
            first[0][columns].reset_index(drop=True), first[1][columns].reset_index(drop=True)
        )


def test_a_target_planted_in_a_future_row_is_never_used():
    data = ledger()
    newest = data["date"].idxmax()
    data.loc[newest, "account"] = "planted"
    found = decisions(data, "walk-forward", windows=2)
    assert "planted" in set(found["truth"])
    assert "planted" not in set(found["account_id"])


def test_a_new_client_is_judged_on_knowledge_of_the_others_alone():
    found = decisions(ledger(4, 300), "unseen", ["org0"])
    ours = found[found["model"] == "ours"]
    assert (ours["account_id"] == ours["truth"]).mean() > 0.7
    assert set(found["coded_lines"]) == {0}


def test_few_labels_are_reported_per_count():
    found = decisions(ledger(4, 260), "few", ["org0"])
    assert set(found["coded_lines"]) == {50, 100, 200}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("by magic",), "no protocol"), (("static", ["nobody"]), "no lines of nobody")],
)
def test_impossible_requests_are_named(arguments, message):
    with pytest.raises(EvaluationDataMissing, match=message):
        decisions(ledger(count=60), *arguments)


def test_a_ledger_without_accounts_is_refused():
    with pytest.raises(EvaluationDataMissing, match="account"):
        read_ledger(ledger(count=60).drop(columns="account"))


def test_windows_never_split_a_day():
    day = np.repeat(np.arange(50), 20)
    edges = window_edges(day, 4)
    assert all(day[start - 1] < day[start] for start, _ in edges)
    assert edges[-1][1] == len(day)


def test_self_agreement_counts_the_other_twins():
    lines = pd.DataFrame(
        {
            "date": pd.Timestamp("2026-01-01"), "document_type": "bill", "party_id": None,
            "party_name": ["a"] * 4 + ["b"], "description": "x", "amount": 10.0,
            "department_id": None, "account_id": ["1", "1", "1", "2", "3"],
        }
    )  # fmt: skip
    result = self_agreement(lines)
    assert result["repeated_share"] == 0.8
    assert result["agreement"] == pytest.approx(3 / 4)


def test_the_coverage_curve_ends_at_everything(walked):
    curve = coverage_curve(walked[walked["model"] == "ours"])
    assert curve["coverage"].iloc[-1] == 1.0
    assert curve["precision"].between(0, 1).all()


@pytest.mark.real_data
@pytest.mark.slow
def test_on_real_ledgers_the_model_beats_the_vendor_default():
    folder = os.environ.get("BILL_PIPELINE_REAL_DATA")
    if not folder:
        pytest.skip("BILL_PIPELINE_REAL_DATA names no folder with uk_ledgers.parquet")
    data = pd.read_parquet(
        Path(folder) / "uk_ledgers.parquet", filters=[("organization", "in", ["oxford"])]
    )
    table = evaluate(data, "walk-forward", max_lines=5_000, windows=2).set_index("model")
    assert table.loc["ours", "top1"] > table.loc["vendor majority", "top1"] + 0.03
    assert table.loc["ours", "top1"] > table.loc["linear text", "top1"] - 0.01
