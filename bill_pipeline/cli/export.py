"""``export``: one client's books for other tools."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from bill_pipeline.at_rest import umask_as_given
from bill_pipeline.cli.options import home_option
from bill_pipeline.settings import Home

_NAMES = ("hledger", "ledger", "beancount", "csv", "quickbooks", "xero", "xlsx", "parquet")
_day = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("client")
@click.option("--format", "format_name", type=click.Choice(_NAMES), required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write, for parquet a folder.  [default: CLIENT.<ending>]",
)
@click.option("--from", "first", type=_day, help="First day (csv, quickbooks, xero).")
@click.option("--to", "last", type=_day, help="Last day, inclusive.")
@home_option
def export(
    client: str,
    format_name: str,
    output: Path | None,
    first: datetime | None,
    last: datetime | None,
    home: Home,
) -> None:
    """Write CLIENT's books for another tool.

    \b
    hledger, ledger, beancount   plain-text accounting, checked by these tools' strict modes
    csv                          the journal, one line a row
    quickbooks, xero             their import of journal entries
    xlsx                         a workbook with statements, aging and journal
    parquet                      a folder with every table

    The same books always give the same bytes.
    """
    from bill_pipeline.exports import FORMATS, notes_of
    from bill_pipeline.exports import export as write

    ending = "" if format_name == "parquet" else f".{FORMATS[format_name].ending}"
    path = output or Path(f"{client}{ending}")
    first_day, last_day = (day.date() if day else None for day in (first, last))
    with umask_as_given():
        write(home, client, format_name, path, first_day=first_day, last_day=last_day)
    click.echo(f"{path}")
    if (notes := notes_of(path)).exists():
        click.echo(f"{notes}: names that begin like a formula and had to stay as they are")
