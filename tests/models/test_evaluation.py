"""The evaluation is honest: split by time, nothing of the future, baselines in the same run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.baselines import BASELINES
from models.confidence import calibration_error, calibration_noise
from models.evaluation import decisions, evaluate, shared_lines
from models.figures import markdown
from models.metrics import BANDS, by_band, coverage_curve, is_missed, self_agreement
from models.protocols import windows_of
from models.published_ledgers import EvaluationDataMissing, read_ledger
from models.sampling import newest_months, some_vendors

from .conftest import invented_lines

pytestmark = pytest.mark.rotating(days=4, together=True)


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
    return decisions(ledger(), "walk-forward", refit_months=6)


@pytest.mark.slow
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


@pytest.mark.slow
def test_judging_starts_when_six_months_are_known(walked):
    months = sorted(read_ledger(ledger())["date"].dt.to_period("M").unique())
    # Of the newest 18 months, the first six are learned from.
    assert walked["date"].dt.to_period("M").min() == months[-18:][6]


@pytest.mark.slow
def test_shuffling_the_future_changes_no_past_prediction(walked):
    data = ledger()
    months = sorted(walked["date"].dt.to_period("M").unique())
    future = data["date"].dt.to_period("M") > months[0]
    shuffled = data.copy()
    for column in ("account", "vendor", "description", "amount"):
        values = data.loc[future, column].sample(frac=1, random_state=5).to_numpy()
        shuffled.loc[future, column] = values
    again = decisions(shuffled, "walk-forward", refit_months=6)
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


@pytest.mark.slow
def test_a_target_planted_in_a_future_row_is_never_used():
    data = ledger()
    newest = data["date"].idxmax()
    data.loc[newest, "account"] = "planted"
    found = decisions(data, "walk-forward", refit_months=6)
    assert "planted" in set(found["truth"])
    assert "planted" not in set(found["account_id"])


def test_a_new_client_is_judged_on_knowledge_of_the_others_alone():
    found = decisions(ledger(4, 300), "unseen", ["org0"])
    ours = found[found["model"] == "ours"]
    assert (ours["account_id"] == ours["truth"]).mean() > 0.7
    assert set(found["coded_lines"]) == {0}


@pytest.mark.slow
def test_few_labels_are_reported_per_count():
    found = decisions(ledger(4, 340), "few", ["org0"])
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


def test_windows_hold_whole_months_and_refits_come_before_them():
    lines = ledger(count=600)
    lines = read_ledger(lines)
    windows = windows_of(lines, "walk-forward", 3)
    month = lines["date"].dt.to_period("M").to_numpy()
    parts = [part for window in windows for part in window]
    assert all(len(set(month[part])) == 1 for part in parts)
    assert all(month[part.start - 1] < month[part.start] for part in parts)
    assert parts[-1].stop == len(lines)
    assert all(len(window) == 3 for window in windows[:-1])


def test_a_sample_keeps_whole_vendors_of_the_newest_months():
    lines = read_ledger(ledger(count=900))
    recent = newest_months(lines, 4)
    assert recent["date"].dt.to_period("M").nunique() == 4
    assert recent["date"].max() == lines["date"].max()
    sample = some_vendors(recent, 120)
    assert 60 <= len(sample) <= 120
    whole = recent.groupby("party_name").size()
    kept = sample.groupby("party_name").size()
    assert (kept == whole[kept.index]).all()


def test_no_client_teaches_about_itself():
    lines = dict(list(read_ledger(ledger(4, 200)).groupby("organization")))
    shared = shared_lines(lines, ["org1"])
    assert set(shared["organization"]) == {"org0", "org2", "org3"}
    assert shared_lines(lines, ["org0", "org1", "org2"]) is None


def test_an_honest_confidence_errs_by_luck_alone():
    random = np.random.default_rng(4)
    confidence = random.uniform(0.5, 1.0, 3_000)
    hit = random.random(3_000) < confidence
    noise = calibration_noise(confidence)
    assert 0.01 < noise < 0.03
    assert calibration_error(confidence, hit) < 1.7 * noise
    assert calibration_error(confidence * 0.9, hit) > 2.5 * noise


def test_what_was_booked_is_judged_by_band_and_luck_is_no_miss():
    count = 400
    outcomes = pd.DataFrame(
        {
            "account_id": "rent",
            "truth": ["rent"] * 340 + ["repair"] * 60,
            "confidence": [0.97] * 200 + [0.92] * 200,
            "booked95": [True] * 390 + [False] * 10,
        }
    )
    found = by_band(outcomes)
    assert sum(found[f"booked_from_{low}"] for low in BANDS[:-1]) == count - 10
    assert (found["booked_from_0.95"], found["right_from_0.95"]) == (200, 200)
    assert (found["booked_from_0.9"], found["right_from_0.9"]) == (190, 140)
    assert is_missed(140, 200, 0.93, at_least=200)
    assert not is_missed(140, 190, 0.93, at_least=200), "too few to say"
    assert not is_missed(183, 200, 0.93, at_least=200), "luck explains it"


@pytest.mark.slow
def test_the_figures_are_written_with_every_model_and_organization():
    table = evaluate(ledger(3, 130), "all", ["org2"], refit_months=12)
    text = markdown(table, "invented.parquet", 61.0, 99.0)
    for wanted in ("| ours |", "| linear text |", "org2", "## Walk-forward", "## Few labels"):
        assert wanted in text
    assert "nan" not in text


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
