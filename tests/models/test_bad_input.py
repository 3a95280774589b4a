"""Lines and charts as bad as people can make them: the model answers and never breaks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.categorizer import Categorizer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "changes",
    [
        {"description": ""},
        {"description": None},
        {"description": "long words " * 1_000},
        {"description": "🍕🎉👩‍👩‍👧 pizza"},
        {"description": "فاتورة كهرباء"},
        {"description": "‮txet desrever"},
        {"description": "12345 --- 99/99"},
        {"party_id": None, "party_name": None},
        {"party_name": ""},
        {"party_name": "., & Inc."},
        {"amount": 0.0},
        {"amount": -0.01},
        {"amount": np.nan},
        {"amount": 1e15},
        {"date": None},
        {"date": "not a date"},
        {"document_type": None},
        {"document_type": "invoice"},
        {"department_id": "unknown department"},
    ],
)
def test_a_strange_line_gets_an_answer(model, lines, changes):
    line = lines.iloc[[5]].copy()
    for column, value in changes.items():
        line[column] = pd.Series([value], index=line.index, dtype=object)
    result = model.suggest(line)
    assert result.account_id.notna().all()
    assert result.confidence.between(0, 1).all()
    assert result.reason.str.len().between(10, 400).all()


def test_training_on_strange_lines_works(chart, lines):
    strange = lines.iloc[:300].copy()
    strange["party_name"], strange["party_id"], strange["description"] = None, None, ""
    strange["amount"] = 0.0
    result = Categorizer().fit(strange, chart).suggest(strange)
    assert result.account_id.notna().all()


def test_a_client_with_one_account(lines):
    chart = pd.DataFrame(
        {"account_id": ["1"], "account_name": ["Everything"], "is_candidate": [True]}
    )
    model = Categorizer().fit(lines.assign(account_id="1"), chart)
    result = model.suggest(lines)
    assert (result.account_id == "1").all()
    assert all(others == [] for others in result.alternatives)


@pytest.mark.rotating(days=4)
def test_a_client_with_two_thousand_accounts(lines):
    numbers = [str(n) for n in range(2_000)]
    chart = pd.DataFrame(
        {"account_id": numbers, "account_name": [f"Account {n}" for n in numbers],
         "is_candidate": True}
    )  # fmt: skip
    coded = lines.assign(account_id=[numbers[i % 2_000] for i in range(len(lines))])
    result = Categorizer().fit(coded, chart).suggest(lines.iloc[:50])
    assert set(result.account_id) <= set(numbers)


def test_every_line_on_one_day(chart, lines):
    same_day = lines.assign(date=pd.Timestamp("2025-01-01"))
    assert Categorizer().fit(same_day, chart).suggest(same_day).account_id.notna().all()


@pytest.mark.parametrize("count", [1, 2, 19, 20, 60, 100, 150])
def test_very_few_coded_lines(chart, lines, count):
    result = Categorizer().fit(lines.iloc[:count], chart).suggest(lines.iloc[count : count + 20])
    assert result.account_id.notna().all()


def test_time_zones_are_read_as_plain_days(model, lines):
    line = lines.iloc[[5]]
    aware = line.assign(date=line.date.dt.tz_localize("UTC"))
    pd.testing.assert_frame_equal(model.suggest(aware), model.suggest(line))
