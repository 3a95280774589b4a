"""The ``bill-pipeline`` command: parse, call, print. Rules and SQL live elsewhere.

Each command is one module here, imported only when it is used: ``bill-pipeline query`` must not
wait for Dagster to load.
"""

from __future__ import annotations

import importlib
from typing import Any

import click

#: command name -> "module:object" of its click command. A new command is one row here.
COMMANDS: dict[str, str] = {
    "sandbox": "bill_pipeline.cli.sandbox:sandbox",
}


class _LazyGroup(click.Group):
    """A click group that imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module_name, attribute = COMMANDS[cmd_name].split(":")
        command: Any = getattr(importlib.import_module(module_name), attribute)
        return command  # type: ignore[no-any-return]


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bill-pipeline")
def main() -> None:
    """The autonomous general ledger for companies on BILL."""
