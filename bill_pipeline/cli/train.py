"""``train`` and ``evaluate``: learn from what people decided, and say honestly how well."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from bill_pipeline.cli.options import end_with_troubles, home_option, json_option, print_json
from bill_pipeline.errors import PipelineError
from bill_pipeline.settings import Home

if TYPE_CHECKING:
    import pandas as pd

PROTOCOLS = ("walk-forward", "static", "unseen", "few", "all")
_SHOWN = {
    "top1": "right",
    "top3": "in the first 3",
    "macro_f1": "macro F1",
    "coverage95": "booked at 95 %",
    "precision95": "of these right",
    "calibration_error": "calibration error",
    "questions_per_1000": "questions per 1,000",
}


class EvaluationRefused(PipelineError):
    """The data cannot be evaluated; the message says what they lack."""


@click.command()
@click.argument("names", metavar="CLIENT…", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every connected client.")
@click.option("--roll-back", is_flag=True, help="Use the model before the present one again.")
@click.option("--firm", is_flag=True, help="First pool what the clients who share know.")
@home_option
@json_option
def train(
    names: tuple[str, ...], every: bool, roll_back: bool, firm: bool, home: Home, as_json: bool
) -> None:
    """Train a challenger for each CLIENT and promote it unless it is worse.

    Both models are judged on the client's newest coded lines, which neither has seen.
    """
    from bill_pipeline.categorization import model_registry
    from bill_pipeline.pipeline.training import train_client
    from bill_pipeline.registry.clients import Registry
    from bill_pipeline.registry.failures import ClientError, alone

    if (bool(names) == every and not firm) or (names and every):
        raise click.UsageError("Name one or more clients, or use --all.")
    if firm:
        _pool(home, as_json)
    registry = Registry(home)
    failed: dict[str, ClientError] = {}
    for client in registry.names() if every else names:
        with alone(client, failed):
            registry.status(client)
            if roll_back:
                version = model_registry.roll_back(home, client)
                click.echo(f"{client}: model {version} decides again.")
                continue
            trained = train_client(registry, client).trained
            if as_json:
                print_json({"client": client, **trained.metadata()})
                continue
            verdict = "promoted" if trained.is_promoted else "kept the champion"
            click.echo(f"{client}: {verdict}. {trained.reason}")
    end_with_troubles(failed, as_json)


def _pool(home: Home, as_json: bool) -> None:
    from dataclasses import asdict

    from bill_pipeline.actions import sharing

    pooled = sharing.pool(home)
    if as_json:
        print_json({"firm": asdict(pooled)})
        return
    skill = "with" if pooled.has_skill else "without"
    click.echo(
        f"The firm's knowledge comes from {len(pooled.contributors)} sharing clients "
        f"({pooled.line_count:,} lines, {pooled.party_count:,} party names), {skill} a pooled "
        "ranking skill."
    )
    for client_error in pooled.left_out.values():
        click.echo(f"Left out until the next time. {client_error}")


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Parquet with organization, date, vendor, description, amount, account, department.",
)
@click.option("--protocol", type=click.Choice(PROTOCOLS), default="walk-forward", show_default=True)
@click.option("--organization", "organizations", multiple=True, help="Only this one. Repeatable.")
@click.option(
    "--max-lines",
    type=click.IntRange(min=0),
    default=4_000,
    show_default=True,
    help="Whole vendors of each organization up to so many lines; 0 for all of it.",
)
@click.option(
    "--months", type=click.IntRange(min=2), default=18, show_default=True, help="The newest months."
)
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option(
    "--alone", is_flag=True, help="No organization learns from others; new clients always do."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the figures as well: tables to read for .md, else a CSV.",
)
@json_option
def evaluate(
    data: Path,
    protocol: str,
    organizations: tuple[str, ...],
    max_lines: int,
    months: int,
    jobs: int,
    alone: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Score the model beside its baselines on a ledger whose accounts are known.

    Everything is split by time: nothing of the future is in features, thresholds or calibration.
    """
    from models import evaluation
    from models.figures import write_figures

    started = time.perf_counter()
    try:
        scores = evaluation.evaluate(
            _read_ledger(data),
            protocol=protocol,
            organizations=list(organizations) or None,
            max_lines=max_lines or None,
            months=months,
            is_sharing=not alone,
            jobs=jobs,
        )
    except evaluation.EvaluationDataMissing as error:
        raise EvaluationRefused(f"{data} cannot be evaluated: {error}.") from error
    seconds = time.perf_counter() - started
    if output:
        write_figures(scores, output, data.name, seconds, _cpu_seconds())
    if as_json:
        for row in scores.to_dict("records"):
            print_json({str(name): value for name, value in row.items()})
        return
    _print_scores(scores.to_dict("records"))
    click.echo(f"{protocol}, {seconds:.0f} s, {_cpu_seconds():.0f} CPU s.")


def _cpu_seconds() -> float:
    """What this command and the processes it has ended have computed; a busy machine adds none."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _read_ledger(data: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(data)
    except (pa.ArrowInvalid, OSError) as error:
        raise EvaluationRefused(f"{data} is no Parquet file that can be read.") from error


def _print_scores(rows: list[dict[object, object]]) -> None:
    shown = [name for name in _SHOWN if rows and name in rows[0]]
    table = Table("organization", "model", "lines", *(_SHOWN[name] for name in shown))
    for column in table.columns[2:]:
        column.justify = "right"
    for row in rows:
        figures = [row[name] for name in shown]
        table.add_row(
            str(row.get("organization", "")),
            str(row.get("model", "")),
            f"{row.get('lines', '')}",
            *(f"{figure:.3f}" if isinstance(figure, float) else str(figure) for figure in figures),
        )
    Console().print(table)
