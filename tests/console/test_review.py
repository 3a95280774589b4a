"""The review queue: one answer settles a group, shows in the ledger at once, and can be undone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bill_pipeline.actions import deciding
from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from bill_pipeline.console.queries.review_queue import (
    Account,
    UnknownAccount,
    account_named,
    read_queue,
)
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import Registry
from tests.console.console_browser import Browser, signed_in

CLIENT = "maple-bakery"
MILL = f"mill-{CLIENT}"


def rows(console: Console, sql: str, *values: Any) -> list[dict[str, Any]]:
    with console.ledger.reading(["maple-bakery", "cedar-dental"]) as books:
        return books.rows(sql, list(values))


def asked(console: Console) -> list[dict[str, Any]]:
    return rows(
        console,
        "select * from transactions where client = ? and needs_review order by transaction_id",
        CLIENT,
    )


def group_form(page: str, party: str) -> dict[str, str]:
    """The fields of the group of ``party`` as the page holds them."""
    for part in page.split('<li class="group"')[1:]:
        if party in part:
            key = re.search(r'data-group="(\w+)"', part)
            lines = re.search(r'name="lines-\w+" value="([^"]+)"', part)
            account = re.search(r'name="account-\w+"[^>]*?value="([^"]*)"', part, re.DOTALL)
            assert key
            assert lines
            assert account
            gid = key.group(1)
            return {
                "key": gid,
                "do": f"accept:{gid}",
                f"client-{gid}": CLIENT,
                f"lines-{gid}": lines.group(1),
                f"account-{gid}": account.group(1),
            }
    raise AssertionError(f"no group of {party}")


@pytest.fixture
def bookkeeper(books_console: Console) -> Browser:
    return signed_in(books_console, Role.BOOKKEEPER)


def test_the_books_ask_about_uncoded_lines_only(books_console: Console) -> None:
    assert asked(books_console)
    assert all(line["bill_account_id"] is None for line in asked(books_console))


@pytest.mark.slow
def test_one_answer_settles_all_lines_of_a_group_and_is_posted_at_once(
    books_console: Console, bookkeeper: Browser
) -> None:
    before = asked(books_console)
    party = before[0]["party"]
    form = group_form(bookkeeper.get(f"/clients/{CLIENT}/review").text, party)
    gid = form["key"]
    form[f"account-{gid}"] = "6300 Small Equipment"
    answer = bookkeeper.post("/review", form)
    assert answer.status_code == 303
    ids = form[f"lines-{gid}"].split()
    after = rows(
        books_console,
        "select * from transactions where client = ? and transaction_id in "
        "(select unnest(?::varchar[]))",
        CLIENT,
        ids,
    )
    assert {(line["category_source"], line["account_id"]) for line in after} == {
        ("person", "TOOLS")
    }
    balance = rows(
        books_console,
        "select sum(amount) as n from journal_lines where client = ? and account_id = 'TOOLS'",
        CLIENT,
    )
    assert balance[0]["n"] == sum(line["amount"] for line in after)
    assert Registry(books_console.home).status(CLIENT).review_count == len(before) - len(ids)
    kinds = rows(
        books_console,
        "select distinct entry_kind from journal_entries where client = ? and document_id = ?",
        CLIENT,
        after[0]["document_id"],
    )
    assert {row["entry_kind"] for row in kinds} == {"posting", "reversal"}


@pytest.mark.slow
def test_undo_puts_back_what_was_before_and_keeps_the_history(
    books_console: Console, bookkeeper: Browser
) -> None:
    before = asked(books_console)
    form = group_form(bookkeeper.get(f"/clients/{CLIENT}/review").text, before[0]["party"])
    form[f"account-{form['key']}"] = "6300"
    bookkeeper.post("/review", form)
    page = bookkeeper.get(f"/clients/{CLIENT}/review").text
    undo = re.search(r'action="(/clients/[^"]+/undo/\d+)"', page)
    assert undo
    assert bookkeeper.post(undo.group(1)).status_code == 303
    assert asked(books_console) == before
    line = form[f"lines-{form['key']}"].split()[0]
    history = bookkeeper.get(f"/clients/{CLIENT}/lines/{line}").text
    assert "withdrawn" in history
    assert "bookkeeper-person" in history
    assert bookkeeper.post(undo.group(1)).status_code == 409  # only once
    old = bookkeeper.post(f"/clients/{CLIENT}/undo/17")  # offered by a console of 0.2
    assert (old.status_code, "left to undo" in old.text) == (409, True)


@pytest.mark.slow
def test_a_rule_decides_the_partys_lines_from_then_on(
    books_console: Console, bookkeeper: Browser
) -> None:
    groups = asked(books_console)
    party = groups[0]["party"]
    form = group_form(bookkeeper.get(f"/clients/{CLIENT}/review").text, party)
    gid = form["key"]
    form |= {f"account-{gid}": "6300 Small Equipment", f"rule-{gid}": "yes"}
    bookkeeper.post("/review", form)
    left = [line for line in asked(books_console) if line["party"] == party]
    assert not left
    sources = rows(
        books_console,
        "select distinct category_source from transactions where client = ? and party = ?",
        CLIENT,
        party,
    )
    assert {row["category_source"] for row in sources} >= {"person"}


def test_ask_later_hides_lines_for_a_while_and_decides_nothing(
    books_console: Console, bookkeeper: Browser
) -> None:
    before = asked(books_console)
    party = before[0]["party"]
    form = group_form(bookkeeper.get(f"/clients/{CLIENT}/review").text, party)
    form["do"] = f"later:{form['key']}"
    bookkeeper.post("/review", form)
    page = bookkeeper.get(f"/clients/{CLIENT}/review").text
    assert form[f"lines-{form['key']}"] not in page
    assert asked(books_console) == before
    undo = re.search(r'action="(/clients/[^"]+/undo/\d+)"', page)
    assert undo
    assert bookkeeper.post(undo.group(1)).status_code == 303
    assert form[f"lines-{form['key']}"] in bookkeeper.get(f"/clients/{CLIENT}/review").text
    assert bookkeeper.post(undo.group(1)).status_code == 409


def test_an_unknown_account_changes_nothing_and_says_so(
    books_console: Console, bookkeeper: Browser
) -> None:
    before = asked(books_console)
    form = group_form(bookkeeper.get(f"/clients/{CLIENT}/review").text, before[0]["party"])
    form[f"account-{form['key']}"] = "no such account"
    answer = bookkeeper.post("/review", form)
    assert answer.status_code == 409
    assert "names no account of this client" in answer.text
    assert asked(books_console) == before


def test_control_accounts_are_not_offered(books_console: Console, bookkeeper: Browser) -> None:
    page = bookkeeper.get(f"/clients/{CLIENT}/review").text
    offered = re.findall(r'<option value="([^"]+)">', page)
    assert "6100 Rent" in offered
    assert not [label for label in offered if "Accounts Payable" in label or "Checking" in label]


def test_a_decision_waits_for_a_running_sync_and_then_says_that_it_was_not_made(
    books_console: Console, bookkeeper: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "PATIENCE_SECONDS", 0.0)
    before = asked(books_console)
    form = group_form(bookkeeper.get(f"/clients/{CLIENT}/review").text, before[0]["party"])
    form[f"account-{form['key']}"] = "6300"
    with client_lock(books_console.home, CLIENT, "synced"):
        answer = bookkeeper.post("/review", form)
    assert answer.status_code == 409
    assert "books are being synced" in answer.text
    assert asked(books_console) == before


@pytest.mark.slow
def test_any_line_can_be_moved_by_a_person_even_one_that_bill_coded(
    books_console: Console, bookkeeper: Browser
) -> None:
    line = f"bill:00n-{CLIENT}-1:line-{CLIENT}-1-1"
    path = f"/clients/{CLIENT}/lines/{line}"
    answer = bookkeeper.post(path, {"account": "6300 Small Equipment", "reason": "a safe"})
    assert answer.status_code == 303
    found = rows(books_console, "select * from transactions where transaction_id = ?", line)
    assert (found[0]["category_source"], found[0]["account_id"]) == ("person", "TOOLS")
    assert "a safe" in bookkeeper.get(path).text


@pytest.mark.parametrize("typed", ["6100 Rent", "6100", "rent", "RENT", "6100 re"])
def test_an_account_is_found_by_label_number_name_id_or_a_part(typed: str) -> None:
    accounts = [
        Account("RENT", "6100 Rent", "6100", "Rent"),
        Account("PHONE", "6200 Telephone", "6200", "Telephone"),
    ]
    assert account_named(typed, accounts).account_id == "RENT"


@pytest.mark.parametrize("typed", ["", "6", "nothing like it"])
def test_what_fits_no_account_or_several_is_refused(typed: str) -> None:
    accounts = [
        Account("RENT", "6100 Rent", "6100", "Rent"),
        Account("PHONE", "6200 Telephone", "6200", "Telephone"),
    ]
    with pytest.raises(UnknownAccount):
        account_named(typed, accounts)


def test_a_client_published_by_an_earlier_version_is_asked_about_too(
    books_console: Console,
) -> None:
    """Its published questions have no lines yet, only their ids."""
    with books_console.ledger.reading([CLIENT]) as books:
        today = read_queue(books, [CLIENT], set())
        books.rows(
            "create temp table review_questions as "
            "select * replace (null::struct(transaction_id varchar, date date, "
            "description varchar, amount decimal(18, 2))[] as lines) from review_questions"
        )
        before = read_queue(books, [CLIENT], set())
        first = before.groups[0].transaction_ids[0]
        without_one = read_queue(books, [CLIENT], {(CLIENT, first)})
    assert today.line_count == before.line_count == without_one.line_count + 1
    assert [group.amount for group in before.groups] == [group.amount for group in today.groups]
