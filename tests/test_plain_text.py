"""What SQL takes for one text is what the models take for one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bill_pipeline.decisions.rules import add_rule
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.plain_text import add_functions, plain_number, plain_text
from models.normalize import text_key
from tests.ledger.company import new_company

#: What a VARCHAR can hold: half a surrogate never comes so far.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
spaces = st.text(" \t\n\u00a0\u2003", min_size=1, max_size=3)


@pytest.fixture(scope="module")
def books() -> Iterator[duckdb.DuckDBPyConnection]:
    with new_company() as company:
        yield company.connection


@given(text=texts)
def test_sql_and_python_agree_on_every_text(books: duckdb.DuckDBPyConnection, text: str) -> None:
    found = books.execute("select plain_text($1), plain_number($1)", [text]).fetchone()
    assert found == (plain_text(text), plain_number(text))


@given(text=texts)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert plain_text(plain_text(text)) == plain_text(text)


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_texts_that_are_one_for_the_rules_are_one_for_the_model(text: str) -> None:
    """The model leaves out digits and punctuation besides."""
    assert text_key(plain_text(text)) == text_key(text)


@given(
    words=st.lists(st.sampled_from(["Café", "ＤＥＬＩＶＥＲＹ", "4711", "Straße"])), space=spaces
)
def test_spaces_case_and_accents_make_no_other_text(words: list[str], space: str) -> None:
    written = [
        {"Café": "CAFE\u0301", "ＤＥＬＩＶＥＲＹ": "delivery", "Straße": "STRASSE"}.get(w, w)
        for w in words
    ]
    assert plain_text(space.join(words)) == plain_text(" ".join(written))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0041277", "41277"), ("INV-0041277", "inv 41277"), ("12/0007", "12-0007"),
        ("４１２７７", "41277"), ("A_1", "a1"), ("000", "0"), ("INV-00123", "inv123"),
        ("INV 123", "inv123"), ("INV-2026-01", "inv 2026/1"), ("No. 2026 - 7", "no 2026_07"),
    ],
)  # fmt: skip
def test_spellings_of_one_bill_number_are_one(one: str, other: str) -> None:
    assert plain_number(one) == plain_number(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("100", "1"), ("1002", "102"), ("Счет-12", "Акт-12"), ("1-23", "12-3"), ("1-0", "10")],
)
def test_other_bill_numbers_stay_others(one: str, other: str) -> None:
    assert plain_number(one) != plain_number(other)


def test_a_file_opened_twice_keeps_its_functions() -> None:
    with new_company() as company:
        add_functions(company.connection)
        assert company.rows("select plain_text('A  B')") == [("a b",)]


@pytest.mark.parametrize("text", ["", "  ", "\u200b", "\u00a0\t"])
def test_a_rule_for_a_text_that_nobody_sees_is_refused(
    books: duckdb.DuckDBPyConnection, text: str
) -> None:
    with pytest.raises(DecisionRefused, match="can be seen"):
        add_rule(
            books, account_id="rent", description_contains=text,
            decided_at=datetime.fromisoformat("2026-02-01"), decided_by="a test",
        )  # fmt: skip
