"""v3 reads that are no paged list: cards, permissions, approvals, exports, account users.

Their envelopes differ on purpose: BILL answers some with a bare array, some with an object.
"""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox.endpoint import Call, Handler
from bill_pipeline.sandbox.v3_seldom import bank_user_id


def cards(call: Call) -> dict[str, Any]:
    return {"rates": {}, "cards": []}


def ap_cards(call: Call) -> list[Any]:
    return []


def permissions(call: Call) -> dict[str, Any]:
    may_pay = call.signed_in().credential.kind == "user"
    return {"bankAccount": {"payables": may_pay, "receivables": may_pay}}


def bank_account_users(call: Call) -> dict[str, Any]:
    """Who may pay from which bank account."""
    session = call.signed_in()
    results = [
        {
            "id": bank_user_id(bank["id"]),
            "bankAccountId": bank["id"],
            "userId": bank["createdBy"],
            "verificationStatus": "VERIFIED",
            "archived": False,
        }
        for bank in session.organization["bank-accounts"]
    ]
    return {"results": results}


def no_results(call: Call) -> dict[str, Any]:
    return {"results": []}


READS: dict[str, Handler] = {
    "funding-accounts/cards": cards,
    "funding-accounts/ap-cards": ap_cards,
    "funding-accounts/permissions": permissions,
    "funding-accounts/banks/users": bank_account_users,
    "funding-accounts/cards/users": no_results,
    "exports": no_results,
}
