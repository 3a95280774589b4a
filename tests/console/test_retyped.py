"""A balance under an old type is shown, moved, kept and taken back: pages and commands."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from bill_pipeline.cli import main
from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.settings import Home
from tests.console.console_browser import Browser, signed_in
from tests.console.invented_books import retype_rent

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]

CLIENT = "maple-bakery"
PATH = f"/clients/{CLIENT}/retyped"
RENT = Decimal("2400.00")


@pytest.fixture
def retyped(books_home: Home) -> Home:
    """Rent became an asset after January was closed with 2,400.00 of it."""
    retype_rent(books_home, CLIENT)
    return books_home


@pytest.fixture
def bookkeeper(retyped: Home, books_console: Console) -> Browser:
    return signed_in(books_console, Role.BOOKKEEPER)


def run(home: Home, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["retyped", CLIENT, *arguments, "--home", str(home.path)])
    return result.exit_code, result.output


def entry(home: Home) -> list[tuple[Any, ...]]:
    """What stands of it, by day, account and the day whose type counts."""
    with open_ledger(home) as ledger:
        return ledger.execute(
            "select date, account_id, type_date, sum(amount) from journal_lines "
            "where client = ? and document_type = 'reclassification' "
            "group by all having sum(amount) <> 0 order by sum(amount) desc",
            [CLIENT],
        ).fetchall()


def test_the_page_shows_the_entry_posts_it_and_takes_it_back(
    retyped: Home, books_console: Console, bookkeeper: Browser
) -> None:
    page = bookkeeper.get(f"/clients/{CLIENT}/close").text
    assert "1 balance under an old type." in page
    assert "6100 Rent (Asset)" in page
    assert "6100 Rent (Expense)" in page
    assert "What would be posted on 1 Feb 2026" in page
    later = bookkeeper.get(f"/clients/{CLIENT}/close?on=2027-02-01").text
    assert "Retained earnings" in later
    form = {"account": "RENT", "day": "2026-02-01", "amount": "2400.00", "action": "move",
            "reason": "capitalized"}  # fmt: skip
    stale = bookkeeper.post(PATH, {**form, "amount": "1.00"})
    assert (stale.status_code, "look at the entry again" in stale.text) == (409, True)
    closed = bookkeeper.post(PATH, {**form, "day": "2026-01-31"})
    assert (closed.status_code, "2026-02-01 or later" in closed.text) == (409, True)
    assert entry(retyped) == []
    assert bookkeeper.post(PATH, form).status_code == 303
    assert entry(retyped) == [
        (date(2026, 2, 1), "RENT", date(2026, 2, 1), RENT),
        (date(2026, 2, 1), "RENT", date(2026, 1, 31), -RENT),
    ]
    page = bookkeeper.get(f"/clients/{CLIENT}/close").text
    assert "under an old type.</b>" not in page
    assert "moved on 1 Feb 2026" in page
    with open_ledger(retyped) as ledger:
        ((posted,),) = ledger.execute(
            "select entry_id from journal_entries where document_type = 'reclassification'"
        ).fetchall()
    page = bookkeeper.get(f"/clients/{CLIENT}/entries/{posted}").text
    assert "under its type of 31 Jan 2026" in page
    assert f'href="/clients/{CLIENT}/close#retyped"' in page
    log = signed_in(books_console, Role.ADMIN).get("/audit").text
    assert "moved a balance under an old type" in log
    undo = {"account": "RENT", "first_day": "2026-02-01", "action": "undo"}
    assert bookkeeper.post(PATH, undo).status_code == 303
    assert entry(retyped) == []
    assert bookkeeper.post(PATH, undo).status_code == 409
    keep = {**form, "action": "keep"}
    assert bookkeeper.post(PATH, keep).status_code == 303
    assert "stays as it is" in bookkeeper.get(f"/clients/{CLIENT}/close").text
    assert entry(retyped) == []


def test_a_viewer_sees_the_entry_and_may_not_post_it(retyped: Home, books_console: Console) -> None:
    viewer = signed_in(books_console, Role.VIEWER)
    assert "Post this entry" not in viewer.get(f"/clients/{CLIENT}/close").text
    form = {"account": "RENT", "day": "2026-02-01", "amount": "2400.00", "action": "move"}
    assert viewer.post(PATH, form).status_code == 403
    assert entry(retyped) == []


def test_the_command_lists_moves_keeps_and_undoes(retyped: Home) -> None:
    code, text = run(retyped)
    assert code == 0
    assert text.strip() == (
        "6100 Rent: Asset since 2026-02-01; 2,400.00 stays Expense. --move would post on "
        "2026-02-01: debit 6100 Rent (Asset) 2,400.00, credit 6100 Rent (Expense) 2,400.00."
    )
    code, text = run(retyped, "--json")
    told = json.loads(text)
    assert (told["account_id"], told["amount"], told["day"]) == ("RENT", "2400.00", "2026-02-01")
    assert run(retyped, "6100", "--move")[0] == 2
    code, text = run(retyped, "6100", "--move", "--on", "2026-01-15", "--reason", "r")
    assert (code, "not of 2026-01-15" in text) == (1, True)
    code, text = run(retyped, "6100", "--move", "--on", "2026-03-15", "--reason", "capitalized")
    assert (code, "moved on 2026-03-15" in text) == (0, True), text
    assert [line[0] for line in entry(retyped)] == [date(2026, 3, 15)] * 2
    code, text = run(retyped)
    assert "2,400.00 moved on 2026-03-15" in text
    code, text = run(retyped, "Rent", "--undo", "--reason", "no")
    assert (code, entry(retyped)) == (0, []), text
    code, text = run(retyped, "RENT", "--keep", "--reason", "too small", "--json")
    assert json.loads(text)["amount"] == "2400.00"
    assert "stays as it is" in run(retyped)[1]
    code, text = run(retyped, "TOOLS", "--move", "--reason", "r")
    assert (code, "nothing stands under an old type" in text) == (1, True)
