"""``review`` and ``correct``: what the model was not sure of, and a person's answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from bill_pipeline.amounts import to_cents
from bill_pipeline.at_rest import umask_as_given
from bill_pipeline.cli.asking import MOST_TRIES, ask
from bill_pipeline.cli.options import end_with_troubles, home_option, json_option, print_json
from bill_pipeline.cli.rules import by_option
from bill_pipeline.settings import Home


@click.command()
@click.option("--client", help="Only this client.")
@click.option("--lines", "by_line", is_flag=True, help="Every line instead of the questions.")
@click.option(
    "--sample", is_flag=True,
    help="Lines the model booked, chosen by lot, to be checked: they keep its promise honest.",
)  # fmt: skip
@click.option("--ask", is_flag=True, help="Ask one question after the other, here.")
@click.option(
    "--export", "target", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write the lines to a CSV with an empty column for the answers.",
)  # fmt: skip
@by_option
@home_option
@json_option
def review(
    client: str | None, by_line: bool, sample: bool, ask: bool, target: Path | None, by: str,
    home: Home, as_json: bool,
) -> None:  # fmt: skip
    """What waits for a person, grouped into questions: one answer settles many lines.

    The question whose answer saves most comes first. To answer in a spreadsheet, fill the column
    `account` of the exported file (number, id or name of an account) and hand it to
    `bill-pipeline correct FILE`.
    """
    from bill_pipeline.actions import review as waiting

    if target or by_line or sample:
        rows = waiting.lines(home, client, sampled=sample)
        if target:
            with umask_as_given():
                waiting.write_lines(rows, target)
            click.echo(
                f"{len(rows):,} lines written to {target}; fill the column '{waiting.ANSWER}'."
            )
        else:
            _print(rows, as_json, _line_table)
        return
    found = waiting.questions(home, client)
    if ask:
        _ask_each(home, found, by)
        return
    _print(found, as_json, _question_table)
    if found and not as_json:
        lines = sum(row["line_count"] for row in found)
        click.echo(
            f"{len(found):,} questions settle {lines:,} lines. `--ask` asks them here, "
            "`--export FILE` writes the lines for `bill-pipeline correct`."
        )


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--whole-questions", is_flag=True,
    help="An answer for one line is also that of the question's lines left empty.",
)  # fmt: skip
@by_option
@home_option
@json_option
def correct(file: Path, whole_questions: bool, by: str, home: Home, as_json: bool) -> None:
    """Record a person's answers from FILE (- is standard input) and book them at once.

    FILE is a CSV as `review --export` writes it; lines with an empty `account` are left alone. An
    answer always wins over the model, survives every import, and teaches the model at once.
    """
    from bill_pipeline.actions import review as waiting
    from bill_pipeline.actions.deciding import decide_lines
    from bill_pipeline.registry.failures import ClientError, alone

    rows = waiting.read_answers(_text_of(file), str(file))
    found = waiting.answers_by_client(home, rows, whole_questions=whole_questions)
    failed: dict[str, ClientError] = {}
    for client, answers in found.items():
        with alone(client, failed):
            if answers.given:
                decide_lines(home, client, answers.given, by=by, reason=answers.reason)
            if as_json:
                print_json({"client": client, "lines_corrected": len(answers.given)})
            else:
                click.echo(f"{client}: {len(answers.given):,} lines corrected and booked.")
            if answers.gone:
                raise waiting.LinesGone(client, answers.gone)
    end_with_troubles(failed, as_json)
    if not found and not as_json:
        click.echo(f"No line of the file has an answer in the column '{waiting.ANSWER}'.")


def _text_of(file: Path) -> str:
    from bill_pipeline.actions.review import AnswersRefused

    try:
        if str(file) == "-":
            return sys.stdin.read()
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return opened.read()
    except (OSError, UnicodeDecodeError) as error:
        raise AnswersRefused(f"{file} cannot be read: {error}.") from error


def _ask_each(home: Home, found: list[dict[str, Any]], by: str) -> None:
    """Ask until all is answered or the person stops; then record everything, client by client."""
    from bill_pipeline.actions.deciding import Answer, decide_lines
    from bill_pipeline.actions.review import lines_of
    from bill_pipeline.publishing.lookup import NameRefused, Names
    from bill_pipeline.registry.failures import ClientError, alone

    answers: dict[str, list[Answer]] = {}
    for number, question in enumerate(found, start=1):
        names = Names.read(home, question["client"], "account")
        _print_question(question, f"{number} of {len(found)}")
        for _ in range(MOST_TRIES):
            text = ask("Account (number, name; empty: the suggestion; s: not now; q: stop)").strip()
            if text in {"s", "q"}:
                break
            try:
                account_id = names.id_of(text) if text else question["suggested_account_id"]
            except NameRefused as error:
                click.echo(str(error))
                continue
            if account_id:
                lines = lines_of(question["transaction_ids"])
                given = [Answer(line, account_id) for line in lines]
                answers.setdefault(question["client"], []).extend(given)
                break
            click.echo("There is no suggestion for this one: name an account, or s.")
        else:
            click.echo("None of these is an account: the line waits on.")
        if text == "q":
            break
    failed: dict[str, ClientError] = {}
    for client, given in answers.items():
        with alone(client, failed):
            decide_lines(home, client, given, by=by, reason="answered in the review")
            click.echo(f"{client}: {len(given):,} lines booked.")
    end_with_troubles(failed, as_json=False)
    if not answers:
        click.echo("Nothing was recorded.")


def _print_question(question: dict[str, Any], which: str) -> None:
    click.echo(
        f"\n{which}: {question['client']}, {question['party'] or 'no vendor or customer'}, "
        f"{question['line_count']:,} {question['document_type'].replace('_', ' ')} lines over "
        f"{to_cents(question['amount_asked']):,f} {question['currency'] or ''}, for example "
        f"“{(question['example'] or 'without text')[:80]}”."
    )
    if question["told_apart_by"]:
        click.echo(f"Asked apart from others of the same party by: {question['told_apart_by']}.")
    if question["suggested_account_id"]:
        click.echo(
            f"Suggested: {_account(question)} ({question['confidence']:.0%}; {question['reason']})."
        )


def _print(rows: list[dict[str, Any]], as_json: bool, table_of: Any) -> None:
    if as_json:
        for row in rows:
            print_json(row)
    elif rows:
        Console().print(table_of(rows))
    else:
        click.echo("Nothing waits for a person.")


def _question_table(rows: list[dict[str, Any]]) -> Table:
    table = Table("client", "vendor or customer", "lines", "amount", "example", "suggestion",
                  "sure", "why", "saves")  # fmt: skip
    for row in rows:
        table.add_row(
            row["client"], _whose(row), f"{row['line_count']:,}",
            f"{to_cents(row['amount_asked']):,f} {row['currency'] or ''}",
            (row["example"] or "")[:60],
            _account(row), f"{row['confidence']:.0%}", row["reason"] or "",
            f"{row['rows_saved']:,.0f}",
        )  # fmt: skip
    return table


def _line_table(rows: list[dict[str, Any]]) -> Table:
    table = Table("client", "date", "party", "description", "amount", "suggestion", "sure", "why")
    table.columns[4].justify = "right"
    for row in rows:
        table.add_row(
            row["client"], str(row["date"]), row["party"] or "", (row["description"] or "")[:80],
            f"{to_cents(row['amount']):,f}",
            f"{row['suggested_account'] or ''} {row['suggested_name'] or ''}",
            "" if row["confidence"] is None else f"{row['confidence']:.0%}", row["reason"] or "",
        )  # fmt: skip
    return table


def _whose(row: dict[str, Any]) -> str:
    """The party, and which of its lines."""
    return " · ".join(part for part in (row["party"], row["told_apart_by"]) if part)


def _account(row: dict[str, Any]) -> str:
    return f"{row['suggested_account_code'] or ''} {row['suggested_account'] or ''}".strip()
