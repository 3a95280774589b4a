"""``review`` and ``correct``: the lines the model was not sure of, and a person's answers."""

from __future__ import annotations

import csv
import getpass
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bill_pipeline.cli.options import home_option, json_option, print_json
from bill_pipeline.errors import PipelineError
from bill_pipeline.settings import Home

_COLUMNS = (
    "client", "document_type", "document_id", "line_id", "date", "party", "description", "amount",
    "currency", "suggested_account", "suggested_name", "confidence", "reason",
)  # fmt: skip
#: What a person fills in: an account's number, id or exact name; empty means not now.
_ANSWER = "account"
_NOTE = "note"

_REVIEW = """
with suggested as (
    select
        client, document_type, document_id, line_id, date, party, description, amount, currency,
        reason, alternatives::json ->> '$[0].account_id' as account_id,
        (alternatives::json ->> '$[0].confidence')::double as confidence
    from transactions
    where needs_review and (client = $client or $client is null)
)
select
    suggested.client, document_type, document_id, line_id, date, party, description, amount,
    currency, coalesce(accounts.account_code, suggested.account_id) as suggested_account,
    accounts.account_name as suggested_name, confidence, reason
from suggested
left join accounts using (client, account_id)
order by suggested.client, party, date, document_id, line_id
"""


class AnswersRefused(PipelineError):
    """The file of answers cannot be used; the message names the line and what to change."""


@click.command()
@click.option("--client", help="Only this client's lines.")
@click.option(
    "--export", "target", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write the lines to a CSV with an empty column for the answers.",
)  # fmt: skip
@home_option
@json_option
def review(client: str | None, target: Path | None, home: Home, as_json: bool) -> None:
    """List the lines that wait for a person, with the model's suggestion and its reason.

    Fill the column `account` of the exported file (number, id or name of an account) and hand it
    to `bill-pipeline correct FILE`.
    """
    rows = _lines_to_review(home, client)
    if target:
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*_COLUMNS, _ANSWER, _NOTE])
            writer.writeheader()
            writer.writerows(rows)
        click.echo(f"{len(rows):,} lines written to {target}; fill the column '{_ANSWER}'.")
    elif as_json:
        for row in rows:
            print_json(row)
    elif not rows:
        click.echo("Nothing waits for a person.")
    else:
        _print_lines(rows)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--by", default=getpass.getuser, show_default="your user name", help="Who decided.")
@home_option
def correct(file: Path, by: str, home: Home) -> None:
    """Record a person's answers from FILE (- is standard input) and book them at once.

    FILE is a CSV as `review --export` writes it; lines with an empty `account` are left alone. An
    answer always wins over the model, survives every import, and teaches the model.
    """
    from bill_pipeline.deciding import Answer, Line, decide_lines

    rows = [row for row in _read_answers(file) if row[_ANSWER].strip()]
    accounts = _accounts(home)
    answers: dict[str, list[Answer]] = {}
    notes: dict[str, list[str]] = {}
    for row in rows:
        line = Line(row["document_type"], row["document_id"], row["line_id"])
        account_id = _account_id(accounts, row["client"], row[_ANSWER].strip())
        answers.setdefault(row["client"], []).append(Answer(line, account_id))
        if note := (row.get(_NOTE) or "").strip():
            notes.setdefault(row["client"], []).append(note)
    for client, given in answers.items():
        reason = "; ".join(sorted(set(notes.get(client, [])))) or "corrected by a person"
        decide_lines(home, client, given, by=by, reason=reason)
        click.echo(f"{client}: {len(given):,} lines corrected and booked.")
    if not answers:
        click.echo(f"No line of the file has an answer in the column '{_ANSWER}'.")


def _lines_to_review(home: Home, client: str | None) -> list[dict[str, Any]]:
    from bill_pipeline.clients import Registry
    from bill_pipeline.query import open_ledger

    if client is not None:
        Registry(home).status(client)
    with open_ledger(home) as ledger:
        found = ledger.execute(_REVIEW, {"client": client}).fetchall()
    return [dict(zip(_COLUMNS, row, strict=True)) for row in found]


def _print_lines(rows: list[dict[str, Any]]) -> None:
    table = Table("client", "date", "party", "description", "amount", "suggestion", "sure", "why")
    table.columns[4].justify = "right"
    for row in rows:
        table.add_row(
            row["client"], str(row["date"]), row["party"] or "", row["description"] or "",
            f"{row['amount']:,}", f"{row['suggested_account'] or ''} {row['suggested_name'] or ''}",
            "" if row["confidence"] is None else f"{row['confidence']:.0%}", row["reason"] or "",
        )  # fmt: skip
    Console().print(table)
    click.echo(f"{len(rows):,} lines. `--export FILE` writes them for `bill-pipeline correct`.")


def _read_answers(file: Path) -> list[dict[str, str]]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AnswersRefused(f"{file} cannot be read: {error}.") from error
    reader = csv.DictReader(text.splitlines())
    needed = {"client", "document_type", "document_id", "line_id", _ANSWER}
    if missing := needed - set(reader.fieldnames or ()):
        raise AnswersRefused(
            f"{file} lacks the columns {', '.join(sorted(missing))}: begin with the file that "
            "`bill-pipeline review --export FILE` writes."
        )
    return list(reader)


def _accounts(home: Home) -> dict[str, dict[str, set[str]]]:
    """Per client: what a person may write for an account → the ids it can mean."""
    from bill_pipeline.query import open_ledger

    found: dict[str, dict[str, set[str]]] = {}
    with open_ledger(home) as ledger:
        rows = ledger.execute(
            "select client, account_id, account_code, account_name from accounts"
        ).fetchall()
    for client, account_id, code, name in rows:
        names = found.setdefault(client, {})
        for text in {account_id, code, name} - {None, ""}:
            names.setdefault(text.casefold(), set()).add(account_id)
    return found


def _account_id(accounts: dict[str, dict[str, set[str]]], client: str, text: str) -> str:
    if client not in accounts:
        raise AnswersRefused(
            f"There are no published books of a client {client!r}. Nothing was recorded; "
            "`bill-pipeline clients` lists the clients."
        )
    ids = accounts[client].get(text.casefold(), set())
    if len(ids) == 1:
        return next(iter(ids))
    problem = "means several accounts" if ids else "is no account"
    raise AnswersRefused(
        f"{client}: {text!r} {problem}. Nothing was recorded. Use the account's id; "
        f"`bill-pipeline query \"from accounts where client = '{client}'\"` lists them."
    )
