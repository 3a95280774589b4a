"""The v3 plane's writes: create, edit, archive, restore, and recording payments made elsewhere.

A sync product only reads; these are here because other clients of BILL write, and because a
test may want to change the books as a client does. Online payments need a trusted (MFA) session,
which the sandbox never gives.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.endpoint import Call
from bill_pipeline.sandbox.lists import ListRow
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.payables import Line
from bill_pipeline.sandbox.receivables import SalesLine
from bill_pipeline.sandbox.v3_reading import find_document

#: What a new object must have, by list.
_REQUIRED: dict[str, tuple[str, ...]] = {
    "vendors": ("name",),
    "customers": ("name",),
    "bills": ("vendorId", "dueDate", "billLineItems", "invoice"),
    "invoices": ("customer", "invoiceNumber", "invoiceDate", "dueDate", "invoiceLineItems"),
    "vendor-credits": ("vendorId", "referenceNumber", "creditDate", "vendorCreditLineItems"),
    "credit-memos": ("customerId", "creditDate", "creditMemoLineItems"),
    "recurringbills": ("vendorId", "recurringBillLineItems"),
    "recurring-invoices": ("customerId", "recurringInvoiceLineItems"),
}
#: What BILL fills in.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "vendors": {"accountType": "NONE", "billCurrency": "USD", "networkStatus": "NOT_CONNECTED"},
    "customers": {"accountType": "NONE", "invoiceCurrency": "USD"},
    "credit-memos": {"appliedAmount": 0.0, "status": "NOT_APPLIED"},
}
#: What a client cannot set.
_OWN_FIELDS = frozenset({"id", "createdTime", "updatedTime", "archived"})


def create(row: ListRow, call: Call) -> dict[str, Any]:
    """``POST`` on a list: 201 and the new document."""
    return _create(row, call, call.json())


def create_many(row: ListRow, call: Call) -> list[dict[str, Any]]:
    """``POST …/bulk``: an array of new objects, checked before the first is made."""
    bodies = call.json_array()
    for body in bodies:
        _check_required(row, body)
    return [_create(row, call, body) for body in bodies]


def _check_required(row: ListRow, body: dict[str, Any]) -> None:
    for name in _REQUIRED.get(row.name, ("name",)):
        if body.get(name) in (None, "", [], {}):
            raise errors.invalid(f"{name}: The {name} field is required")


def _create(row: ListRow, call: Call, body: dict[str, Any]) -> dict[str, Any]:
    _check_required(row, body)
    call.status = 201
    if row.name == "bills":
        return _create_bill(call, body)
    if row.name == "invoices":
        return _create_invoice(call, body)
    if row.name == "vendor-credits":
        return _create_credit(call, body)
    fields = {name: value for name, value in body.items() if name not in _OWN_FIELDS}
    books = call.signed_in().organization
    defaults = _DEFAULTS.get(row.name, {})
    document = {"archived": False, **defaults, **fields}
    return books[row.name].add(document, call.state.clock.stamp_ms())


def _create_bill(call: Call, body: dict[str, Any]) -> Document:
    books, invoice = call.signed_in().organization, body["invoice"]
    return call.state.payables(books).enter_bill(
        _party(call, "vendors", body["vendorId"], "vendorId"),
        str(invoice.get("invoiceNumber") or ""),
        _date(invoice.get("invoiceDate"), "invoice.invoiceDate"),
        _date(body["dueDate"], "dueDate"),
        _lines(body["billLineItems"]),
        call.state.clock.stamp_ms(),
        description=body.get("description"),
        purchaseOrderNumber=body.get("purchaseOrderNumber"),
        payFromChartOfAccountId=body.get("payFromChartOfAccountId"),
        classifications=body.get("classifications"),
    )


def _create_credit(call: Call, body: dict[str, Any]) -> Document:
    books = call.signed_in().organization
    return call.state.payables(books).enter_credit(
        _party(call, "vendors", body["vendorId"], "vendorId"),
        str(body["referenceNumber"]),
        _date(body["creditDate"], "creditDate"),
        _lines(body["vendorCreditLineItems"]),
        call.state.clock.stamp_ms(),
    )


def _create_invoice(call: Call, body: dict[str, Any]) -> Document:
    # A read gives customerId; a create needs the nested customer.
    books = call.signed_in().organization
    customer = _party(call, "customers", str(body["customer"].get("id", "")), "customer")
    lines = [
        SalesLine(
            cents(float(line.get("price") or 0)),
            int(line.get("quantity") or 1),
            str(line.get("description") or ""),
            dict(line.get("classifications") or {}),
            is_taxable=False,
        )
        for line in body["invoiceLineItems"]
    ]
    return call.state.receivables(books).issue_invoice(
        customer["id"],
        str(body["invoiceNumber"]),
        _date(body["invoiceDate"], "invoiceDate"),
        _date(body["dueDate"], "dueDate"),
        lines,
        0.0,
        call.state.clock.stamp_ms(),
    )


def _party(call: Call, name: str, object_id: str, field: str) -> Document:
    found = call.signed_in().organization[name].get(str(object_id))
    if found is None:
        raise errors.invalid(f"{field}: no object {object_id}")
    return found


def _lines(rows: list[dict[str, Any]]) -> list[Line]:
    return [
        Line(
            cents(float(row.get("amount") or 0)),
            str(row.get("description") or ""),
            dict(row.get("classifications") or {}),
            int(row.get("quantity") or 0),
        )
        for row in rows
    ]


def _date(value: object, field: str) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise errors.invalid(f"{field}: The {field} field is required") from None


def edit(row: ListRow, call: Call) -> dict[str, Any]:
    """``PATCH`` or ``PUT`` on a document: the given fields replace the old; lines as a whole."""
    document = find_document(row, call)
    body = {name: value for name, value in call.json().items() if name not in _OWN_FIELDS}
    books = call.signed_in().organization
    payables = call.state.payables(books)
    if row.name == "bills" and "billLineItems" in body:
        body["billLineItems"] = _kept_lines(document, body["billLineItems"], call)
    document |= body
    return payables.edit(row.name, document, call.state.clock.stamp_ms())


def _kept_lines(bill: Document, rows: list[dict[str, Any]], call: Call) -> list[Document]:
    """The new set of lines: known ids keep their line, others get an id, the rest disappear."""
    known = {line["id"]: line for line in bill["billLineItems"]}
    books = call.signed_in().organization
    lines: list[Document] = []
    for row in rows:
        line_id = row.get("id")
        if line_id in known:
            lines.append(known[line_id] | row)
        else:
            lines += call.state.payables(books).lines(_lines([row]), "bli")
    return lines


def set_archived(row: ListRow, archived: bool, call: Call) -> dict[str, Any]:
    """``POST …/archive`` and ``…/restore``; doing it twice changes nothing."""
    document = find_document(row, call)
    if bool(document.get("archived")) == archived:
        return document
    document["archived"] = archived
    books = call.signed_in().organization
    books[row.name].replace(document, call.state.clock.stamp_ms())
    event = f"{row.name.removesuffix('s')}.{'archived' if archived else 'restored'}"
    call.state.payables(books).announce(event, document)
    return document


def record_receipt(call: Call) -> dict[str, Any]:
    """``POST /v3/invoices/record-payment``; the answer has a shape of its own."""
    body, books = call.json(), call.signed_in().organization
    for name in ("customerId", "paymentDate", "paymentType", "amount", "invoices"):
        if not body.get(name):
            raise errors.invalid(f"{name}: The {name} field is required")
    customer = _party(call, "customers", body["customerId"], "customerId")
    applied = [(str(one["id"]), cents(float(one["amount"]))) for one in body["invoices"]]
    for invoice_id, _ in applied:
        _party(call, "invoices", invoice_id, "invoices")
    day = _date(body["paymentDate"], "paymentDate")
    receipt = call.state.receivables(books).receive(
        customer["id"],
        cents(float(body["amount"])),
        applied,
        day,
        call.state.clock.stamp_ms(),
        receivablesType=body["paymentType"],
        description=body.get("description"),
    )
    call.status = 201
    return {
        "id": receipt["id"],
        "customerId": customer["id"],
        "amount": receipt["amount"],
        "paymentDate": day.isoformat(),
        "paymentType": body["paymentType"],
        "status": receipt["status"],
        "invoices": [
            {"id": one, "payments": [{"id": receipt["id"], "amount": used / 100}]}
            for one, used in applied
        ],
    }


def refuse_payment(call: Call) -> None:
    """Paying, cancelling and voiding: never with a token, and only in a trusted session."""
    if call.signed_in().credential.kind == "token":
        raise errors.forbidden(call.state.switches.forbidden_code)
    raise errors.untrusted()
