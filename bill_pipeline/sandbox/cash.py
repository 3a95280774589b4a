"""Money that really moves: BILL's lump withdrawals and deposits (v2 ``MoneyMovement``).

BILL pulls what it pays in one sum per bank account and day; refunds and customers' payments come
back the same way. Documents are kept in v2's shape because v3 does not show them.
"""

from __future__ import annotations

from datetime import date

from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import cents, dollars
from bill_pipeline.sandbox.organization import Organization

PAYABLES, RECEIVABLES = "1", "2"
SENT, CONFIRMED, VOIDED = "0", "1", "2"


class Cash:
    """The money movements of one organization. Withdrawals are negative."""

    def __init__(self, organization: Organization) -> None:
        self._books = organization
        self._open: dict[tuple[str, str, str, bool], str] = {}

    def move(self, bank_id: str, kind: str, amount: int, day: date, at_ms: int) -> Document:
        """Add to the lump of a bank account, kind and day; negative cents leave the bank."""
        movements = self._books["money-movements"]
        key = (bank_id, kind, day.isoformat(), amount < 0)
        open_id = self._open.get(key)
        movement = movements.get(open_id) if open_id else None
        if movement is not None and movement["status"] == SENT:
            movement["amount"] = dollars(cents(movement["amount"]) + amount)
            return movements.replace(movement, at_ms)
        movement = movements.add(
            {
                "entity": "MoneyMovement",
                "name": f"{'Payables' if kind == PAYABLES else 'Receivables'} {day.isoformat()}",
                "type": kind,
                "status": SENT,
                "amount": dollars(amount),
                "processDate": day.isoformat(),
                "bankAccountId": bank_id,
            },
            at_ms,
        )
        self._open[key] = movement["id"]
        return movement

    def confirm(self, movement_id: str, at_ms: int) -> None:
        """The bank has confirmed a movement; confirming twice changes nothing."""
        movement = self._books["money-movements"].get(movement_id)
        if movement is not None and movement["status"] == SENT:
            movement["status"] = CONFIRMED
            self._books["money-movements"].replace(movement, at_ms)
