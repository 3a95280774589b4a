"""What people change afterwards: lines edited, bills archived and restored, vendors renamed
and merged. Each needs its document to be in a state in which BILL allows the change.
"""

from __future__ import annotations

from datetime import date

from bill_pipeline.sandbox.clock import timestamp
from bill_pipeline.sandbox.companies.company import Company
from bill_pipeline.sandbox.companies.variety import names_one
from bill_pipeline.sandbox.companies.vendors import add_vendor
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import cents, dollars

#: Chances per working day.
_EDIT, _ARCHIVE, _RENAME, _MERGE = 0.25, 0.05, 0.012, 0.006
_RECENT_BILLS = 60


class Changes:
    """Second thoughts of the people of one company."""

    def __init__(self, life: Company) -> None:
        self._life = life

    def begin_day(self, day: date) -> None:
        life = self._life
        if day.weekday() >= 5:
            return
        for chance, event in (
            (_EDIT, self.edit_bill),
            (_ARCHIVE, self.archive_bill),
            (_RENAME, self.rename_vendor),
            (_MERGE, self.merge_vendors),
        ):
            if life.chance(chance):
                life.at(life.moment(day), event)

    def _recent_bill(self) -> Document | None:
        bills = self._life.organization["bills"]
        if len(bills) == 0:
            return None
        first = max(len(bills) - _RECENT_BILLS, 0)
        return bills.at(self._life.rng.randrange(first, len(bills)))

    def edit_bill(self, now_ms: int) -> None:
        """Reword a line; recode it, or change its amount while nothing is paid."""
        life = self._life
        bill = self._recent_bill()
        if bill is None or bill["archived"]:
            return
        line = life.rng.choice(bill["billLineItems"])
        choice = life.rng.randrange(3)
        is_unpaid = not life.payables.payments_of(bill["id"])
        if choice == 0 and is_unpaid and cents(line["amount"]) > 0:
            line["amount"] = dollars(round(cents(line["amount"]) * life.rng.uniform(0.8, 1.25)))
            line.pop("quantity", None)
            line.pop("price", None)
        elif choice == 1 and names_one(line.get("classifications", {}), "chartOfAccountId"):
            other = life.rng.choice(life.trade.purchases).account
            line["classifications"]["chartOfAccountId"] = life.accounts[other]
        else:
            line["description"] = f"{line.get('description', 'Line')} (corrected)"
        life.payables.edit("bills", bill, now_ms)

    def archive_bill(self, now_ms: int) -> None:
        """Remove an unpaid bill; one in three is restored."""
        life = self._life
        bill = self._recent_bill()
        if bill is None or bill["archived"] or life.payables.payments_of(bill["id"]):
            return
        self.set_archived(now_ms, "bills", bill["id"], archived=True)
        if life.chance(0.35):
            life.in_days(now_ms, life.rng.uniform(0.5, 9), self._restore, "bills", bill["id"])

    def _restore(self, now_ms: int, name: str, object_id: str) -> None:
        self.set_archived(now_ms, name, object_id, archived=False)

    def set_archived(self, now_ms: int, name: str, object_id: str, *, archived: bool) -> None:
        """Archive or restore any document."""
        documents = self._life.organization[name]
        document = self._life.payables.document(name, object_id)
        document["archived"] = archived
        documents.replace(document, now_ms)
        if name in {"bills", "vendors", "invoices"}:
            event = f"{name[:-1]}.{'archived' if archived else 'restored'}"
            self._life.payables.announce(event, document)

    def rename_vendor(self, now_ms: int) -> None:
        """A vendor takes another name."""
        life = self._life
        vendors = life.organization["vendors"]
        vendor = vendors.at(life.rng.randrange(len(vendors)))
        if vendor["archived"]:
            return
        previous = vendor["name"]
        if previous.endswith(" Inc"):
            return
        vendor["name"] = f"{previous} Inc"
        life.payables.edit("vendors", vendor, now_ms)
        row = audit_row("name", previous, vendor["name"], now_ms, life.user_id())
        life.organization.audit_trail.setdefault(vendor["id"], []).append(row)
        if not life.switches.names_stay_on_documents:
            self._rename_in_documents(vendor)

    def _rename_in_documents(self, vendor: Document) -> None:
        """The new name shows on old documents, whose times do not move."""
        for name in ("bills", "payments"):
            documents = self._life.organization[name]
            for document in documents:
                if document["vendorId"] == vendor["id"]:
                    documents.replace(document | {"vendorName": vendor["name"]})

    def merge_vendors(self, now_ms: int) -> None:
        """A vendor entered twice becomes one: the duplicate is archived and points to the other.

        The duplicate's bills stay with it, as BILL shows them; v2 names the other vendor.
        """
        life = self._life
        vendors = life.organization["vendors"]
        kept = vendors.at(life.rng.randrange(len(vendors)))
        if kept["archived"]:
            return
        duplicate = add_vendor(life, f"{kept['name']} (duplicate)", now_ms)
        life.in_days(now_ms, 5, self._merge, duplicate["id"], kept["id"])

    def _merge(self, now_ms: int, duplicate_id: str, kept_id: str) -> None:
        self._life.organization.merged_into[duplicate_id] = kept_id
        self.set_archived(now_ms, "vendors", duplicate_id, archived=True)


def audit_row(field: str, previous: str, current: str, now_ms: int, user_id: str) -> Document:
    """One row of a vendor's audit trail."""
    return {
        "source": "WEB",
        "type": "UPDATE",
        "createdTime": timestamp(now_ms),
        "user": {"id": user_id},
        "field": {"name": field, "value": {"previous": previous, "current": current}},
    }
