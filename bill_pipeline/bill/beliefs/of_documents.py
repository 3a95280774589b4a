"""How to see what we believe of the contents of documents: states, amounts, rates, signs."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from bill_pipeline.bill import errors
from bill_pipeline.bill.beliefs.observer import NotSeen, Observation, Observer, Row, amount, amounts

_CENT = Decimal("0.01")
#: The states of payments that the posting rules know (``transforms/staging/payments.sql``).
PAYMENT_STATES = frozenset(
    {
        "SCHEDULED",
        "READY_TO_FUND",
        "CANCELLATION_IN_PROGRESS",
        "FUNDING_STARTED",
        "PROCESSED",
        "SENT",
        "DELIVERED",
        "CLEARED",
        "PARTIALLY_CLAIMED",
        "DISBURSEMENT_ON_HOLD",
        "EXPIRING",
        "VOID_PENDING",
        "FUNDING_FAILED_ACTION_NEEDED",
        "DISBURSEMENT_FAILED_ACTION_NEEDED",
        "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED",
        "FUNDS_ESCHEATED",
        "VOIDED",
        "FUNDING_FAILED_VOIDED",
        "CANCELED",
        "CANCELLED",
    }
)
#: Those of received payments that are booked (``transforms/staging/received_payments.sql``).
BOOKED_RECEIPT_STATES = frozenset({"PAID", "ESCHEATED", "CLEARED", "DEPOSITED"})
#: Those that BILL documents and that are not booked (yet, or any more).
OTHER_RECEIPT_STATES = frozenset({"SCHEDULED", "VOID", "CANCELED", "CANCELLED", "UNDEFINED"})


def payment_states_are_known(observer: Observer) -> Observation:
    states = [row.get("singleStatus") for row in observer.sample("payments")]
    return _among(states, PAYMENT_STATES)


def receipt_states_are_known(observer: Observer) -> Observation:
    states = [row.get("status") for row in observer.sample("received_payments")]
    return _among(states, BOOKED_RECEIPT_STATES | OTHER_RECEIPT_STATES)


def _among(states: Iterable[object], known: frozenset[str]) -> Observation:
    given = [state for state in states if state is not None]
    if not given:
        raise NotSeen("there is no such document")
    inside = sum(state in known for state in given)
    return Observation(inside, len(given) - inside)


def credits_come_on_top(observer: Observer) -> Observation:
    """Seen on payments that use a credit: the bills' amounts add up to the cash, or to more."""
    holds = fails = 0
    for payment in observer.sample("payments"):
        bills = payment.get("billPayments") or []
        used = sum((amounts(paid.get("vendorCredits"), "amount") for paid in bills), Decimal(0))
        cash = amount(payment.get("amount"))
        if not used or cash is None:
            continue
        is_cash = amounts(bills, "amount") == cash
        holds, fails = holds + is_cash, fails + (not is_cash)
    return _found(holds, fails, "none of the latest payments used a vendor credit")


def bill_id_means_one_bill(observer: Observer) -> Observation:
    one = many = 0
    for payment in observer.sample("payments"):
        if payment.get("billId"):
            is_one = len(payment.get("billPayments") or []) <= 1
            one, many = one + is_one, many + (not is_one)
    return _found(one, many, "none of the latest payments names a bill at its top")


def invoice_lines_have_price_and_quantity(observer: Observer) -> Observation:
    holds = fails = 0
    for invoice in observer.sample("invoices"):
        lines, total = invoice.get("invoiceLineItems") or [], amount(invoice.get("totalAmount"))
        if not lines or total is None:
            continue
        tax = amount(invoice.get("salesTaxTotal")) or Decimal(0)
        worth = sum((_line_amount(line) for line in lines), Decimal(0))
        bare = all("amount" not in line and "price" in line for line in lines)
        is_so = bare and abs(worth + tax - total) <= _CENT * len(lines)
        holds, fails = holds + is_so, fails + (not is_so)
    return _found(holds, fails, "there is no invoice with lines")


def _line_amount(line: Row) -> Decimal:
    price, quantity = amount(line.get("price")), amount(line.get("quantity", 1))
    return Decimal(0) if price is None or quantity is None else price * quantity


def exchange_rates_are_home_per_foreign(observer: Observer) -> Observation:
    holds = fails = 0
    for bill in observer.sample("bills"):
        local, home = amount(bill.get("amount")), amount(bill.get("fundingAmount"))
        rate = amount(bill.get("exchangeRate"))
        if not (local and home and rate) or rate == 1 or local == home:
            continue
        times, over = abs(local * rate - home), abs(local / rate - home)
        if times != over:
            holds, fails = holds + (times < over), fails + (over < times)
    return _found(holds, fails, "none of the latest bills is in another currency")


def receipts_tell_no_processing_fee(observer: Observer) -> Observation:
    silent = telling = 0
    for receipt in observer.sample("received_payments"):
        is_telling = any("processing" in name.lower() for name in receipt)
        silent, telling = silent + (not is_telling), telling + is_telling
    return _found(silent, telling, "no payment was received")


def uses_have_no_dates(observer: Observer) -> Observation:
    undated = dated = 0
    for table in ("vendor_credits", "credit_memos"):
        try:
            rows = observer.sample(table)
        except (errors.PermissionMissing, errors.RequestRefused):
            continue
        for used in (used for row in rows for used in row.get("usage") or ()):
            is_dated = any("date" in name.lower() or "time" in name.lower() for name in used)
            undated, dated = undated + (not is_dated), dated + is_dated
    return _found(undated, dated, "no credit was used")


def withdrawals_are_negative(observer: Observer) -> Observation:
    """Refunds are positive movements for payables, and seldom: most of them decide."""
    signs = [
        value < 0
        for row in observer.sample("money_movements")
        if str(row.get("type")) == "1" and (value := amount(row.get("amount")))
    ]
    out, into = signs.count(True), signs.count(False)
    if out == into:
        raise NotSeen("there is no movement of money for payables")
    return Observation(holds=out) if out > into else Observation(fails=into)


def _found(holds: int, fails: int, otherwise: str) -> Observation:
    if not holds and not fails:
        raise NotSeen(otherwise)
    return Observation(holds, fails)
