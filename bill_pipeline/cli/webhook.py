"""``webhook``: let BILL's notifications bring a client's next sync forward."""

from __future__ import annotations

import sys

import click
from pydantic import SecretStr

from bill_pipeline.cli.asking import ask
from bill_pipeline.cli.options import home_option
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.settings import Home, SettingsError


@click.command()
@click.argument("client")
@click.option("--subscription-id", required=True, help="BILL's id of the webhook subscription.")
@click.option(
    "--security-key-stdin",
    is_flag=True,
    help="Read the subscription's security key from standard input instead of asking for it.",
)
@home_option
def webhook(client: str, subscription_id: str, security_key_stdin: bool, home: Home) -> None:
    """Accept BILL's webhook notifications for CLIENT.

    Make the subscription in BILL first, with the console's address https://…/webhooks/bill as
    notification URL; BILL shows its security key once. A notification only makes the sync come
    earlier: without it the client is asked at its own interval all the same.
    """
    from bill_pipeline.registry.webhooks import Webhooks

    if security_key_stdin:
        key = sys.stdin.readline().rstrip("\r\n")
    else:
        key = ask("Security key", hidden=True)
    if not key:
        raise SettingsError(f"No security key for {client}: BILL shows it when the subscription "
                            "is made, and makes a new one on request.")  # fmt: skip
    Webhooks(Registry(home)).add(client, subscription_id, SecretStr(key), utc_now())
    click.echo(f"BILL's notifications of subscription {subscription_id} now wake {client}.")
