"""What stands under an account's old type, and a person's decision about it, shown at once.

A change of an account's type in BILL moves nothing that is closed. Where the account went from one
statement to the other, a person moves the balance by one entry on an open day, or lets it stand;
either can be taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bill_pipeline.actions.deciding import Batch, decision
from bill_pipeline.decisions import retypings as retyping_decisions
from bill_pipeline.decisions.retypings import BALANCES, OldBalance, balance_of, old_balances
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.settings import Home

#: SQL on the published ledger and its values → rows by column.
ReadRows = Callable[[str, dict[str, Any]], list[dict[str, Any]]]
_DECIDED = """
select
    decided.account_id, decided.first_day, decided.action, decided.date, decided.amount,
    decided.decided_at, decided.decided_by, decided.reason,
    concat_ws(
        ' ', accounts.account_code, coalesce(accounts.account_name, decided.account_id)
    ) as name,
    decided.action = 'keep'
    or coalesce(retyped.balance_kept = 0 and retyped.balance_kept_cash = 0, false) as is_fitting
from reclassifications as decided
left join accounts on accounts.client = $client and accounts.account_id = decided.account_id
left join retyped_accounts as retyped
    on retyped.client = $client and retyped.account_id = decided.account_id
    and retyped.first_day = decided.first_day
where decided.client = $client and decided.action <> 'withdraw'
order by decided.decided_at, decided.account_id
"""
_CLOSED_THROUGH = "select closed_through from books where client = $client"


@dataclass(frozen=True)
class EntryLine:
    """A line of the entry; debit positive."""

    account: str
    amount: Decimal


@dataclass(frozen=True)
class Decided:
    """A decision that stands: ``move`` by an entry of ``day``, or ``keep``.

    An entry that is not ``is_fitting`` moved what is there no more: another amount, or the balance
    of an account that has its old type again.
    """

    account_id: str
    name: str
    first_day: date
    action: str
    day: date | None
    amount: Decimal
    decided_at: datetime
    decided_by: str
    reason: str
    is_fitting: bool


@dataclass(frozen=True)
class Retyped:
    """A client's balances under an old type, decided or not, and the decisions that stand."""

    balances: tuple[OldBalance, ...]
    decided: tuple[Decided, ...]
    first_open_day: date

    @property
    def undecided(self) -> list[OldBalance]:
        """Those that nobody decided about, or whose amount changed since."""
        settled = {(one.account_id, one.first_day, one.amount) for one in self.decided}
        return [
            one
            for one in self.balances
            if (one.account_id, one.first_day, one.moved_on(one.first_day).amount) not in settled
        ]

    def earliest(self, balance: OldBalance) -> date:
        """The first day on which an entry can move ``balance``."""
        return max(balance.first_day, self.first_open_day)


def read_retyped(read: ReadRows, client: str) -> Retyped:
    """What the published ledger says; ``read`` runs SQL on it."""
    values = {"client": client}
    rows = read(f"{BALANCES.format('')} where client = $client", values)
    decided = [
        Decided(
            row["account_id"], row["name"], row["first_day"], row["action"], row["date"],
            row["amount"], row["decided_at"], row["decided_by"], row["reason"], row["is_fitting"],
        )
        for row in read(_DECIDED, values)
    ]  # fmt: skip
    closed = [row["closed_through"] for row in read(_CLOSED_THROUGH, values)]
    first = closed[0] + timedelta(days=1) if closed and closed[0] else date.min
    return Retyped(tuple(old_balances(rows)), tuple(decided), first)


def entry_of(balance: OldBalance, day: date) -> Sequence[EntryLine]:
    """The entry of ``day`` that moves ``balance``, debits first; as it is posted."""
    moved = balance.moved_on(day)
    gained, gained_earlier = moved.amount, moved.earlier
    if not balance.is_to_balance_sheet:
        gained, gained_earlier = -gained, -gained_earlier
    statement_type, profit_type = balance.type_since, balance.type_before
    if not balance.is_to_balance_sheet:
        statement_type, profit_type = profit_type, statement_type
    lines = [
        EntryLine(f"{balance.name} ({statement_type})", gained),
        EntryLine(f"{balance.name} ({profit_type})", gained_earlier - gained),
        EntryLine("Retained earnings", -gained_earlier),
    ]
    return sorted((line for line in lines if line.amount), key=lambda line: line.amount < 0)


def move(
    home: Home,
    client: str,
    account_id: str,
    day: date,
    *,
    by: str,
    reason: str,
    amount: Decimal | None = None,
) -> OldBalance:
    """Post the entry of ``day`` that moves what stands under the account's old type.

    ``amount`` is what was shown: another one is refused. Raises DecisionRefused when nothing stands
    there or the day is closed or too early; ClientBusy, ChecksFailed.
    """
    with decision(home, client, by=by) as batch:
        _require_shown(batch, client, account_id, amount)
        return retyping_decisions.move_balance(
            batch.connection,
            account_id=account_id,
            day=day,
            **batch.signed(reason),
        )


def accept_balance(
    home: Home,
    client: str,
    account_id: str,
    *,
    by: str,
    reason: str,
    amount: Decimal | None = None,
) -> OldBalance:
    """Let what stands under the account's old type stand there, as long as it is that amount.

    ``amount`` is what was shown: another one is refused. Raises DecisionRefused when nothing stands
    there; ClientBusy, ChecksFailed.
    """
    with decision(home, client, by=by) as batch:
        _require_shown(batch, client, account_id, amount)
        return retyping_decisions.keep_balance(
            batch.connection,
            account_id=account_id,
            **batch.signed(reason),
        )


def withdraw(
    home: Home, client: str, account_id: str, first_day: date, *, by: str, reason: str
) -> None:
    """Take back the decision about the account's type since ``first_day``.

    An entry on an open day is reversed; of one on a closed day the difference is posted. Raises
    DecisionRefused when no decision stands; ClientBusy, ChecksFailed.
    """
    with decision(home, client, by=by) as batch:
        retyping_decisions.withdraw_reclassification(
            batch.connection,
            account_id=account_id,
            first_day=first_day,
            **batch.signed(reason),
        )


def _require_shown(batch: Batch, client: str, account_id: str, shown: Decimal | None) -> None:
    balance = balance_of(batch.connection, account_id)
    amount = balance.moved_on(balance.first_day).amount
    if shown is not None and shown != amount:
        raise DecisionRefused(
            f"{client}: {amount:,.2f} stands under the old type of {balance.name} now, not "
            f"{shown:,.2f}; look at the entry again."
        )
