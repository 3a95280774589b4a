"""BILL's own fees: the statement it sends an organization every month."""

from __future__ import annotations

from datetime import date, timedelta

from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import dollars

_SUBSCRIPTION_CENTS, _ACH_FEE_CENTS, _CHECK_FEE_CENTS = 49_00, 59, 1_69


def statement(day: date, checks: int, transfers: int) -> Document:
    """The statement of a day for the checks and transfers sent since the last one."""
    details = [("Subscription", 1, _SUBSCRIPTION_CENTS)]
    details += [("ACH payments", transfers, _ACH_FEE_CENTS)] if transfers else []
    details += [("Check payments", checks, _CHECK_FEE_CENTS)] if checks else []
    return {
        "invoiceNumber": f"INV{day:%Y%m}",
        "invoiceDate": day.isoformat(),
        "paymentDate": (day + timedelta(days=4)).isoformat(),
        "amount": dollars(sum(count * fee for _, count, fee in details)),
        "statementDetails": [
            {
                "quantity": count,
                "description": f"{what} (invented)",
                "type": "SUBSCRIPTION" if what == "Subscription" else "TRANSACTION",
                "amount": dollars(count * fee),
            }
            for what, count, fee in details
        ],
    }
