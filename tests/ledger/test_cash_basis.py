"""How part payments take up lines and sales tax on the cash basis, under either policy."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bill_pipeline.decisions import tables as decisions
from tests.ledger.company import Company, new_company
from tests.ledger.lives import FIRST_SYNC, begin, money

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4)]

CENT = Decimal("0.01")
ACCOUNTS = ("sales", "services", "freight")
#: Cents of each line, cents of sales tax, and the hundredths of the total of each part payment.
invoices = st.tuples(
    st.lists(st.integers(-2_000, 50_000), min_size=1, max_size=3).filter(lambda c: sum(c) > 0),
    st.integers(0, 4_000),
    st.lists(st.integers(1, 70), max_size=4),
)


def put(company: Company, number: str, invoice: Any) -> None:
    """An invoice and its receipts, a week apart."""
    lines, tax, parts = invoice
    total = sum(lines) + tax
    document = {
        "id": number, "customerId": "cafe", "totalAmount": money(total), "invoiceNumber": number,
        "salesTaxTotal": money(tax), "invoiceDate": "2026-01-01",
        "invoiceLineItems": [
            {"id": f"{number}-{n}", "price": money(cents), "quantity": 1,
             "classifications": {"chartOfAccountId": ACCOUNTS[n]}}
            for n, cents in enumerate(lines)
        ],
    }  # fmt: skip
    company.put("invoices", document, FIRST_SYNC)
    for n, part in enumerate(parts):
        amount = money(max(1, total * part // 100))
        receipt = {
            "id": f"{number}-R{n}", "customerId": "cafe", "amount": amount, "status": "PAID",
            "paymentDate": f"{date(2026, 1, 2) + timedelta(days=n)}", "onlinePayment": False,
            "invoicePayments": [{"invoiceId": number, "amount": amount}],
        }  # fmt: skip
        company.put("received_payments", receipt, FIRST_SYNC)


def taken_up(company: Company, number: str, day: date) -> dict[str, Decimal]:
    """By account, how much of the invoice counted by the end of ``day``; income is positive."""
    rows = company.rows(
        "select account_id, -sum(amount) from ledger.cash_basis_lines where "
        f"document_type = 'invoice' and document_id = '{number}' and date <= '{day}' group by 1"
    )
    return defaultdict(Decimal, {account: amount for account, amount in rows if amount})


def check(company: Company, number: str, invoice: Any, *, tax_is_last: bool) -> None:
    lines, tax_cents, parts = invoice
    amounts = {ACCOUNTS[n]: cents * CENT for n, cents in enumerate(lines)}
    net, tax, settled = sum(amounts.values()), tax_cents * CENT, Decimal(0)
    for n, part in enumerate(parts):
        settled += max(1, (sum(lines) + tax_cents) * part // 100) * CENT
        found = taken_up(company, number, date(2026, 1, 2) + timedelta(days=n))
        # What is paid beyond the invoice is an advance.
        counted = min(settled, net + tax)
        assert sum(found.values()) == counted
        of_net = counted * net / (net + tax)
        if tax_is_last:
            of_net = min(counted, net)
            assert sum(found[account] for account in amounts) == of_net
        for account, amount in amounts.items():
            assert abs(found[account] - of_net * amount / net) <= CENT
        if counted == net + tax:
            assert {account: found[account] for account in amounts} == amounts


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(several=st.lists(invoices, min_size=5, max_size=15))
@example(several=[([3_333, 6_667], 725, [50, 50]), ([600, 7_320], 386, [51, 49]),
                  ([100], 0, [30, 70, 20]), ([5_000, -1_000], 800, [33, 33, 34, 10])])  # fmt: skip
def test_part_payments_add_up_to_the_cent_under_either_policy(several: Any) -> None:
    with new_company() as company:
        begin(company)
        for name in ("services", "freight"):
            document = {"id": name, "name": name, "account": {"type": "INCOME"}}
            company.put("chart_of_accounts", document, FIRST_SYNC)
        for n, invoice in enumerate(several):
            put(company, f"I{n}", invoice)
        company.post(FIRST_SYNC, cash_basis=True)
        journal = company.rows("from ledger.journal_lines order by line_id")
        for n, invoice in enumerate(several):
            check(company, f"I{n}", invoice, tax_is_last=False)
        later = FIRST_SYNC + timedelta(days=1)
        decisions.set_policy(
            company.connection, "sales_tax_on_cash_basis", "last",
            decided_at=later, decided_by="a person",
        )  # fmt: skip
        company.post(later, cash_basis=True)
        assert company.rows("from ledger.journal_lines order by line_id") == journal
        for n, invoice in enumerate(several):
            check(company, f"I{n}", invoice, tax_is_last=True)


#: Cents of an invoice; of each receipt, hundredths of it and days after it; hundredths credited by
#: a memo, and hundredths given up.
histories = st.tuples(
    st.integers(100, 50_000),
    st.lists(st.tuples(st.integers(1, 120), st.integers(-20, 40)), max_size=3),
    st.integers(0, 100),
    st.integers(0, 60),
)
INVOICE_DAY = date(2026, 1, 15)


def put_history(company: Company, number: str, history: Any) -> None:
    """An invoice, receipts before and after it, a memo known since the sync, and a write-off."""
    cents, receipts, credited, given_up = history
    document = {
        "id": number, "customerId": "cafe", "totalAmount": money(cents), "invoiceNumber": number,
        "invoiceDate": INVOICE_DAY.isoformat(),
        "invoiceLineItems": [{"id": f"{number}-1", "price": money(cents), "quantity": 1,
                              "classifications": {"chartOfAccountId": "sales"}}],
    }  # fmt: skip
    company.put("invoices", document, FIRST_SYNC)
    for n, (part, days) in enumerate(receipts):
        amount = money(max(1, cents * part // 100))
        receipt = {
            "id": f"{number}-R{n}", "customerId": "cafe", "amount": amount, "status": "PAID",
            "paymentDate": f"{INVOICE_DAY + timedelta(days=days)}", "onlinePayment": False,
            "invoicePayments": [{"invoiceId": number, "amount": amount}],
        }  # fmt: skip
        company.put("received_payments", receipt, FIRST_SYNC)
    if used := cents * credited // 100:
        memo = {
            "id": f"{number}-K", "customerId": "cafe", "amount": money(used),
            "creditDate": INVOICE_DAY.isoformat(),
            "creditMemoLineItems": [{"id": f"{number}-K", "amount": money(used)}],
            "usage": [{"invoiceId": number, "amount": money(used)}],
        }  # fmt: skip
        company.put("credit_memos", memo, FIRST_SYNC)
    if lost := cents * given_up // 100:
        decisions.write_off(
            company.connection, invoice_id=number, write_off_date=INVOICE_DAY,
            amount=lost * CENT, role="bad_debt", reason="bankrupt",
            decided_at=FIRST_SYNC, decided_by="a person",
        )  # fmt: skip


def check_history(company: Company, number: str, history: Any, day: date) -> None:
    """By the end of ``day``: what the invoice, its memo and what was overpaid count for."""
    cents, receipts, credited, _ = history
    cash = sum(
        max(1, cents * part // 100)
        for part, days in receipts
        if INVOICE_DAY + timedelta(days=days) <= day
    )
    used = cents * credited // 100 if day >= FIRST_SYNC.date() else 0
    to_pay = cents - used
    if cash == 0:
        of_memo = Decimal(0)
    elif cash >= to_pay:
        of_memo = Decimal(used)
    else:
        of_memo = Decimal(used) * cash / to_pay
    of_invoice = min(cash, to_pay) + of_memo
    counted = sum(taken_up(company, number, day).values())
    assert abs(counted - of_invoice * CENT) <= CENT / 2
    rows = company.rows(
        "select coalesce(sum(amount), 0) from ledger.cash_basis_lines where date <= "
        f"'{day}' and document_type = 'credit_memo' and document_id = '{number}-K'"
    )
    assert abs(rows[0][0] - of_memo * CENT) <= CENT / 2
    assert counted - rows[0][0] == min(cash, to_pay) * CENT


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(several=st.lists(histories, min_size=5, max_size=15))
@example(several=[(10_000, [(100, 1), (100, 2)], 0, 0), (10_000, [(35, -3), (35, 20)], 30, 0),
                  (10_725, [], 0, 60), (10_000, [(60, 5)], 0, 40), (10_000, [(50, 1)], 100, 0),
                  (10_000, [(90, 1)], 30, 20)])  # fmt: skip
def test_an_invoice_counts_once_in_step_with_its_cash_however_it_is_settled(several: Any) -> None:
    """Receipts too early and too large, credits and write-offs: only cash takes anything up."""
    with new_company() as company:
        begin(company)
        for n, history in enumerate(several):
            put_history(company, f"I{n}", history)
        company.post(FIRST_SYNC, cash_basis=True)
        rows = company.rows("select date from ledger.cash_basis_lines group by 1")
        assert not company.rows(
            "select date from ledger.cash_basis_lines group by 1 having sum(amount) <> 0"
        )
        for (day,) in [*rows, (date(2025, 12, 1),)]:
            for n, history in enumerate(several):
                check_history(company, f"I{n}", history, day)
