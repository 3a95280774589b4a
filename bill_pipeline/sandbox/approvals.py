"""Approval policies of bills: who must approve a new bill, and what approving or denying does.

The life of an invented company approves by itself; this is for clients that set policies and act.
"""

from __future__ import annotations

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.clock import timestamp
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.organization import Organization

#: The only fact that rules are evaluated on here.
BILL_AMOUNT = "BILL_AMOUNT"
ACTIONS = {"APPROVE": "APPROVED", "DENY": "DENIED"}


def approvers_for(books: Organization, amount: int, at_ms: int) -> list[Document]:
    """The approvers that the first matching policy gives a bill of ``amount`` cents."""
    for policy in books.approval_policies:
        if policy.get("status") == "ACTIVE" and _matches(policy, amount):
            users = policy.get("approvers", {}).get("users", [])
            return waiting([row["userId"] for row in users], at_ms)
    return []


def waiting(user_ids: list[str], at_ms: int) -> list[Document]:
    """Approvers who have not acted yet, in their order."""
    return [
        {
            "userId": user_id,
            "status": "WAITING",
            "approverOrder": order,
            "statusChangedTime": timestamp(at_ms),
        }
        for order, user_id in enumerate(user_ids)
    ]


def _matches(policy: Document, amount: int) -> bool:
    """Whether all rules on the amount hold; rules on other facts are not evaluated here."""
    for rule in policy.get("rules", ()):
        if rule.get("key") != BILL_AMOUNT:
            return False
        limits = [cents(float(value["value"])) for value in rule.get("values", ())]
        is_below = str(rule.get("op", "gte")).lower() == "lt"
        if any((amount < limit) != is_below for limit in limits):
            return False
    return True


def act(bill: Document, action: str, user_id: str, at_ms: int, *, may_all: bool) -> Document:
    """The bill after a user approved or denied it.

    ``may_all``: an administrator acts for whoever is next. Raises ``ApiError``.
    """
    status = ACTIONS.get(action.upper())
    if status is None:
        raise errors.invalid(f"action: must be APPROVE or DENY, not {action!r}")
    open_rows = [row for row in bill.get("approvers", ()) if row["status"] == "WAITING"]
    mine = [row for row in open_rows if row["userId"] == user_id]
    if not mine and may_all:
        mine = open_rows[:1]
    if not mine:
        raise errors.unprocessable(f"{bill['id']}: The user is not an approver of the bill")
    mine[0] |= {"status": status, "statusChangedTime": timestamp(at_ms)}
    statuses = {row["status"] for row in bill["approvers"]}
    if "DENIED" in statuses:
        bill["approvalStatus"] = "DENIED"
    else:
        bill["approvalStatus"] = "APPROVING" if "WAITING" in statuses else "APPROVED"
    return bill
