"""What each state of a payment means for the payment's other fields and for its bills.

Facts only; who moves a payment from one state to the next is ``payables.py`` and the company's
life.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PaymentState:
    """``effect`` on a bill: "scheduled", "paid" or "none" (the bill is open again)."""

    status: str
    disbursement_status: str
    effect: str


STATES: dict[str, PaymentState] = {
    "SCHEDULED": PaymentState("SCHEDULED", "SCHEDULED", "scheduled"),
    "READY_TO_FUND": PaymentState("SCHEDULED", "SCHEDULED", "scheduled"),
    "FUNDING_STARTED": PaymentState("PAID", "SCHEDULED", "scheduled"),
    "PROCESSED": PaymentState("PAID", "IN_PROGRESS", "scheduled"),
    "SENT": PaymentState("PAID", "IN_PROGRESS", "scheduled"),
    "DELIVERED": PaymentState("PAID", "DONE", "paid"),
    "CLEARED": PaymentState("PAID", "DONE", "paid"),
    "PARTIALLY_CLAIMED": PaymentState("PAID", "DONE", "paid"),
    "DISBURSEMENT_ON_HOLD": PaymentState("PAID", "HOLD", "scheduled"),
    "EXPIRING": PaymentState("PAID", "DONE", "paid"),
    # The money has left the payer: the bill stays paid until somebody voids the payment.
    "DISBURSEMENT_FAILED_ACTION_NEEDED": PaymentState("PAID", "FAILED", "paid"),
    "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED": PaymentState("PAID", "FAILED", "paid"),
    # BILL has paid the vendor already and is owed the money.
    "FUNDING_FAILED_ACTION_NEEDED": PaymentState("PAID", "DONE", "paid"),
    "FUNDING_FAILED_VOIDED": PaymentState("VOID", "VOID", "none"),
    "VOID_PENDING": PaymentState("PAID", "DONE", "paid"),
    "VOIDED": PaymentState("VOID", "VOID", "none"),
    "CANCELLATION_IN_PROGRESS": PaymentState("SCHEDULED", "SCHEDULED", "scheduled"),
    # BILL writes CANCELLED here and CANCELED in singleStatus.
    "CANCELED": PaymentState("CANCELLED", "VOID", "none"),
    "FUNDS_ESCHEATED": PaymentState("PAID", "DONE", "paid"),
}


def bill_status(amount: int, paid: int, scheduled: int, *, is_processing: bool) -> str:
    """A bill's paymentStatus from its cents; ``is_processing``: a payment is on its way."""
    due = amount - paid - scheduled
    if scheduled and due <= 0:
        return "IN_PROCESS" if is_processing else "SCHEDULED"
    if due <= 0:
        return "PAID"
    return "PARTIALLY_PAID" if paid else "UNPAID"


def credit_status(amount: int, applied: int, *, is_processing: bool) -> str:
    """A vendor credit's or credit memo's status."""
    if is_processing:
        return "IN_PROCESS"
    if applied == 0:
        return "NOT_APPLIED"
    return "FULLY_APPLIED" if applied >= amount else "PARTIALLY_APPLIED"
