"""What waits for a person, as questions and as lines, and the answers as a file brings them.

Reads the published ledger; writing answers is ``deciding``'s work, printing the command line's.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bill_pipeline.actions.deciding import Answer, DocumentLine
from bill_pipeline.errors import PipelineError
from bill_pipeline.exports.spreadsheets import guarded, unguarded
from bill_pipeline.publishing.lookup import Names
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.settings import Home

LINE_COLUMNS = (
    "client", "document_type", "document_id", "line_id", "date", "party", "description", "amount",
    "currency", "suggested_account", "suggested_name", "confidence", "reason", "question",
    "told_apart_by",
)  # fmt: skip
#: What a person fills in: an account's number, id or exact name; empty means not now.
ANSWER = "account"
_LINE_IDS = ("document_id", "line_id")
NOTE = "note"
#: Lines that the model booked within so many days are to be checked.
SAMPLED_DAYS = 60

_QUESTIONS = """
select
    client, question_id, party_id, party, document_type, line_count, rows_saved, amount_asked,
    currency, first_date, last_date, suggested_account_id, suggested_account_code,
    suggested_account, confidence, told_apart_by, reason, example, alternatives, transaction_ids
from review_questions
where client = $client or $client is null
order by rows_saved desc, client, question_id
"""
# A line of a question goes with it; a sampled line was booked and is a question by itself.
_LINES = """
with questions as (
    select
        client, question_id, rows_saved, told_apart_by, unnest(transaction_ids) as transaction_id
    from review_questions
),

asked as (
    select
        transactions.*, questions.question_id, questions.told_apart_by,
        coalesce(questions.rows_saved, 0) as rows_saved,
        if(category_source = 'default', alternatives ->> '$[0].account_id', account_id)
            as suggested_account_id,
        if(category_source = 'default', (alternatives ->> '$[0].confidence')::double, confidence)
            as suggested_confidence
    from transactions
    left join questions using (client, transaction_id)
    where (client = $client or $client is null)
        -- Books that were published before there was the column do not say when.
        and if($sampled, is_sampled and coalesce(decided_at >= $sampled_since, true), needs_review)
)

select
    asked.client, document_type, document_id, line_id, date, party, description, amount,
    currency, coalesce(accounts.account_code, asked.suggested_account_id) as suggested_account,
    accounts.account_name as suggested_name, suggested_confidence as confidence, reason,
    question_id as question, told_apart_by
from asked
left join accounts
    on accounts.client = asked.client and accounts.account_id = asked.suggested_account_id
order by rows_saved desc, asked.client, question_id, date, document_id, line_id
"""

_BOOKED = (
    "select distinct document_type, document_id, line_id from transactions where client = $client"
)


class AnswersRefused(PipelineError):
    """The file of answers cannot be used; the message names the line and what to change."""


class LinesGone(PipelineError):
    """Lines that were answered are not in the books; the others' answers are booked."""

    def __init__(self, client: str, lines: Sequence[DocumentLine]) -> None:
        named = ", ".join(f"{x.document_type} {x.document_id} {x.line_id}" for x in lines[:3])
        more = f" and {len(lines) - 3:,} more" if len(lines) > 3 else ""
        super().__init__(
            f"{client}: not in the books, or no longer: {named}{more}. BILL may have changed their "
            "documents since: `bill-pipeline review --export FILE` writes what is asked now."
        )


@dataclass
class Answers:
    """What is to be recorded for one client."""

    given: list[Answer] = field(default_factory=list)
    #: Lines that are not in the books, as when BILL changed their document since.
    gone: list[DocumentLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        return "; ".join(sorted(set(self.notes))) or "corrected by a person"


def questions(home: Home, client: str | None) -> list[dict[str, Any]]:
    """The grouped questions, those that save most rows first. Raises UnknownClient."""
    return _read(home, _QUESTIONS, {"client": client})


def lines(home: Home, client: str | None, *, sampled: bool = False) -> list[dict[str, Any]]:
    """The lines of all questions, question by question; or those booked lines to be checked."""
    since = (utc_now() - timedelta(days=SAMPLED_DAYS)).replace(tzinfo=None)
    return _read(home, _LINES, {"client": client, "sampled": sampled, "sampled_since": since})


def write_lines(rows: Iterable[Mapping[str, Any]], target: Path) -> None:
    """A CSV for a person, where no text can run: the lines, and empty columns for the answers."""
    with target.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*LINE_COLUMNS, ANSWER, NOTE])
        writer.writeheader()
        for row in rows:
            writer.writerow({name: guarded(value) for name, value in row.items()})


def read_answers(text: str, name: str) -> list[dict[str, str]]:
    """The rows of a filled-in file. Raises AnswersRefused."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a line's text may be long
    reader = csv.DictReader(io.StringIO(text, newline=""))  # a cell may hold lines
    needed = {"client", "document_type", "document_id", "line_id", ANSWER}
    if missing := needed - set(reader.fieldnames or ()):
        raise AnswersRefused(
            f"{name} lacks the columns {', '.join(sorted(missing))}: begin with the file that "
            "`bill-pipeline review --export FILE` writes."
        )
    try:
        rows = list(reader)
    except csv.Error as error:
        raise AnswersRefused(f"{name}, line {reader.line_num}: {error}.") from None
    # The ids as they were before ``write_lines`` kept a spreadsheet from running them.
    return [{**row, **{name: unguarded(row[name] or "") for name in _LINE_IDS}} for row in rows]


def answers_by_client(
    home: Home, rows: Sequence[Mapping[str, str]], *, whole_questions: bool = False
) -> dict[str, Answers]:
    """The answers of a file, checked: every account exists and a line may be booked to it.

    ``whole_questions``: an answer for one line is also that of the lines of the same question left
    empty. Lines that are not in the books are ``gone``. Raises NameRefused, AnswersRefused,
    UnknownClient.
    """
    chosen = _of_whole_questions(rows) if whole_questions else {}
    accounts: dict[str, Names] = {}
    booked: dict[str, set[DocumentLine]] = {}
    found: dict[str, Answers] = {}
    given: dict[tuple[str, DocumentLine], str] = {}
    for row in rows:
        text = (row[ANSWER] or "").strip() or chosen.get((row["client"], row.get("question")), "")
        if not text:
            continue
        client = row["client"]
        if client not in accounts:
            accounts[client] = Names.read(home, client, "account")
            booked[client] = {
                DocumentLine(**each) for each in _read(home, _BOOKED, {"client": client})
            }
        answers = found.setdefault(client, Answers())
        line = DocumentLine(row["document_type"], row["document_id"], row["line_id"])
        if line not in booked[client]:
            answers.gone.append(line)
            continue
        account = accounts[client].id_of(text)
        if given.setdefault((client, line), account) != account:
            raise AnswersRefused(
                f"{client}: line {line.line_id} of {line.document_type} {line.document_id} is "
                "answered with two accounts. Nothing was recorded: leave one of them."
            )
        answers.given.append(Answer(line, account))
        if note := (row.get(NOTE) or "").strip():
            answers.notes.append(note)
    return found


def lines_of(transaction_ids: Iterable[str]) -> list[DocumentLine]:
    """The lines that a question names."""
    return [DocumentLine(*transaction_id.split(":", 2)) for transaction_id in transaction_ids]


def _of_whole_questions(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str | None], str]:
    chosen: dict[tuple[str, str | None], str] = {}
    for row in rows:
        text, question = (row[ANSWER] or "").strip(), row.get("question")
        if not text or not question:
            continue
        key = (row["client"], question)
        if chosen.setdefault(key, text) != text:
            raise AnswersRefused(
                f"{row['client']}: the lines of question {question} are answered with "
                f"{chosen[key]!r} and {text!r}. Nothing was recorded. Answer each of its lines, or "
                "leave out --whole-questions."
            )
    return chosen


def _read(home: Home, sql: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    if values["client"] is not None:
        Registry(home).status(values["client"])
    with open_ledger(home) as ledger:
        found = ledger.execute(sql, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
