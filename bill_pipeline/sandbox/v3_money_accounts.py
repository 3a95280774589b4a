"""v3 reads that are no paged list: cards, permissions, exports, account users.

Their envelopes differ on purpose: BILL answers some with a bare array, some with an object.
"""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.call import Call, Handler
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.v3_seldom import bank_user_id

#: Percent that BILL takes of a payment by card.
_CREDIT_CARD_RATE, _DEBIT_CARD_RATE = 2.9, 1.8


def cards(call: Call) -> dict[str, Any]:
    held = list(call.signed_in().organization["card-accounts"])
    rates: Document = {
        "funding": {"creditCardRate": _CREDIT_CARD_RATE, "debitCardRate": _DEBIT_CARD_RATE}
    }
    if held:
        rates["defaultCardAccountId"] = held[0]["id"]
    return {"rates": rates, "cards": held}


def card(call: Call) -> Document:
    found = call.signed_in().organization["card-accounts"].get(call.parts["object_id"])
    if found is None:
        raise errors.not_found(call.parts["object_id"])
    return found


def ap_cards(call: Call) -> list[Any]:
    return list(call.signed_in().organization["ap-cards"])


def permissions(call: Call) -> dict[str, Any]:
    """What the organization can be paid and funded with, and whether this user may pay."""
    session = call.signed_in()
    has_cards = len(session.organization["card-accounts"]) > 0
    return {
        "organization": {
            "card": {"payByCard": has_cards, "fundingEnabled": has_cards, "amexAllowed": False},
            "wallet": {"fundingEnabled": True},
        },
        "user": {"payOnline": session.credential.kind == "user"},
    }


def bank_account_users(call: Call) -> dict[str, Any]:
    """Who may pay from which bank account."""
    return _account_users(call, "bank-accounts", "bankAccountId")


def card_account_users(call: Call) -> dict[str, Any]:
    return _account_users(call, "card-accounts", "cardAccountId")


def _account_users(call: Call, list_name: str, account_field: str) -> dict[str, Any]:
    """Whoever opened an account is its user; ``currentUser=true`` asks for one's own."""
    session = call.signed_in()
    mine_only = dict(call.parameters).get("currentUser", "").lower() == "true"
    results = []
    for account in session.organization[list_name]:
        user_id = account.get("createdBy")
        if user_id is None or (mine_only and user_id != session.credential.user_id):
            continue
        row = {
            account_field: account["id"],
            "userId": user_id,
            "verificationStatus": "VERIFIED",
            "archived": False,
        }
        if list_name == "bank-accounts":
            row = {"id": bank_user_id(account["id"]), **row}
        results.append(row)
    return {"results": results}


def no_results(call: Call) -> dict[str, Any]:
    return {"results": []}


READS: dict[str, Handler] = {
    "funding-accounts/cards": cards,
    "funding-accounts/ap-cards": ap_cards,
    "funding-accounts/permissions": permissions,
    "funding-accounts/banks/users": bank_account_users,
    "funding-accounts/cards/users": card_account_users,
    "exports": no_results,
}
