"""The ``bill-pipeline`` command: parse, call, print. Rules and SQL live elsewhere.

Each command is one module here, imported only when it is used: ``bill-pipeline query`` must not
wait for Dagster to load. Exit codes: 0 done, 1 failed, 2 called wrongly, 130 interrupted.
"""

from __future__ import annotations

import importlib
import sys
from typing import IO, Any

import click

from bill_pipeline.runtime import memory
from bill_pipeline.runtime.core_dumps import leave_no_core_dump
from bill_pipeline.runtime.signals import (
    EXIT_CODE,
    SENTENCE,
    end_now,
    end_on_signals,
    interruption_in,
)

#: command name -> "module:object" of its click command. A new command is one row here.
COMMANDS: dict[str, str] = {
    "demo": "bill_pipeline.cli.demo:demo",
    "ui": "bill_pipeline.cli.ui:ui",
    "console": "bill_pipeline.cli.console:console",
    "connect": "bill_pipeline.cli.connections:connect",
    "connect-many": "bill_pipeline.cli.connections:connect_many",
    "clients": "bill_pipeline.cli.connections:clients",
    "pause": "bill_pipeline.cli.connections:pause",
    "resume": "bill_pipeline.cli.connections:resume",
    "disconnect": "bill_pipeline.cli.connections:disconnect",
    "sync": "bill_pipeline.cli.sync:sync",
    "verify": "bill_pipeline.cli.verify:verify",
    "query": "bill_pipeline.cli.query:query",
    "shell": "bill_pipeline.cli.shell:shell",
    "export": "bill_pipeline.cli.export:export",
    "share": "bill_pipeline.cli.share:share",
    "publish": "bill_pipeline.cli.publish:publish",
    "review": "bill_pipeline.cli.review:review",
    "correct": "bill_pipeline.cli.review:correct",
    "rules": "bill_pipeline.cli.rules:rules",
    "parties": "bill_pipeline.cli.parties:parties",
    "settings": "bill_pipeline.cli.book_settings:settings",
    "opening-balances": "bill_pipeline.cli.book_settings:opening_balances",
    "retyped": "bill_pipeline.cli.retyped:retyped",
    "write-off": "bill_pipeline.cli.write_off:write_off",
    "processing-fee": "bill_pipeline.cli.processing_fee:processing_fee",
    "close": "bill_pipeline.cli.close:close",
    "reopen": "bill_pipeline.cli.close:reopen",
    "train": "bill_pipeline.cli.train:train",
    "evaluate": "bill_pipeline.cli.train:evaluate",
    "privacy": "bill_pipeline.cli.privacy:privacy",
    "sandbox": "bill_pipeline.cli.sandbox:sandbox",
    "webhook": "bill_pipeline.cli.webhook:webhook",
    "check-beliefs": "bill_pipeline.cli.beliefs:check_beliefs",
    "rotate-key": "bill_pipeline.cli.connections:rotate_key",
}


#: They answer signals in their own way: servers end, and a prompt forgets the line.
OWN_SIGNALS = frozenset({"ui", "console", "sandbox", "shell"})


#: A question in SQL may be long.
LONG_WORDS = frozenset({"query", "shell"})


class _Interrupted(click.ClickException):
    """Ctrl-C or SIGTERM ended the command."""

    exit_code = EXIT_CODE

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=True)


class _LazyGroup(click.Group):
    """A click group that imports a command's module only when the command is used."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as a process of its own; a program that calls a command uses ``main``."""
        answers_signals = bool(OWN_SIGNALS & set(sys.argv[1:2]))
        try:
            memory.without_tracebacks()
            if not answers_signals:
                end_on_signals()
            return self.main(*args, **kwargs)
        except BaseException as ending:
            if memory.is_out_of_memory(ending):
                if not isinstance(ending, SystemExit):  # else click has said it
                    sys.stderr.write(f"Error: {memory.OUT_OF_MEMORY}\n")
                end_now(1)  # Python's own way out may need memory, too
            if isinstance(ending, SystemExit) and ending.code == EXIT_CODE and not answers_signals:
                end_now()  # other threads may be waiting for BILL's next hour
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module_name, attribute = COMMANDS[cmd_name].split(":")
        command: Any = getattr(importlib.import_module(module_name), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuses what is longer than anybody types, before a command could keep it."""
        from bill_pipeline.settings import LONGEST_TEXT

        name, command, words = super().resolve_command(ctx, args)
        if name not in LONG_WORDS and any(len(word) > LONGEST_TEXT for word in words):
            raise click.UsageError(f"Nothing may be longer than {LONGEST_TEXT:,} characters.")
        return name, command, words

    def invoke(self, ctx: click.Context) -> Any:
        """Errors that a person must act on end in one sentence, not in a traceback."""
        try:
            return super().invoke(ctx)
        except BaseException as error:
            if isinstance(interruption_in(error), KeyboardInterrupt):
                raise _Interrupted(SENTENCE) from None
            try:
                sentence = _sentence_of(error)
            except (MemoryError, ImportError, OSError):  # nothing more can be imported
                sentence = memory.OUT_OF_MEMORY
            if sentence is None:
                raise
            raise click.ClickException(sentence) from error


def _sentence_of(error: BaseException) -> str | None:
    """What to tell about ``error``; None of what click tells itself, and of our own mistakes."""
    if isinstance(error, click.ClickException | click.exceptions.Exit | click.Abort):
        return None
    from bill_pipeline.bill.errors import BillError
    from bill_pipeline.errors import PipelineError

    if isinstance(error, PipelineError | BillError):
        return str(error)
    from bill_pipeline.runtime.machine import machine_error

    said = machine_error(error) if isinstance(error, Exception) else None
    return str(said) if said else None


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bill-pipeline")
def main() -> None:
    """The autonomous general ledger for companies on BILL."""
    leave_no_core_dump()
