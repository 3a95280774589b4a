"""Balances moved under another type: then the books read on as if it had always been the type."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bill_pipeline.decisions.retypings import (
    BALANCES,
    OldBalance,
    move_balance,
    old_balances,
    withdraw_reclassification,
)
from bill_pipeline.decisions.tables import close
from bill_pipeline.pipeline import rebuild
from tests.ledger.company import Company, new_company
from tests.ledger.lives import EVENTFUL, FIRST_SYNC, live, live_on, short_lives
from tests.rotation import examples

pytestmark = pytest.mark.slow

ZERO = Decimal(0)
YEAR = date(2026, 1, 1)
CHECK = "no_balance_stays_under_an_old_type"
LINES = "{} where account_id = '{}' and document_type is distinct from 'reclassification'"


def total(company: Company, of: str) -> Decimal:
    ((found,),) = company.rows(f"select coalesce(sum(amount), 0) from {of}")
    return found


def left_behind(company: Company) -> list[OldBalance]:
    cursor = company.connection.execute(BALANCES.format("reports."))
    names = [column[0] for column in cursor.description]
    return old_balances(dict(zip(names, row, strict=True)) for row in cursor.fetchall())


def what_is_closed(company: Company, through: date) -> list[Any]:
    company.make_macros()
    return [
        company.rows(f"from balance_sheet_at('acme', date '{through}') order by all"),
        company.rows(f"from trial_balance_at('acme', date '{through}') order by all"),
        *(
            company.rows(f"from {report}_between('acme', null, date '{through}') order by all")
            for report in ("profit_and_loss", "profit_and_loss_cash")
        ),
    ]


def statements(company: Company) -> list[Any]:
    """What has entries that come to nothing has a row in the trial balance: left out here."""
    names = ("balance_sheet", "profit_and_loss", "profit_and_loss_cash")
    return [
        company.rows("from reports.trial_balance where balance <> 0 order by all"),
        *(company.rows(f"from reports.{name} order by all") for name in names),
    ]


def reads_as_if_it_had_always_been_so(company: Company, balance: OldBalance) -> None:
    account = balance.account_id
    accrual = LINES.format("ledger.journal_lines", account)
    cash = LINES.format("ledger.cash_basis_lines", account)
    ((stands,),) = company.rows(
        "select coalesce(sum(balance), 0) from reports.balance_sheet "
        f"where account_id = '{account}'"
    )
    profit = [
        company.rows(
            f"select coalesce(-sum(net_income), 0) from reports.{report} "
            f"where account_id = '{account}' and month >= date '{YEAR}'"
        )[0][0]
        for report in ("profit_and_loss", "profit_and_loss_cash")
    ]
    this_year = f" and date >= date '{YEAR}'"
    if balance.is_to_balance_sheet:
        assert (stands, *profit) == (total(company, accrual), ZERO, ZERO)
    else:
        wanted = (ZERO, total(company, accrual + this_year), total(company, cash + this_year))
        assert (stands, *profit) == wanted


@pytest.mark.rotating(days=4)
@pytest.mark.parametrize("choices", [[0, 0, 1], [2, 1, 2]])
def test_what_is_moved_reads_as_if_it_had_always_been_of_its_type(choices: list[int]) -> None:
    move_and_move_back(EVENTFUL, choices)


@pytest.mark.rotating(days=4)
@settings(
    max_examples=examples(3, by_day=2), deadline=None, suppress_health_check=list(HealthCheck)
)
@given(life=short_lives, choices=st.lists(st.integers(0, 2), min_size=3, max_size=3))
def test_so_it_reads_in_any_life(life: Any, choices: list[int]) -> None:
    move_and_move_back(life, choices)


def move_and_move_back(life: Any, choices: list[int]) -> None:
    """Close ``life``, retype each account by its choice, move what is left behind, and back."""
    with new_company() as company:
        state = live(company, life)
        at = FIRST_SYNC + timedelta(days=40)
        live_on(company, state, [("close", 0, 0, 0, 0)] * 4, at)
        retypes = [("retype", which, 0, -1, choice) for which, choice in enumerate(choices)]
        live_on(company, state, retypes, at + timedelta(days=1))
        assert state.closed_through is not None
        closed, before = what_is_closed(company, state.closed_through), statements(company)
        flows = company.rows("from reports.cash_flow order by all")
        moved = left_behind(company)
        about = {"decided_by": "a person", "reason": "agreed"}
        for balance in moved:
            move_balance(
                company.connection, account_id=balance.account_id,
                day=state.closed_through + timedelta(days=1),
                decided_at=at + timedelta(days=2), **about,
            )  # fmt: skip
        company.sync(at + timedelta(days=2))
        assert CHECK not in {check.name for check in company.warnings()}
        for balance in moved:
            reads_as_if_it_had_always_been_so(company, balance)
        assert what_is_closed(company, state.closed_through) == closed
        assert company.rows("from reports.cash_flow order by all") == flows
        for balance in moved:
            withdraw_reclassification(
                company.connection, account_id=balance.account_id, first_day=balance.first_day,
                decided_at=at + timedelta(days=3), **about,
            )  # fmt: skip
        company.sync(at + timedelta(days=3))
        assert statements(company) == before
        assert (CHECK in {check.name for check in company.warnings()}) == bool(moved)
        for way in rebuild.WAYS:
            rebuild.rebuild(company.warehouse, ways=(way,))


@pytest.mark.rotating(days=4)
def test_closed_days_stay_when_it_is_decided_anew() -> None:
    with new_company() as company:
        state = live(company, EVENTFUL)
        at = FIRST_SYNC + timedelta(days=40)
        live_on(company, state, [("close", 0, 0, 0, 0)] * 4, at)
        retypes = [("retype", which, 0, -1, choice) for which, choice in enumerate((0, 0, 1))]
        live_on(company, state, retypes, at + timedelta(days=1))
        assert state.closed_through is not None
        day = state.closed_through + timedelta(days=1)
        for days, entry_day in ((2, day), (4, date(day.year + 1, 3, 1))):
            decided = {"decided_at": at + timedelta(days=days), "decided_by": "a", "reason": "r"}
            balances = left_behind(company)
            assert balances
            for balance in balances:
                move_balance(
                    company.connection, account_id=balance.account_id, day=entry_day, **decided
                )
            company.sync(at + timedelta(days=days))
            if entry_day == day:
                decided["decided_at"] = at + timedelta(days=3)
                close(company.connection, day, **decided)
                company.sync(at + timedelta(days=3))
                closed = what_is_closed(company, day)
        assert what_is_closed(company, day) == closed
        for balance in balances:
            ((rest,),) = company.rows(
                "select coalesce(sum(amount), 0) from ledger.cash_basis_lines "
                f"where document_type = 'reclassification' and account_id = '{balance.account_id}' "
                f"and date < date '{date(day.year + 1, 3, 1)}'"
            )
            assert rest == 0  # what was moved first is taken back
