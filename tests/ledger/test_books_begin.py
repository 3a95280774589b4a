"""Books that begin on a day hold from then on what the whole history says of the days after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings

from bill_pipeline.decisions import tables as decisions
from bill_pipeline.pipeline import posting_rules, rebuild
from tests.ledger.changed_rules import changed_rule
from tests.ledger.company import Company, new_company
from tests.ledger.lives import EVENTFUL, FIRST_SYNC, begin, live, lives, without

pytestmark = pytest.mark.slow

BEGIN = FIRST_SYNC.date() - timedelta(days=20)
RETAINED_EARNINGS = "standard:3900"
#: A close posts what is learnt of before on other days, and a void gives back what the old books'
#: bank had paid, so the whole history of today is no measure of either; see stories 190 and 199.
STOPS = ("close", "reopen", "void", "begin")
#: A life whose payments and transfers lie on both sides of the day on which the books begin.
ACROSS = [
    [("bill", 0, 30_000, -40, 1), ("pay", 0, 10_000, -25, 1), ("pay", 0, 5_000, -21, 1),
     ("withdraw", 0, 10_000, -24, 0), ("withdraw", 0, 5_000, -18, 0), ("bill", 0, 7_001, -10, 0),
     ("pay", 1, 7_001, -30, 0), ("foreign_bill", 0, 9_999, -35, 1), ("pay", 2, 3_333, -22, 1)],
    [("credit", 0, 2_000, -45, 1), ("apply", 0, 0, 0, 0), ("pay", 2, 3_333, -2, 1),
     ("invoice", 0, 8_000, -30, 0), ("receive", 0, 3_000, -26, 1), ("receive", 0, 5_800, -2, 1)],
    [("void", 0, 0, 0, 1), ("date", 1, 0, -40, 0), ("date", 0, 0, 2, 0), ("edit", 0, 31_000, 0, 1)],
]  # fmt: skip


def balances(company: Company, day: date) -> dict[str, Decimal]:
    rows = company.rows(
        f"select account_id, sum(amount) from ledger.journal_lines where date <= '{day}' "
        "group by account_id having sum(amount) <> 0"
    )
    return dict(rows)


def days() -> Iterator[date]:
    yield from (BEGIN + timedelta(days=number) for number in range(0, 60, 3))


def profit_accounts(company: Company) -> set[str]:
    rows = company.rows(
        "select account_id from ledger.accounts where statement = 'Income Statement'"
    )
    return {row[0] for row in rows}


def bring_in(company: Company, held: dict[str, Decimal], earned: set[str], at: Any) -> None:
    """The old books' trial balance: earnings until then are retained."""
    about = {"cutover_date": BEGIN, "decided_at": at, "decided_by": "a life", "reason": "old books"}
    retained = sum((amount for name, amount in held.items() if name in earned), Decimal(0))
    stated = {name: amount for name, amount in held.items() if name not in earned}
    for account, amount in (stated | {RETAINED_EARNINGS: retained}).items():
        decisions.record_opening_balance(
            company.connection, account_id=account, amount=amount, **about
        )


@pytest.mark.rotating(days=4)
@given(lives)
@example(ACROSS)
@example(EVENTFUL)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_balance_after_the_beginning_is_that_of_the_whole_history(life: Any) -> None:
    life = without(life, *STOPS)
    with new_company() as whole, new_company() as begun:
        live(whole, life, posts_only=True)
        decisions.set_policy(
            begun.connection, "books_begin_on", BEGIN.isoformat(),
            decided_at=FIRST_SYNC, decided_by="a life",
        )  # fmt: skip
        live(begun, life, posts_only=True)
        held, earned = balances(whole, BEGIN), profit_accounts(whole)
        last = FIRST_SYNC + timedelta(days=3 * len(life))
        bring_in(begun, held, earned, last)
        begun.sync(last)
        retained = sum((amount for name, amount in held.items() if name in earned), Decimal(0))
        for day in days():
            expected = balances(whole, day)
            for name in earned & held.keys():
                expected[name] = expected.get(name, Decimal(0)) - held[name]
            expected[RETAINED_EARNINGS] = expected.get(RETAINED_EARNINGS, Decimal(0)) + retained
            assert balances(begun, day) == {name: a for name, a in expected.items() if a}, day
        assert not begun.rows("from ledger.opening_trial_balance where difference <> 0")
        assert "opening_balances_add_up" not in {check.name for check in begun.warnings()}
        for way in rebuild.WAYS:
            rebuild.rebuild(begun.warehouse, ways=(way,))


def cash_balances(company: Company, day: date) -> dict[str, Decimal]:
    """On the cash basis, with all earnings, of before and since, in one sum."""
    earned = profit_accounts(company) | {RETAINED_EARNINGS}
    rows = company.rows(
        f"select account_id, sum(amount) from ledger.cash_basis_lines where date <= '{day}' "
        "group by account_id"
    )
    found = {"earnings": Decimal(0)}
    for account, amount in rows:
        name = "earnings" if account in earned else account
        found[name] = found.get(name, Decimal(0)) + amount
    return {name: amount for name, amount in found.items() if amount}


def test_the_cash_basis_after_the_beginning_is_that_of_the_whole_history() -> None:
    life = without(ACROSS, *STOPS)
    last = FIRST_SYNC + timedelta(days=3 * len(life))
    with new_company() as whole, new_company() as begun:
        live(whole, life, posts_only=True)
        whole.sync(last)
        live(begun, life, posts_only=True)
        bring_in(begun, balances(whole, BEGIN), profit_accounts(whole), last)
        begun.sync(last)
        # What was paid in advance counts on the first day after the beginning.
        for day in list(days())[1:]:
            assert cash_balances(begun, day) == cash_balances(whole, day), day


def test_books_opened_by_release_0_2_keep_the_cash_basis_of_closed_months() -> None:
    """That release posted one line of equity for each document, and none for the lines of it."""
    first, closing, now = (datetime(2026, month, 3, 12) for month in (2, 3, 4))  # noqa: DTZ001
    bill = {
        "id": "B1", "vendorId": "paper", "amount": 100.0, "approvalStatus": "APPROVED",
        "invoice": {"invoiceNumber": "B1", "invoiceDate": "2025-12-20"},
        "billLineItems": [
            {"id": "1", "amount": 33.33, "classifications": {"chartOfAccountId": "rent"}},
            {"id": "2", "amount": 66.67, "classifications": {"chartOfAccountId": "supplies"}},
        ],
    }  # fmt: skip
    payment = {
        "id": "P1", "vendorId": "paper", "amount": 50.0, "processDate": "2026-01-10",
        "onlinePayment": True, "singleStatus": "CLEARED",
        "billPayments": [{"id": "1", "billId": "B1", "amount": 50.0}],
        "fundingAccount": {"type": "BANK_ACCOUNT", "id": "main-bank"},
    }  # fmt: skip
    lines = "select date, account_id, amount from ledger.cash_basis_lines "
    closed, later = "where date < '2026-02-01' order by all", "where date > '2026-01-31'"
    with new_company() as company:
        with changed_rule(
            "ledger.postings_opened_documents", "from numbered\n    left join lines_of_before",
            "from numbered\n    left join (from lines_of_before where false)",
        ):  # fmt: skip
            begin(company)
            company.put("bills", bill, first)
            company.put("payments", payment, first)
            for account, amount in {"checking": 500, "ap": -100, RETAINED_EARNINGS: -400}.items():
                decisions.record_opening_balance(
                    company.connection, account_id=account, amount=Decimal(amount), reason="books",
                    cutover_date=date(2025, 12, 31), decided_at=first, decided_by="a person",
                )  # fmt: skip
            company.sync(first)
            assert company.rows("select count(*) from ledger.opened_lines") == [(0,)]
            decisions.close(
                company.connection, date(2026, 1, 31), decided_at=closing, decided_by="a person"
            )
            company.sync(closing)
        done = posting_rules.post_under_new_rules(company.warehouse, now)
        assert done is not None
        assert done.entries == 1
        company.sync(now + timedelta(minutes=1))
        assert not company.rows("from reports.posting_rule_changes")
        before = company.rows(lines + closed)
        assert {(account, amount) for _day, account, amount in before if account != "checking"} >= {
            ("rent", Decimal("16.67")), ("supplies", Decimal("33.33")),
        }  # fmt: skip
        bill["billLineItems"][0]["classifications"] = {"chartOfAccountId": "equipment"}  # type: ignore[index]
        company.put("bills", bill, now + timedelta(days=1))
        company.sync(now + timedelta(days=1))
        assert company.rows(lines + closed) == before
        assert sorted(row[1:] for row in company.rows(lines + later)) == [
            ("equipment", Decimal("16.67")), ("rent", Decimal("-16.67")),
        ]  # fmt: skip
