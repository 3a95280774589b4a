"""The v3 plane's payments: what a request says, in the words of ``paying.py``."""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox import errors, paying
from bill_pipeline.sandbox.documents import Document, without_empty
from bill_pipeline.sandbox.endpoint import Call
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.payables import Application
from bill_pipeline.sandbox.writing import create, day_of

#: What a payment keeps of its request.
_KEPT = ("description", "processingOptions", "cardFundingPurpose", "paymentPurpose")
_MOST_BILLS = 50


def pay(call: Call) -> Document:
    """``POST /v3/payments``: one bill, or with ``createBill`` a vendor without one."""
    paying.require_trust(call)
    body = call.json()
    _check_funding(body)
    if (body.get("processingOptions") or {}).get("createBill"):
        body["billId"] = _new_bill(call, body)["id"]
    if not body.get("billId"):
        raise errors.required("billId")
    [payment] = paying.pay_online(
        call, [_application(body)], _day(body), body["fundingAccount"], **_kept(body)
    )
    call.status = 201
    return without_empty(payment)


def pay_many(call: Call) -> list[Document]:
    """``POST /v3/payments/bulk``: up to fifty bills, all or none."""
    paying.require_trust(call)
    body = call.json()
    _check_funding(body)
    wanted = body.get("payments") or body.get("billPayments") or []
    if len(wanted) > _MOST_BILLS:
        raise errors.invalid(f"payments: at most {_MOST_BILLS} bills")
    applications = [_application(one) for one in wanted]
    payments = paying.pay_online(
        call, applications, _day(body), body["fundingAccount"], **_kept(body)
    )
    call.status = 201
    return [without_empty(payment) for payment in payments]


def record(call: Call) -> Document:
    """``POST /v3/bills/record-payment``: paid outside BILL. A sync token may do this."""
    body = call.json()
    for name in ("vendorId", "processDate", "payments"):
        if not body.get(name):
            raise errors.required(name)
    payment = paying.record_offline(
        call,
        str(body["vendorId"]),
        [_application(one) for one in body["payments"]],
        day_of(body["processDate"], "processDate"),
        description=body.get("description"),
        classifications=body.get("classifications"),
        syncReference=body.get("syncReference"),
        toPrintCheck=bool(body.get("toPrintCheck")),
        allowExport=bool(body.get("allowExport", True)),
    )
    call.status = 201
    return without_empty(payment)


def void(call: Call) -> Document:
    """``POST /v3/payments/{id}/void`` with ``type`` and ``reason``."""
    body = call.json()
    kind, reason = str(body.get("type") or "VOID_ONLY"), str(body.get("reason") or "")
    return without_empty(paying.void(call, call.parts["object_id"], kind, reason))


def cancel(call: Call) -> Document:
    """``POST /v3/payments/{id}/cancel``."""
    return without_empty(paying.cancel(call, call.parts["object_id"]))


def options(call: Call) -> dict[str, Any]:
    """``GET /v3/payments/options?vendorId=``: how and from what a vendor can be paid."""
    parameters, books = dict(call.parameters), call.signed_in().organization
    vendor = books["vendors"].get(parameters.get("vendorId", ""))
    if vendor is None:
        raise errors.not_found(parameters.get("vendorId", ""))
    return {
        "vendorId": vendor["id"],
        "disbursementType": vendor.get("paymentInformation", {}).get("payByType", "CHECK"),
        "fundingOptions": [
            {"type": "BANK_ACCOUNT", "id": bank["id"]} for bank in books["bank-accounts"]
        ],
    }


def _application(row: dict[str, Any]) -> Application:
    try:
        used = [(str(c["id"]), cents(float(c["amount"]))) for c in row.get("vendorCredits") or []]
        return Application(str(row["billId"]), cents(float(row["amount"])), tuple(used))
    except (KeyError, TypeError, ValueError):
        raise errors.invalid("payments: each needs a billId and an amount") from None


def _new_bill(call: Call, body: dict[str, Any]) -> Document:
    """The bill BILL makes for a payment without one."""
    today = call.state.clock.now().date().isoformat()
    number = f"AUTO-{len(call.signed_in().organization['bills']) + 1}"
    line = {"amount": body.get("amount"), "description": body.get("description")}
    return create(
        call,
        "bills",
        {
            "vendorId": body.get("vendorId"),
            "dueDate": today,
            "invoice": {"invoiceNumber": number, "invoiceDate": today},
            "billLineItems": [line],
        },
    )


def _check_funding(body: dict[str, Any]) -> None:
    if not isinstance(body.get("fundingAccount"), dict) or not body["fundingAccount"].get("type"):
        raise errors.required("fundingAccount")


def _day(body: dict[str, Any]) -> Any:
    return day_of(body["processDate"], "processDate") if body.get("processDate") else None


def _kept(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in _KEPT if body.get(name)}
