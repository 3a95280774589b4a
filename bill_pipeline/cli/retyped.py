"""``retyped``: what stands under an account's old type, and what a person decides about it."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from typing import Any

import click
import duckdb

from bill_pipeline.actions.retyping import Retyped, entry_of, read_retyped
from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.decisions.retypings import OldBalance
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.settings import Home


@click.command()
@click.argument("client")
@click.argument("account", required=False)
@click.option("--move", "action", flag_value="move", help="Post the entry that moves the balance.")
@click.option("--keep", "action", flag_value="keep", help="Let the balance stand as it is.")
@click.option("--undo", "action", flag_value="undo", help="Take the decision about it back.")
@click.option(
    "--on",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the entry; the first open day, when left out.",
)
@click.option("--reason", help="Why; kept with the decision.")
@json_option
@home_option
def retyped(
    client: str,
    account: str | None,
    action: str | None,
    day: datetime | None,
    reason: str | None,
    as_json: bool,
    home: Home,
) -> None:
    """Show what stands under an old type of CLIENT's accounts, and move it or let it stand.

    When BILL makes an asset of an expense, or an expense of an asset, what is closed keeps the old
    type. Without an ACCOUNT (number, id or name) every such balance is listed with the entry that
    would move it. The entry is of an open day: the balance sheet gets the whole balance, this
    fiscal year's profit what was posted in this year, retained earnings the rest; on the cash
    basis the same with what was paid.
    """
    found = _read(home, client)
    on = day.date() if day else None
    if account is None or action is None:
        if action is not None or account is not None:
            raise click.UsageError("Give an ACCOUNT and one of --move, --keep and --undo.")
        _show(client, found, on, as_json=as_json)
        return
    if not reason:
        raise click.UsageError("--reason is needed: it is kept with the decision.")
    _decide(home, client, found, account, action, on, reason, as_json=as_json)


def _decide(
    home: Home,
    client: str,
    found: Retyped,
    account: str,
    action: str,
    on: date | None,
    reason: str,
    *,
    as_json: bool,
) -> None:
    from bill_pipeline.actions.retyping import accept_balance, move, withdraw
    from bill_pipeline.publishing.lookup import Names

    account_id, by = _account_of(found, account), getpass.getuser()
    if account_id is None:
        account_id = Names.read(home, client, "account in use").id_of(account)
    if action == "undo":
        for one in [one for one in found.decided if one.account_id == account_id]:
            withdraw(home, client, account_id, one.first_day, by=by, reason=reason)
            said = f"the decision about {one.name} is taken back."
            break
        else:
            raise DecisionRefused(f"{client}: no decision stands about {account}.")
        record: dict[str, Any] = {"account_id": account_id, "action": "undo"}
    elif action == "keep":
        balance = accept_balance(home, client, account_id, by=by, reason=reason)
        amount = balance.moved_on(balance.first_day).amount
        said = f"{amount:,.2f} of {balance.name} stays {balance.type_before}."
        record = {"account_id": account_id, "action": "keep", "amount": amount}
    else:
        balance = _balance(client, found, account_id)
        entry_day = on or found.earliest(balance)
        balance = move(home, client, account_id, entry_day, by=by, reason=reason)
        said = f"moved on {entry_day}: {_entry(balance, entry_day)}."
        record = {"account_id": account_id, "action": "move", **_lines(balance, entry_day)}
    if as_json:
        print_json({"client": client, **record})
    else:
        click.echo(f"{client}: {said}")


def _read(home: Home, client: str) -> Retyped:
    from bill_pipeline.publishing.query import open_ledger
    from bill_pipeline.registry.clients import Registry

    Registry(home).status(client)
    with open_ledger(home) as ledger:

        def read(sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
            answer = ledger.execute(sql, values)
            names = [column[0] for column in answer.description or []]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

        try:
            return read_retyped(read, client)
        except duckdb.CatalogException as error:
            raise DecisionRefused(
                f"{client}: its books were published by an earlier release. Run "
                f"`bill-pipeline sync {client}` first."
            ) from error


def _show(client: str, found: Retyped, on: date | None, *, as_json: bool) -> None:
    for balance in found.undecided:
        day = max(on or found.earliest(balance), found.earliest(balance))
        amount = balance.moved_on(day).amount
        if as_json:
            print_json(
                {
                    "client": client,
                    "account_id": balance.account_id,
                    "account": balance.name,
                    "type_before": balance.type_before,
                    "type": balance.type_since,
                    "first_day": balance.first_day,
                    "amount": amount,
                    "amount_cash": balance.moved_on(day).amount_cash,
                    **_lines(balance, day),
                }
            )
            continue
        click.echo(
            f"{balance.name}: {balance.type_since} since {balance.first_day}; {amount:,.2f} stays "
            f"{balance.type_before}. --move would post on {day}: {_entry(balance, day)}."
        )
    for one in found.decided:
        if as_json:
            print_json({"client": client, "account_id": one.account_id, "decision": one.action,
                        "amount": one.amount, "day": one.day, "decided_by": one.decided_by,
                        "reason": one.reason})  # fmt: skip
            continue
        what = f"moved on {one.day}" if one.action == "move" else "stays as it is"
        unfit = "" if one.is_fitting else " That is no longer there: move it again, or --undo."
        click.echo(f"{one.name}: {one.amount:,.2f} {what} ({one.decided_by}: {one.reason}).{unfit}")
    if not (as_json or found.undecided or found.decided):
        click.echo(f"{client}: nothing stands under an old type.")


def _account_of(found: Retyped, account: str) -> str | None:
    """By id, or as it is listed."""
    wanted = account.casefold()
    listed = [(one.account_id, one.name) for one in found.balances]
    listed += [(one.account_id, one.name) for one in found.decided]
    for account_id, name in listed:
        if wanted in (account_id.casefold(), name.casefold()):
            return account_id
    return None


def _balance(client: str, found: Retyped, account_id: str) -> OldBalance:
    for balance in found.balances:
        if balance.account_id == account_id:
            return balance
    raise DecisionRefused(f"{client}: nothing stands under an old type of {account_id}.")


def _entry(balance: OldBalance, day: date) -> str:
    return ", ".join(
        f"{'debit' if line.amount > 0 else 'credit'} {line.account} {abs(line.amount):,.2f}"
        for line in entry_of(balance, day)
    )


def _lines(balance: OldBalance, day: date) -> dict[str, Any]:
    return {
        "day": day,
        "entry": [
            {"account": line.account, "amount": str(line.amount)} for line in entry_of(balance, day)
        ],
    }
