"""A balance that stayed in the other statement when its account's type changed: move or keep it.

Like every decision these are appended to ``decisions`` and never changed. What stands under an old
type is ``reports.retyped_balances``; the entry is ``transforms/ledger/postings_reclassifications``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal

import duckdb

from bill_pipeline.decisions.rows import append_decision, last_decision
from bill_pipeline.errors import DecisionRefused

#: Of both a client's file and the published ledger; ``{}`` is where the tables are.
BALANCES = """
select
    account_id, account_code, account_name, account_type_before, account_type, first_day,
    is_to_balance_sheet, fiscal_year_ends_on, amount, amount_cash
from {}retyped_balances
"""
Action = Literal["move", "keep", "withdraw"]


@dataclass(frozen=True)
class Moved:
    """What an entry moves; debit positive. ``earlier`` is of fiscal years before the entry's."""

    amount: Decimal
    earlier: Decimal
    amount_cash: Decimal
    earlier_cash: Decimal


@dataclass(frozen=True)
class OldBalance:
    """What stands under an account's old type although the account is of the other statement now.

    ``years`` has (last day of the fiscal year, amount, amount on the cash basis), debit positive;
    a decision about it is no part of it. ``name`` is the account's number and name.
    """

    account_id: str
    name: str
    type_before: str
    type_since: str
    first_day: date
    is_to_balance_sheet: bool
    years: tuple[tuple[date, Decimal, Decimal], ...]

    def moved_on(self, day: date) -> Moved:
        """What an entry on ``day`` moves."""
        earlier = [year for year in self.years if year[0] < day]
        return Moved(
            sum((year[1] for year in self.years), Decimal(0)),
            sum((year[1] for year in earlier), Decimal(0)),
            sum((year[2] for year in self.years), Decimal(0)),
            sum((year[2] for year in earlier), Decimal(0)),
        )


def old_balances(rows: Iterable[Mapping[str, Any]]) -> list[OldBalance]:
    """The rows of ``BALANCES``, by account; those of 0.00 are left out."""
    ordered = sorted(rows, key=lambda row: (row["account_id"], row["fiscal_year_ends_on"]))
    found = []
    for account_id, group in groupby(ordered, key=lambda row: row["account_id"]):
        years = list(group)
        first = years[0]
        found.append(
            OldBalance(
                account_id,
                " ".join(word for word in (first["account_code"], first["account_name"]) if word),
                first["account_type_before"],
                first["account_type"],
                first["first_day"],
                first["is_to_balance_sheet"],
                tuple((y["fiscal_year_ends_on"], y["amount"], y["amount_cash"]) for y in years),
            )
        )
    return [balance for balance in found if balance.moved_on(balance.first_day).amount]


def move_balance(
    connection: duckdb.DuckDBPyConnection,
    *,
    account_id: str,
    day: date,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> OldBalance:
    """Accept the entry that moves what stands under the account's old type, on ``day``.

    It replaces an earlier decision about that change of type. Raises DecisionRefused when nothing
    stands there, and for a day that is closed or before the new type counts.
    """
    from bill_pipeline.decisions.tables import closed_through

    balance = balance_of(connection, account_id)
    closed = closed_through(connection, decided_at)
    first = max(balance.first_day, closed + timedelta(days=1) if closed else date.min)
    if day < first:
        raise DecisionRefused(
            f"{balance.name}: the entry can be of {first} or later, the first open day on which "
            f"the account is {balance.type_since}; not of {day}."
        )
    _record(connection, balance, "move", day, decided_at, decided_by, reason)
    return balance


def keep_balance(
    connection: duckdb.DuckDBPyConnection,
    *,
    account_id: str,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> OldBalance:
    """Let what stands under the account's old type stand there, as long as it is that amount.

    Raises DecisionRefused when nothing stands there.
    """
    balance = balance_of(connection, account_id)
    _record(connection, balance, "keep", None, decided_at, decided_by, reason)
    return balance


def withdraw_reclassification(
    connection: duckdb.DuckDBPyConnection,
    *,
    account_id: str,
    first_day: date,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> None:
    """Take back the decision about the account's type since ``first_day``.

    Raises DecisionRefused when none stands.
    """
    if standing(connection, account_id, first_day)["action"] == "withdraw":
        raise DecisionRefused(f"No decision stands about {account_id} and its type of {first_day}.")
    none = {"account_id": account_id, "first_day": first_day, "action": "withdraw"}
    append(connection, none, decided_at=decided_at, decided_by=decided_by, reason=reason)


def append(
    connection: duckdb.DuckDBPyConnection,
    decision: Mapping[str, Any],
    *,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> None:
    """Write ``decision``: values of columns of ``decisions.reclassifications``, null for others."""
    made = {"decided_at": decided_at, "decided_by": decided_by, "reason": reason}
    append_decision(connection, "reclassifications", **{**decision, **made})


def standing(
    connection: duckdb.DuckDBPyConnection, account_id: str, first_day: date
) -> dict[str, Any]:
    """The decision that stands, as ``append`` takes it; a withdrawal where there is none."""
    about = {"account_id": account_id, "first_day": first_day}
    found = last_decision(connection, "reclassifications", about)
    return found or {**about, "action": "withdraw"}


def balance_of(connection: duckdb.DuckDBPyConnection, account_id: str) -> OldBalance:
    """What stands under the account's old type. Raises DecisionRefused when nothing does."""
    cursor = connection.execute(BALANCES.format("reports."))
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for balance in old_balances(rows):
        if balance.account_id == account_id:
            return balance
    raise DecisionRefused(f"Nothing stands under an old type of account {account_id}.")


def _record(
    connection: duckdb.DuckDBPyConnection,
    balance: OldBalance,
    action: Action,
    day: date | None,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> None:
    moved = balance.moved_on(day or balance.first_day)
    decision = {
        "account_id": balance.account_id, "first_day": balance.first_day, "action": action,
        "date": day, "is_to_balance_sheet": balance.is_to_balance_sheet, "amount": moved.amount,
        "amount_earlier": moved.earlier, "amount_cash": moved.amount_cash,
        "amount_earlier_cash": moved.earlier_cash,
    }  # fmt: skip
    append(connection, decision, decided_at=decided_at, decided_by=decided_by, reason=reason)
