"""Where the books begin: opening balances, and the day whose documents open with their rest.

Like every decision these are appended to ``decisions`` and never changed. Which documents were open
that day, and what of them is booked, is ``transforms/ledger``.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import duckdb

from bill_pipeline.decisions.rows import append_decision, last_decision
from bill_pipeline.errors import DecisionRefused


def record_opening_balance(
    connection: duckdb.DuckDBPyConnection,
    *,
    account_id: str,
    cutover_date: date,
    amount: Decimal,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> None:
    """An account's balance brought in on ``cutover_date`` (debit +); the last row counts.

    The first one says where the books begin as well, unless that was said or a month was closed:
    else BILL's documents of before would count once more beside the balances.
    """
    if amount and would_begin_books(connection, decided_at):
        append_decision(
            connection, "policies", name="books_begin_on", value=cutover_date.isoformat(),
            decided_at=decided_at, decided_by=decided_by,
            reason=f"the first opening balances are of {cutover_date}",
        )  # fmt: skip
    append_decision(
        connection, "opening_balances", account_id=account_id, cutover_date=cutover_date,
        amount=amount, decided_at=decided_at, decided_by=decided_by, reason=reason,
    )  # fmt: skip


def books_begin_on(connection: duckdb.DuckDBPyConnection, at: datetime) -> date | None:
    """The day whose opening balances the books started from, or None when they hold everything."""
    row = last_decision(connection, "policies", {"name": "books_begin_on"}, at=at)
    return date.fromisoformat(row["value"]) if row and row["value"] else None


def require_day_of_books(value: str, decided_at: datetime) -> None:
    """Raises DecisionRefused unless ``value`` is empty or a day on which books can begin."""
    if not value:
        return
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise DecisionRefused(f"A day is written YYYY-MM-DD, not {value!r}.") from None
    if not date(1990, 1, 1) <= day <= decided_at.date() + timedelta(days=366):
        raise DecisionRefused(
            f"Books cannot begin on {day}: nothing would be left of them. Give the day at whose "
            "end the old books stopped."
        )


def would_begin_books(connection: duckdb.DuckDBPyConnection, at: datetime) -> bool:
    """Whether an opening balance recorded at ``at`` says where the books begin."""
    if books_begin_on(connection, at) or last_decision(connection, "closes", at=at):
        return False
    standing = connection.execute(
        "select 1 from decisions.opening_balances where decided_at <= ? "
        "group by account_id having arg_max(amount, (decided_at, rowid)) <> 0 limit 1",
        [at],
    ).fetchone()
    return standing is None
