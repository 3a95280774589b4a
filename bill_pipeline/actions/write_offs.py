"""Write off what a customer will not pay of an invoice, and have the books show it at once.

BILL has no such event: a person decides it. The last decision on an invoice counts and 0.00 takes
it back, so nothing is ever edited; what is posted is ``transforms/ledger/postings_write_offs.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

from bill_pipeline.actions.deciding import Batch, decision
from bill_pipeline.amounts import to_cents
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.settings import Home

#: Document, its number, its day, currency, what is open, and what was given up until now.
_INVOICES = """
with given_up as (
    select invoice_id, arg_max(amount, (decided_at, rowid)) as amount
    from decisions.write_offs group by invoice_id
)
select
    document_id, coalesce(number, document_id), document_date, currency, amount_open,
    coalesce(given_up.amount, 0)::decimal(18, 3)
from ledger.documents
left join given_up on given_up.invoice_id = documents.document_id
where document_type = 'invoice' and is_booked and list_contains([document_id, number], $invoice)
"""


@dataclass(frozen=True)
class WriteOff:
    """What was given up of one invoice, in the invoice's currency; ``left`` stays open."""

    invoice_id: str
    number: str
    amount: Decimal
    left: Decimal
    currency: str


@dataclass(frozen=True)
class _Invoice:
    invoice_id: str
    number: str
    invoice_date: date
    currency: str
    amount_open: Decimal
    amount_given_up: Decimal

    @property
    def amount_unpaid(self) -> Decimal:
        return self.amount_open + self.amount_given_up


def write_off_invoice(
    home: Home,
    client: str,
    invoice: str,
    *,
    amount: Decimal | None,
    role: str,
    day: date,
    by: str,
    reason: str,
) -> WriteOff:
    """Give up ``amount`` of ``invoice`` (BILL's id or its number), None for all that is unpaid.

    It replaces what was given up of the invoice before; 0.00 takes that back. Raises
    DecisionRefused for an invoice that is not booked, more than is unpaid, a day before the
    invoice or in a closed month; ClientBusy, ChecksFailed.
    """
    with decision(home, client, by=by) as batch:
        found = _find(batch.connection, client, invoice)
        chosen = found.amount_unpaid if amount is None else amount
        _require_possible(batch, client, found, chosen, day)
        decisions.write_off(
            batch.connection,
            invoice_id=found.invoice_id,
            write_off_date=day,
            amount=chosen,
            role=role,
            **batch.signed(reason),
        )
    return WriteOff(
        found.invoice_id, found.number, chosen, found.amount_unpaid - chosen, found.currency
    )


def _find(connection: duckdb.DuckDBPyConnection, client: str, invoice: str) -> _Invoice:
    rows = connection.execute(_INVOICES, {"invoice": invoice}).fetchall()
    if not rows:
        raise DecisionRefused(
            f"{client}: no booked invoice has the id or number {invoice!r}. "
            '`bill-pipeline query "from receivables_aging"` shows who owes what.'
        )
    if len(rows) > 1:
        ids = ", ".join(sorted(row[0] for row in rows))
        raise DecisionRefused(
            f"{client}: {len(rows)} invoices have the number {invoice!r}; name one by id: {ids}."
        )
    return _Invoice(*rows[0])


def _require_possible(
    batch: Batch, client: str, found: _Invoice, amount: Decimal, day: date
) -> None:
    if amount < 0 or amount > found.amount_unpaid:
        raise DecisionRefused(
            f"{client}: {to_cents(found.amount_unpaid):,f} {found.currency} of invoice "
            f"{found.number} is unpaid; {amount:,.2f} cannot be given up."
        )
    if day < found.invoice_date:
        raise DecisionRefused(
            f"{client}: invoice {found.number} is of {found.invoice_date}, after {day}."
        )
    closed = decisions.closed_through(batch.connection, batch.decided_at)
    if closed is not None and day <= closed:
        raise DecisionRefused(
            f"{client}: the books are closed through {closed}; write off on a later day, or "
            f"reopen {day:%B %Y} first."
        )
