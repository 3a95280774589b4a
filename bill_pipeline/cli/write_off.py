"""``write-off``: give up what a customer will not pay of an invoice."""

from __future__ import annotations

import getpass
from datetime import datetime

import click

from bill_pipeline.amounts import amount_of, to_cents
from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.settings import Home

#: What people say → the role of the account that is debited.
ACCOUNTS = {"bad-debt": "bad_debt", "discount": "sales_discount", "allowance": "short_pay"}


@click.command("write-off")
@click.argument("client")
@click.argument("invoice", metavar="INVOICE")
@click.option("--amount", metavar="AMOUNT", help="All that is unpaid, when left out; 0 undoes it.")
@click.option(
    "--as",
    "kind",
    required=True,
    type=click.Choice(tuple(ACCOUNTS)),
    help="bad-debt: it will not be paid; discount: paid early; allowance: a short pay accepted.",
)
@click.option(
    "--on", "day", type=click.DateTime(["%Y-%m-%d"]), help="The day it counts for; today."
)
@click.option("--reason", required=True, help="Why; kept with the entry.")
@json_option
@home_option
def write_off(
    client: str,
    invoice: str,
    amount: str | None,
    kind: str,
    day: datetime | None,
    reason: str,
    as_json: bool,
    home: Home,
) -> None:
    """Give up what CLIENT's customer will not pay of INVOICE (BILL's id, or its number).

    Debits bad debt, sales discounts or returns and allowances and credits receivables, in the
    invoice's currency. A later write-off of the same invoice replaces it.
    """
    from bill_pipeline.actions.write_offs import write_off_invoice as give_up
    from bill_pipeline.registry.clients import Registry, utc_now

    Registry(home).status(client)
    done = give_up(
        home,
        client,
        invoice,
        amount=None if amount is None else amount_of(amount, "--amount"),
        role=ACCOUNTS[kind],
        day=(day or utc_now()).date(),
        by=getpass.getuser(),
        reason=reason,
    )
    if as_json:
        print_json(
            {
                "client": client,
                "invoice_id": done.invoice_id,
                "amount": str(to_cents(done.amount)),
                "amount_open": str(to_cents(done.left)),
                "currency": done.currency,
            }
        )
        return
    click.echo(
        f"{client}: {to_cents(done.amount):,f} {done.currency} of invoice {done.number} "
        f"written off, {to_cents(done.left):,f} stays open."
    )
