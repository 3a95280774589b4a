"""The v3 plane's objects below a vendor or customer: contacts and bank accounts."""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox import errors, fields
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.lists import LISTS, ListRow
from bill_pipeline.sandbox.members import MEMBERS
from bill_pipeline.sandbox.queries import read_query
from bill_pipeline.sandbox.v3_reading import check_permission, find_document, page_of
from bill_pipeline.sandbox.v3_writing import known
from bill_pipeline.sandbox.writing import masked


def list_below(kind: str, parent_list: str, call: Call) -> bytes:
    """One page of what hangs below one object."""
    parent = LISTS[parent_list]
    check_permission(parent, call)
    document = find_document(parent, call)
    row = ListRow(kind, kind, "", {}, (), has_archived=False)
    query = read_query(row, call.parameters, call.state.switches)
    organization = call.signed_in().organization
    files = organization.below(kind, document["id"])
    return page_of(row, files, query, call, hidden=organization.deleted_files)


def get(kind: str, parent_list: str, call: Call) -> Document:
    parent = find_document(LISTS[parent_list], call)
    found = call.signed_in().organization.below(kind, parent["id"]).get(call.parts["nested_id"])
    if found is None:
        raise errors.not_found(call.parts["nested_id"])
    return found


def create(kind: str, parent_list: str, call: Call) -> Document:
    """``POST`` below an object: 201 and the new one."""
    _may_write(kind, call)
    parent = find_document(LISTS[parent_list], call)
    given = _given(kind, call)
    if not any(given.values()):
        raise errors.invalid("The request body is empty")
    made = (
        call.signed_in()
        .organization.below(kind, parent["id"])
        .add({"archived": False, **given}, call.state.clock.stamp_ms())
    )
    call.status = 201
    return made


def _given(kind: str, call: Call) -> Document:
    """What the client says of the object, its account number masked."""
    books = call.signed_in().organization
    given = fields.read(books, MEMBERS[kind], known(call, kind, call.json()))
    if given.get("accountNumber"):
        given["accountNumber"] = masked(given["accountNumber"])
    return given


def edit(kind: str, parent_list: str, call: Call) -> Document:
    _may_write(kind, call)
    found = get(kind, parent_list, call)
    return _replace(kind, call, found | _given(kind, call))


def set_archived(kind: str, parent_list: str, archived: bool, call: Call) -> Document:
    _may_write(kind, call)
    return _replace(kind, call, get(kind, parent_list, call) | {"archived": archived})


def _replace(kind: str, call: Call, document: Document) -> Document:
    below = call.signed_in().organization.below(kind, call.parts["object_id"])
    return below.replace(document, call.state.clock.stamp_ms())


def _may_write(kind: str, call: Call) -> None:
    if kind == "customer-bank-accounts":
        call.signed_in_person()


def get_vendor_bank_account(call: Call) -> dict[str, Any]:
    """A vendor's bank account: the one thing of a vendor that a sync token may not see."""
    call.signed_in_person()
    vendor = find_document(LISTS["vendors"], call)
    account = vendor.get("paymentInformation", {}).get("bankAccount")
    if account is None:
        raise errors.not_found(call.parts["object_id"])
    return {"vendorId": vendor["id"], **account}


def put_vendor_bank_account(call: Call) -> dict[str, Any]:
    call.signed_in_person()
    vendor, account = find_document(LISTS["vendors"], call), _given("vendor-bank-account", call)
    for name in ("nameOnAccount", "accountNumber"):
        if not account.get(name):
            raise errors.required(name)
    vendor.setdefault("paymentInformation", {})["bankAccount"] = account
    books = call.signed_in().organization
    call.state.payables(books).edit("vendors", vendor, call.state.clock.stamp_ms())
    call.status = 201
    return {"vendorId": vendor["id"], **account}


def delete_vendor_bank_account(call: Call) -> None:
    """Vendor bank accounts are deleted for good."""
    call.signed_in_person()
    vendor = find_document(LISTS["vendors"], call)
    if vendor.get("paymentInformation", {}).pop("bankAccount", None) is None:
        raise errors.not_found(call.parts["object_id"])
    books = call.signed_in().organization
    call.state.payables(books).edit("vendors", vendor, call.state.clock.stamp_ms())
