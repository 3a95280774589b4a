"""``demo``: invented companies from a BILL look-alike to a published ledger, in one command."""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bill_pipeline.bill.connection import Connection
from bill_pipeline.cli.options import home_option
from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.settings import Home, base_urls

_COMPANIES = 4
_DOCUMENTS = 1_800
_SEED = 1
_PORT = 8765
#: Wide enough for the books, where the output goes to a file.
_WIDTH = 118


class DemoFailed(PipelineError):
    """The look-alike did not start, or a client's books were not made."""


@click.command()
@click.option(
    "--companies",
    default=_COMPANIES,
    type=click.IntRange(1, 100),
    show_default=True,
    help="Invented companies.",
)
@click.option(
    "--documents",
    default=_DOCUMENTS,
    show_default=True,
    type=click.IntRange(1),
    help="About, per company.",
)
@click.option("--port", default=_PORT, show_default=True, help="Port of the look-alike.")
@home_option
def demo(companies: int, documents: int, port: int, home: Home) -> None:
    """Invented companies from a BILL look-alike to a balanced, categorized, queryable ledger.

    Needs no account, no secret and no network. Everything it makes is invented and says so. Run it
    again and it only brings what is new.
    """
    from bill_pipeline.pipeline.sync_many import SyncFailure, sync_clients

    command = [
        "sandbox", "--port", str(port), "--companies", str(companies),
        "--documents", str(documents), "--seed", str(_SEED),
        "--state", str(_state_of(home)),
    ]  # fmt: skip
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    with _sandbox(command) as (where, organizations):
        _live_until_now(where["environment"])
        console.print(f"A BILL look-alike with {len(organizations)} invented companies is running.")
        registry = Registry(home)
        names = [_connect(registry, where, organization) for organization in organizations]
        with console.status("importing") as status:
            for outcome in sync_clients(
                registry,
                names,
                progress=lambda client, doing, _: status.update(f"{client}: {doing}"),
            ):
                if isinstance(outcome, SyncFailure):
                    raise DemoFailed(str(outcome.client_error))
                console.print(outcome.sentence(), highlight=False)
        truth = _true_accounts(where["environment"], names)
    _print_books(home, truth, console)
    again = shlex.join(["sandbox", "--port", str(port), "--state", str(_state_of(home))])
    console.print(
        f"""
Try next:
  bill-pipeline query "from trial_balance where client = '{names[-1]}' order by account_code"
  bill-pipeline query "select client, sum(amount_total) as owed from payables_aging group by all"
  bill-pipeline review --client {names[0]}    # the lines it asks about
  bill-pipeline {again} --live    # keeps the look-alike up
  bill-pipeline console --create-admin NAME    # who may sign in
  bill-pipeline ui    # console and Dagster, at http://127.0.0.1:8400; keeps every client fresh""",
        highlight=False,
        soft_wrap=True,
    )


def _state_of(home: Home) -> Path:
    """Where the look-alike's state is saved: it must go on from what the books were made of."""
    path = home.look_alike
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


@contextlib.contextmanager
def _sandbox(command: list[str]) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The look-alike as a process of its own: (where it is, its organizations)."""
    program = Path(sys.executable).with_name("bill-pipeline")
    process = subprocess.Popen(  # noqa: S603 - our own command
        [program, *command, "--json"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for
        lines = [process.stdout.readline()]
        count = int(json.loads(lines[0])["companies"]) if lines[0] else 1
        lines += [process.stdout.readline() for _ in range(count)]
        if not all(lines):
            raise DemoFailed(
                "The BILL look-alike did not start; its message is above. If its port is taken, "
                "choose another with --port."
            )
        where, *organizations = [json.loads(line) for line in lines]
        yield where, organizations
    finally:
        process.terminate()
        process.wait(timeout=10)


def _live_until_now(root_url: str) -> None:
    """Let the companies live on from where their history ends, so that aging is of today."""
    from bill_pipeline.sandbox.control_client import ControlClient

    control = ControlClient(root_url)
    try:
        control.live()
        control.set_clock(utc_now().isoformat())
    finally:
        control.close()


def _connect(registry: Registry, where: dict[str, Any], organization: dict[str, Any]) -> str:
    client: str = organization["client"]
    base_url, v2_url = base_urls(where["environment"])
    connection = Connection(
        organization_id=organization["organization_id"],
        token_name=organization["token_name"],
        token_password=SecretStr(organization["token_password"]),
        dev_key=SecretStr(where["dev_key"]),
        base_url=base_url,
        v2_url=v2_url,
    )
    registry.connect(client, connection, environment=where["environment"])
    return client


def _true_accounts(root_url: str, names: list[str]) -> dict[str, dict[str, str]]:
    """Per client: line id → the account the invented bookkeeper had in mind for an uncoded line."""
    from bill_pipeline.sandbox.control_client import ControlClient

    control = ControlClient(root_url)
    try:
        return {
            name: {row["line_id"]: row["account_id"] for row in control.truth(name)}
            for name in names
        }
    finally:
        control.close()


def _print_books(home: Home, truth: dict[str, dict[str, str]], console: Console) -> None:
    """Per client: documents, lines by who categorized them, and the trial balance's sum."""
    from bill_pipeline.publishing.query import open_ledger

    table = Table(
        "client (invented)", "documents", "lines coded\nin BILL", "by the\nmodel",
        "of these\nright", "by a\nperson", "a person\nis asked", "owed to\nvendors",
        "owed by\ncustomers", "trial\nbalance",
        title="The books",
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    with open_ledger(home) as ledger:
        for name, accounts in truth.items():
            row = ledger.execute(_BOOKS, {"client": name}).fetchone() or ()
            values = [f"{value:,}" for value in row]
            chosen = ledger.execute(_CHOSEN_BY_MODEL, {"client": name}).fetchall()
            right = sum(accounts.get(line) == account for line, account in chosen)
            table.add_row(name, *values[:3], f"{right:,}", *values[3:])
    console.print(table)


_BOOKS = """
select
    (select count(*) from documents where client = $client),
    count(*) filter (where category_source = 'bill'),
    count(*) filter (where category_source in ('model', 'rule') and not needs_review),
    count(*) filter (where category_source = 'person'),
    count(*) filter (where needs_review),
    (select coalesce(sum(amount_total), 0) from payables_aging where client = $client),
    (select coalesce(sum(amount_total), 0) from receivables_aging where client = $client),
    (select coalesce(sum(debit), 0) - coalesce(sum(credit), 0)
        from trial_balance where client = $client)
from transactions
where client = $client
"""

_CHOSEN_BY_MODEL = """
select line_id, account_id from transactions
where client = $client and category_source = 'model' and not needs_review
"""
