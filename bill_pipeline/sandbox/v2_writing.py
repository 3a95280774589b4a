"""v2's ``Crud`` operations: read, create, update, delete (= inactive) and undelete.

Enough of writing for clients that create customers, vendors, invoices and bills; whatever they
write shows on v3 too, because both planes share the books.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import orjson

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.endpoint import Call
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.payables import Line
from bill_pipeline.sandbox.receivables import SalesLine
from bill_pipeline.sandbox.v2_entities import ENTITIES

#: v2 field -> dotted v3 field, for the entities that are plain documents.
_FIELDS: dict[str, dict[str, str]] = {
    "Vendor": {
        "name": "name",
        "shortName": "shortName",
        "accNumber": "accountNumber",
        "email": "email",
        "phone": "phone",
        "address1": "address.line1",
        "addressCity": "address.city",
        "addressState": "address.stateOrProvince",
        "addressZip": "address.zipOrPostalCode",
        "addressCountry": "address.countryName",
        "nameOnCheck": "paymentInformation.payeeName",
        "track1099": "additionalInfo.track1099",
        "taxId": "additionalInfo.taxId",
    },
    "Customer": {
        "name": "name",
        "companyName": "companyName",
        "email": "email",
        "phone": "phone",
        "description": "description",
        "accNumber": "accountNumber",
        "contactFirstName": "contact.firstName",
        "contactLastName": "contact.lastName",
        "billAddress1": "billingAddress.line1",
        "billAddressCity": "billingAddress.city",
        "billAddressState": "billingAddress.stateOrProvince",
        "billAddressZip": "billingAddress.zipOrPostalCode",
    },
    **{
        entity: {"name": "name", "shortName": "shortName", "description": "description"}
        for entity in ("ActgClass", "Department", "Location", "Job")
    },
}


def data_of(call: Call) -> dict[str, Any]:
    """The JSON text in the form field ``data``; raises ``ApiError`` for anything else."""
    try:
        data = orjson.loads(call.notes["form"].get("data") or "{}")
    except ValueError:
        raise errors.invalid("data: not valid JSON") from None
    if not isinstance(data, dict):
        raise errors.invalid("data: must be a JSON object")
    return data


def read(call: Call, entity: str) -> Document:
    object_id = str(data_of(call).get("id", ""))
    return written(call, entity, object_id)


def written(call: Call, entity: str, object_id: str) -> Document:
    """A document as v2 writes it; raises ``ApiError`` BDC_1205 if there is none."""
    books, row = call.signed_in().organization, ENTITIES[entity]
    document = books[row.list_name].get(object_id)
    rows = row.rows(entity, books, document) if document is not None else []
    if not rows:
        raise errors.not_found(object_id)
    return rows[0]


def create(call: Call, entity: str) -> Document:
    values = data_of(call).get("obj")
    if not isinstance(values, dict):
        raise errors.invalid("obj: The obj field is required")
    books, stamp = call.signed_in().organization, call.state.clock.stamp_ms()
    if entity == "Bill":
        return written(call, entity, _create_bill(call, values, stamp)["id"])
    if entity == "Invoice":
        return written(call, entity, _create_invoice(call, values, stamp)["id"])
    if entity not in _FIELDS:
        raise errors.unsupported(call.path)
    if not values.get("name"):
        raise errors.invalid("name: The name field is required")
    document = books[ENTITIES[entity].list_name].add(
        _with_fields({"archived": False}, entity, values), stamp
    )
    return written(call, entity, document["id"])


def update(call: Call, entity: str) -> Document:
    values = data_of(call).get("obj")
    if not isinstance(values, dict) or entity not in _FIELDS:
        raise errors.invalid("obj: this object cannot be updated")
    documents = call.signed_in().organization[ENTITIES[entity].list_name]
    document = documents.get(str(values.get("id", "")))
    if document is None:
        raise errors.not_found(str(values.get("id", "")))
    documents.replace(_with_fields(document, entity, values), call.state.clock.stamp_ms())
    return written(call, entity, document["id"])


def _with_fields(document: Document, entity: str, values: Document) -> Document:
    for v2_field, path in _FIELDS[entity].items():
        if v2_field in values:
            *parents, last = path.split(".")
            target = document
            for parent in parents:
                target = target.setdefault(parent, {})
            target[last] = values[v2_field]
    return document


def _set_active(call: Call, entity: str, *, active: bool) -> Document:
    object_id = str(data_of(call).get("id", ""))
    documents = call.signed_in().organization[ENTITIES[entity].list_name]
    document = documents.get(object_id)
    if document is None:
        raise errors.not_found(object_id)
    document["archived"] = not active
    documents.replace(document, call.state.clock.stamp_ms())
    return written(call, entity, object_id)


def delete(call: Call, entity: str) -> Document:
    return _set_active(call, entity, active=False)


def undelete(call: Call, entity: str) -> Document:
    return _set_active(call, entity, active=True)


def _create_bill(call: Call, values: Document, stamp: int) -> Document:
    books = call.signed_in().organization
    vendor = books["vendors"].get(str(values.get("vendorId", "")))
    if vendor is None:
        raise errors.invalid("vendorId: The vendorId field is required")
    lines = [
        Line(cents(float(x.get("amount") or 0)), str(x.get("description") or ""), _codes(x))
        for x in values.get("billLineItems") or []
    ]
    if not lines:
        raise errors.invalid("billLineItems: at least one line is required")
    day = _date(values, "invoiceDate")
    number = str(values.get("invoiceNumber") or "")
    due = _date(values, "dueDate")
    return call.state.payables(books).enter_bill(vendor, number, day, due, lines, stamp)


def _create_invoice(call: Call, values: Document, stamp: int) -> Document:
    books = call.signed_in().organization
    customer_id = str(values.get("customerId", ""))
    if books["customers"].get(customer_id) is None:
        raise errors.invalid("customerId: The customerId field is required")
    lines = []
    for line in values.get("invoiceLineItems") or []:
        quantity = int(line.get("quantity") or 1)
        price = cents(float(line.get("price") or line.get("amount") or 0))
        description = str(line.get("description") or "")
        lines.append(SalesLine(price, quantity, description, _codes(line), is_taxable=False))
    receivables = call.state.receivables(books)
    number = str(values.get("invoiceNumber") or f"INV-{len(books['invoices']) + 1:05d}")
    days = _date(values, "invoiceDate"), _date(values, "dueDate")
    invoice: Document = receivables.issue_invoice(customer_id, number, *days, lines, 0.0, stamp)
    return invoice


def _codes(line: Document) -> dict[str, str]:
    names = {"chartOfAccountId", "departmentId", "locationId", "itemId", "jobId"}
    return {name: line[name] for name in names if line.get(name) not in (None, "", ZERO_ID)}


def _date(values: Document, name: str) -> date:
    try:
        return date.fromisoformat(str(values[name])[:10])
    except (KeyError, ValueError):
        raise errors.invalid(f"{name}: The {name} field is required") from None


CRUD: dict[str, Callable[[Call, str], Document]] = {
    "Crud/Read": read,
    "Crud/Create": create,
    "Crud/Update": update,
    "Crud/Delete": delete,
    "Crud/Undelete": undelete,
}
