"""Invented companies keep books that add up, at every moment of their lives."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from bill_pipeline.sandbox import cash
from bill_pipeline.sandbox.companies import add_invented_companies
from bill_pipeline.sandbox.companies.trades import TRADES
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.payables import Application
from bill_pipeline.sandbox.payment_states import STATES
from bill_pipeline.sandbox.state import SandboxState

pytestmark = pytest.mark.rotating(days=2)


def lived(companies: int, documents: int, seed: int = 3, **switches: Any) -> SandboxState:
    state = SandboxState(seed=seed)
    state.switches.change(switches)
    add_invented_companies(state, companies, documents)
    return state


def assert_payables_add_up(books: Organization) -> None:
    """Every bill's amounts are those of its payments, every credit's those of its usage."""
    paid: dict[str, int] = defaultdict(int)
    scheduled: dict[str, int] = defaultdict(int)
    credited: dict[str, int] = defaultdict(int)
    used: dict[str, int] = defaultdict(int)
    for payment in books["payments"]:
        state = STATES[payment["singleStatus"]]
        assert payment["status"] == state.status
        assert cents(payment["amount"]) == sum(cents(p["amount"]) for p in payment["billPayments"])
        for row in payment["billPayments"]:
            credit = sum(cents(c["amount"]) for c in row.get("vendorCredits", ()))
            sums = {"paid": paid, "scheduled": scheduled}.get(state.effect)
            if sums is not None:
                sums[row["billId"]] += cents(row["amount"]) + credit
                credited[row["billId"]] += credit
                for one in row.get("vendorCredits", ()):
                    used[one["id"]] += cents(one["amount"])
    for bill in books["bills"]:
        amount = cents(bill["amount"])
        assert amount == sum(cents(line["amount"]) for line in bill["billLineItems"]), bill
        assert cents(bill["paidAmount"]) == paid[bill["id"]], bill
        assert cents(bill["scheduledAmount"]) == scheduled[bill["id"]], bill
        assert cents(bill["creditAmount"]) == credited[bill["id"]], bill
        due = amount - paid[bill["id"]] - scheduled[bill["id"]]
        assert cents(bill["dueAmount"]) == due >= 0, bill
        assert (bill["paymentStatus"] == "PAID") == (due == 0 and not scheduled[bill["id"]])
    for credit in books["vendor-credits"]:
        assert cents(credit["appliedAmount"]) == used[credit["id"]] <= cents(credit["amount"])
        assert used[credit["id"]] == sum(cents(u["amount"]) for u in credit.get("usage", ()))


def assert_receivables_add_up(books: Organization) -> None:
    received: dict[str, int] = defaultdict(int)
    for receipt in books["receivable-payments"]:
        rows = receipt.get("invoicePayments", ())
        applied = sum(cents(row["amount"]) for row in rows)
        assert cents(receipt["amount"]) == applied + cents(receipt["unappliedAmount"])
        for row in rows:
            if receipt["status"] in {"PAID", "SCHEDULED"}:
                received[row["invoiceId"]] += cents(row["amount"])
    for invoice in books["invoices"]:
        net = sum(cents(x["price"]) * x["quantity"] for x in invoice["invoiceLineItems"])
        assert cents(invoice["totalAmount"]) == net + cents(invoice["salesTaxTotal"])
        due = (
            cents(invoice["totalAmount"]) - cents(invoice["creditAmount"]) - received[invoice["id"]]
        )
        assert cents(invoice["dueAmount"]) == due >= 0


@pytest.mark.parametrize("seed", [3, 4])
def test_amounts_add_up_today_and_every_month_of_the_year_to_come(seed: int) -> None:
    state = lived(2, 400, seed)
    state.set_live(True)
    for _ in range(13):
        for books in state.organizations.values():
            assert_payables_add_up(books)
            assert_receivables_add_up(books)
        state.clock.step_ms(28 * 86_400_000)
        state.advance()


def test_the_same_seed_gives_the_same_books_and_another_seed_others() -> None:
    first, same, other = lived(1, 300), lived(1, 300), lived(1, 300, seed=9)
    books = [state.books(state.companies()[0].client) for state in (first, same, other)]
    assert books[0] == books[1]
    assert books[0]["bills"] != books[2]["bills"]


def test_a_life_is_the_same_in_one_step_or_in_many() -> None:
    ends = []
    for steps in (1, 30):
        state = lived(1, 300)
        state.set_live(True)
        for _ in range(steps):
            state.clock.step_ms(30 * 86_400_000 // steps)
            state.advance()
        ends.append(state.books(state.companies()[0].client))
    assert ends[0] == ends[1]


def test_a_pause_puts_life_off_instead_of_rewriting_the_past() -> None:
    state = lived(1, 300)
    [books] = state.organizations.values()
    state.clock.step_ms(60 * 86_400_000)
    now_ms = state.clock.now_ms()
    before = books["bills"].updated_ms().copy()
    state.set_live(True)
    state.clock.step_ms(7 * 86_400_000)
    assert state.advance() > 0
    after = books["bills"].updated_ms()
    assert all(after[len(before) :] >= now_ms)
    changed = after[: len(before)] != before
    assert all(after[: len(before)][changed] >= now_ms)


def test_every_trade_brings_its_own_kind_of_books() -> None:
    state = lived(len(TRADES), 150)
    organizations = list(state.organizations.values())
    assert len(TRADES) >= 6
    assert len({books.client for books in organizations}) == len(TRADES)
    assert sum(len(books["invoices"]) > 0 for books in organizations) == 2
    types = {a["account"]["type"] for a in organizations[0]["chart-of-accounts"]}
    assert {"ACCOUNTS_PAYABLE", "ACCOUNTS_RECEIVABLE", "BANK", "EQUITY", "INCOME"} <= types
    assert {"COST_OF_GOODS_SOLD", "EXPENSE", "FIXED_ASSET", "CREDIT_CARD"} <= types
    for books in organizations:
        accounts = {a["id"] for a in books["chart-of-accounts"]}
        assert all(b["chartOfAccountId"] in accounts for b in books["bank-accounts"])


@pytest.mark.slow
def test_a_long_life_has_every_kind_of_event() -> None:
    state = lived(2, 4_000)
    first, second = state.organizations.values()
    payments = [p for books in (first, second) for p in books["payments"]]
    assert {v["type"] for p in payments for v in p.get("voidInfo", ())} == {
        "VOID_ONLY",
        "VOID_AND_CREDIT",
        "VOID_AND_REISSUE",
    }
    assert {"CLEARED", "VOIDED", "CANCELED", "SENT"} <= {p["singleStatus"] for p in payments}
    assert any(not p["onlinePayment"] for p in payments)
    assert any(len(p["billPayments"]) > 1 for p in payments)
    assert any(row.get("vendorCredits") for p in payments for row in p["billPayments"])
    bills = [b for books in (first, second) for b in books["bills"]]
    assert any(b["archived"] for b in bills)
    assert any(line["amount"] < 0 for b in bills for line in b["billLineItems"])
    assert any(b["paymentStatus"] == "PARTIALLY_PAID" for b in bills)
    assert max(len(b["billLineItems"]) for b in bills) >= 6
    assert first.merged_into or second.merged_into
    assert first.audit_trail or second.audit_trail
    receipts = list(second["receivable-payments"])
    assert any(r["convenienceFeeAmount"] for r in receipts)
    assert {"PAID", "VOID", "CANCELED"} <= {r["status"] for r in receipts}
    assert len(second["credit-memos"]) > 0


@pytest.mark.slow
def test_what_left_the_bank_is_what_the_payments_say() -> None:
    """Voided money comes back or pays the reissued payment: nothing stays with BILL for good."""
    for books in lived(2, 4_000).organizations.values():
        withdrawn = -sum(
            cents(m["amount"]) for m in books["money-movements"] if m["type"] == cash.PAYABLES
        )
        paid = sum(
            cents(p["amount"])
            for p in books["payments"]
            if p["onlinePayment"] and STATES[p["singleStatus"]].status == "PAID"
        )
        assert withdrawn == paid


def test_uncoded_lines_are_recent_and_their_truth_is_known() -> None:
    state = lived(3, 600)
    for organization_id, life in state.lives.items():
        books = state.organizations[organization_id]
        accounts = {a["id"] for a in books["chart-of-accounts"]}
        uncoded = {
            line["id"]
            for bill in books["bills"]
            for line in bill["billLineItems"]
            if "chartOfAccountId" not in line.get("classifications", {})
        }
        assert uncoded
        assert uncoded <= {row["line_id"] for row in life.truth}
        assert {row["account_id"] for row in life.truth} <= accounts


def test_payments_move_bill_times_only_when_switched_on() -> None:
    for switched in (False, True):
        state = lived(1, 300, payments_leave_document_times=not switched)
        [books] = state.organizations.values()
        bill = next(b for b in books["bills"] if b["dueAmount"] > 0 and not b["archived"])
        payables = state.payables(books)
        vendor = payables.document("vendors", bill["vendorId"])
        one = Application(bill["id"], cents(bill["dueAmount"]))
        payables.pay(vendor, [one], state.clock.now().date(), state.clock.stamp_ms())
        after = payables.document("bills", bill["id"])
        assert after["scheduledAmount"] > 0
        assert (after["updatedTime"] != bill["updatedTime"]) == switched


def test_a_million_documents_start_at_once_and_add_up_where_looked_at() -> None:
    state = lived(1, 1_000_000)
    [books] = state.organizations.values()
    assert len(books["bills"]) + len(books["payments"]) > 990_000
    for position in (0, 17, 250_000, 450_000):
        bill = books["bills"].at(position)
        assert books["bills"].position(bill["id"]) == position
        assert cents(bill["amount"]) == sum(cents(x["amount"]) for x in bill["billLineItems"])
        payment = books["payments"].at(position)
        assert payment["billPayments"][0]["billId"] == bill["id"]
        assert cents(payment["amount"]) == cents(bill["paidAmount"])
    bill = books["bills"].at(17)
    state.payables(books).move(books["payments"].at(17)["id"], "VOIDED", state.clock.stamp_ms())
    reopened = books["bills"].at(17)
    assert reopened["dueAmount"] == bill["amount"]
