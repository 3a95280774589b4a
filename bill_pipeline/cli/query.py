"""``query``: ask the published ledger one question, at any moment."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bill_pipeline.at_rest import umask_as_given
from bill_pipeline.cli.options import home_option
from bill_pipeline.settings import Home


def _parameters(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    for name, equals, _ in pairs:
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{name!r}: write name=value, for example day=2026-03-31.")
    return {name: value for name, _, value in pairs}


@click.command()
@click.argument("sql", required=False)
@click.option(
    "-f",
    "--file",
    "sql_file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="Read the SQL from a file; - is standard input.",
)
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_parameters,
    help="The value of $NAME in the SQL; may be given several times.",
)
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "csv", "json", "parquet"]),
    help="How to write the answer; by default a table, or what FILE's ending says.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file."
)
@click.option("--rows", type=click.IntRange(1), help="How many rows a table shows.  [default: 500]")
@home_option
def query(
    sql: str | None,
    sql_file: Path | None,
    parameters: dict[str, str],
    output_format: str | None,
    output: Path | None,
    rows: int | None,
    home: Home,
) -> None:
    """Ask the published ledger in SQL.

    \b
    bill-pipeline query "from sync_status"
    bill-pipeline query "from trial_balance where client = 'acme'" --format csv -o tb.csv
    bill-pipeline query "from trial_balance_at('acme', \\$day)" --param day=2026-03-31

    Works while syncs run and never holds them up. `show tables` lists the tables; docs/schema.md
    says what they mean.
    """
    from bill_pipeline.publishing.output import TABLE_ROWS, TEXT_FORMATS, write_file, write_table
    from bill_pipeline.publishing.query import open_ledger, read_sql, run
    from bill_pipeline.registry.registry_file import why_lost

    if (sql is None) == (sql_file is None):
        raise click.UsageError("Give the SQL either as an argument or with -f FILE.")
    if sql_file is not None:
        sql = sys.stdin.read() if str(sql_file) == "-" else read_sql(sql_file)
    chosen = output_format or _format_of(output)
    if chosen == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for reading on a screen: add -o FILE.")
    if said := why_lost(home):
        click.echo(f"Note: {said}", err=True)
    with open_ledger(home) as ledger:
        answer = run(ledger, sql or "", parameters)
        if output is not None:
            with umask_as_given():
                write_file(answer, output, chosen)
        elif chosen == "parquet":
            from bill_pipeline.publishing.output import write_parquet

            write_parquet(answer, sys.stdout.buffer)
        elif chosen == "table":
            write_table(answer, sys.stdout, rows=rows or TABLE_ROWS)
        else:
            TEXT_FORMATS[chosen](answer, sys.stdout)


def _format_of(output: Path | None) -> str:
    ending = output.suffix.removeprefix(".").lower() if output else ""
    return ending if ending in ("csv", "json", "parquet") else "table"
