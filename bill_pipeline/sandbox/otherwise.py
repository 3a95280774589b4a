"""What documents look like where BILL is otherwise than believed; see ``switches``.

The books stay as they are: documents are rewritten as they are sent, in lists and one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.money import cents, dollars
from bill_pipeline.sandbox.switches import Switches

Rewrite = Callable[[Document], None]

_REFERENCES = ("accountingClassId", "departmentId", "locationId", "jobId")
_LINES = ("billLineItems", "vendorCreditLineItems", "invoiceLineItems", "creditMemoLineItems")
_ZONE = "+00:00"


def rewrites(switches: Switches, name: str) -> list[Rewrite]:
    """What is done to a document of the list ``name`` before it is sent; usually nothing."""
    return [
        rewrite
        for switch, lists, rewrite in _TABLE
        if not getattr(switches, switch) and (lists is None or name in lists)
    ]


def as_sent(switches: Switches, name: str, document: Document) -> Document:
    """``document`` of the list ``name`` as a client gets it; changed in place."""
    for rewrite in rewrites(switches, name):
        rewrite(document)
    return document


def _with_empty_fields(document: Document) -> None:
    document.setdefault("description", "")
    for name in _LINES:
        for line in document.get(name, ()):
            chosen = line.setdefault("classifications", {})
            for reference in _REFERENCES:
                chosen.setdefault(reference, ZERO_ID if reference == "jobId" else "")


def _without_zones(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _without_zones(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.endswith("Time") and isinstance(item, str):
                value[key] = item.removesuffix(_ZONE)
            else:
                _without_zones(item)


def _in_new_payment_state(document: Document) -> None:
    if document.get("singleStatus") == "CLEARED":
        document["singleStatus"] = "SETTLED_AT_BANK"


def _in_new_receipt_state(document: Document) -> None:
    if document.get("status") == "PAID":
        document["status"] = "SETTLED_AT_BANK"


def _with_credits_inside(document: Document) -> None:
    for paid in document.get("billPayments", ()):
        used_up = sum(cents(used["amount"]) for used in paid.get("vendorCredits", ()))
        paid["amount"] = dollars(cents(paid["amount"]) + used_up)


def _with_first_bill(document: Document) -> None:
    if document.get("billPayments"):
        document["billId"] = document["billPayments"][0]["billId"]


def _with_line_amounts(document: Document) -> None:
    for line in document.get("invoiceLineItems", ()):
        price, quantity = line.pop("price", 0), line.pop("quantity", 1)
        line["amount"] = dollars(round(cents(price) * quantity))


def _with_inverted_rate(document: Document) -> None:
    rate = document.get("exchangeRate")
    if rate:
        document["exchangeRate"] = round(1 / rate, 8)


def _with_processing_fee(document: Document) -> None:
    document["processingFeeAmount"] = 0.0


def _with_dated_uses(document: Document) -> None:
    for used in document.get("usage", ()):
        used["appliedDate"] = document["updatedTime"][:10]


def _unsigned(document: Document) -> None:
    if document.get("type") == "1":
        document["amount"] = -document["amount"]


#: (switch, lists it concerns or None for all, what happens to a document when it is off).
_TABLE: tuple[tuple[str, frozenset[str] | None, Rewrite], ...] = (
    ("empty_fields_are_left_out", None, _with_empty_fields),
    ("times_name_their_zone", None, _without_zones),
    ("payment_states_are_known", frozenset({"payments"}), _in_new_payment_state),
    ("receipt_states_are_known", frozenset({"receivable-payments"}), _in_new_receipt_state),
    ("credits_come_on_top", frozenset({"payments"}), _with_credits_inside),
    ("bill_id_means_one_bill", frozenset({"payments"}), _with_first_bill),
    ("invoice_lines_have_price_and_quantity", frozenset({"invoices"}), _with_line_amounts),
    (
        "exchange_rates_are_home_per_foreign",
        frozenset({"bills", "payments", "invoices"}),
        _with_inverted_rate,
    ),
    (
        "receipts_tell_no_processing_fee",
        frozenset({"receivable-payments"}),
        _with_processing_fee,
    ),
    ("uses_have_no_dates", frozenset({"vendor-credits", "credit-memos"}), _with_dated_uses),
    ("withdrawals_are_negative", frozenset({"money-movements"}), _unsigned),
)
