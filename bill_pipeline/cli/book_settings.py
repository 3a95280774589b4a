"""``settings`` and ``opening-balances``: how one client's books are kept."""

from __future__ import annotations

import csv
import getpass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from bill_pipeline.amounts import amount_of
from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.settings import Home

if TYPE_CHECKING:
    from bill_pipeline.publishing.lookup import Names

_KEPT = (
    "home_currency",
    "fiscal_year_end",
    "book_bills_on",
    "sales_tax_on_cash_basis",
    "books_begin_on",
)
_BOOKS = "select * from books where client = ?"
_ROLES = """
select unnest(string_split(roles, ', ')) as role, coalesce(account_code, ''), account_name
from accounts where client = $client and roles is not null
union
select
    role, coalesce(account_code, ''),
    coalesce(account_name, 'none yet: ' || funding_account_name || ' waits in clearing')
from funding_accounts where client = $client
order by role
"""


@click.command()
@click.argument("client")
@click.option("--fiscal-year-end", metavar="MM-DD", help="Last day of the fiscal year.")
@click.option("--home-currency", metavar="CODE", help="Such as USD; while no month is closed.")
@click.option("--book-bills-on", type=click.Choice(("entry", "approval")))
@click.option(
    "--book-unexportable-payments",
    type=click.Choice(("yes", "no")),
    help="Whether payments marked as already in other books are booked.",
)
@click.option(
    "--sales-tax-on-cash-basis",
    type=click.Choice(("shared", "last")),
    help="Whether a part payment pays the sales tax in step with the lines, or after them.",
)
@click.option("--form-1099-threshold", metavar="AMOUNT", help="Instead of the year's own.")
@click.option(
    "--books-begin-on",
    metavar="YYYY-MM-DD",
    help="What is dated until that day opens with what was open then; empty: all is booked.",
)
@click.option(
    "--role",
    "roles",
    multiple=True,
    metavar="ROLE=ACCOUNT",
    help="The account (number, id or name) that plays a role, such as ap_control=2000.",
)
@click.option("--reason", default="set on the command line", help="Kept with a role.")
@json_option
@home_option
def settings(
    client: str,
    roles: tuple[str, ...],
    reason: str,
    as_json: bool,
    home: Home,
    **policies: str | None,
) -> None:
    """Show or change how CLIENT's books are kept: fiscal year, currency, accounts by role.

    What is posted in open months is posted anew; in closed months only the difference is, on the
    first open day.
    """
    from bill_pipeline.actions.book_settings import change_policies, change_role
    from bill_pipeline.publishing.lookup import Names

    by = getpass.getuser()
    names = Names.read(home, client, "account in use")
    chosen = [_role_and_account(text, names) for text in roles]
    if values := {name: value for name, value in policies.items() if value is not None}:
        change_policies(home, client, values, by=by)
    for role, account_id in chosen:
        change_role(home, client, role, account_id, by=by, reason=reason)
    _show(home, client, as_json=as_json)


@click.command("opening-balances")
@click.argument("client")
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option(
    "--on",
    "cutover",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day at whose end the balances stood, usually the last one of the old books.",
)
@click.option("--reason", required=True, help="Where they come from; kept with the entries.")
@click.option(
    "--accept-differences",
    is_flag=True,
    help="Book although open documents do not add up to the balances of their accounts.",
)
@home_option
def opening_balances(
    client: str, file: Path, cutover: datetime, reason: str, accept_differences: bool, home: Home
) -> None:
    """Bring in what CLIENT's accounts held when the books moved here.

    FILE is a CSV with the columns account (number, id or name) and debit and credit, or amount
    (debit positive); it holds all of them: what an earlier file brought in and this one does not
    name is taken out. The other side goes to opening balance equity. The first balances say where
    the books begin: what BILL dates before that posts only what was open on that day. So payables,
    receivables and clearing accounts open with their documents, which must add up to the balances
    in FILE; where they do not, nothing is booked and the difference is shown.
    """
    from bill_pipeline.actions.book_settings import bring_in_balances
    from bill_pipeline.publishing.lookup import Names

    names = Names.read(home, client, "account in use")
    balances: dict[str, Decimal] = {}
    for number, row in enumerate(_rows(file), start=2):
        account_id = names.id_of(row.get("account") or "")
        if account_id in balances:
            raise DecisionRefused(f"{file}, line {number}: {row['account']} is named twice.")
        balances[account_id] = _balance(row, f"{file}, line {number}")
    opening = bring_in_balances(
        home,
        client,
        cutover.date(),
        balances,
        by=getpass.getuser(),
        reason=reason,
        accept_differences=accept_differences,
    )
    click.echo(f"{client}: {len(balances):,} opening balances booked on {cutover.date()}.")
    for sentence in opening.sentences():
        click.echo(sentence)


def _role_and_account(text: str, names: Names) -> tuple[str, str]:
    role, equals, account = text.partition("=")
    if not equals:
        raise DecisionRefused(f"{text!r}: write ROLE=ACCOUNT, for example ap_control=2000.")
    return role.strip(), names.id_of(account)


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        reader = csv.DictReader(lines)
        columns = {name.strip().lower() for name in reader.fieldnames or ()}
        if "account" not in columns or not columns & {"amount", "debit", "credit"}:
            raise DecisionRefused(f"{file} needs the columns account, debit and credit.")
        return [
            {(name or "").strip().lower(): (value or "") for name, value in row.items()}
            for row in reader
        ]


def _balance(row: dict[str, str], where: str) -> Decimal:
    given = {name: row.get(name, "").strip() for name in _SIGNS}
    filled = {name: text for name, text in given.items() if text}
    if len(filled) != 1:
        raise DecisionRefused(f"{where}: give one of debit, credit and amount.")
    ((name, text),) = filled.items()
    return amount_of(text, where) * _SIGNS[name]


_SIGNS = {"debit": 1, "credit": -1, "amount": 1}


def _show(home: Home, client: str, *, as_json: bool) -> None:
    from bill_pipeline.decisions.tables import policy_default
    from bill_pipeline.publishing.query import open_ledger

    with open_ledger(home) as ledger:
        found = ledger.execute(_BOOKS, [client])
        names = [column[0] for column in found.description]
        books = found.fetchone()
        roles = ledger.execute(_ROLES, {"client": client}).fetchall()
    if books is None:
        raise DecisionRefused(f"{client} has no books yet: run `bill-pipeline sync {client}`.")
    told = dict(zip(names, books, strict=True))
    # Books that were published before there was a choice are kept by its default.
    kept = {name: told.get(name) or policy_default(name) for name in _KEPT}
    if as_json:
        print_json({"client": client, **kept, "roles": {role: name for role, _code, name in roles}})
        return
    for name, value in kept.items():
        click.echo(f"{name.replace('_', ' '):24} {value}")
    table = Table("role", "account", "name")
    for row in roles:
        table.add_row(*row)
    Console().print(table)
