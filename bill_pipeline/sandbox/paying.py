"""Pay bills, record payments made elsewhere, void and cancel: what clients may ask of payments.

Both planes end here; how they write a request down is their business. Amounts are cents. What a
payment does to its bills and credits is ``payables.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from bill_pipeline.sandbox import cards, errors
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import cents, next_business_day
from bill_pipeline.sandbox.payables import Application

#: BILL merges at most this many bills into one payment.
MAX_BILLS_PER_PAYMENT = 35
VOID_TYPES = ("VOID_ONLY", "VOID_AND_CREDIT", "VOID_AND_REISSUE", "VOID_AND_REISSUE_VCARD")
#: A payment can be cancelled until BILL begins to withdraw the money.
_NOT_BEGUN = frozenset({"SCHEDULED", "READY_TO_FUND"})
_OVER = frozenset({"VOIDED", "CANCELED", "FUNDING_FAILED_VOIDED"})


def require_trust(call: Call) -> None:
    """Money moves for a person in a trusted session only; raises ``ApiError`` 403."""
    session = call.signed_in_person()
    if not (session.is_trusted or call.state.switches.users_are_trusted):
        raise errors.untrusted()


def pay_online(
    call: Call,
    wanted: list[Application],
    process_date: date | None,
    funding: Document | None,
    **fields: Any,
) -> list[Document]:
    """The payments that pay ``wanted``, all or none: one per bill, or one per vendor who takes
    combined payments. Raises ``ApiError``."""
    require_trust(call)
    today = call.state.clock.now().date()
    if process_date is not None and process_date < today:
        raise errors.unprocessable(errors.MESSAGES["BDC_1152"], "BDC_1152")
    _check(call, wanted)
    books = call.signed_in().organization
    account = cards.funding_account(books, funding or {"type": "BANK_ACCOUNT"}, "fundingAccount")
    paid = []
    for vendor, applications in _by_payment(call, wanted):
        number = len(books["payments"])
        day = process_date or next_business_day(today)
        payment = call.state.payables(books).pay(
            vendor,
            applications,
            day,
            call.state.clock.stamp_ms(),
            fundingAccount=account,
            disbursementType=vendor.get("paymentInformation", {}).get("payByType", "CHECK"),
            transactionNumber=f"{day:%y}API{number:07d}",
            confirmationNumber=f"P{day:%y%m%d}02 - {number:07d}",
            disbursementInfo={"isVoidable": False},
            createdBy=call.signed_in().credential.user_id,
            **fields,
        )
        call.state.follow(books, payment)
        paid.append(payment)
    return paid


def record_offline(
    call: Call, vendor_id: str, wanted: list[Application], process_date: date, **fields: Any
) -> Document:
    """A payment made outside BILL, of bills of one vendor. Raises ``ApiError``."""
    bills = _check(call, wanted)
    vendor_id = vendor_id or bills[0]["vendorId"]
    if any(bill["vendorId"] != vendor_id for bill in bills):
        raise errors.unprocessable("vendorId: all bills must be of one vendor")
    books = call.signed_in().organization
    payables = call.state.payables(books)
    return payables.pay(
        payables.document("vendors", vendor_id),
        wanted,
        process_date,
        call.state.clock.stamp_ms(),
        single_status="CLEARED",
        onlinePayment=False,
        disbursementType="OFFLINE",
        transactionNumber=f"{process_date:%y}OFF{len(books['payments']):07d}",
        createdBy=call.signed_in().credential.user_id,
        **fields,
    )


def void(call: Call, payment_id: str, kind: str, reason: str) -> Document:
    """Void a payment that has begun; as in BILL's sandbox, at once. Raises ``ApiError``."""
    payment = _payment(call, payment_id)
    if payment["onlinePayment"]:
        require_trust(call)
    if kind not in VOID_TYPES:
        raise errors.invalid(f"type: must be one of {', '.join(VOID_TYPES)}")
    if payment["singleStatus"] in _OVER | _NOT_BEGUN:
        raise errors.unprocessable("The payment cannot be voided; cancel it, or it is void already")
    payables = call.state.payables(call.signed_in().organization)
    payables.note_void(payment_id, kind, "ACCEPTED", reason, call.state.clock.stamp_ms())
    return payables.move(payment_id, "VOIDED", call.state.clock.stamp_ms())


def cancel(call: Call, payment_id: str) -> Document:
    """Cancel a payment that has not begun. Raises ``ApiError``."""
    payment = _payment(call, payment_id)
    require_trust(call)
    if payment["singleStatus"] not in _NOT_BEGUN:
        raise errors.unprocessable("The payment has begun to process and cannot be cancelled")
    payables = call.state.payables(call.signed_in().organization)
    stamp = call.state.clock.stamp_ms()
    return payables.move(payment_id, "CANCELED", stamp, cancelRequestSubmitted=True)


def _payment(call: Call, payment_id: str) -> Document:
    payment = call.signed_in().organization["payments"].get(payment_id)
    if payment is None:
        raise errors.not_found(payment_id)
    return payment


def _check(call: Call, wanted: list[Application]) -> list[Document]:
    """The bills of ``wanted``; raises ``ApiError`` before anything is paid."""
    books = call.signed_in().organization
    if not wanted:
        raise errors.required("payments")
    bills: dict[str, Document] = {}
    asked: dict[str, int] = {}
    for one in wanted:
        bill = books["bills"].get(one.bill_id)
        if bill is None:
            raise errors.not_found(one.bill_id)
        bills[one.bill_id] = bill
        used = _checked_credits(call, one, bill)
        asked[one.bill_id] = asked.get(one.bill_id, 0) + one.amount + used
        if one.amount < 0 or asked[one.bill_id] > cents(bill["dueAmount"]):
            raise errors.unprocessable(f"{one.bill_id}: amount: more than the bill's amount due")
        if bill.get("archived"):
            raise errors.unprocessable(f"{one.bill_id}: The bill is archived")
    return list(bills.values())


def _checked_credits(call: Call, wanted: Application, bill: Document) -> int:
    """Cents of credit used; raises ``ApiError`` unless each is the vendor's and open."""
    books, total = call.signed_in().organization, 0
    for credit_id, amount in wanted.credits:
        credit = books["vendor-credits"].get(credit_id)
        if credit is None or credit["vendorId"] != bill["vendorId"]:
            raise errors.not_found(credit_id)
        if not 0 < amount <= cents(credit["amount"]) - cents(credit["appliedAmount"]):
            raise errors.unprocessable(f"{credit_id}: amount: more than the credit's rest")
        total += amount
    return total


def _by_payment(
    call: Call, wanted: list[Application]
) -> Iterable[tuple[Document, list[Application]]]:
    """(vendor, what one payment pays) …, in the order asked for."""
    payables = call.state.payables(call.signed_in().organization)
    of_vendor: dict[str, list[Application]] = {}
    for one in wanted:
        vendor_id = payables.document("bills", one.bill_id)["vendorId"]
        of_vendor.setdefault(vendor_id, []).append(one)
    for vendor_id, applications in of_vendor.items():
        vendor = payables.document("vendors", vendor_id)
        combines = vendor.get("additionalInfo", {}).get("combinePayments")
        size = MAX_BILLS_PER_PAYMENT if combines else 1
        for start in range(0, len(applications), size):
            yield vendor, applications[start : start + size]
