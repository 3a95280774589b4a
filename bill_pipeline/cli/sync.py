"""``sync``: bring clients' books up to date now, without the UI."""

from __future__ import annotations

from datetime import datetime

import click

from bill_pipeline.cli.import_progress import ImportProgress
from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.settings import Home


@click.command()
@click.argument("names", metavar="CLIENT…", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every connected client.")
@click.option("--full", is_flag=True, help="Read every list from its beginning and compare.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Read what BILL changed on or after this day.",
)
@click.option(
    "--rebuild", is_flag=True, help="No import: replay the journal from the archived documents."
)
@home_option
@json_option
def sync(
    names: tuple[str, ...],
    every: bool,
    full: bool,
    since: datetime | None,
    rebuild: bool,
    home: Home,
    as_json: bool,
) -> None:
    """Import what changed in BILL, categorize, book, report and publish.

    One client's failure never stops the others; the exit code is 1 if any failed.
    """
    from bill_pipeline.books import SyncFailure, SyncOptions, sync_clients
    from bill_pipeline.clients import Registry, utc_now

    if bool(names) == every:
        raise click.UsageError("Name one or more clients, or use --all.")
    if rebuild and (full or since):
        raise click.UsageError("--rebuild imports nothing: leave out --full and --since.")
    if since and since.date() > utc_now().date():
        raise click.UsageError("--since lies in the future.")
    registry = Registry(home)
    clients = registry.syncable() if every else [registry.status(name).client for name in names]
    options = SyncOptions(full=full, since=since.date() if since else None, rebuild=rebuild)
    failed = 0
    with ImportProgress() as shown:
        outcomes = sync_clients(home, clients, options, progress=shown.doing, watch=shown.page)
        for outcome in outcomes:
            if isinstance(outcome, SyncFailure):
                failed += 1
                _print_failure(outcome.client, outcome.error, as_json)
            elif as_json:
                print_json(outcome.summary())
            else:
                shown.console.print(outcome.sentence(), highlight=False, soft_wrap=True)
    if failed:
        raise SystemExit(1)


def _print_failure(client: str, error: Exception, as_json: bool) -> None:
    if as_json:
        print_json({"client": client, "error": str(error)})
    else:
        click.echo(f"{client}: failed. {error}", err=True)
