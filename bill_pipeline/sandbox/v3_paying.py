"""The v3 plane's payments: what a request says, in the words of ``paying.py``."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from bill_pipeline.sandbox import errors, fields, paying
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document, without_empty
from bill_pipeline.sandbox.members import MEMBERS
from bill_pipeline.sandbox.money import RATES, cents
from bill_pipeline.sandbox.payables import Application
from bill_pipeline.sandbox.v3_writing import known
from bill_pipeline.sandbox.writing import create

#: What a payment keeps of its request.
_KEPT = ("description", "processingOptions", "cardFundingPurpose", "paymentPurpose")
_MOST_BILLS = 50
#: How long a rate is held, and up to what amount.
_RATE_MINUTES, _RATE_LIMIT = 30, 100_000.0
_FUNDING_PURPOSES = {
    "Goods": ["Inventory", "Office supplies", "Equipment"],
    "Services": ["Professional services", "Rent", "Utilities"],
}


def pay(call: Call) -> Document:
    """``POST /v3/payments``: one bill, or with ``createBill`` a vendor without one."""
    paying.require_trust(call)
    body = _read(call, "payment")
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
    body = _read(call, "payments")
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
    body = _read(call, "payment-record")
    for name in ("vendorId", "processDate", "payments"):
        if not body.get(name):
            raise errors.required(name)
    payment = paying.record_offline(
        call,
        body["vendorId"],
        [_application(one) for one in body["payments"]],
        date.fromisoformat(body["processDate"]),
        description=body.get("description"),
        classifications=body.get("classifications"),
        syncReference=body.get("syncReference"),
        toPrintCheck=bool(body.get("toPrintCheck")),
        allowExport=body.get("allowExport") is not False,
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
    vendor, books = _vendor_asked_for(call), call.signed_in().organization
    return {
        "vendorId": vendor["id"],
        "disbursementType": vendor.get("paymentInformation", {}).get("payByType", "CHECK"),
        "fundingOptions": [
            *({"type": "BANK_ACCOUNT", "id": one["id"]} for one in books["bank-accounts"]),
            *({"type": "CARD_ACCOUNT", "id": one["id"]} for one in books["card-accounts"]),
        ],
    }


def exchange_rate(call: Call) -> dict[str, Any]:
    """``GET /v3/payments/exchange-rate?vendorId=``: what one of the vendor's currency costs."""
    vendor, parameters = _vendor_asked_for(call), dict(call.parameters)
    if "amount" in parameters:
        fields.number(parameters["amount"], "amount")
    base, currency = parameters.get("baseCurrency") or "USD", vendor.get("billCurrency", "USD")
    for one in (base, currency):
        if one not in RATES:
            raise errors.unprocessable(f"There is no exchange rate for {one}")
    expires = call.state.clock.now() + timedelta(minutes=_RATE_MINUTES)
    return {
        "paymentCurrency": currency,
        "baseCurrency": base,
        "exchangeRate": round(RATES[currency] / RATES[base], 6),
        "amountRange": {"from": 0.0, "to": _RATE_LIMIT},
        "expirationTime": expires.isoformat(timespec="milliseconds"),
    }


def funding_purposes(call: Call) -> Document:
    """``GET /v3/funding-accounts/cards/funding-purposes?vendorId=&brand=``."""
    vendor = _vendor_asked_for(call)
    used = [
        payment["cardFundingPurpose"]
        for payment in call.signed_in().organization["payments"]
        if payment["vendorId"] == vendor["id"] and payment.get("cardFundingPurpose")
    ]
    results = [
        {"category": category, "subCategories": names}
        for category, names in _FUNDING_PURPOSES.items()
    ]
    return {**({"lastUsedPurpose": used[-1]} if used else {}), "results": results}


def _vendor_asked_for(call: Call) -> Document:
    vendor_id = dict(call.parameters).get("vendorId", "")
    vendor = call.signed_in().organization["vendors"].get(vendor_id)
    if not vendor_id:
        raise errors.required("vendorId")
    if vendor is None:
        raise errors.not_found(vendor_id)
    return vendor


def _application(row: dict[str, Any]) -> Application:
    used = row.get("vendorCredits") or []
    if any(one.get("amount") is None for one in (row, *used)) or not row.get("billId"):
        raise errors.invalid("payments: each needs a billId and an amount")
    credits_used = [(one.get("id") or "", cents(one["amount"])) for one in used]
    return Application(row["billId"], cents(row["amount"]), tuple(credits_used))


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


def _read(call: Call, name: str) -> Document:
    books = call.signed_in().organization
    body = fields.read(books, MEMBERS[name], known(call, name, call.json()))
    if "fundingAccount" in MEMBERS[name] and not body.get("fundingAccount"):
        raise errors.required("fundingAccount")
    return body


def _day(body: dict[str, Any]) -> date | None:
    return date.fromisoformat(body["processDate"]) if body.get("processDate") else None


def _kept(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in _KEPT if body.get(name)}
