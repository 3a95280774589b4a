"""The v3 plane's writes on lists: create, edit, archive, restore, and receipts made elsewhere.

A sync product only reads; these are here because other clients of BILL write, and because a
test may want to change the books as a client does. What a write does is ``writing.py``.
"""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox import errors, fields, writing
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document, without_empty
from bill_pipeline.sandbox.lists import ListRow
from bill_pipeline.sandbox.members import MEMBERS
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.v3_reading import check_own_organization, find_document


def _may_write(row: ListRow, call: Call) -> None:
    check_own_organization(call)
    if row.people_only:
        call.signed_in_person()


def create(row: ListRow, call: Call) -> Document:
    """``POST`` on a list: 201 and the new document."""
    _may_write(row, call)
    made = writing.create(call, row.name, known(call, row.name, call.json()))
    call.status = 201
    return made


def known(call: Call, name: str, body: Document) -> Document:
    """The body, whose unknown members BILL ignores or refuses: that is a switch."""
    if call.state.switches.unknown_members_refused:
        fields.refuse_unknown(MEMBERS[name], body)
    return body


def create_many(row: ListRow, call: Call) -> list[Document]:
    """``POST …/bulk``: an array of new objects, checked before the first is made."""
    _may_write(row, call)
    bodies = [known(call, row.name, body) for body in call.json_array()]
    values = [writing.read_new(call, row.name, body) for body in bodies]
    made = [writing.make(call, row.name, one) for one in values]
    call.status = 201
    return made


def edit(row: ListRow, call: Call) -> Document:
    """``PATCH``: the given fields replace the old, lines as a whole."""
    _may_write(row, call)
    document, body = find_document(row, call), known(call, row.name, call.json())
    return writing.change(call, row.name, document, body)


def replace(row: ListRow, call: Call) -> Document:
    """``PUT``: the document as it is sent; what it lacks is emptied."""
    _may_write(row, call)
    document, body = find_document(row, call), known(call, row.name, call.json())
    return writing.change(call, row.name, document, body, whole=True)


def set_archived(row: ListRow, archived: bool, call: Call) -> Document:
    """``POST …/archive`` and ``…/restore``; doing it twice changes nothing."""
    _may_write(row, call)
    return writing.set_archived(call, row.name, find_document(row, call), archived)


def edit_organization(call: Call) -> Document:
    """``PATCH /v3/organizations/{id}``: administrators only."""
    check_own_organization(call)
    session = call.signed_in()
    if not session.credential.is_administrator:
        raise errors.forbidden(call.state.switches.forbidden_code)
    body = known(call, "organizations", call.json())
    given = fields.read(session.organization, MEMBERS["organizations"], body)
    for name, value in given.items():
        old = session.organization.profile.get(name)
        both = isinstance(value, dict) and isinstance(old, dict)
        session.organization.profile[name] = {**(old or {}), **value} if both else value
    return without_empty(session.organization.profile)


def send_invoice(call: Call) -> Document:
    """``POST /v3/invoices/{id}/email``: no mail leaves the sandbox; tokens may not."""
    call.signed_in_person()
    invoice = call.signed_in().organization["invoices"].get(call.parts["object_id"])
    if invoice is None:
        raise errors.not_found(call.parts["object_id"])
    return invoice


def payment_link(call: Call) -> dict[str, Any]:
    """``GET /v3/invoices/{id}/payment-link``: where a customer would pay."""
    invoice = call.signed_in().organization["invoices"].get(call.parts["object_id"])
    if invoice is None:
        raise errors.not_found(call.parts["object_id"])
    root = call.state.base_url.removesuffix("/connect")
    return {"paymentLink": f"{root}/sandbox/pay/{invoice['id']}"}


def record_receipt(call: Call) -> dict[str, Any]:
    """``POST /v3/invoices/record-payment``; the answer has a shape of its own."""
    books = call.signed_in().organization
    body = fields.read(books, MEMBERS["receipt-record"], known(call, "receipt-record", call.json()))
    for name in ("customerId", "paymentDate", "paymentType", "amount"):
        if not body.get(name):
            raise errors.required(name)
    amount = cents(body["amount"])
    applied = [
        (str(one.get("id") or ""), cents(one.get("amount") or 0))
        for one in body.get("invoices") or []
    ]
    check_applied(call, applied, amount)
    day = writing.day_of(body["paymentDate"], "paymentDate")
    receipt = call.state.receivables(books).receive(
        body["customerId"],
        amount,
        applied,
        day,
        call.state.clock.stamp_ms(),
        receivablesType=body["paymentType"],
        description=body.get("description"),
        referenceNumber=body.get("referenceNumber"),
    )
    call.status = 201
    return {
        "id": receipt["id"],
        "customerId": receipt["customerId"],
        "amount": receipt["amount"],
        "paymentDate": day.isoformat(),
        "paymentType": body["paymentType"],
        "status": receipt["status"],
        "invoices": [
            {"id": one, "payments": [{"id": receipt["id"], "amount": used / 100}]}
            for one, used in applied
        ],
    }


def check_applied(call: Call, applied: list[tuple[str, int]], amount: int) -> None:
    """Raises ``ApiError`` unless each invoice has as much due and the sum is within ``amount``."""
    books = call.signed_in().organization
    for invoice_id, used in applied:
        invoice = books["invoices"].get(invoice_id)
        if invoice is None:
            raise errors.invalid(f"invoices: no object {invoice_id}")
        if not 0 < used <= cents(invoice["dueAmount"]):
            raise errors.unprocessable(f"{invoice_id}: amount: more than the invoice's amount due")
    if sum(used for _, used in applied) > amount:
        raise errors.unprocessable("amount: less than the sum of the invoices' amounts")
