"""``check-beliefs``: check at a real account what we believe about BILL."""

from __future__ import annotations

from pathlib import Path

import click

from bill_pipeline.at_rest import umask_as_given
from bill_pipeline.bill.beliefs.observer import MOST_REQUESTS
from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.settings import Home


@click.command(
    "check-beliefs",
    help=f"""See at CLIENT's BILL whether what bill-pipeline believes about it is so.

    BILL leaves much undocumented. This sends at most {MOST_REQUESTS} requests, logins included,
    changes nothing at BILL and nothing in the books, and says for each belief: seen, contradicted,
    or could not be seen. The report holds no name, amount or id, and can be shared in an issue.
    """,
)
@click.argument("client")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the report to FILE instead of printing it.",
    metavar="FILE",
)
@home_option
@json_option
def check_beliefs(client: str, output: Path | None, home: Home, as_json: bool) -> None:
    from bill_pipeline.ingest.client_import import see_beliefs
    from bill_pipeline.registry.clients import Registry

    registry = Registry(home)
    report = see_beliefs(registry, client, registry.connection(client))
    if output is not None:
        with umask_as_given():
            output.write_text(report.markdown(), encoding="utf-8")
    if as_json:
        print_json(report.as_dict())
        return
    if output is None:
        click.echo(report.markdown(), nl=False)
        return
    contradicted = report.named("contradicted")
    said = ", ".join(contradicted) if contradicted else "no belief"
    click.echo(f"BILL contradicts {said}. The report is in {output}.")
    if contradicted:
        click.echo("Please report it with this file: it holds no name, amount or id.")
