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
    accept_balance,
    entry_of,
    move,
    read_retyped,
    withdraw,
)
from bill_pipeline.amounts import amount_of
from bill_pipeline.console.parts.period import day_of
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.request_context import RequestContext
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


def retyped_section(context: RequestContext, books: Snapshot) -> Section | None:
    """None for books published before there was such a decision."""
    if not books.has_column("retyped_balances", "amount_cash"):
        return None
    found = read_retyped(books.rows, context.client)
    wanted = day_of(context.query("on"), date.min)
    previews = []
    for balance in found.undecided:
        earliest = found.earliest(balance)
        day = max(wanted, earliest)
        moved = balance.moved_on(day)
        lines = entry_of(balance, day)
        previews.append(Preview(balance, day, earliest, lines, moved.amount, moved.amount_cash))
    return Section(previews, found.decided)


def decide_retyped(context: RequestContext) -> Response:
    """Move, keep or take back, as the button says; what was shown must still be so."""
    form, home, by = context.form, context.console.home, context.user.name
    account, action = form.text("account"), form.text("action")
    reason = form.text("reason") or "decided in the console"
    if action == "move":
        day = _day(context, "day")
        amount = amount_of(form.text("amount"), "amount")
        move(home, context.client, account, day, by=by, reason=reason, amount=amount)
        context.record("moved a balance under an old type", context.client, account=account,
                     day=day, amount=amount, reason=reason)  # fmt: skip
        context.notify(f"{context.client}: {amount:,.2f} is moved on {day}.")
    elif action == "keep":
        amount = amount_of(form.text("amount"), "amount")
        accept_balance(home, context.client, account, by=by, reason=reason, amount=amount)
        context.record("let a balance stand under an old type", context.client, account=account,
                     amount=amount, reason=reason)  # fmt: skip
        context.notify(f"{context.client}: {amount:,.2f} stays under the old type.")
    elif action == "undo":
        first_day = _day(context, "first_day")
        withdraw(home, context.client, account, first_day, by=by, reason=reason)
        context.record("took back a decision about an old type", context.client, account=account,
                     first_day=first_day, reason=reason)  # fmt: skip
        context.notify(f"{context.client}: the decision is taken back.", "warning")
    else:
        raise DecisionRefused(f"{context.client}: choose what to do with the balance.")
    return context.redirect(f"/clients/{context.client}/close#retyped")


def _day(context: RequestContext, name: str) -> date:
    day = day_of(context.form.text(name), date.min)
    if day == date.min:
        raise DecisionRefused(f"{context.client}: give a day.")
    return day
