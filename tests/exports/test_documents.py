"""The schema reference is true, and every worked question runs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from bill_pipeline.publishing.questions import answered, ask, questions_in
from bill_pipeline.publishing.reference import schema_reference
from bill_pipeline.publishing.tables import published_schema

DOCS = Path(__file__).parents[2] / "docs"
QUESTIONS = questions_in((DOCS / "questions.md").read_text(encoding="utf-8"))


def test_the_schema_reference_is_what_the_sql_files_say() -> None:
    assert (DOCS / "schema.md").read_text(encoding="utf-8") == schema_reference(
        published_schema()
    ), "run: python -m bill_pipeline.publishing.reference docs/schema.md"


def test_there_are_ten_questions() -> None:
    assert len(QUESTIONS) == 10


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_a_worked_question_runs(ledger: duckdb.DuckDBPyConnection, question) -> None:
    answer = ask(ledger, question.sql, "bakery")
    assert "row" in answer.splitlines()[-1]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_a_worked_question_shows_the_columns_of_its_answer(ledger, question) -> None:
    headings = ask(ledger, question.sql, "bakery").splitlines()[0].split()
    assert question.answer.splitlines()[0].split() == headings


def test_answers_are_replaced_and_nothing_else() -> None:
    page = "# T\n\n## Q\n\nWords.\n\n```sql\nselect 1\n```\n\n```text\nold\n```\n\nAfter.\n"
    assert answered(page, lambda sql: f"{sql.strip()} = 1\n") == page.replace("old", "select 1 = 1")


def test_every_published_table_and_column_has_words() -> None:
    schema = published_schema()
    assert [t.name for t in schema.tables if not t.summary] == []
    assert [(t.name, c.name) for t in schema.tables for c in t.columns if not c.description] == []
