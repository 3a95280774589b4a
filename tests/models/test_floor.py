"""The promised precision is each line's: sure ones do not make up for others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.confidence import FACTS
from models.lines import Lines
from models.safety import PURE_LINES
from models.track_record import PRECISION_MARGIN, TrackRecord
from tests.models.test_answers import OFFICE, REPAIR, of_market, taught


def test_many_sure_lines_do_not_let_unsure_ones_be_booked() -> None:
    """Nineteen of twenty are right however doubtful the rest is: on average the promise is kept."""
    sure, doubtful = np.full(1_900, 6.0), np.full(60, -0.5)
    facts = np.zeros((len(sure) + len(doubtful), FACTS))
    facts[:, 0] = np.random.default_rng(3).permutation(np.r_[sure, doubtful])
    answer = np.where(facts[:, 0] > 0, True, np.arange(len(facts)) % 2 == 0)
    record = TrackRecord.of(facts, answer, np.ones(len(facts), bool), 0.95, None)
    assert (record.calibrated(facts)[answer & (facts[:, 0] < 0)] < 0.8).all()
    assert record.thresholds[0] >= 0.95 - PRECISION_MARGIN


@pytest.mark.slow
def test_six_lines_without_an_exception_are_a_habit(chart: pd.DataFrame) -> None:
    def is_habit(*coded: pd.DataFrame) -> bool:
        lines = Lines.read(of_market(1, "Admin", None))
        return bool(taught(chart, *coded)._decide(lines).facts[0, -1])

    assert is_habit(of_market(PURE_LINES, "Admin", OFFICE))
    assert not is_habit(of_market(PURE_LINES - 1, "Admin", OFFICE))
    assert not is_habit(of_market(20, "Admin", OFFICE), of_market(1, "Admin", REPAIR))
    assert not is_habit(of_market(PURE_LINES, "Bar", OFFICE)), "of another department"
