"""``privacy``: whether a client's lines may teach other clients' models."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from bill_pipeline.cli.options import end_with_troubles, home_option, json_option, print_json
from bill_pipeline.cli.rules import by_option
from bill_pipeline.settings import Home


@click.command()
@click.argument("client", required=False)
@click.option(
    "--share/--private", "shared", default=None,
    help="Let its lines teach other clients' models too, or only its own.",
)  # fmt: skip
@click.option("--reason", default="said by the firm", help="Why; kept for ever.")
@by_option
@home_option
@json_option
def privacy(
    client: str | None, shared: bool | None, reason: str, by: str, home: Home, as_json: bool
) -> None:
    """Show or set whether CLIENT's lines are used for its own model only.

    Every client is private until you share it: what it buys is its business. Shared, its lines add
    to what the firm's models know of vendors and texts, as hashes and coefficients. Made private
    again, everything it added is removed before the command returns.
    """
    from bill_pipeline.actions import sharing
    from bill_pipeline.registry.clients import Registry
    from bill_pipeline.registry.failures import ClientError, alone

    if shared is not None:
        if client is None:
            raise click.UsageError("Name the client.")
        was_removed = sharing.set_shared(home, client, shared, by=by, reason=reason)
        if was_removed and not as_json:
            click.echo(f"{client}: what its lines had taught other models was removed.")
    names = [client] if client else Registry(home).names()
    states: dict[str, bool] = {}
    failed: dict[str, ClientError] = {}
    for name in names:
        with alone(name, failed):
            states[name] = sharing.is_shared(home, name)
    if as_json:
        for name, state in states.items():
            print_json({"client": name, "is_shared": state})
        end_with_troubles(failed, as_json)
        return
    table = Table("client", "its lines teach")
    for name, state in states.items():
        table.add_row(name, "all models of the firm" if state else "its own model only")
    Console().print(table)
    end_with_troubles(failed, as_json)
