"""Refused lists reach SQL readers; a name takes a role of fees only alone and of the right kind."""

from __future__ import annotations

from datetime import datetime

import pytest

from bill_pipeline.bill.lists import BESIDE_THE_BOOKS, LISTS
from bill_pipeline.decisions.account_roles import BILL_BALANCE, BILL_FEE_NAMES, MERCHANT_FEE_NAMES
from bill_pipeline.ingest.missing_lists import note_refusals
from bill_pipeline.warehouse.transforms import load_transforms
from tests.ledger.company import new_company

FIRST, SECOND, THIRD = (datetime(2026, 3, day, 12) for day in (1, 2, 3))  # noqa: DTZ001
EXPENSE = {"name": "Rent", "account": {"type": "EXPENSE", "number": "6000"}}


@pytest.mark.slow
def test_a_refused_list_is_in_the_tie_out_until_it_can_be_read_again() -> None:
    with new_company() as company:
        company.put("chart_of_accounts", {"id": "rent", **EXPENSE}, FIRST)
        refused = {"payments": "no permission", "users": "no permission"}
        assert note_refusals(company.connection, FIRST, LISTS, refused)
        company.sync(FIRST)
        missing = "select distinct lists_missing from reports.tie_out"
        assert company.rows(missing) == [("payments",)]
        assert [check.name for check in company.warnings()] == ["every_list_is_read"]
        assert company.rows("select list, missing_since, reason from ledger.lists_missing") == [
            ("payments", FIRST, "no permission")
        ]
        # A sync that asks for other lists only knows no better.
        assert not note_refusals(company.connection, SECOND, ["bills"], {})
        company.sync(SECOND)
        assert company.rows(missing) == [("payments",)]
        assert note_refusals(company.connection, THIRD, ["payments"], {})
        company.sync(THIRD)
        assert company.rows(missing) == [(None,)]
        assert not company.warnings()


def test_every_list_that_a_rule_reads_makes_the_books_incomplete_when_it_is_missing() -> None:
    read = {
        name
        for transform in load_transforms().values()
        if transform.schema == "staging"
        for name in LISTS
        if f"'{name}'" in transform.sql
    }
    # Names of cards and of the organization: no amount depends on them.
    assert read & BESIDE_THE_BOOKS == {"card_accounts", "ap_cards", "organizations"}


@pytest.mark.parametrize(
    ("names", "fitting", "others"),
    [
        (
            BILL_FEE_NAMES,
            ["bill fees", "bill.com fees", "bank fees", "bank service charges", "bank charges",
             "bill.com subscription", "bill transaction fees", "bank fee expense"],
            ["legal fees", "billing", "bank", "bank loan", "late fees", "billable fees"],
        ),
        (
            MERCHANT_FEE_NAMES,
            ["merchant fees", "merchant account fees", "credit card processing fees",
             "merchant processing fees", "payment processing", "stripe fees", "card fees"],
            ["merchandise", "credit card", "payments", "professional fees", "card"],
        ),
        (BILL_BALANCE, ["bill balance", "bill.com balance", "bill wallet"], ["bill", "balance"]),
    ],
)  # fmt: skip
def test_names_that_play_a_role_by_themselves(
    names: str, fitting: list[str], others: list[str]
) -> None:
    import re

    assert [name for name in fitting if not re.fullmatch(names, name)] == []
    assert [name for name in others if re.fullmatch(names, name)] == []
