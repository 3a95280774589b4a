"""Options that several commands share, and how commands print."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from bill_pipeline.settings import Home


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


def print_json(record: dict[str, Any]) -> None:
    click.echo(json.dumps(record, default=str))
