"""One BILL line split over several accounts, from the form to the published ledger and back."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from tests.console.console_browser import Browser, signed_in

pytestmark = pytest.mark.rotating(days=4)

CLIENT = "maple-bakery"
LINE = f"bill:00n-{CLIENT}-1:line-{CLIENT}-1-1"  # rent, 2,400.00, coded in BILL
PATH = f"/clients/{CLIENT}/lines/{LINE}"


@pytest.fixture
def bookkeeper(books_console: Console) -> Browser:
    return signed_in(books_console, Role.BOOKKEEPER)


def booked(console: Console) -> list[tuple[Any, ...]]:
    with console.ledger.reading([CLIENT]) as books:
        rows = books.rows(
            "select * from transactions where document_id = ? order by transaction_id",
            [f"00n-{CLIENT}-1"],
        )
    return [(r["account_id"], r["amount"], r["category_source"], r["part_count"]) for r in rows]


def split(browser: Browser, parts: list[tuple[str, str]], **more: str) -> Any:
    accounts, amounts = zip(*parts, strict=True)
    form = {"account": list(accounts), "amount": list(amounts), "do": "split", **more}
    return browser.post(f"{PATH}/split", form)


def undo_in(page: str) -> str:
    found = re.search(r'action="(/clients/[^"]+/undo/\d+)"', page)
    assert found
    return found.group(1)


@pytest.mark.slow
def test_a_split_is_booked_shown_changed_and_undone(
    books_console: Console, bookkeeper: Browser
) -> None:
    whole = booked(books_console)
    parts = [("6100 Rent", "2,000.10"), ("6300", "399.90"), ("", "")]
    assert split(bookkeeper, parts, reason="a safe came with the room").status_code == 303
    expected = [
        ("RENT", Decimal("2000.10"), "person", 2),
        ("TOOLS", Decimal("399.90"), "person", 2),
    ]
    assert booked(books_console) == expected
    first_undo = undo_in(bookkeeper.get("/clients").text)
    for path in (PATH, f"{PATH}:part-2"):
        page = bookkeeper.get(path).text
        assert "A person split this line: 2,400.00" in page
        assert "6100 Rent 2,000.10, 6300 Small Equipment 399.90" in page
        assert "a safe came with the room" in page
    split_page = bookkeeper.get(f"{PATH}/split").text
    assert 'value="2,000.10"' in split_page
    # The page's script reads what is to be shared out, in cents.
    assert re.search(r'data-total="-?\d+\.\d\d"', split_page)
    split(bookkeeper, [("6100", "2,410.00"), ("6300", "(10.00)")])
    assert [row[1] for row in booked(books_console)] == [Decimal("2410.00"), Decimal("-10.00")]
    bookkeeper.post(undo_in(bookkeeper.get("/clients").text))
    assert booked(books_console) == expected  # the split before comes back
    bookkeeper.post(f"{PATH}:part-2", {"account": "6200"})
    assert booked(books_console) == [("PHONE", Decimal("2400.00"), "person", 1)]
    bookkeeper.post(first_undo)
    assert booked(books_console) == whole


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([("6100", "2,000"), ("6300", "399.99")], "0.01 is left to share out"),
        ([("6100", "2,400.00")], "at least two parts"),
        ([("6100", "2,400.00"), ("6300", "0.00")], "A part of 0.00 is no part"),
        ([("6100", "1,200.005"), ("6300", "1,199.995")], "Part 1: “1,200.005” is no amount"),
        ([("6100", "NaN"), ("6300", "1")], "Part 1: “NaN” is no amount"),
        ([("6100", "1,200"), ("", "1,200")], "Part 2 has an amount and no account"),
        ([("6100", "1,200"), ("2000", "1,200")], "“2000” names no account"),
    ],
)
def test_parts_that_do_not_make_the_line_are_refused_beside_what_was_typed(
    books_console: Console, bookkeeper: Browser, parts: list[tuple[str, str]], problem: str
) -> None:
    whole = booked(books_console)
    answer = split(bookkeeper, parts)
    assert answer.status_code == 422
    assert problem in answer.text
    assert all(f'value="{amount}"' in answer.text for _account, amount in parts)
    assert booked(books_console) == whole


def test_an_unknown_department_is_refused(books_console: Console, bookkeeper: Browser) -> None:
    form = [("6100", "2,000.00"), ("6300", "400.00")]
    answer = split(bookkeeper, form, department_id="another client's")
    assert answer.status_code == 422
    assert "Part 1: another client&#39;s is not in BILL&#39;s list" in answer.text


def test_more_parts_keeps_what_was_typed(bookkeeper: Browser) -> None:
    answer = split(bookkeeper, [("6100", "1.00"), ("6300", "x")], do="more")
    assert answer.status_code == 200
    assert answer.text.count('name="amount"') == 6
    assert 'value="x"' in answer.text
