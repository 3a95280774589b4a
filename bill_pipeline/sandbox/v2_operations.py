"""v2's named operations: payments made and recorded, approvals, MFA and the list of errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from bill_pipeline.sandbox import approvals, errors, fields, paying
from bill_pipeline.sandbox import v2_codes as codes
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.members import MEMBERS
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.payables import Application
from bill_pipeline.sandbox.v2_payables import APPROVERS, payment_type
from bill_pipeline.sandbox.v2_writing import data_of, page_bounds, written
from bill_pipeline.sandbox.v3_writing import check_applied

_RECEIVED_TYPES = {code: name for name, code in codes.RECEIVED_TYPE.items()}
_DISBURSEMENT_STATUSES = {"SCHEDULED": "0", "IN_PROGRESS": "0", "DONE": "3", "FAILED": "4"}
_APPROVABLE = {"Bill": "bills", "VendorCredit": "vendor-credits", "RecurringBill": "recurringbills"}


def _applications(data: Document) -> list[Application]:
    """What ``billPays`` and ``billCredits`` ask for: a bill's amount includes its credits."""
    pays, used_credits = data.get("billPays") or [], data.get("billCredits") or []
    _need(pays, "billPays", "billId", "amount")
    _need(used_credits, "billCredits", "billId", "vendorCreditId", "amount")
    credits_of: dict[str, list[tuple[str, int]]] = {}
    for row in used_credits:
        credit = (row["vendorCreditId"], cents(row["amount"]))
        credits_of.setdefault(row["billId"], []).append(credit)
    found = []
    for row in pays:
        used = credits_of.pop(row["billId"], [])
        amount = cents(row["amount"]) - sum(one for _, one in used)
        found.append(Application(row["billId"], amount, tuple(used)))
    return found


def _need(rows: list[Document], name: str, *members: str) -> None:
    if any(row.get(member) in (None, "") for row in rows for member in members):
        raise errors.invalid(f"{name}: each needs {' and '.join(members)}")


def _read(call: Call, name: str) -> Document:
    """What an operation is told, each value as what it is. Raises ``ApiError``."""
    return fields.read(call.signed_in().organization, MEMBERS[name], data_of(call))


def _day(data: Document, name: str) -> date | None:
    return date.fromisoformat(data[name]) if data.get(name) else None


def _today(call: Call) -> date:
    return call.state.clock.now().date()


def _reference(value: Any) -> str | None:
    return str(value) if value not in (None, "", ZERO_ID) else None


def pay_bills(call: Call) -> Document:
    paying.require_trust(call)
    data = _read(call, "PayBills")
    bank_id = data.get("bankAccountId")
    funding = {"type": "BANK_ACCOUNT", "id": bank_id} if bank_id else None
    payments = paying.pay_online(call, _applications(data), _day(data, "processDate"), funding)
    return {"sentPays": [written(call, "SentPay", payment["id"]) for payment in payments]}


def record_ap_payment(call: Call) -> Document:
    data = _read(call, "RecordAPPayment")
    account_id = data.get("chartOfAccountId")
    payment = paying.record_offline(
        call,
        data.get("vendorId") or "",
        _applications(data),
        _day(data, "processDate") or _today(call),
        description=data.get("description"),
        classifications={"chartOfAccountId": account_id} if account_id else None,
        syncReference=data.get("syncReference"),
        toPrintCheck=bool(data.get("toPrintCheck")),
    )
    return written(call, "SentPay", payment["id"])


def void_ap_payment(call: Call) -> Document:
    data = data_of(call)
    kind = str(data.get("voidRequestType") or "VOID_ONLY")
    if kind.isdecimal():
        kind = paying.VOID_TYPES[min(int(kind), len(paying.VOID_TYPES) - 1)]
    payment = paying.void(call, str(data.get("sentPayId", "")), kind, str(data.get("reason") or ""))
    return written(call, "SentPay", payment["id"])


def cancel_ap_payment(call: Call) -> Document:
    payment = paying.cancel(call, str(data_of(call).get("sentPayId", "")))
    return written(call, "SentPay", payment["id"])


def record_ar_payment(call: Call) -> Document:
    return _receive(call, _read(call, "RecordARPayment"))


def charge_customer(call: Call) -> Document:
    """Charging needs the customer's consent and a person; the money is on its way at once."""
    call.signed_in_person()
    data = _read(call, "RecordARPayment") | {"paymentType": "3"}
    received = _receive(call, data, onlinePayment=True, status="SCHEDULED")
    return {"chargedReceivedPay": received}


def _receive(call: Call, data: Document, **fields: Any) -> Document:
    books = call.signed_in().organization
    customer_id, rows = data.get("customerId"), data.get("invoicePays") or []
    if not customer_id:
        raise errors.required("customerId")
    _need(rows, "invoicePays", "invoiceId", "amount")
    pays = [(row["invoiceId"], cents(row["amount"])) for row in rows]
    amount = cents(data["amount"]) if data.get("amount") else sum(used for _, used in pays)
    check_applied(call, pays, amount)
    account_id = data.get("depositToAccountId")
    receipt = call.state.receivables(books).receive(
        customer_id,
        amount,
        pays,
        _day(data, "paymentDate") or _today(call),
        call.state.clock.stamp_ms(),
        receivablesType=_RECEIVED_TYPES.get(str(data.get("paymentType")), "OTHER"),
        description=data.get("description"),
        referenceNumber=data.get("refNumber"),
        receivablesAccount={"id": account_id, "type": "GL_ACCOUNT"} if account_id else None,
        **fields,
    )
    return written(call, "ReceivedPay", receipt["id"])


def void_ar_payment(call: Call) -> Document:
    object_id = str(data_of(call).get("id", ""))
    books = call.signed_in().organization
    receipt = books["receivable-payments"].get(object_id)
    if receipt is None:
        raise errors.not_found(object_id)
    if receipt["status"] in {"VOID", "CANCELED"}:
        raise errors.unprocessable(f"{object_id}: The payment is void already")
    call.state.receivables(books).settle(object_id, "VOID", call.state.clock.stamp_ms())
    return written(call, "ReceivedPay", object_id)


def _disbursement(payment: Document) -> Document:
    return {
        "sentPayId": payment["id"],
        "paymentType": payment_type(payment),
        "status": _DISBURSEMENT_STATUSES.get(payment["disbursementStatus"], "5"),
        "amount": payment["amount"],
    }


def disbursement(call: Call) -> Document:
    return _disbursement(_sent_pay(call))


def check_image(call: Call) -> Document:
    payment = _sent_pay(call)
    if payment["disbursementType"] != "CHECK":
        raise errors.unprocessable(f"{payment['id']}: The payment is no check")
    return {"sentPayId": payment["id"], "checkImageStatus": "0", "fileUrl": None}


def _sent_pay(call: Call) -> Document:
    sent_pay_id = str(data_of(call).get("sentPayId", ""))
    payment = call.signed_in().organization["payments"].get(sent_pay_id)
    if payment is None:
        raise errors.not_found(sent_pay_id)
    return payment


def list_payments(call: Call) -> Document:
    """``ListPayments``: payments by the status of their disbursement."""
    data = data_of(call)
    wanted = _reference(data.get("disbursementStatus"))
    rows = [
        _disbursement(payment)
        for payment in call.signed_in().organization["payments"]
        if wanted is None or _DISBURSEMENT_STATUSES.get(payment["disbursementStatus"]) == wanted
    ]
    start, count = page_bounds(data)
    return {"payments": rows[start : start + count]}


def _approvable(call: Call) -> tuple[str, Document]:
    """(list, document) of the bill or vendor credit that an approval is about."""
    data = data_of(call)
    name = _APPROVABLE.get(str(data.get("entity") or "Bill"), "bills")
    document = call.signed_in().organization[name].get(str(data.get("objectId", "")))
    if document is None:
        raise errors.not_found(str(data.get("objectId", "")))
    return name, document


def set_approvers(call: Call) -> Document:
    name, document = _approvable(call)
    books, stamp = call.signed_in().organization, call.state.clock.stamp_ms()
    said = data_of(call).get("approvers") or []
    if not isinstance(said, list):
        raise errors.invalid("approvers: must be an array of user ids")
    approvers = [str(one) for one in said]
    for user_id in approvers:
        if books["users"].get(user_id) is None:
            raise errors.not_found(user_id)
    document["approvers"] = approvals.waiting(approvers, stamp)
    document["approvalStatus"] = "ASSIGNED" if approvers else "UNASSIGNED"
    books[name].replace(document, stamp)
    return {}


def _act(action: str, call: Call) -> Document:
    session = call.signed_in_person()
    name, document = _approvable(call)
    stamp, may_all = call.state.clock.stamp_ms(), session.credential.is_administrator
    user_id = session.credential.user_id
    changed = approvals.act(document, action, user_id, stamp, may_all=may_all)
    session.organization[name].replace(changed, stamp)
    return {}


def approve(call: Call) -> Document:
    return _act("APPROVE", call)


def deny(call: Call) -> Document:
    return _act("DENY", call)


def list_approvers(call: Call) -> list[Document]:
    _, document = _approvable(call)
    entity = str(data_of(call).get("entity") or "Bill")
    approvers = APPROVERS.get(entity, APPROVERS["Bill"])
    return list(approvers(call.signed_in().organization, document))


def list_user_approvals(call: Call) -> list[Document]:
    """Bills that wait for a user."""
    user_id = str(data_of(call).get("usersId") or call.signed_in().credential.user_id)
    found = []
    for bill in call.signed_in().organization["bills"]:
        waits = {r["userId"] for r in bill.get("approvers", ()) if r["status"] == "WAITING"}
        if user_id in waits:
            found.append(written(call, "Bill", bill["id"]))
    return found


def mfa_challenge(call: Call) -> Document:
    return {"challengeId": call.state.trust.challenge(call.signed_in_person())}


def mfa_authenticate(call: Call) -> Document:
    data = data_of(call)
    names = ("challengeId", "token", "deviceId")
    values = [str(data.get(name, "")) for name in names]
    return {"mfaId": call.state.trust.answer(call.signed_in_person(), *values)}


def mfa_status(call: Call) -> Document:
    data, session = data_of(call), call.signed_in()
    mfa_id, device = str(data.get("mfaId", "")), str(data.get("deviceId", ""))
    return {"isTrusted": call.state.trust.step_up(session, mfa_id, device)}


def all_errors(call: Call) -> list[Document]:
    """``Errors.json``: every code with its words; needs no session."""
    return [
        {"error_code": code, "error_message": message} for code, message in errors.MESSAGES.items()
    ]


OPERATIONS: dict[str, Callable[[Call], Any]] = {
    "PayBills": pay_bills,
    "RecordAPPayment": record_ap_payment,
    "VoidAPPayment": void_ap_payment,
    "CancelAPPayment": cancel_ap_payment,
    "RecordARPayment": record_ar_payment,
    "VoidARPayment": void_ar_payment,
    "ChargeCustomer": charge_customer,
    "GetDisbursementData": disbursement,
    "GetCheckImageData": check_image,
    "ListPayments": list_payments,
    "SetApprovers": set_approvers,
    "Approve": approve,
    "Deny": deny,
    "ListApprovers": list_approvers,
    "ListUserApprovals": list_user_approvals,
    "MFAChallenge": mfa_challenge,
    "MFAAuthenticate": mfa_authenticate,
    "MFAStatus": mfa_status,
}
