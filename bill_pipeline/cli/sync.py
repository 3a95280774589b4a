"""``sync``: bring clients' books up to date now, without the UI."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from bill_pipeline.cli.import_progress import ImportProgress
from bill_pipeline.cli.options import (
    end_with_troubles,
    home_option,
    json_option,
    print_json,
    print_trouble,
)
from bill_pipeline.settings import Home

if TYPE_CHECKING:
    from bill_pipeline.registry.clients import Registry

#: Lines of a dry run that are printed; of changed rules there may be thousands.
LINES_SHOWN = 40


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
@click.option(
    "--new-file",
    is_flag=True,
    help="The client's file was lost and there is no backup: read all into a new one. What only "
    "the old one had is lost: closings, answers, rules, opening balances, write-offs, history.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Ask BILL nothing and keep nothing: show what would be posted from what is known, after "
    "changed posting rules above all.",
)
@home_option
@json_option
def sync(
    names: tuple[str, ...],
    every: bool,
    full: bool,
    since: datetime | None,
    rebuild: bool,
    new_file: bool,
    dry_run: bool,
    home: Home,
    as_json: bool,
) -> None:
    """Import what changed in BILL, categorize, book, report and publish.

    One client's failure never stops the others; the exit code is 1 if any failed. With --all a
    client that another sync is at work on has not failed.
    """
    from bill_pipeline.pipeline.client_sync import SyncOptions
    from bill_pipeline.pipeline.sync_many import SyncFailure, sync_clients
    from bill_pipeline.registry.clients import Registry, utc_now

    if bool(names) == every:
        raise click.UsageError("Name one or more clients, or use --all.")
    if rebuild and (full or since):
        raise click.UsageError("--rebuild imports nothing: leave out --full and --since.")
    if new_file and (every or full or since or rebuild):
        raise click.UsageError("--new-file reads everything of clients that are named: no --all.")
    if dry_run and (full or since or rebuild or new_file):
        raise click.UsageError("--dry-run imports and keeps nothing: leave out the other options.")
    if since and since.date() > utc_now().date():
        raise click.UsageError("--since lies in the future.")
    registry = Registry(home)
    clients = registry.syncable() if every else [registry.status(name).client for name in names]
    if there := [name for name in clients if new_file and home.client_file(name).exists()]:
        raise click.UsageError(f"--new-file: the file of {', '.join(there)} is there.")
    if dry_run:
        _show_what_would_be_posted(registry, clients, as_json)
        return
    day = since.date() if since else None
    options = SyncOptions(full=full, since=day, rebuild=rebuild, new_file=new_file)
    failed = 0
    with ImportProgress() as shown:
        outcomes = sync_clients(registry, clients, options, progress=shown.doing, watch=shown.page)
        for outcome in outcomes:
            if isinstance(outcome, SyncFailure) and outcome.is_under_way:
                _print_under_way(outcome.client, str(outcome.client_error), as_json)
                # Of all clients each is synced by somebody; who names one wants what is new now.
                failed += not (every and options == SyncOptions())
            elif isinstance(outcome, SyncFailure):
                failed += 1
                print_trouble(outcome.client, outcome.client_error, as_json)
            elif as_json:
                print_json(outcome.summary())
            else:
                shown.console.print(outcome.sentence(), highlight=False, soft_wrap=True)
    if failed:
        raise SystemExit(1)


def _print_under_way(client: str, said: str, as_json: bool) -> None:
    if as_json:
        print_json({"client": client, "under_way": said})
    else:
        click.echo(f"{client}: {said}")


def _show_what_would_be_posted(registry: Registry, clients: list[str], as_json: bool) -> None:
    """Print the lines for each client; ends with 1 when the books of one could not be built."""
    from bill_pipeline.pipeline.client_sync import would_post
    from bill_pipeline.registry.failures import ClientError, alone

    failed: dict[str, ClientError] = {}
    for client in clients:
        with alone(client, failed):
            lines = would_post(registry, client)
            if as_json:
                print_json({"client": client, "would_be_posted": lines})
            else:
                _print_preview(client, lines)
    end_with_troubles(failed, as_json)


def _print_preview(client: str, lines: list[dict[str, Any]]) -> None:
    if not lines:
        click.echo(f"{client}: nothing would be posted.")
        return
    entries = len({line["entry_id"] for line in lines})
    click.echo(f"{client}: {entries:,} journal entries would be posted, nothing was.")
    click.echo(f"  {'date':10}  {'amount':>15}  {'account':30}  document (cause)")
    for line in lines[:LINES_SHOWN]:
        document = f"{line['document_type']} {line['document_id']}"
        kind = "" if line["entry_kind"] == "posting" else f"{line['entry_kind']}, "
        click.echo(
            f"  {line['date']}  {line['amount']:>15,.2f}  {line['account'][:30]:30}  "
            f"{document} ({kind}{line['cause']})"
        )
    if len(lines) > LINES_SHOWN:
        click.echo(f"  … and {len(lines) - LINES_SHOWN:,} more lines; --json shows all of them.")
