"""BILL's documents of an imported ledger, written when they are asked for.

Each class serves one list from the arrays of ``LedgerLines`` (see ``documents.LazyDocuments``),
so that a ledger of any size starts at once. Which document exists is decided here: sums of zero
or more are bills, others vendor credits; older bills are paid.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np

from bill_pipeline.sandbox.clock import DAY_MS
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import IdSeries
from bill_pipeline.sandbox.ledger_rows import LedgerLines
from bill_pipeline.sandbox.money import dollars

#: Days from a bill's date to its payment; bills of the last so many days stay open.
PAID_AFTER_DAYS = 30
_EPOCH = date(1970, 1, 1)
_HOUR_MS = 3_600_000
#: Days from each weekday (Monday first) to the next business day.
_TO_BUSINESS_DAY = np.array((0, 0, 0, 0, 0, 2, 1))


class Ledger:
    """What the lists of one imported organization share."""

    def __init__(
        self,
        lines: LedgerLines,
        salt: str,
        uncoded_from: date | None,
        accounts: list[str],
        departments: list[str],
        locations: list[str],
        bank_id: str,
    ) -> None:
        self.lines = lines
        self.accounts, self.departments, self.locations = accounts, departments, locations
        self.bank_id = bank_id
        self.line_ids = {p: IdSeries(p, f"{salt}/ledger") for p in ("bli", "vci", "blp")}
        self.uncoded_day = (uncoded_from - _EPOCH).days if uncoded_from else int(1e9)
        #: Positions among the ledger's documents.
        self.bills = np.flatnonzero(lines.amount >= 0)
        self.credits = np.flatnonzero(lines.amount < 0)
        last_paid = lines.day[-1] - PAID_AFTER_DAYS
        is_paid = (lines.amount[self.bills] > 0) & (lines.day[self.bills] <= last_paid)
        #: Positions among the bills that are paid, and back: -1 where a bill is open.
        self.paid_bills = np.flatnonzero(is_paid)
        self.payment_of_bill = np.where(is_paid, np.cumsum(is_paid) - 1, -1)
        due = lines.day[self.bills[self.paid_bills]] + PAID_AFTER_DAYS
        # 1 January 1970 was a Thursday.
        self.process_day = due + _TO_BUSINESS_DAY[(due + 3) % 7]

    def vendor(self, document: int) -> tuple[int, str]:
        """(number, name) of a document's vendor."""
        number = int(self.lines.vendor.codes[document])
        return number, self.lines.vendor.names[number]

    def reference(self, document: int) -> str:
        text: str = self.lines.transaction_id[document].as_py()
        return text or f"{self.date(document):%Y%m%d}"

    def date(self, document: int) -> date:
        return day_of(self.lines.day[document])

    def is_uncoded(self, document: int) -> bool:
        return bool(self.lines.day[document] >= self.uncoded_day)

    def line_range(self, document: int) -> range:
        return range(int(self.lines.first_line[document]), int(self.lines.first_line[document + 1]))

    def written_lines(self, document: int, prefix: str, sign: int) -> list[Document]:
        lines = self.lines
        written = []
        for number in self.line_range(document):
            line: Document = {
                "id": self.line_ids[prefix].at(number),
                "amount": dollars(sign * int(lines.cents[number])),
            }
            description = lines.description[number].as_py()
            if description:
                line["description"] = description
            codes = {}
            for field, labels, ids in (
                ("chartOfAccountId", lines.account, self.accounts),
                ("departmentId", lines.department, self.departments),
                ("locationId", lines.entity, self.locations),
            ):
                code = int(labels.codes[number])
                if code >= 0:
                    codes[field] = ids[code]
            if self.is_uncoded(document):
                codes.pop("chartOfAccountId", None)
            if codes:
                line["classifications"] = codes
            written.append(line)
        return written


def day_of(days: Any) -> date:
    return _EPOCH + timedelta(days=int(days))


def in_sequence(days: np.ndarray, hour: int) -> np.ndarray:
    """(n,) int64: a moment on each ascending day, a millisecond after the one before it."""
    first_of_day = np.searchsorted(days, days)
    return days * DAY_MS + hour * _HOUR_MS + np.arange(len(days)) - first_of_day


class LedgerBills:
    """Bills of an imported ledger; ``vendor_id`` gives the id of a vendor by number."""

    def __init__(self, ledger: Ledger, vendor_id: Callable[[int], str]) -> None:
        self._ledger = ledger
        self._vendor_id = vendor_id

    def created_ms(self) -> np.ndarray:
        return in_sequence(self._ledger.lines.day[self._ledger.bills], 9)

    def updated_ms(self) -> np.ndarray:
        return self.created_ms()

    def document(self, position: int) -> Document:
        ledger = self._ledger
        number = int(ledger.bills[position])
        vendor, name = ledger.vendor(number)
        cents = int(ledger.lines.amount[number])
        amount, day = dollars(cents), ledger.date(number)
        is_paid = bool(ledger.payment_of_bill[position] >= 0)
        return {
            "archived": False,
            "vendorId": self._vendor_id(vendor),
            "vendorName": name,
            "amount": amount,
            "fundingAmount": amount,
            "exchangeRate": 1.0,
            "paidAmount": amount if is_paid else 0.0,
            "dueAmount": 0.0 if is_paid else amount,
            "scheduledAmount": 0.0,
            "creditAmount": 0.0,
            "dueDate": (day + timedelta(days=PAID_AFTER_DAYS)).isoformat(),
            "invoice": {
                "invoiceNumber": ledger.reference(number),
                "invoiceDate": day.isoformat(),
            },
            "billLineItems": ledger.written_lines(number, "bli", 1),
            "paymentStatus": "PAID" if is_paid or cents == 0 else "UNPAID",
            "approvalStatus": "APPROVED",
        }


class LedgerCredits:
    """Vendor credits: documents of the ledger that sum to less than nothing, signs turned."""

    def __init__(self, ledger: Ledger, vendor_id: Callable[[int], str]) -> None:
        self._ledger = ledger
        self._vendor_id = vendor_id

    def created_ms(self) -> np.ndarray:
        return in_sequence(self._ledger.lines.day[self._ledger.credits], 9)

    def updated_ms(self) -> np.ndarray:
        return self.created_ms()

    def document(self, position: int) -> Document:
        ledger = self._ledger
        number = int(ledger.credits[position])
        return {
            "vendorId": self._vendor_id(ledger.vendor(number)[0]),
            "referenceNumber": ledger.reference(number),
            "creditDate": ledger.date(number).isoformat(),
            "archived": False,
            "amount": dollars(-int(ledger.lines.amount[number])),
            "appliedAmount": 0.0,
            "status": "NOT_APPLIED",
            "vendorCreditLineItems": ledger.written_lines(number, "vci", -1),
        }


class LedgerPayments:
    """Payments: one per paid bill, in full; ``bill_id`` gives the id of a bill by position."""

    def __init__(
        self, ledger: Ledger, vendor_id: Callable[[int], str], bill_id: Callable[[int], str]
    ) -> None:
        self._ledger = ledger
        self._vendor_id = vendor_id
        self._bill_id = bill_id

    def created_ms(self) -> np.ndarray:
        return in_sequence(np.maximum.accumulate(self._ledger.process_day), 15)

    def updated_ms(self) -> np.ndarray:
        return self.created_ms()

    def document(self, position: int) -> Document:
        ledger = self._ledger
        bill = int(ledger.paid_bills[position])
        number = int(ledger.bills[bill])
        vendor, name = ledger.vendor(number)
        amount, bill_id = dollars(int(ledger.lines.amount[number])), self._bill_id(bill)
        payment_id = ledger.line_ids["blp"].at(position)
        return {
            "amount": amount,
            "vendorId": self._vendor_id(vendor),
            "vendorName": name,
            "billId": bill_id,
            "billPayments": [{"id": payment_id, "billId": bill_id, "amount": amount}],
            "processDate": day_of(ledger.process_day[position]).isoformat(),
            "fundingAccount": {"type": "BANK_ACCOUNT", "id": ledger.bank_id},
            "fundingAmount": amount,
            "exchangeRate": 1.0,
            "onlinePayment": True,
            "status": "PAID",
            "disbursementType": "ACH",
            "disbursementStatus": "DONE",
            "singleStatus": "CLEARED",
        }
