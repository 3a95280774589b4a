"""v2's objects that hang below another one: a customer's contacts, a vendor's bank account.

On v3 they have paths below their parent; on v2 they are entities of their own with ``Crud``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bill_pipeline.sandbox import errors, fields
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document, DocumentList
from bill_pipeline.sandbox.members import MEMBERS
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.v2_codes import timed
from bill_pipeline.sandbox.writing import masked

_CONTACT_FIELDS = ("firstName", "lastName", "email", "phone", "altPhone", "alternateEmail")
_SHOWN = ("entity", "id", "isActive", "createdTime", "updatedTime")
_MEMBERS: dict[str, tuple[str, ...]] = {
    "CustomerContact": (*_SHOWN, *_CONTACT_FIELDS, "customerId"),
    "VendorBankAccount": (*_SHOWN, "vendorId", "nameOnAcct", "accountNumber", "routingNumber",
                          "isSavings", "isPersonalAcct", "status"),
}  # fmt: skip

Work = Callable[[Call, str, Document], Document]


def contacts(books: Organization, customer: Document) -> Iterable[Document]:
    for contact in books.below("contacts", customer["id"]):
        yield _contact(customer["id"], contact)


def _contact(customer_id: str, contact: Document) -> Document:
    row = {
        "entity": "CustomerContact",
        "id": contact["id"],
        "isActive": "2" if contact.get("archived") else "1",
        "customerId": customer_id,
        **{name: contact.get(name) for name in _CONTACT_FIELDS},
    }
    return timed(row, contact)


def bank_accounts(books: Organization, vendor: Document) -> Iterable[Document]:
    """A vendor has one bank account or none."""
    account = vendor.get("paymentInformation", {}).get("bankAccount")
    if account is None:
        return
    yield {
        "entity": "VendorBankAccount",
        "id": f"vba{vendor['id'][3:]}",
        "isActive": "1",
        "vendorId": vendor["id"],
        "nameOnAcct": account.get("nameOnAccount"),
        "accountNumber": account.get("accountNumber"),
        "routingNumber": account.get("routingNumber"),
        "isSavings": account.get("type") == "SAVINGS",
        "isPersonalAcct": account.get("ownerType") == "PERSONAL",
        "status": "4",
    }


# --- contacts ------------------------------------------------------------------------------------


def _found(call: Call, data: Document) -> tuple[str, DocumentList, Document]:
    """(customer, its contacts, the contact); raises ``ApiError`` BDC_1205."""
    contact_id = str(data.get("id") or "")
    for (kind, customer_id), held in call.signed_in().organization.nested.items():
        contact = held.get(contact_id) if kind == "contacts" else None
        if contact is not None:
            return customer_id, held, contact
    raise errors.not_found(contact_id)


def _object(call: Call, entity: str, data: Document) -> Document:
    values = data.get("obj")
    if not isinstance(values, dict):
        raise errors.required("obj")
    if call.state.switches.unknown_members_refused:
        fields.refuse_unknown(dict.fromkeys(_MEMBERS[entity], fields.SHOWN), values)
    return values


def _read_contact(call: Call, entity: str, data: Document) -> Document:
    customer_id, _, contact = _found(call, data)
    return _contact(customer_id, contact)


def _create_contact(call: Call, entity: str, data: Document) -> Document:
    values, books = _object(call, entity, data), call.signed_in().organization
    customer_id = str(values.get("customerId") or "")
    if books["customers"].get(customer_id) is None:
        raise errors.required("customerId")
    given = fields.read(books, MEMBERS["contacts"], values)
    contact = books.below("contacts", customer_id).add(
        {"archived": False, **given}, call.state.clock.stamp_ms()
    )
    return _contact(customer_id, contact)


def _update_contact(call: Call, entity: str, data: Document) -> Document:
    values = _object(call, entity, data)
    given = fields.read(call.signed_in().organization, MEMBERS["contacts"], values)
    if values.get("isActive") in ("1", "2"):
        given["archived"] = values["isActive"] == "2"
    return _changed_contact(call, values, given)


def _changed_contact(call: Call, data: Document, given: Document) -> Document:
    customer_id, held, contact = _found(call, data)
    changed = held.replace(contact | given, call.state.clock.stamp_ms())
    return _contact(customer_id, changed)


# --- vendor bank accounts ------------------------------------------------------------------------


def _vendor(call: Call, account_id: str) -> Document:
    """The vendor whose account it is; only a person may come near it."""
    call.signed_in_person()
    vendor = call.signed_in().organization["vendors"].get(f"009{account_id[3:]}")
    if vendor is None or "bankAccount" not in vendor.get("paymentInformation", {}):
        raise errors.not_found(account_id)
    return vendor


def _shown(call: Call, vendor: Document) -> Document:
    (row,) = bank_accounts(call.signed_in().organization, vendor)
    return timed(row, vendor)


def _read_account(call: Call, entity: str, data: Document) -> Document:
    return _shown(call, _vendor(call, str(data.get("id") or "")))


def _create_account(call: Call, entity: str, data: Document) -> Document:
    call.signed_in_person()
    values, books = _object(call, entity, data), call.signed_in().organization
    vendor = books["vendors"].get(str(values.get("vendorId") or ""))
    if vendor is None:
        raise errors.required("vendorId")
    for name in ("accountNumber", "routingNumber"):
        if not values.get(name):
            raise errors.required(name)
    is_savings, is_personal = (
        fields.truth(values.get(name) or False, name) for name in ("isSavings", "isPersonalAcct")
    )
    vendor.setdefault("paymentInformation", {})["bankAccount"] = {
        "nameOnAccount": fields.text(values.get("nameOnAcct") or vendor["name"], "nameOnAcct"),
        "accountNumber": masked(fields.text(values["accountNumber"], "accountNumber")),
        "routingNumber": fields.text(values["routingNumber"], "routingNumber"),
        "type": "SAVINGS" if is_savings else "CHECKING",
        "ownerType": "PERSONAL" if is_personal else "BUSINESS",
    }
    call.state.payables(books).edit("vendors", vendor, call.state.clock.stamp_ms())
    return _shown(call, vendor)


def _delete_account(call: Call, entity: str, data: Document) -> Document:
    """Vendor bank accounts are deleted for good."""
    vendor = _vendor(call, str(data.get("id") or ""))
    shown = _shown(call, vendor) | {"isActive": "2"}
    del vendor["paymentInformation"]["bankAccount"]
    books = call.signed_in().organization
    call.state.payables(books).edit("vendors", vendor, call.state.clock.stamp_ms())
    return shown


#: Entity → what ``Crud/…`` does with it; what is missing is no operation of BILL's.
CRUD: dict[str, dict[str, Work]] = {
    "CustomerContact": {
        "Crud/Read": _read_contact,
        "Crud/Create": _create_contact,
        "Crud/Update": _update_contact,
        "Crud/Delete": lambda call, _, data: _changed_contact(call, data, {"archived": True}),
        "Crud/Undelete": lambda call, _, data: _changed_contact(call, data, {"archived": False}),
    },
    "VendorBankAccount": {
        "Crud/Read": _read_account,
        "Crud/Create": _create_account,
        "Crud/Delete": _delete_account,
    },
}
