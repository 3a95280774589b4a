"""A great many bills and payments that are computed when asked for, for tests of size.

The document at a position follows from the position and the salt alone: nothing is stored but
its times, so an organization of a million documents starts in a second. Every bill older than
its terms is paid in full by the payment at the same position.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from bill_pipeline.sandbox.clock import DAY_MS, day_ms, from_ms
from bill_pipeline.sandbox.documents import Document, without_empty
from bill_pipeline.sandbox.ids import IdSeries
from bill_pipeline.sandbox.money import dollars
from bill_pipeline.sandbox.organization import Organization

_VENDORS = 500
_MAX_LINES = 4
_PAID_AFTER_DAYS = 30
_MASK = 0xFFFFFFFFFFFFFFFF


def _hash(number: int) -> int:
    """splitmix64: a number that looks random and is always the same for the same position."""
    number = (number + 0x9E3779B97F4A7C15) & _MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
    return number ^ (number >> 31)


class Volume:
    """What bills and payments have in common: vendors, accounts, amounts, times."""

    def __init__(
        self, organization: Organization, salt: str, bills: int, start: date, today: date
    ) -> None:
        self.organization = organization
        at_ms = day_ms(start, 12)
        accounts = [
            a["id"]
            for a in organization["chart-of-accounts"]
            if a["account"]["type"] in {"EXPENSE", "COST_OF_GOODS_SOLD"}
        ]
        self.accounts = accounts
        self.vendors = [
            organization["vendors"].add(
                {"archived": False, "name": f"Volume Vendor {n + 1} (invented)"}, at_ms
            )
            for n in range(_VENDORS)
        ]
        self.bank_id = organization["bank-accounts"].ids.at(0)
        self.line_ids = IdSeries("bli", f"{salt}/volume")
        self.payment_ids = IdSeries("blp", f"{salt}/volume")
        self.start_ms, end_ms = at_ms, day_ms(today)
        self.created = np.linspace(at_ms, end_ms, bills, dtype=np.int64)
        paid_before = end_ms - (_PAID_AFTER_DAYS + 3) * DAY_MS
        self.paid_count = int(np.searchsorted(self.created, paid_before))

    def line_amounts(self, position: int) -> list[int]:
        """The bill's lines in cents."""
        number = _hash(position)
        return [5_00 + _hash(number + index) % 200_000 for index in range(1 + number % _MAX_LINES)]

    def vendor(self, position: int) -> Document:
        return self.vendors[_hash(position * 3 + 1) % _VENDORS]


class VolumeBills:
    """The bills; see ``documents.LazyDocuments``."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def created_ms(self) -> np.ndarray:
        return self._volume.created

    def updated_ms(self) -> np.ndarray:
        return self._volume.created

    def document(self, position: int) -> Document:
        volume = self._volume
        amounts, vendor = volume.line_amounts(position), volume.vendor(position)
        total = dollars(sum(amounts))
        day = from_ms(int(volume.created[position])).date()
        is_paid = position < volume.paid_count
        first_line = position * _MAX_LINES
        return {
            "archived": False,
            "vendorId": vendor["id"],
            "vendorName": vendor["name"],
            "amount": total,
            "fundingAmount": total,
            "exchangeRate": 1.0,
            "paidAmount": total if is_paid else 0.0,
            "dueAmount": 0.0 if is_paid else total,
            "scheduledAmount": 0.0,
            "creditAmount": 0.0,
            "dueDate": (day + timedelta(days=_PAID_AFTER_DAYS)).isoformat(),
            "invoice": {"invoiceNumber": f"V-{position:08d}", "invoiceDate": day.isoformat()},
            "billLineItems": [
                {
                    "id": volume.line_ids.at(first_line + index),
                    "amount": dollars(amount),
                    "description": f"Volume line {index + 1}",
                    "classifications": {
                        "chartOfAccountId": volume.accounts[
                            _hash(first_line + index) % len(volume.accounts)
                        ]
                    },
                }
                for index, amount in enumerate(amounts)
            ],
            "paymentStatus": "PAID" if is_paid else "UNPAID",
            "approvalStatus": "APPROVED",
        }


class VolumePayments:
    """The payments: position n pays the bill at position n."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume

    def created_ms(self) -> np.ndarray:
        return self._volume.created[: self._volume.paid_count] + _PAID_AFTER_DAYS * DAY_MS

    def updated_ms(self) -> np.ndarray:
        return self.created_ms() + 3 * DAY_MS

    def document(self, position: int) -> Document:
        volume = self._volume
        vendor = volume.vendor(position)
        total = dollars(sum(volume.line_amounts(position)))
        bill_id = volume.organization["bills"].ids.at(position)
        created = from_ms(int(volume.created[position])) + timedelta(days=_PAID_AFTER_DAYS)
        return without_empty(
            {
                "amount": total,
                "vendorId": vendor["id"],
                "vendorName": vendor["name"],
                "billId": bill_id,
                "billPayments": [
                    {"id": volume.payment_ids.at(position), "billId": bill_id, "amount": total}
                ],
                "processDate": created.date().isoformat(),
                "fundingAccount": {"type": "BANK_ACCOUNT", "id": volume.bank_id},
                "fundingAmount": total,
                "exchangeRate": 1.0,
                "onlinePayment": True,
                "status": "PAID",
                "disbursementType": "ACH",
                "disbursementStatus": "DONE",
                "singleStatus": "CLEARED",
                "transactionNumber": f"VOL{position:08d}",
            }
        )


def add_volume(
    organization: Organization, salt: str, documents: int, start: date, today: date
) -> None:
    """Begin an organization's bills and payments with about ``documents`` computed ones."""
    volume = Volume(organization, salt, round(documents * 0.51), start, today)
    organization.begin_with("bills", VolumeBills(volume))
    organization.begin_with("payments", VolumePayments(volume))
    organization.payments_of_position = lambda p: [p] if p < volume.paid_count else []
