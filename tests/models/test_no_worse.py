"""The gate: a change that makes the model worse than committed, by more than luck, fails.

``committed_figures.csv`` holds the figures of the last accepted state on invented ledgers and, for
machines that have the public ones, on those. After a change that makes the model better, put the
new figures there; the test prints them.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.evaluation import evaluate

from .invented_ledgers import invented_ledger

pytestmark = pytest.mark.rotating(days=8, part=3, together=True)

COMMITTED = Path(__file__).with_name("committed_figures.csv")
REAL = ("networkrail", "oxford")
# Two standard errors of a share; lines of one vendor err together, so each is worth less than one.
STANDARD_ERRORS, LINES_PER_INDEPENDENT = 2.0, 3.0


def assert_no_worse(table: pd.DataFrame) -> None:
    ours = table[table["model"] == "ours"].set_index("organization")
    committed = pd.read_csv(COMMITTED).set_index("organization")
    columns = ["lines", "top1", "coverage95", "precision95", "calibration_error"]
    print("measured now:")
    print(ours[columns].round(4).to_csv())
    for name, now in ours.iterrows():
        then = committed.loc[name]
        assert now["lines"] == then["lines"], f"{name}: other lines are judged than before"
        luck = STANDARD_ERRORS * np.sqrt(
            LINES_PER_INDEPENDENT * then["top1"] * (1 - then["top1"]) / now["lines"]
        )
        assert now["top1"] >= then["top1"] - luck, f"{name}: fewer right than committed"
        assert now["coverage95"] >= then["coverage95"] - 2 * luck, f"{name}: fewer booked"
        assert now["precision95"] >= min(then["precision95"], 0.95) - luck, (
            f"{name}: promise broken"
        )
        assert now["calibration_error"] <= then["calibration_error"] + luck, f"{name}: less honest"


@pytest.fixture(scope="module")
def invented() -> pd.DataFrame:
    data = invented_ledger(2, 1_500, seed=20_261_128)
    return evaluate(data, "walk-forward", is_sharing=False, refit_months=6)


@pytest.mark.slow
def test_on_invented_ledgers_the_model_is_no_worse_than_committed(invented):
    assert_no_worse(invented)


@pytest.mark.slow
def test_on_invented_ledgers_the_model_beats_every_baseline(invented):
    top1 = invented.pivot(index="organization", columns="model", values="top1")
    for baseline in ("majority", "vendor majority", "vendor last", "linear text"):
        assert (top1["ours"] > top1[baseline]).all(), top1


@pytest.mark.real_data
@pytest.mark.slow
def test_on_real_ledgers_the_model_is_no_worse_than_committed():
    folder = os.environ.get("BILL_PIPELINE_REAL_DATA")
    if not folder:
        pytest.skip("BILL_PIPELINE_REAL_DATA names no folder with uk_ledgers.parquet")
    data = pd.read_parquet(
        Path(folder) / "uk_ledgers.parquet", filters=[("organization", "in", REAL)]
    )
    table = evaluate(
        data, "walk-forward", max_lines=2_000, months=12, refit_months=6, is_sharing=False
    )
    assert_no_worse(table)
    top1 = table.pivot(index="organization", columns="model", values="top1")
    assert (top1["ours"] > top1["vendor majority"]).all(), top1
    assert (top1["ours"] > top1["linear text"] - 0.01).all(), top1
