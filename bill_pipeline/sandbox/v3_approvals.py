"""The v3 plane's bill approvals: policies, what waits for the user, approve and deny."""

from __future__ import annotations

from typing import Any

from bill_pipeline.sandbox import approvals, errors, fields
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document, without_empty
from bill_pipeline.sandbox.members import MEMBERS
from bill_pipeline.sandbox.v3_writing import known


def policies(call: Call) -> list[Any]:
    """``GET /v3/bill-approvals/policies``: a bare array."""
    return call.signed_in().organization.approval_policies


def policy(call: Call) -> Document:
    return _find(call)


def new_policy(call: Call) -> Document:
    """``POST /v3/bill-approvals/policies``: approvers come as ids, and are shown as users."""
    call.signed_in_person()
    books = call.signed_in().organization
    made = {"id": books.new_id("app"), "status": "ACTIVE", **_values(call)}
    books.approval_policies.append(made)
    call.status = 201
    return made


def edit_policy(call: Call) -> Document:
    call.signed_in_person()
    found = _find(call)
    found |= _values(call)
    return found


def delete_policy(call: Call) -> None:
    """Policies are the one thing of the books that BILL deletes for good."""
    call.signed_in_person()
    call.signed_in().organization.approval_policies.remove(_find(call))


def pending(call: Call) -> dict[str, Any]:
    """``GET /v3/bill-approvals/pending-user-approvals``: bills that wait for the user.

    A sync token is no user: in production it is refused.
    """
    session = call.signed_in_person()
    names = ("vendorId", "amount", "dueDate")
    bills = [
        {"billId": bill["id"], **{name: bill.get(name) for name in names}}
        for bill in session.organization["bills"]
        if any(
            approver["userId"] == session.credential.user_id and approver["status"] == "WAITING"
            for approver in bill.get("approvers", ())
        )
    ]
    return {"bills": bills}


def act(call: Call) -> list[Document] | Document:
    """``POST /v3/bill-approvals/actions``: one action or an array of them, as clients send."""
    session = call.signed_in_person()
    wanted = call.json_any()
    rows = wanted if isinstance(wanted, list) else [wanted]
    books, done = session.organization, []
    for row in rows:
        bill = books["bills"].get(str(row.get("billId", "")))
        if bill is None:
            raise errors.not_found(str(row.get("billId", "")))
        stamp = call.state.clock.stamp_ms()
        may_all = session.credential.is_administrator
        action = str(row.get("action", ""))
        changed = approvals.act(bill, action, session.credential.user_id, stamp, may_all=may_all)
        moves = call.state.switches.approvals_move_bill_times
        books["bills"].replace(changed, stamp if moves else None)
        done.append({"billId": bill["id"], "approvalStatus": changed["approvalStatus"]})
    return done if isinstance(wanted, list) else done[0]


def _find(call: Call) -> Document:
    for found in call.signed_in().organization.approval_policies:
        if found["id"] == call.parts["policy_id"]:
            return found
    raise errors.not_found(call.parts["policy_id"])


def _values(call: Call) -> Document:
    """What a request says of a policy, as a read shows it."""
    books, body = call.signed_in().organization, call.json()
    for rule in body["rules"] if isinstance(body.get("rules"), list) else ():
        if isinstance(rule, dict) and isinstance(rule.get("values"), list):
            rule["values"] = [_object(one, "value") for one in rule["values"]]
    if isinstance(body.get("approvers"), list):
        body["approvers"] = {"users": [_object(one, "userId") for one in body["approvers"]]}
    values = fields.read(books, MEMBERS["policy"], known(call, "policy", body))
    for name in ("policyName", "rules", "approvers"):
        if not values.get(name):
            raise errors.required(name)
    for rule in values["rules"]:
        for value in rule.get("values") or ():
            if rule.get("key") == approvals.BILL_AMOUNT:
                fields.number(value.get("value"), "rules.values")
            value["displayName"] = value.get("value")
    for row in values["approvers"].get("users") or ():
        user = books["users"].get(row.get("userId") or "")
        if user is None:
            raise errors.required("approvers")
        names = (user.get("firstName"), user.get("lastName"))
        row["fullName"] = " ".join(name for name in names if name)
    return without_empty(values)


def _object(value: Any, name: str) -> Any:
    """Clients send the bare value; what was read, and is sent back, is an object."""
    return value if isinstance(value, dict) else {name: value}
