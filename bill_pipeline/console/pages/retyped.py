"""What stands under an account's old type: the entry that would move it, and its decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from starlette.responses import Response

from bill_pipeline.actions.retyping import (
    Decided,
    EntryLine,
    entry_of,
    keep,
    move,
    read_retyped,
    withdraw,
)
from bill_pipeline.amounts import amount_of
from bill_pipeline.console.parts.period import day_of
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.request_context import Visit
from bill_pipeline.decisions.retypings import OldBalance
from bill_pipeline.errors import DecisionRefused


@dataclass(frozen=True)
class Preview:
    """A balance and the entry of ``day`` that would move it."""

    balance: OldBalance
    day: date
    earliest: date
    lines: Sequence[EntryLine]
    amount: Decimal
    amount_cash: Decimal


@dataclass(frozen=True)
class Section:
    """What the page Close shows of it."""

    balances: list[Preview]
    decided: tuple[Decided, ...]


def retyped_section(visit: Visit, books: Snapshot) -> Section | None:
    """None for books published before there was such a decision."""
    if not books.has_column("retyped_balances", "amount_cash"):
        return None
    found = read_retyped(books.rows, visit.client)
    wanted = day_of(visit.query("on"), date.min)
    previews = []
    for balance in found.undecided:
        earliest = found.earliest(balance)
        day = max(wanted, earliest)
        moved = balance.moved_on(day)
        lines = entry_of(balance, day)
        previews.append(Preview(balance, day, earliest, lines, moved.amount, moved.amount_cash))
    return Section(previews, found.decided)


def decide_retyped(visit: Visit) -> Response:
    """Move, keep or take back, as the button says; what was shown must still be so."""
    form, home, by = visit.form, visit.console.home, visit.user.name
    account, action = form.text("account"), form.text("action")
    reason = form.text("reason") or "decided in the console"
    if action == "move":
        day = _day(visit, "day")
        amount = amount_of(form.text("amount"), "amount")
        move(home, visit.client, account, day, by=by, reason=reason, amount=amount)
        visit.record("moved a balance under an old type", visit.client, account=account, day=day,
                     amount=amount, reason=reason)  # fmt: skip
        visit.notify(f"{visit.client}: {amount:,.2f} is moved on {day}.")
    elif action == "keep":
        amount = amount_of(form.text("amount"), "amount")
        keep(home, visit.client, account, by=by, reason=reason, amount=amount)
        visit.record("let a balance stand under an old type", visit.client, account=account,
                     amount=amount, reason=reason)  # fmt: skip
        visit.notify(f"{visit.client}: {amount:,.2f} stays under the old type.")
    elif action == "undo":
        first_day = _day(visit, "first_day")
        withdraw(home, visit.client, account, first_day, by=by, reason=reason)
        visit.record("took back a decision about an old type", visit.client, account=account,
                     first_day=first_day, reason=reason)  # fmt: skip
        visit.notify(f"{visit.client}: the decision is taken back.", "warning")
    else:
        raise DecisionRefused(f"{visit.client}: choose what to do with the balance.")
    return visit.redirect(f"/clients/{visit.client}/close#retyped")


def _day(visit: Visit, name: str) -> date:
    day = day_of(visit.form.text(name), date.min)
    if day == date.min:
        raise DecisionRefused(f"{visit.client}: give a day.")
    return day
