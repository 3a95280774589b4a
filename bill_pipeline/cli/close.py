"""``close`` and ``reopen``: lock a month of a client's books, and unlock it with a reason."""

from __future__ import annotations

import getpass
from calendar import monthrange
from datetime import date

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
@click.option("--force", is_flag=True, help="Close although the checklist is not complete.")
@home_option
def close(client: str, month: str, reason: str, force: bool, home: Home) -> None:
    """Lock CLIENT's books up to and including a month.

    Later changes post only their difference, in the first open period.
    """
    from bill_pipeline.closing import close_month

    checklist = close_month(
        home, client, last_day(month), by=getpass.getuser(), reason=reason, force=force
    )
    for item in checklist:
        click.echo(f"  {'✓' if item.is_done else '!'} {item.sentence}")
    click.echo(f"{client} is closed through {last_day(month)}.")


@click.command()
@click.argument("client")
@click.argument("month", metavar="YYYY-MM")
@click.option("--reason", required=True, help="Why the month is opened again; kept for ever.")
@home_option
def reopen(client: str, month: str, reason: str, home: Home) -> None:
    """Unlock CLIENT's books from a month on; the closed figures are kept for comparison."""
    from bill_pipeline.closing import reopen_month

    closed_through = reopen_month(
        home, client, last_day(month), by=getpass.getuser(), reason=reason
    )
    state = f"closed through {closed_through}" if closed_through else "open in every period"
    click.echo(f"{client} is {state}.")
