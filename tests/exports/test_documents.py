"""The schema reference is true, and every worked question runs."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from bill_pipeline.publishing.questions import answered, ask, questions_in
from bill_pipeline.publishing.reference import schema_reference
from bill_pipeline.publishing.tables import published_schema
from bill_pipeline.publishing.values import VALUES
from bill_pipeline.warehouse.transforms import load_transforms

DOCS = Path(__file__).parents[2] / "docs"
QUESTIONS = questions_in((DOCS / "questions.md").read_text(encoding="utf-8"))


def test_the_schema_reference_is_what_the_sql_files_say() -> None:
    assert (DOCS / "schema.md").read_text(encoding="utf-8") == schema_reference(
        published_schema()
    ), "run: python -m bill_pipeline.publishing.reference docs/schema.md"


def test_every_event_and_status_that_a_rule_names_is_explained() -> None:
    ledger = [t.sql for t in load_transforms().values() if t.name.startswith("postings_")]
    events = {name for sql in ledger for name in re.findall(r"'(\w+):?'[^,]* as event", sql)}
    payments = load_transforms()["staging.payments"].sql
    statuses = set(re.findall(r"\('([A-Z_]+)', '[a-z]+'\)", payments))
    assert len(events) >= 9
    assert len(statuses) >= 19
    assert events - set(VALUES["event"]) == set()
    assert statuses - set(VALUES["status"]) == set()


def test_there_are_twelve_questions() -> None:
    assert len(QUESTIONS) == 12


@pytest.mark.slow
def test_every_line_of_the_journal_leads_to_what_bill_said(
    ledger: duckdb.DuckDBPyConnection,
) -> None:
    sql = """
        select
            count(*) filter (
                where versions.document is null
                and lines.document_type not in ('opening_balance', 'derived_transfer')
            ) as lines_without_a_source,
            count(*) filter (
                where versions.document is not null
                and (versions.document ->> '$.id') <> lines.document_id
            ) as lines_of_another_document,
            count(versions.document) as lines_with_a_source,
            count(*) as lines
        from journal_lines as lines
        left join document_versions as versions
            on versions.client = lines.client
            and versions.document_type = lines.document_type
            and versions.document_id = lines.document_id
            and versions.version = lines.document_version
    """
    without, another, found, lines = ledger.execute(sql).fetchall()[0]
    ((every,),) = ledger.execute("select count(*) from journal_lines").fetchall()
    assert (without, another) == (0, 0)
    assert found > 0
    assert lines == every


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
