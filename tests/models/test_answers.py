"""An answer settles what it is about, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.answers import RIGHT_AT_FIRST, AnswerMemory
from models.categorizer import Categorizer
from models.lines import Lines
from tests.models.conftest import invented_lines

COST, OFFICE, REPAIR = "5000", "6110", "6150"
DECIDED = "a person decided"


def of_market(
    count: int, department: str | None, account: str | None, **more: object
) -> pd.DataFrame:
    """Lines of one vendor that sells to all departments."""
    return pd.DataFrame(
        {
            "line_id": [f"market-{department}-{n}" for n in range(count)],
            "date": pd.Timestamp("2025-10-01") + pd.to_timedelta(np.arange(count), unit="D"),
            "document_type": "bill",
            "party_id": "market",
            "party_name": "Riverside Market",
            "description": "Weekly delivery",
            "amount": 120.0 + np.arange(count) % 5,
            "department_id": department,
            "account_id": account,
        }
        | more
    )


def taught(chart: pd.DataFrame, *coded: pd.DataFrame) -> Categorizer:
    lines = pd.concat([invented_lines(400), *coded], ignore_index=True)
    return Categorizer().fit(lines, chart)


def test_an_answer_for_one_department_leaves_the_others_alone(chart: pd.DataFrame) -> None:
    model = taught(chart, of_market(24, "Admin", OFFICE))
    model.learn(of_market(1, "Kitchen", COST))
    kitchen = model.suggest(of_market(1, "Kitchen", None)).iloc[0]
    assert kitchen.account_id == COST
    assert not kitchen.needs_review
    assert DECIDED in kitchen.reason
    admin = model.suggest(of_market(3, "Admin", None))
    assert set(admin.account_id) == {OFFICE}
    assert not admin.reason.str.contains(DECIDED).any()


def test_of_a_vendor_nobody_knows_only_the_department_that_was_answered_follows(
    chart: pd.DataFrame,
) -> None:
    model = taught(chart).learn(of_market(1, "Kitchen", COST))
    assert DECIDED in model.suggest(of_market(1, "Kitchen", None)).reason.iloc[0]
    assert DECIDED not in model.suggest(of_market(1, "Admin", None)).reason.iloc[0]


def test_where_the_department_made_no_difference_all_follow(chart: pd.DataFrame) -> None:
    model = taught(chart, of_market(6, "Admin", OFFICE), of_market(6, "Bar", OFFICE))
    model.learn(of_market(1, "Kitchen", OFFICE))
    assert DECIDED in model.suggest(of_market(1, "Garden", None)).reason.iloc[0]


def test_a_client_without_departments_is_followed_as_ever(chart: pd.DataFrame) -> None:
    model = taught(chart, of_market(12, None, OFFICE)).learn(of_market(1, None, COST))
    found = model.suggest(of_market(1, None, None)).iloc[0]
    assert (found.account_id, found.needs_review) == (COST, False)


@pytest.mark.parametrize(
    ("before", "follows"), [((OFFICE,), True), ((OFFICE, REPAIR, "6120"), False)]
)
def test_without_a_text_an_answer_holds_where_the_vendor_had_one_account(
    chart: pd.DataFrame, before: tuple[str, ...], follows: bool
) -> None:
    coded = [of_market(6, None, account, description=None) for account in before]
    model = taught(chart, *coded).learn(of_market(1, None, COST, description=None))
    found = model.suggest(of_market(1, None, None, description=None)).iloc[0]
    assert (DECIDED in found.reason) is follows
    if follows:
        assert found.account_id == COST


def test_how_answers_fared_is_how_sure_they_are(chart: pd.DataFrame) -> None:
    model = taught(chart, of_market(12, None, OFFICE)).learn(of_market(1, None, COST))
    first = model.suggest(of_market(1, None, None)).iloc[0]
    assert first.confidence == pytest.approx(RIGHT_AT_FIRST)
    # BILL's own coding goes on as before: the answer was an exception.
    model.learn(of_market(12, None, OFFICE).assign(is_correction=False))
    after = model.suggest(of_market(1, None, None)).iloc[0]
    assert after.confidence < RIGHT_AT_FIRST - 0.02
    assert after.needs_review


def test_nothing_is_known_of_lines_without_a_vendor() -> None:
    line = Lines.read(of_market(1, None, OFFICE, party_id=None, party_name=None))
    answers = AnswerMemory.empty().learn(line, np.zeros(1, np.int64), np.ones(1, bool))
    assert answers.account_for(line).tolist() == [-1]
