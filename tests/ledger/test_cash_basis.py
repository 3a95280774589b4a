"""How part payments take up lines and sales tax on the cash basis, under either policy."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bill_pipeline import decisions
from tests.ledger.company import Company, new_company
from tests.ledger.lives import FIRST_SYNC, begin, money

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
        assert sum(found.values()) == settled
        of_net = settled * net / (net + tax)
        if tax_is_last and settled <= net + tax:
            of_net = min(settled, net)
            assert sum(found[account] for account in amounts) == of_net
        for account, amount in amounts.items():
            assert abs(found[account] - of_net * amount / net) <= CENT
        if settled == net + tax:
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
