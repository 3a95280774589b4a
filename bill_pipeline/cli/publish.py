"""``publish``: show analysts the present books again, without a sync."""

from __future__ import annotations

from dataclasses import asdict

import click

from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.settings import Home


@click.command()
@click.argument("clients", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every connected client.")
@json_option
@home_option
def publish(clients: tuple[str, ...], every: bool, as_json: bool, home: Home) -> None:
    """Publish CLIENTS' books to the ledger that analysts read.

    Every sync does this by itself. It is needed after a home was restored from a backup or moved,
    or after ledger.duckdb or a file under published/ was lost or damaged: all of CLIENTS' tables
    are written anew. Without clients it only brings the list of clients up to date.
    """
    from bill_pipeline.publishing import publish as publishing
    from bill_pipeline.publishing.stores import store_of
    from bill_pipeline.registry.clients import Registry

    registry, store = Registry(home), store_of(home)
    if not (registry.names() or store.exists()):
        raise click.ClickException(
            f"No client is connected in {home.path}: `bill-pipeline connect` adds one."
        )
    report = publishing.publish(registry, registry.names() if every else clients, anew=True)
    missing = report.left_behind | report.not_published
    if as_json:
        print_json(asdict(report))
    else:
        for client, rows in report.published.items():
            click.echo(f"{client}: {rows:,} rows")
        for client in report.removed:
            click.echo(f"{client}: no longer connected, taken out")
        word = "written" if missing else "up to date"
        click.echo(f"{store.where} is {word} ({report.seconds:.1f} s).")
    if missing:
        raise click.ClickException(
            "\n".join(
                f"{client}: {why.removeprefix(f'{client}: ')}" for client, why in missing.items()
            )
        )
