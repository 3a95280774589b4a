"""v2's words for v3's: enumerations as numbers in text, times, references. Facts only."""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID

APPROVAL = {"UNASSIGNED": "0", "ASSIGNED": "1", "APPROVED": "3", "APPROVING": "4", "DENIED": "5"}
BILL_PAYMENT = {
    "PAID": "0",
    "UNPAID": "1",
    "PARTIALLY_PAID": "2",
    "SCHEDULED": "4",
    "IN_PROCESS": "4",
}
INVOICE_PAYMENT = {"PAID_IN_FULL": "0", "OPEN": "1", "PARTIAL_PAYMENT": "2", "SCHEDULED": "4"}
SENT_PAY = {"APPROVING": "0", "SCHEDULED": "1", "PAID": "2", "CANCELLED": "3", "VOID": "4"}
BILL_PAY = {"APPROVING": "1", "SCHEDULED": "1", "PAID": "2", "CANCELLED": "3", "VOID": "4"}
RECEIVED_PAY = {"PAID": "0", "VOID": "1", "SCHEDULED": "2", "CANCELED": "3", "ESCHEATED": "4"}
RECEIVED_TYPE = {"CASH": "0", "CHECK": "1", "CREDIT_CARD": "2", "ACH": "3", "PAYPAL": "4"}
CREDIT = {"NOT_APPLIED": "0", "FULLY_APPLIED": "1", "PARTIALLY_APPLIED": "2", "IN_PROCESS": "3"}
PAY_BY = {"CHECK": "0", "ACH": "1", "RPPS": "2", "INTERNATIONAL_E_PAYMENT": "5", "OFFLINE": "6"}
PERIOD = {"DAILY": "0", "WEEKLY": "1", "MONTHLY": "2", "YEARLY": "3", "NONE": "9"}
#: How a payment reaches the vendor, on SentPay, BillPay and in disbursement data.
PAYMENT_TYPE = {"CHECK": "0", "ACH": "2", "RPPS": "3", "PAYPAL": "4"}
APPROVER = {"WAITING": "0", "REROUTED": "2", "DENIED": "3", "APPROVED": "4"}
ACCOUNT_TYPES = (
    "UNSPECIFIED", "ACCOUNTS_PAYABLE", "ACCOUNTS_RECEIVABLE", "BANK", "COST_OF_GOODS_SOLD",
    "CREDIT_CARD", "EQUITY", "EXPENSE", "FIXED_ASSET", "INCOME", "LONG_TERM_LIABILITY",
    "OTHER_ASSET", "OTHER_CURRENT_ASSET", "OTHER_CURRENT_LIABILITY", "OTHER_EXPENSE",
    "OTHER_INCOME", "NON_POSTING",
)  # fmt: skip
ITEM_TYPES = (
    "UNKNOWN", "SERVICE", "INVENTORY", "NON_INVENTORY", "PAYMENT", "DISCOUNT", "SALES_TAX",
    "SUBTOTAL", "OTHER_CHARGE", "INVENTORY_ASSEMBLY", "GROUP", "SALES_TAX_GROUP", "FIXED_ASSET",
    "CATEGORY",
)  # fmt: skip


def number_of(names: tuple[str, ...], name: str) -> str:
    """The code of a v3 name in a numbered list, as text; unknown names are code 0."""
    return str(names.index(name)) if name in names else "0"


def reference(value: Any) -> str:
    """An id, or v2's all-zero id for none."""
    return str(value) if value else ZERO_ID


def v2_time(text: str) -> str:
    """``2026-03-16T15:01:43.900+0000``: v2 writes offsets without the colon."""
    return text[:-3] + text[-2:] if text[-3:-2] == ":" else text


def timed(row: Document, parent: Document) -> Document:
    """A part with the times of the document it belongs to."""
    return {
        **row,
        "createdTime": v2_time(parent["createdTime"]),
        "updatedTime": v2_time(parent["updatedTime"]),
    }
