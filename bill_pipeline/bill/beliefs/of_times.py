"""How to see what moves a document's updatedTime, from times that BILL wrote long ago."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bill_pipeline.bill import errors
from bill_pipeline.bill.beliefs.observer import SAMPLE, NotSeen, Observation, Observer, Row, rows_of
from bill_pipeline.bill.documents import timestamp

#: BILL may write the two times of one act one after the other.
_SAME_ACT = timedelta(seconds=5)
#: Vendors whose trail of changes is read: one request each.
_MOST_TRAILS = 8


def payments_leave_document_times(observer: Observer) -> Observation:
    """A bill last changed before its payment was made was left alone by that payment.

    A bill changed together with its payment was moved by it, unless other bills were left alone.
    """
    payments = observer.sample("payments")
    ids = [bill_id for payment in payments for bill_id in _bills_paid(payment)]
    bills = {bill.get("id"): bill for bill in observer.by_ids("bills", dict.fromkeys(ids))}
    left = moved = 0
    for payment in payments:
        made, changed = _time(payment, "createdTime"), _time(payment, "updatedTime")
        for bill_id in _bills_paid(payment):
            updated = _time(bills.get(bill_id, {}), "updatedTime")
            if made is None or changed is None or updated is None:
                continue
            left += updated < made - _SAME_ACT
            moved += min(abs(updated - made), abs(updated - changed)) <= _SAME_ACT
    if not left and not moved:
        raise NotSeen("no payment was made or changed when nothing else happened to its bill")
    return Observation(holds=left) if left else Observation(fails=moved)


def _bills_paid(payment: Row) -> Iterator[str]:
    for paid in payment.get("billPayments") or ():
        if isinstance(paid, dict) and isinstance(paid.get("billId"), str):
            yield paid["billId"]


def approvals_move_bill_times(observer: Observer) -> Observation:
    moved = left = 0
    for bill in observer.sample("bills"):
        updated = _time(bill, "updatedTime")
        decided = [
            moment
            for approver in bill.get("approvers") or ()
            if approver.get("status") in ("APPROVED", "DENIED")
            and (moment := _time(approver, "statusChangedTime")) is not None
        ]
        if updated is None or not decided:
            continue
        is_moved = updated >= max(decided) - _SAME_ACT
        moved, left = moved + is_moved, left + (not is_moved)
    if not moved and not left:
        raise NotSeen("no bill says when it was approved")
    return Observation(moved, left)


def applications_move_credit_times(observer: Observer) -> Observation:
    uses = [
        (credit, used["paymentId"])
        for credit in observer.sample("vendor_credits")
        for used in _uses(credit)
    ]
    payments = {
        payment.get("id"): payment
        for payment in observer.by_ids("payments", [payment_id for _, payment_id in uses])
    }
    moved = left = 0
    for credit, payment_id in uses:
        updated = _time(credit, "updatedTime")
        made = _time(payments.get(payment_id, {}), "createdTime")
        if updated is None or made is None:
            continue
        is_moved = updated >= made - _SAME_ACT
        moved, left = moved + is_moved, left + (not is_moved)
    if not moved and not left:
        raise NotSeen("no vendor credit names a payment that used it")
    return Observation(moved, left)


def _uses(credit: Row) -> Iterator[Row]:
    for used in credit.get("usage") or ():
        if isinstance(used, dict) and isinstance(used.get("paymentId"), str):
            yield used


def names_stay_on_documents(observer: Observer) -> Observation:
    """A bill with another name than its vendor kept the former one.

    Where all names agree, the vendors' trails tell whether one was renamed after a bill came.
    """
    vendors = _changed_vendors(observer.sample("vendors"))
    filters = f'vendorId:in:"{",".join(sorted(vendors))}"'
    bills = observer.page("bills", max=str(SAMPLE), filters=filters) if vendors else []
    kept = sum(bill.get("vendorName") != vendors[bill["vendorId"]]["name"] for bill in bills)
    if kept:
        return Observation(holds=kept)
    reached = 0
    for vendor_id, vendor in vendors.items():
        renamed = _renamed_at(observer, vendor_id)
        reached += sum(
            bill["vendorId"] == vendor_id
            and bill.get("vendorName") == vendor["name"]
            and renamed is not None
            and (_time(bill, "createdTime") or renamed) < renamed
            for bill in bills
        )
    if not reached:
        raise NotSeen("none of the vendors changed last got another name after its bills")
    return Observation(fails=reached)


def _changed_vendors(vendors: list[Row]) -> dict[str, Row]:
    """Those changed since they were entered, the latest first."""
    changed: dict[str, Row] = {}
    for vendor in vendors:
        made, updated = _time(vendor, "createdTime"), _time(vendor, "updatedTime")
        if made and updated and updated > made + _SAME_ACT and "name" in vendor:
            changed[str(vendor.get("id"))] = vendor
    return dict(list(changed.items())[:_MOST_TRAILS])


def _renamed_at(observer: Observer, vendor_id: str) -> datetime | None:
    """When a vendor got the name it has, by its trail of changes."""
    try:
        trail = rows_of(observer.get(f"/v3/reports/audit-trail/vendor/{vendor_id}"))
    except (errors.PermissionMissing, errors.RequestRefused):
        return None
    times = [
        moment
        for row in trail
        if (row.get("field") or {}).get("name") == "name"
        and (moment := _time(row, "createdTime")) is not None
    ]
    return max(times, default=None)


def _time(row: Any, name: str) -> datetime | None:
    return timestamp(row.get(name)) if isinstance(row, dict) else None
