"""Rules, answers and parties through the command line, from a BILL look-alike to the ledger."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.sandbox.server import SandboxServer
from tests.journey.firm import Firm

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4, part=2, together=True)]


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    with SandboxServer(companies=1, documents=1_600, seed=5) as sandbox:
        sandbox.control.live()
        sandbox.control.step("30 days")
        sandbox.control.live(False)
        firm = Firm(sandbox, tmp_path_factory.mktemp("firm") / "home")
        assert firm.connect().exit_code == 0
        result = firm.run("sync", firm.client)
        assert result.exit_code == 0, result.output
        yield firm


def said(firm: Firm, *words: str) -> str:
    result = firm.run(*words)
    assert result.exit_code == 0, result.output
    return result.output


def records(firm: Firm, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said(firm, *words, "--json").splitlines()]


def decisions(firm: Firm, table: str) -> list[tuple[Any, ...]]:
    """Every row of a table of people's decisions, as the client's file keeps it."""
    with duckdb.connect(str(firm.home.client_file(firm.client)), read_only=True) as books:
        return books.execute(f"from decisions.{table} order by all").fetchall()


def open_questions(firm: Firm) -> list[dict[str, Any]]:
    found = records(firm, "review", "--client", firm.client)
    assert found, "this seed leaves questions"
    return found


def test_questions_group_every_line_once_and_the_most_useful_comes_first(firm: Firm) -> None:
    questions = open_questions(firm)
    saved = [question["rows_saved"] for question in questions]
    assert saved == sorted(saved, reverse=True)
    grouped = [line for question in questions for line in question["transaction_ids"]]
    waiting = firm.query("select transaction_id from transactions where needs_review")
    assert sorted(grouped) == sorted(row["transaction_id"] for row in waiting)
    assert len(questions) < len(grouped)


def test_a_rule_is_tried_made_counted_and_removed_without_a_trace(firm: Firm) -> None:
    client = firm.client
    question = max(open_questions(firm), key=lambda q: q["line_count"])
    # That a line was looked at anew meanwhile, and left as it was, is known of it.
    shown = "select * exclude (decided_at) from transactions order by transaction_id"
    before = firm.query(shown)
    terms = (client, "--party", question["party_id"], "--account", "Rent", "--type", "bill")
    tried = records(firm, "rules", "test", *terms)
    decided = [row for row in tried if row["is_decided"]]
    assert len(decided) >= question["line_count"]
    assert firm.query("from rules") == [], "a rule that is tried is not kept"
    (made,) = records(firm, "rules", "add", *terms, "--reason", "the landlord", "--by", "Ann")
    (rule,) = records(firm, "rules", "list", client)
    assert rule["rule_id"] == made["rule_id"]
    assert rule["line_count_decided"] == len(decided)
    assert rule["line_count_fitting"] == len(tried)
    (row,) = firm.query(
        "select count(*) as n, any_value(reason) as reason from transactions "
        "where category_source = 'rule' and account_name = 'Rent'"
    )
    assert row["n"] == len(decided)
    assert "the landlord" in row["reason"]
    said(firm, "rules", "change", client, made["rule_id"], "--to", "2020-01-01", "--reason", "over")
    assert firm.query("from transactions where category_source = 'rule'") == []
    said(firm, "rules", "remove", client, made["rule_id"])
    assert "No rule yet" in said(firm, "rules", "list", client)
    assert firm.query(shown) == before
    assert len(decisions(firm, "rules")) == 3, "made, changed, removed: every step is on record"


def test_one_answer_settles_its_question_and_books_what_is_alike(
    firm: Firm, tmp_path: Path
) -> None:
    file = tmp_path / "answers.csv"
    said(firm, "review", "--client", firm.client, "--export", str(file))
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    counts = {q["question_id"]: q["line_count"] for q in open_questions(firm)}
    question = max(counts, key=lambda one: counts[one])
    first = next(row for row in rows if row["question"] == question)
    first["account"] = first["suggested_account"] or "Rent"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    output = said(firm, "correct", str(file), "--whole-questions", "--by", "Ann")
    assert f"{counts[question]:,} lines corrected" in output
    assert question not in {q["question_id"] for q in open_questions(firm)}
    settled = firm.query(
        f"select distinct category_source from transactions where transaction_id = "
        f"'{first['document_type']}:{first['document_id']}:{first['line_id']}'"
    )
    assert settled == [{"category_source": "person"}]


def test_the_published_explanation_is_words_and_names(firm: Firm) -> None:
    rows = firm.query(
        "select reason, alternatives, model_version, confidence from transactions "
        "where category_source = 'model'"
    )
    assert rows, "this seed books lines by the model"
    assert all(row["reason"] and row["model_version"] for row in rows)
    assert any("earlier bill" in row["reason"] for row in rows)
    shown = [other for row in rows for other in _json(row["alternatives"])]
    assert shown
    assert all(other["account_name"] for other in shown)
    assert all(len(_json(row["alternatives"])) <= 2 for row in rows), "three with the chosen one"


def _json(value: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(value) if isinstance(value, str) else value or []
    return found


def test_the_model_never_learns_from_its_own_bookings(firm: Firm) -> None:
    with duckdb.connect(str(firm.home.client_file(firm.client)), read_only=True) as books:
        own = books.execute(
            "select count(*) from categorized.training_lines as taught "
            "inner join categorized.lines as lines using (document_type, document_id, line_id) "
            "where lines.category_source in ('model', 'default')"
        ).fetchone()
        booked = books.execute(
            "select count(*) from categorized.lines where category_source = 'model'"
        ).fetchone()
    assert own == (0,)
    assert booked is not None
    assert booked[0] > 0


def test_parties_are_merged_split_renamed_and_undone_and_no_money_moves(firm: Firm) -> None:
    client = firm.client
    books = firm.query("from journal_lines order by line_id, entry_id")
    one, other, *_rest = firm.query(
        "select party_id, party from parties where party_type = 'vendor' and party_id in "
        "(select party_id from transactions) and party_id in (select any_value(party_id) "
        "from parties group by merged_party_id having count(*) = 1) order by party_id"
    )

    def stands_for(party: dict[str, Any]) -> dict[str, Any]:
        (row,) = firm.query(
            "select merged_party_id, firm_party from parties "
            f"where party_id = '{party['party_id']}'"
        )
        return row

    said(firm, "parties", "merge", client, one["party_id"], other["party_id"], "--reason", "same")
    assert stands_for(other)["merged_party_id"] == one["party_id"]
    listed = records(firm, "parties", "list", client)
    assert {one["party_id"], other["party_id"]} in [
        {spelling["party_id"] for spelling in row["spellings"]} for row in listed
    ]
    said(firm, "parties", "rename", client, other["party_id"], "The One")
    assert stands_for(one)["firm_party"] == "The One"
    said(firm, "parties", "undo", client)
    assert stands_for(one)["firm_party"] != "The One"
    said(firm, "parties", "split", client, one["party_id"], other["party_id"])
    assert stands_for(other)["merged_party_id"] == other["party_id"]
    said(firm, "parties", "undo", client)
    assert stands_for(other)["merged_party_id"] == one["party_id"]
    assert firm.query("from journal_lines order by line_id, entry_id") == books


def test_answers_rules_and_merges_survive_a_rebuild_and_a_full_import(firm: Firm) -> None:
    client = firm.client
    (rule,) = records(
        firm, "rules", "add", client, "--text", "a text that no line has", "--account", "Rent",
        "--reason", "kept",
    )  # fmt: skip
    kept = ("categories", "rules", "party_links", "party_splits", "party_names")
    before = {table: decisions(firm, table) for table in kept}
    shown = "select transaction_id, account_id, category_source from transactions order by all"
    lines = firm.query(shown)
    for words in (("--rebuild",), ("--full",)):
        said(firm, "sync", client, *words)
        assert {table: decisions(firm, table) for table in kept} == before
        assert firm.query(shown) == lines
    assert [row["rule_id"] for row in records(firm, "rules", "list", client)] == [rule["rule_id"]]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["rules", "add", "CLIENT", "--account", "Rent", "--reason", "x"], "a party, a text"),
        (["rules", "add", "CLIENT", "--account", "Nonesuch", "--text", "x", "--reason", "x"],
         "bill-pipeline query"),
        (["rules", "test", "CLIENT", "--account", "Accounts Payable", "--text", "x"],
         "names no single account"),
        (["rules", "remove", "CLIENT", "rule-99"], "rules list"),
        (["rules", "change", "CLIENT", "rule-9", "--priority", "1", "--reason", "x"], "rules list"),
        (["rules", "list", "nobody"], "connect nobody"),
        (["rules", "add", "CLIENT", "--text", "x", "--account", "Rent", "--reason", "x", "--from",
          "2026-02-01", "--to", "2026-01-01"], "fit no day"),
        (["parties", "merge", "CLIENT", "Nobody Inc", "Nobody Ltd"], "parties list"),
        (["parties", "list", "nobody"], "connect nobody"),
        (["review", "--client", "nobody"], "connect nobody"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_the_remedy(
    firm: Firm, words: list[str], remedy: str
) -> None:
    result = firm.run(*(firm.client if word == "CLIENT" else word for word in words))
    assert result.exit_code == 1, result.output
    assert remedy in result.output.replace("\n", " ")
    assert isinstance(result.exception, SystemExit)
