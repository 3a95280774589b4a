"""``close`` and ``reopen``: lock a month of a client's books, and unlock it with a reason."""

from __future__ import annotations

import getpass
from calendar import monthrange
from datetime import date
from typing import Any

import click

from bill_pipeline.cli.options import home_option
from bill_pipeline.settings import Home, SettingsError


def last_day(month: str) -> date:
    """The last day of a month written YYYY-MM. Raises SettingsError."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise SettingsError(f"{month!r} is not a month: write it as YYYY-MM.") from None
    return first.replace(day=monthrange(first.year, first.month)[1])


@click.command()
@click.argument("client")
@click.argument("month", metavar="YYYY-MM")
@click.option("--reason", default="", help="A note for the record.")
@click.option("--anyway", is_flag=True, help="Close although the checklist has open points.")
@home_option
def close(client: str, month: str, reason: str, anyway: bool, home: Home) -> None:
    """Lock CLIENT's books up to and including a month.

    Later changes post only their difference, on the first open day, and are listed as late.
    """
    from bill_pipeline.actions.closing import checklist, require_closable, require_ready
    from bill_pipeline.actions.deciding import close_through
    from bill_pipeline.publishing.query import open_ledger
    from bill_pipeline.registry.clients import Registry, utc_now

    through = last_day(month)
    require_closable(Registry(home).status(client), through, utc_now().date())
    with open_ledger(home) as ledger:

        def count(clause: str, values: dict[str, Any]) -> int:
            row = ledger.execute(f"select count(*) as n {clause}", values).fetchone()
            return row[0] if row else 0

        points = checklist(count, client, through)
    for point in points:
        click.echo(f"  {'✓' if point.is_done else '!'} {point.sentence}")
    if not anyway:
        require_ready(client, through, points)
    close_through(home, client, through, by=getpass.getuser(), reason=reason)
    click.echo(f"{client} is closed through {through}.")


@click.command()
@click.argument("client")
@click.argument("month", metavar="YYYY-MM")
@click.option("--reason", required=True, help="Why the month is opened again; kept for ever.")
@home_option
def reopen(client: str, month: str, reason: str, home: Home) -> None:
    """Unlock CLIENT's books from a month on; what was closed stays on record for comparison."""
    from bill_pipeline.actions.deciding import reopen_from
    from bill_pipeline.registry.clients import Registry

    first = last_day(month).replace(day=1)
    Registry(home).status(client)
    reopen_from(home, client, first, by=getpass.getuser(), reason=reason)
    click.echo(f"{client} is open again from {first} on.")
