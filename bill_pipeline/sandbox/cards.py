"""What money comes from and goes to beside bank accounts: cards, AP cards and the BILL wallet.

Every organization has one card account and one AP card; a wallet has no account of its own.
"""

from __future__ import annotations

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.clock import timestamp_ms
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.organization import Organization

#: Type of a funding account → the list that holds it.
_LISTS = {"BANK_ACCOUNT": "bank-accounts", "CARD_ACCOUNT": "card-accounts", "AP_CARD": "ap-cards"}
_TYPES = (*_LISTS, "WALLET")


def issue(books: Organization) -> None:
    """Give an organization its cards, as old as its first user; twice changes nothing."""
    if len(books["card-accounts"]) > 0 or len(books["users"]) == 0:
        return
    owner = books["users"].at(0)
    at_ms = timestamp_ms(owner["createdTime"])
    books["card-accounts"].add(
        {
            "archived": False,
            "createdBy": owner["id"],
            "issuingBankName": "Invented Bank",
            "nameOnAccount": books.name,
            "brand": "VISA",
            "type": "CREDIT_CARD",
            "status": "VERIFIED",
            "last4": "4242",
            "expiration": {"year": "2030", "month": "12"},
            "default": {
                "payables": True,
                "receivables": False,
                "funding": True,
                "disbursement": False,
            },
        },
        at_ms,
    )
    books["ap-cards"].add(
        {"status": "ACTIVE", "nameOnAccount": books.name, "balance": 0.0, "limit": 50_000.0}, at_ms
    )


def funding_account(books: Organization, account: Document, path: str) -> Document:
    """The account that a request names, completed; raises ``ApiError`` 400 if there is none.

    A bank account or card may be named by its type alone: then it is the first one.
    """
    kind, object_id = account.get("type"), account.get("id")
    if not kind:
        raise errors.required(path)
    if kind not in _TYPES:
        raise errors.invalid(f"{path}.type: must be one of {', '.join(_TYPES)}")
    if kind == "WALLET":
        return {"type": kind}
    held = books[_LISTS[kind]]
    if not object_id and len(held) > 0:
        object_id = held.ids.at(0)
    if object_id is None or held.position(object_id) is None:
        raise errors.invalid(f"{path}.id: no object {object_id}")
    return {"type": kind, "id": object_id}
