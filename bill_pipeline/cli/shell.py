"""``shell``: DuckDB's own prompt or web page on the published ledger, read-only."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys

import click

from bill_pipeline.cli.options import home_option
from bill_pipeline.settings import Home

_WITHOUT_DUCKDB = """\
DuckDB's own shell is not installed (duckdb.org/install, or `pip install duckdb-cli`), so this is a
plain one: end a statement with ; and leave with Ctrl-D. Each statement sees the newest books."""


@click.command()
@click.option("--ui", is_flag=True, help="Open DuckDB's web page instead of its prompt.")
@home_option
def shell(ui: bool, home: Home) -> None:
    """Open the published ledger in DuckDB's own shell, read-only.

    One session sees one state of the books; start it again for newer ones. Syncs go on meanwhile.
    """
    from bill_pipeline.publishing.query import open_ledger
    from bill_pipeline.publishing.stores import store_of

    with open_ledger(home):
        pass  # says what is missing before DuckDB starts
    duckdb = shutil.which("duckdb")
    if duckdb is None:
        if ui:
            raise click.ClickException(
                "DuckDB's web page comes with its command line, which is not installed: see "
                "duckdb.org/install, or `pip install duckdb-cli`."
            )
        click.echo(_WITHOUT_DUCKDB)
        _prompt(home)
        return
    sys.stdout.flush()
    arguments = [duckdb, *(["-ui"] if ui else []), *store_of(home).shell_arguments()]
    os.execv(duckdb, arguments)  # noqa: S606 (the person asked for this program)


def _prompt(home: Home) -> None:
    from bill_pipeline.publishing.output import write_table
    from bill_pipeline.publishing.query import QueryError, open_ledger, run

    lines: list[str] = []
    while (line := _next_line("ledger> " if not lines else "   ...> ")) is not None:
        lines.append(line)
        text = "\n".join(lines)
        if not text.strip():
            lines = []
        elif text.rstrip().endswith(";"):
            lines = []
            try:
                with open_ledger(home) as ledger:
                    write_table(run(ledger, text), sys.stdout)
            except QueryError as error:
                click.echo(str(error), err=True)


def _next_line(prompt: str) -> str | None:
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401 (gives input() history and editing)
    try:
        return input(prompt if sys.stdin.isatty() else "")
    except EOFError:
        return None
    except KeyboardInterrupt:
        click.echo()
        return ""
