"""What payments do to a bill and to a vendor credit: pure arithmetic on their documents.

The states' meanings are ``payment_states``; ``payables`` decides when to calculate.
"""

from __future__ import annotations

from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import cents, dollars
from bill_pipeline.sandbox.payment_states import STATES, bill_status, credit_status


def in_state(payment: Document, single_status: str) -> Document:
    """The payment in another state, with the other fields a state decides."""
    state = STATES[single_status]
    return payment | {
        "status": state.status,
        "disbursementStatus": state.disbursement_status,
        "singleStatus": single_status,
    }


def with_amounts(bill: Document, payments: list[Document]) -> Document:
    """The bill with the amounts and the status that all its payments give it."""
    paid = scheduled = credited = 0
    is_processing = False
    for payment in payments:
        effect = STATES[payment["singleStatus"]].effect
        for application in payment["billPayments"]:
            if application["billId"] != bill["id"] or effect == "none":
                continue
            credit = sum(cents(used["amount"]) for used in application.get("vendorCredits", ()))
            credited += credit
            amount = cents(application["amount"]) + credit
            paid += amount if effect == "paid" else 0
            scheduled += amount if effect == "scheduled" else 0
            is_processing |= effect == "scheduled" and payment["status"] == "PAID"
    total = cents(bill["amount"])
    return bill | {
        "paidAmount": dollars(paid),
        "scheduledAmount": dollars(scheduled),
        "creditAmount": dollars(credited),
        "dueAmount": dollars(total - paid - scheduled),
        "paymentStatus": bill_status(total, paid, scheduled, is_processing=is_processing),
    }


def with_usage(credit: Document, payments: list[Document]) -> Document:
    """The vendor credit with the usage and the status that its payments give it."""
    usage: list[Document] = []
    is_processing = False
    for payment in payments:
        effect = STATES[payment["singleStatus"]].effect
        for application in payment["billPayments"]:
            for used in application.get("vendorCredits", ()):
                if used["id"] != credit["id"] or effect == "none":
                    continue
                row = {"billId": application["billId"], "paymentId": payment["id"]}
                usage.append(row | {"amount": used["amount"]})
                is_processing |= effect == "scheduled"
    applied = sum(cents(row["amount"]) for row in usage)
    status = credit_status(cents(credit["amount"]), applied, is_processing=is_processing)
    return credit | {"usage": usage, "appliedAmount": dollars(applied), "status": status}
