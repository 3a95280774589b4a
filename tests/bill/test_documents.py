"""What is no JSON by the letter concerns the document it is in, never the page."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from bill_pipeline.bill.documents import parse_exactly, split_rows
from bill_pipeline.bill.lists import LISTS
from bill_pipeline.bill.pages import Query, read_page
from tests.bill.fake_bill import FakeBill, fake_api

GOOD = b'{"id": "good", "amount": 1.5}'


def read(document: bytes) -> dict[str, Any]:
    """The document as it is stored, read from a page that has a good one beside it."""
    body = b'{"results": [' + GOOD + b", " + document + b"]}"
    bill = FakeBill(httpx.Response(200, content=body))
    found = read_page(fake_api(bill), LISTS["bills"], Query())
    good, other = found.documents
    assert json.loads(good.text) == {"id": "good", "amount": 1.5}
    stored: dict[str, Any] = json.loads(other.text)
    return stored


@pytest.mark.parametrize(
    ("amount", "kept"),
    [
        (b"NaN", "NaN"),
        (b"-Infinity", "-Infinity"),
        (b"1e400", "1e400"),
        (b"1.005", 1.005),
        (b"999999999999999.99", "999999999999999.99"),
        (b"12345678901234.56", 12345678901234.56),
    ],
)
def test_a_number_that_no_float_holds_is_kept_as_text(amount: bytes, kept: object) -> None:
    assert read(b'{"id": "b", "amount": ' + amount + b"}")["amount"] == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (rb"half \ud83d of it", "half � of it"),
        (rb"whole \ud83d\ude00", "whole \U0001f600"),
        (rb"nul \u0000 and bell \u0007", "nul � and bell �"),
        (b"raw \x01 control", "raw � control"),
        (b"no UTF-8 \xff", "no UTF-8 �"),
        (rb"two\nlines", "two\nlines"),
    ],
)
def test_characters_that_are_none_are_marked_in_their_text(text: bytes, kept: str) -> None:
    assert read(b'{"id": "b", "description": "' + text + b'"}')["description"] == kept


def test_an_id_that_cannot_be_written_is_no_id() -> None:
    documents, strays = split_rows(parse_exactly(rb'[{"id": "a\ud83d"}, {"id": "b"}]'))
    assert [document.id for document in documents] == ["b"]
    assert len(strays) == 1


def test_a_body_that_was_cut_off_is_no_page() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        parse_exactly(b'{"results": [{"id": "a"')
