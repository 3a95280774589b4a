"""v3 reads that are no paged list: cards, permissions, approvals, exports, account users.

Their envelopes differ on purpose: BILL answers some with a bare array, some with an object.
"""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox.endpoint import Call, Handler


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
            "id": f"{bank['id'][:-1]}u",
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


def approval_policies(call: Call) -> list[Any]:
    return call.signed_in().organization.approval_policies


def pending_approvals(call: Call) -> dict[str, Any]:
    """Bills that wait for the signed-in user."""
    session = call.signed_in()
    bills = [
        {
            "billId": bill["id"],
            "vendorId": bill["vendorId"],
            "amount": bill["amount"],
            "dueDate": bill["dueDate"],
        }
        for bill in session.organization["bills"]
        if any(
            approver["userId"] == session.credential.user_id and approver["status"] == "WAITING"
            for approver in bill.get("approvers", ())
        )
    ]
    return {"bills": bills}


READS: dict[str, Handler] = {
    "funding-accounts/cards": cards,
    "funding-accounts/ap-cards": ap_cards,
    "funding-accounts/permissions": permissions,
    "funding-accounts/banks/users": bank_account_users,
    "funding-accounts/cards/users": no_results,
    "bill-approvals/policies": approval_policies,
    "bill-approvals/pending-user-approvals": pending_approvals,
    "exports": no_results,
}
