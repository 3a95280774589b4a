"""v3 operations that few clients use: classifications in bulk, bank account users, check images.

Paths, methods and parameters are BILL's; of the answers only the fields that BILL's own
collection shows are here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bill_pipeline.sandbox import errors, fields, writing
from bill_pipeline.sandbox.call import Call, Handler
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.lists import LISTS, ListRow
from bill_pipeline.sandbox.members import MEMBERS
from bill_pipeline.sandbox.v3_writing import known

#: In BILL's sandbox a bank account is verified with this deposit.
_VERIFYING_DEPOSIT = 0.50


def _one(call: Call, name: str, object_id: Any) -> Document:
    found = call.signed_in().organization[name].get(str(object_id or ""))
    if found is None:
        raise errors.not_found(str(object_id or ""))
    return found


def _ids(call: Call) -> list[str]:
    """``ids=a,b`` or repeated; raises ``ApiError`` 400 for none."""
    given = [value for name, value in call.parameters if name == "ids"]
    ids = [one.strip() for value in given for one in value.split(",") if one.strip()]
    if not ids:
        raise errors.required("ids")
    return ids


def edit_many(row: ListRow, call: Call) -> list[Document]:
    """``PATCH …/bulk``: an array of objects with their ids; all are found before one changes."""
    bodies = [known(call, row.name, body) for body in call.json_array()]
    found = [_one(call, row.name, body.get("id")) for body in bodies]
    return [
        writing.change(call, row.name, document, body)
        for document, body in zip(found, bodies, strict=True)
    ]


def set_many_archived(row: ListRow, archived: bool, call: Call) -> list[Document]:
    """``POST …/bulk/archive?ids=`` and ``…/bulk/restore?ids=``."""
    found = [_one(call, row.name, object_id) for object_id in _ids(call)]
    return [writing.set_archived(call, row.name, document, archived) for document in found]


def upload_status(call: Call) -> list[Document]:
    """``GET /v3/documents/upload-status?ids=``: no upload takes time here, none is unknown."""
    call.signed_in()
    return [{"id": upload_id, "status": "UPLOADED"} for upload_id in _ids(call)]


def nominate(call: Call) -> Document:
    """``POST …/banks/users/nominate``: who shall be allowed to pay from a bank account."""
    call.signed_in_person()
    body = known(call, "bank-user", call.json())
    bank, user = (
        _one(call, "bank-accounts", body.get("bankAccountId")),
        _one(call, "users", body.get("userId")),
    )
    return _bank_user(bank["id"], user["id"], "NOMINATED", archived=False)


def archive_bank_user(call: Call) -> Document:
    call.signed_in_person()
    wanted = call.parts["object_id"]
    for bank in call.signed_in().organization["bank-accounts"]:
        if bank_user_id(bank["id"]) == wanted:
            return _bank_user(bank["id"], bank.get("createdBy"), "VERIFIED", archived=True)
    raise errors.not_found(wanted)


def bank_user_id(bank_id: str) -> str:
    return f"{bank_id[:-1]}u"


def _bank_user(bank_id: str, user_id: str | None, status: str, *, archived: bool) -> Document:
    return {
        "id": bank_user_id(bank_id),
        "bankAccountId": bank_id,
        "userId": user_id,
        "verificationStatus": status,
        "archived": archived,
    }


def verify_bank(call: Call) -> Document:
    """``POST …/banks/{id}/verify``: with the deposit that BILL's own sandbox takes."""
    call.signed_in_person()
    bank = _one(call, "bank-accounts", call.parts["object_id"])
    books, stamp = call.signed_in().organization, call.state.clock.stamp_ms()
    body = fields.read(books, MEMBERS["deposit"], known(call, "deposit", call.json()))
    if body.get("depositAmount") != _VERIFYING_DEPOSIT:
        raise errors.unprocessable("depositAmount: The amount is not the amount deposited")
    return books["bank-accounts"].replace(bank | {"status": "VERIFIED"}, stamp)


def check_image(call: Call) -> Document:
    """``GET /v3/payments/{id}/check-image``: BILL has one of a check only; here none is drawn."""
    payment = _one(call, "payments", call.parts["object_id"])
    if payment["disbursementType"] != "CHECK":
        raise errors.unprocessable(f"{payment['id']}: The payment is no check")
    return {"paymentId": payment["id"], "status": "NOT_AVAILABLE"}


def nothing_by_that_id(call: Call) -> None:
    """A single object of a list that no company of the sandbox fills."""
    call.signed_in()
    raise errors.not_found(call.parts["object_id"])


def _bulk() -> list[tuple[str, str, Handler]]:
    found: list[tuple[str, str, Handler]] = []
    for row in LISTS.values():
        if row.path.startswith("classifications/"):
            path = row.path + "/bulk"
            found.append(("PATCH", path, partial(edit_many, row)))
            for word, archived in (("archive", True), ("restore", False)):
                handler = partial(set_many_archived, row, archived)
                found.append(("POST", f"{path}/{word}", handler))
    return found


Operation = tuple[str, str, Callable[[Call], Any]]

OPERATIONS: tuple[Operation, ...] = (
    *_bulk(),
    ("GET", "documents/upload-status", upload_status),
    ("POST", "funding-accounts/banks/users/nominate", nominate),
    ("POST", "funding-accounts/banks/users/{object_id}/archive", archive_bank_user),
    ("POST", "funding-accounts/banks/{object_id}/verify", verify_bank),
    ("GET", "payments/{object_id}/check-image", check_image),
    ("GET", "exports/{object_id}", nothing_by_that_id),
    ("GET", "exports/{object_id}/download-link", nothing_by_that_id),
)
