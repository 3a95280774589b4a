"""``share``: hand over one client's books, and nothing of any other client."""

from __future__ import annotations

from pathlib import Path

import click

from bill_pipeline.at_rest import umask_as_given
from bill_pipeline.cli.options import home_option
from bill_pipeline.settings import Home


@click.command()
@click.argument("client")
@click.option(
    "--to",
    "folder",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write; an earlier share of the same client is replaced.",
)
@home_option
def share(client: str, folder: Path, home: Home) -> None:
    """Write CLIENT's books to a folder of its own, to hand to the client or to one analyst.

    The folder needs nothing else: ledger.duckdb with every table, and the same tables as Parquet.
    It can be moved, zipped and opened anywhere, and holds nothing of any other client.
    """
    from bill_pipeline.exports import share as sharing

    with umask_as_given():
        report = sharing.write_share(home, client, folder)
    click.echo(f"{report.folder}: {report.tables} tables, {report.rows:,} rows of {client}.")
