"""v2's ``Crud`` operations: read, create, update, delete (= inactive) and undelete, one or many.

Whatever they write shows on v3 too, because both planes share the books and ``writing.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from bill_pipeline.sandbox import errors, fields, v2_below, writing
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.errors import ApiError
from bill_pipeline.sandbox.v2_entities import ENTITIES
from bill_pipeline.sandbox.v2_fields import to_v3, unknown

_WRITABLE = frozenset(
    {"Vendor", "Bill", "VendorCredit", "RecurringBill", "Customer", "Invoice", "CreditMemo",
     "RecurringInvoice", "ChartOfAccount", "ActgClass", "Department", "Location", "Job",
     "Employee", "Item", "PaymentTerm", "User", "BankAccount"}
)  # fmt: skip
#: v2's rows per page unless a request says how many.
DEFAULT_ROWS = 999
#: What only a person may write: a sync token reads it.
_PEOPLE_ONLY = frozenset({"User", "BankAccount"})


def data_of(call: Call) -> dict[str, Any]:
    """The JSON text in the form field ``data``; raises ``ApiError`` for anything else."""
    try:
        data = orjson.loads(call.notes["form"].get("data") or "{}")
    except ValueError:
        raise errors.invalid("data: not valid JSON") from None
    if not isinstance(data, dict):
        raise errors.invalid("data: must be a JSON object")
    return data


def page_bounds(data: Document) -> tuple[int, int]:
    """(start, max) of a list request; raises ``ApiError`` for what is no number."""
    start, rows = (fields.whole(data.get(name) or 0, name) for name in ("start", "max"))
    if start < 0 or rows < 0:
        raise errors.invalid("start and max must not be negative")
    return start, rows or DEFAULT_ROWS


def written(call: Call, entity: str, object_id: str) -> Document:
    """A document as v2 writes it; raises ``ApiError`` BDC_1205 if there is none."""
    books, row = call.signed_in().organization, ENTITIES[entity]
    document = books[row.list_name].get(object_id)
    rows = row.rows(entity, books, document) if document is not None else []
    if not rows:
        raise errors.not_found(object_id)
    return rows[0]


def _find(call: Call, entity: str, object_id: Any) -> Document:
    document = call.signed_in().organization[ENTITIES[entity].list_name].get(str(object_id or ""))
    if document is None:
        raise errors.not_found(str(object_id or ""))
    return document


def _read(call: Call, entity: str, data: Document) -> Document:
    return written(call, entity, str(data.get("id", "")))


def _object(call: Call, entity: str, data: Document) -> Document:
    """The object of a create or update; raises ``ApiError`` where it may not be written."""
    values = data.get("obj")
    if not isinstance(values, dict):
        raise errors.required("obj")
    if entity not in _WRITABLE:
        raise errors.unsupported()
    if entity in _PEOPLE_ONLY:
        call.signed_in_person()
    if call.state.switches.unknown_members_refused and unknown(entity, values):
        raise errors.invalid(f"{unknown(entity, values)}: unknown field")
    return values


def _note_posting_date(call: Call, entity: str, object_id: str, posted: str) -> None:
    if entity == "Bill" and posted:
        call.signed_in().organization.v2_facts[object_id] = {"glPostingDate": posted}


def _posting_date(values: Document) -> str:
    said = values.get("glPostingDate")
    return "" if said in (None, "") else fields.day(said, "glPostingDate")


def _create(call: Call, entity: str, data: Document) -> Document:
    values = _object(call, entity, data)
    body, posted = to_v3(entity, values), _posting_date(values)
    books = call.signed_in().organization
    if entity == "VendorCredit" and not body.get("referenceNumber"):
        body["referenceNumber"] = f"VC-{len(books['vendor-credits']) + 1:05d}"
    made = writing.create(call, ENTITIES[entity].list_name, body)
    _note_posting_date(call, entity, made["id"], posted)
    return written(call, entity, made["id"])


def _update(call: Call, entity: str, data: Document) -> Document:
    values = _object(call, entity, data)
    name, document = ENTITIES[entity].list_name, _find(call, entity, values.get("id"))
    posted = _posting_date(values)
    writing.change(call, name, document, to_v3(entity, values))
    _note_posting_date(call, entity, document["id"], posted)
    if values.get("isActive") in ("1", "2"):
        changed = _find(call, entity, values["id"])
        writing.set_archived(call, name, changed, values["isActive"] == "2")
    return written(call, entity, document["id"])


def _set_active(call: Call, entity: str, data: Document, *, active: bool) -> Document:
    document = _find(call, entity, data.get("id"))
    writing.set_archived(call, ENTITIES[entity].list_name, document, not active)
    return written(call, entity, document["id"])


def _delete(call: Call, entity: str, data: Document) -> Document:
    return _set_active(call, entity, data, active=False)


def _undelete(call: Call, entity: str, data: Document) -> Document:
    return _set_active(call, entity, data, active=True)


_CRUD: dict[str, Callable[[Call, str, Document], Document]] = {
    "Crud/Read": _read,
    "Crud/Create": _create,
    "Crud/Update": _update,
    "Crud/Delete": _delete,
    "Crud/Undelete": _undelete,
}


def operation(kind: str, entity: str) -> Callable[[Call], Any] | None:
    """The function behind ``Crud/…`` or ``Bulk/Crud/…`` of an entity, or ``None``."""
    work = v2_below.CRUD.get(entity, _CRUD).get(kind.removeprefix("Bulk/"))
    if work is None or entity not in ENTITIES:
        return None
    if kind.startswith("Bulk/"):
        return lambda call: [{"bulk": [_one(call, work, entity, r) for r in _rows(call)]}]
    return lambda call: work(call, entity, data_of(call))


def _rows(call: Call) -> list[Document]:
    rows = data_of(call).get("bulk")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise errors.required("bulk")
    return rows


def _one(
    call: Call, work: Callable[[Call, str, Document], Document], entity: str, row: Document
) -> Document:
    """One answer of a bulk operation: each row succeeds or fails for itself."""
    try:
        return envelope(work(call, entity, row))
    except ApiError as error:
        return error_envelope(error)


def envelope(data: Any) -> Document:
    return {"response_status": 0, "response_message": "Success", "response_data": data}


def error_envelope(error: ApiError) -> Document:
    data = {"error_code": error.code, "error_message": error.message}
    return {"response_status": 1, "response_message": "Error", "response_data": data}
