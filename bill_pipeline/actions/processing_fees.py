"""Say what BILL kept back of a customer's payment, and have the books show it at once.

BILL does not say its processing fee. Deposits show most of them
(``staging.processing_fees_found``); the rest a person says here. The last decision on a receipt
counts, a person's before a deposit's, and 0.00 says that nothing was kept back; what is posted is
``postings_received_payments.sql``.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import duckdb

from bill_pipeline.actions.deciding import decision
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.settings import Home

_RECEIPTS = """
select
    received_payment_id, coalesce(receipt_number, received_payment_id), amount, currency,
    currency = home_currency, is_processing_fee_given, processing_fee
from staging.received_payments
cross join staging.policies
where is_booked and list_contains([received_payment_id, receipt_number], $receipt)
"""


@dataclass(frozen=True)
class Receipt:
    """A customer's payment and the fee that was booked with it until now."""

    receipt_id: str
    number: str
    amount: Decimal
    currency: str
    is_in_home_currency: bool
    is_fee_given: bool
    fee: Decimal


def set_processing_fee(
    home: Home, client: str, receipt: str, *, amount: Decimal, by: str, reason: str
) -> Receipt:
    """Book ``amount`` as kept back of ``receipt`` (BILL's id or its number); returns what it was.

    Raises DecisionRefused for a receipt that is not booked, is foreign or whose fee BILL tells, and
    for more than was paid; ClientBusy, ChecksFailed.
    """
    with decision(home, client, by=by) as batch:
        found = _find(batch.connection, client, receipt)
        _require_possible(client, found, amount)
        decisions.record_processing_fee(
            batch.connection,
            received_payment_id=found.receipt_id,
            amount=amount,
            **batch.signed(reason),
        )
    return found


def _find(connection: duckdb.DuckDBPyConnection, client: str, receipt: str) -> Receipt:
    found = [
        Receipt(*row) for row in connection.execute(_RECEIPTS, {"receipt": receipt}).fetchall()
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise DecisionRefused(
            f"{client}: {len(found)} receipts have the number {receipt!r}; name one by id: "
            f"{', '.join(sorted(each.receipt_id for each in found))}."
        )
    raise DecisionRefused(
        f"{client}: no booked receipt has the id or number {receipt!r}. "
        '`bill-pipeline query "from clearing_in_flight"` shows what is in clearing.'
    )


def _require_possible(client: str, found: Receipt, amount: Decimal) -> None:
    if not found.is_in_home_currency:
        raise DecisionRefused(
            f"{client}: receipt {found.number} is in {found.currency}; a fee is taken from a "
            "deposit in the currency of the books."
        )
    if found.is_fee_given:
        raise DecisionRefused(f"{client}: BILL itself tells the fee of receipt {found.number}.")
    if not 0 <= amount <= found.amount:
        raise DecisionRefused(
            f"{client}: {found.amount:,.2f} {found.currency} came with receipt {found.number}; "
            f"{amount:,.2f} cannot have been kept back."
        )
