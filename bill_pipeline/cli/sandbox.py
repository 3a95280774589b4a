"""``bill-pipeline sandbox``: run a BILL look-alike on localhost and say how to connect to it."""

from __future__ import annotations

import contextlib
import json
import socket
import tomllib
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bill_pipeline.sandbox.state import SandboxState


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0 takes a free port.",
)
@click.option(
    "--companies",
    type=click.IntRange(0),
    help="Invented companies. [default: 2, or 0 with --import]",
)
@click.option("--documents", default=600, show_default=True, help="About, per invented company.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same books.")
@click.option(
    "--variety",
    default="usual",
    show_default=True,
    help="How real the books are: usual, full, none, or kinds beside the usual: card,wallet,…",
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="Where invented history ends.")
@click.option(
    "--import",
    "ledgers",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A ledger in Parquet; each of its organizations becomes one on BILL. Repeatable.",
)
@click.option("--organization", "chosen", multiple=True, help="Only this one. Repeatable.")
@click.option(
    "--uncoded-from",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Imported lines from this date on come without a GL account.",
)
@click.option("--uncoded-days", default=0, help="As --uncoded-from: each ledger's last N days.")
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the accounts of the uncoded lines to this CSV or Parquet file.",
)
@click.option(
    "--state",
    "saved_in",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Go on with the look-alike that this file holds, or keep a new one there, so that a "
    "restart has the same past. Options that make companies are for a new one.",
)
@click.option("--live", is_flag=True, help="Let the invented companies go on living.")
@click.option("--speed", default=None, type=float, help="Sandbox seconds per second. [default: 1]")
@click.option(
    "--faults",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSON or TOML file: {"faults": [{"kind": "reset", "rate": 0.01}, …]}',
)
@click.option("--switch", "switches", multiple=True, help="NAME=VALUE of an open question of BILL.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def sandbox(host: str, port: int, as_json: bool, **options: Any) -> None:
    """Run a BILL look-alike with invented or imported companies until interrupted.

    Prints its base URL, dev key and, per company, what `bill-pipeline connect` needs.
    """
    import uvicorn

    from bill_pipeline.sandbox.server import server_config

    try:
        state = _state(options)
        imports = _import(state, options)
        _write_truth(state, imports[1], options["truth"])
    except (ValueError, OSError) as problem:
        raise click.ClickException(str(problem)) from None
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Who reads our output may connect at once: let the connection wait for the server.
        listener.listen(128)
    except OSError as problem:
        raise click.ClickException(
            f"Cannot listen on {host}:{port}: {problem.strerror}. Choose another --port."
        ) from None
    root = f"http://{host}:{listener.getsockname()[1]}"
    state.base_url = f"{root}/connect"
    _announce(state, root, imports[0], as_json=as_json)
    with contextlib.suppress(KeyboardInterrupt):
        config = server_config(state, host, port, options["saved_in"])
        uvicorn.Server(config).run(sockets=[listener])


def _state(options: dict[str, Any]) -> SandboxState:
    """The look-alike that was saved, or a new one."""
    from bill_pipeline.sandbox.saved import load

    saved_in: Path | None = options["saved_in"]
    if saved_in is None or not saved_in.exists():
        return _prepare(options)
    if options["ledgers"]:
        raise ValueError(f"--import is for a new look-alike, and {saved_in} holds one already.")
    state = load(saved_in)
    state.set_live(options["live"])
    return state


def _prepare(options: dict[str, Any]) -> SandboxState:
    """The sandbox with its invented companies, switches and faults."""
    from datetime import UTC

    from bill_pipeline.sandbox.companies import add_invented_companies
    from bill_pipeline.sandbox.faults import read_fault
    from bill_pipeline.sandbox.state import DEFAULT_TODAY, SandboxState
    from bill_pipeline.sandbox.switches import Switches

    switches = Switches()
    switches.change(dict(_switch(text) for text in options["switches"]))
    today: datetime | None = options["today"]
    speed = options["speed"]
    state = SandboxState(
        seed=options["seed"],
        today=today.replace(hour=18, tzinfo=UTC) if today else DEFAULT_TODAY,
        speed=1.0 if speed is None else speed,
        switches=switches,
    )
    companies = options["companies"]
    if companies is None:
        companies = 0 if options["ledgers"] else 2
    add_invented_companies(state, companies, options["documents"], options["variety"])
    state.is_live = options["live"]
    if options["faults"]:
        faults = _read_faults(options["faults"])
        state.faults.set([read_fault(item) for item in faults])
    return state


def _switch(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ValueError(f"A switch is NAME=VALUE, not {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _read_faults(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as problem:
        raise ValueError(f"Cannot read the faults in {path}: {problem}") from None
    faults: list[dict[str, Any]] = content["faults"] if isinstance(content, dict) else content
    return faults


def _import(state: SandboxState, options: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """(reports, true accounts) of all imported ledgers."""
    from bill_pipeline.sandbox.ledger_import import import_ledger

    reports: list[Any] = []
    truth: list[Any] = []
    uncoded_from = options["uncoded_from"]
    for path in options["ledgers"]:
        report, hidden = import_ledger(
            state,
            path,
            options["chosen"],
            uncoded_from.date() if uncoded_from else None,
            options["uncoded_days"],
        )
        reports += report
        truth += hidden
    return reports, truth


def _write_truth(state: SandboxState, imported: list[Any], path: Path | None) -> None:
    from bill_pipeline.sandbox.ledger_import import write_truth
    from bill_pipeline.sandbox.truth import true_accounts

    if path is not None:
        write_truth([*true_accounts(state), *imported], path)


def _announce(state: SandboxState, root: str, imported: list[Any], *, as_json: bool) -> None:
    """Say where the sandbox is and how to log in to each company."""
    where = {
        "base_url": state.base_url,
        "v2_url": f"{root}/api/v2",
        "events_url": f"{root}/connect-events",
        "control_url": f"{root}/sandbox",
        "dev_key": state.dev_key,
        "environment": root,
    }
    if as_json:
        count = len(state.companies())
        click.echo(json.dumps({"type": "sandbox", "companies": count, **where}))
        for report in imported:
            values = {**asdict(report), "amount": str(report.amount)}
            click.echo(json.dumps({"type": "import", **values}))
        for company in state.companies():
            click.echo(json.dumps({"type": "company", **asdict(company)}))
        return
    click.echo("A BILL look-alike with invented companies; no real money, no real BILL.")
    for name, value in where.items():
        click.echo(f"{name:>12}  {value}")
    for report in imported:
        click.echo(
            f"\n{report.client}: {report.bills:,} bills, {report.vendor_credits:,} vendor credits, "
            f"{report.lines:,} lines, {report.amount:,} in all, equal to the file; "
            f"{report.uncoded_lines:,} lines uncoded"
        )
    for company in state.companies():
        click.echo(f"\n{company.name}")
        for name, value in asdict(company).items():
            if name != "name":
                click.echo(f"{name:>16}  {value}")
    click.echo("\nCtrl-C ends it.")
