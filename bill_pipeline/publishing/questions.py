"""Fill in the answers of the worked questions in ``docs/questions.md`` from a real ledger.

::

    python -m bill_pipeline.publishing.questions docs/questions.md --home data --client acme

In the page, a block of SQL is followed by a block of text, which is its answer; this writes the
answers anew and leaves every other word alone. A test runs every question.
"""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bill_pipeline.publishing.output import write_table
from bill_pipeline.publishing.query import open_ledger, run
from bill_pipeline.settings import Home

_QUESTION = re.compile(
    r"^## (?P<title>[^\n]+)\n(?P<words>.*?)"
    r"```sql\n(?P<sql>.*?)```\n\n```text\n(?P<answer>.*?)```\n",
    re.DOTALL | re.MULTILINE,
)
#: Rows of an answer that the page shows.
ROWS = 12


@dataclass(frozen=True)
class Question:
    """One worked question; ``sql`` has ``$client`` where the client's name stands."""

    title: str
    sql: str
    answer: str


def questions_in(page: str) -> list[Question]:
    """The questions of a page, in order."""
    return [Question(m["title"], m["sql"], m["answer"]) for m in _QUESTION.finditer(page)]


def answered(page: str, answer: Callable[[str], str]) -> str:
    """``page`` with ``answer(sql)`` in the place of every answer."""

    def replaced(match: re.Match[str]) -> str:
        start, end = match.span("answer")
        text = match[0]
        offset = match.start()
        return text[: start - offset] + answer(match["sql"]) + text[end - offset :]

    return _QUESTION.sub(replaced, page)


def ask(ledger: duckdb.DuckDBPyConnection, sql: str, client: str) -> str:
    """The answer as the page shows it. Raises QueryError."""
    out = io.StringIO()
    write_table(run(ledger, sql, {"client": client}), out, rows=ROWS)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--home", required=True)
    parser.add_argument("--client", required=True)
    options = parser.parse_args()
    with open_ledger(Home.at(options.home)) as ledger:
        page = options.page.read_text(encoding="utf-8")
        filled = answered(page, lambda sql: ask(ledger, sql, options.client))
    options.page.write_text(filled, encoding="utf-8")


if __name__ == "__main__":
    main()
