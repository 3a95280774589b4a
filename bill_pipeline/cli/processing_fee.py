"""``processing-fee``: say what BILL kept back of a customer's payment."""

from __future__ import annotations

import getpass

import click

from bill_pipeline.amounts import amount_of
from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.settings import Home


@click.command("processing-fee")
@click.argument("client")
@click.argument("receipt", metavar="RECEIPT")
@click.argument("amount", metavar="AMOUNT")
@click.option("--reason", required=True, help="Why; kept with the decision.")
@json_option
@home_option
def processing_fee(
    client: str, receipt: str, amount: str, reason: str, as_json: bool, home: Home
) -> None:
    """Book AMOUNT as what BILL kept back of CLIENT's RECEIPT (BILL's id, or its number).

    Debits merchant fees and credits money in clearing on the day of the receipt. It replaces what
    was booked before, by a deposit or a person; 0 says that nothing was kept back.
    """
    from bill_pipeline.actions.processing_fees import set_processing_fee
    from bill_pipeline.registry.clients import Registry

    Registry(home).status(client)
    fee = amount_of(amount, "AMOUNT")
    before = set_processing_fee(
        home, client, receipt, amount=fee, by=getpass.getuser(), reason=reason
    )
    if as_json:
        print_json(
            {
                "client": client,
                "received_payment_id": before.receipt_id,
                "processing_fee": str(fee),
                "processing_fee_before": str(before.fee),
                "currency": before.currency,
            }
        )
        return
    click.echo(
        f"{client}: {fee:,.2f} {before.currency} kept back of receipt {before.number}; it was "
        f"{before.fee:,.2f}."
    )
