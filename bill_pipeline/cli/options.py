"""Options that several commands share, and how commands print."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from bill_pipeline.settings import Home

if TYPE_CHECKING:
    from bill_pipeline.failures import Trouble


def _home(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Home:
    return Home.at(value)


home_option: Callable[[Any], Any] = click.option(
    "--home",
    metavar="FOLDER",
    callback=_home,
    help="Folder of the registry and the books (BILL_PIPELINE_HOME, else ./data).",
)
json_option: Callable[[Any], Any] = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, one object a line, for machines."
)


def end_with_troubles(troubles: Mapping[str, Trouble], as_json: bool) -> None:
    """Print what went wrong with each client, if anything, and end with 1 then."""
    for client, trouble in troubles.items():
        print_trouble(client, trouble, as_json)
    if troubles:
        raise SystemExit(1)


def print_trouble(client: str, trouble: Trouble, as_json: bool) -> None:
    if as_json:
        print_json({"client": client, "error": str(trouble)})
    else:
        click.echo(f"{client}: failed. {str(trouble).removeprefix(f'{client}: ')}", err=True)


def print_json(record: dict[str, Any]) -> None:
    click.echo(json.dumps(record, default=str))
