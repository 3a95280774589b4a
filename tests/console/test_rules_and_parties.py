"""Rules and parties in the console: made, tried, ended, taken back, and in the books at once."""

from __future__ import annotations

from typing import Any

import pytest

from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from tests.console.console_browser import Browser, signed_in

pytestmark = pytest.mark.rotating(days=4)

CLIENT = "maple-bakery"
RULES, PARTIES = f"/clients/{CLIENT}/rules", f"/clients/{CLIENT}/parties"
TELCO = {"party": "Ringwell", "account": "6200 Telephone", "reason": "their lines are telephones"}


@pytest.fixture
def bookkeeper(books_console: Console) -> Browser:
    return signed_in(books_console, Role.BOOKKEEPER)


def rows(console: Console, sql: str) -> list[dict[str, Any]]:
    with console.ledger.reading([CLIENT]) as books:
        return books.rows(sql)


def sources(console: Console) -> set[tuple[str, str]]:
    found = rows(
        console,
        "select category_source, account_id from transactions "
        "where party = 'Ringwell' and bill_account_id is null",
    )
    return {(row["category_source"], row["account_id"]) for row in found}


@pytest.mark.slow
def test_a_rule_is_tried_made_ended_and_taken_back(
    books_console: Console, bookkeeper: Browser
) -> None:
    before = sources(books_console)
    tried = bookkeeper.post(RULES, {**TELCO, "do": "try"})
    assert "It fits 3 lines and would decide 2. Nothing was recorded." in tried.text
    assert 'value="6200 Telephone"' in tried.text
    assert sources(books_console) == before
    assert bookkeeper.post(RULES, {**TELCO, "do": "add"}).status_code == 303
    assert sources(books_console) == {("rule", "PHONE")}
    page = bookkeeper.get(RULES).text
    assert "are of Ringwell" in page
    assert "their lines are telephones" in page
    # Its first line was in January: what it decided up to then stays.
    end = {"do": "end", "last": "2026-02-28", "reason": "a new contract"}
    assert bookkeeper.post(f"{RULES}/rule-1", end).status_code == 303
    assert ("rule", "PHONE") in sources(books_console)
    assert len(sources(books_console)) == 2
    assert bookkeeper.post(f"{RULES}/rule-1", {"do": "remove"}).status_code == 303
    assert ("rule", "PHONE") not in sources(books_console)
    assert "No rule yet." in bookkeeper.get(RULES).text
    actions = [entry.action for _number, entry in books_console.audit.latest(limit=3)]
    assert actions == ["changed a rule", "changed a rule", "made a rule"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"account": "no such account"}, "names no account of this client"),
        ({"party": "Nobody at all"}, "names no single vendor or customer"),
        ({"party": ""}, "A rule needs a party, a text or an amount"),
        ({"amount_from": "1,0x"}, "is no amount"),
        ({"valid_from": "yesterday"}, "is not a day"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_everything_kept_as_typed(
    books_console: Console, bookkeeper: Browser, changes: dict[str, str], problem: str
) -> None:
    answer = bookkeeper.post(RULES, {**TELCO, **changes, "do": "add"})
    assert answer.status_code == 422
    assert problem in answer.text
    assert 'value="their lines are telephones"' in answer.text
    assert not rows(books_console, "from rules")


def test_a_rule_that_does_not_stand_cannot_be_changed(bookkeeper: Browser) -> None:
    answer = bookkeeper.post(f"{RULES}/rule-7", {"do": "remove"})
    assert answer.status_code == 409
    assert "No rule" in answer.text


@pytest.mark.slow
def test_parties_are_merged_renamed_split_and_undone(
    books_console: Console, bookkeeper: Browser
) -> None:
    def groups() -> list[tuple[str, int]]:
        found = rows(
            books_console,
            "select firm_party, count(*) as n from parties where firm_party_id is not null "
            "group by firm_party_id, firm_party order by n desc, firm_party",
        )
        return [(row["firm_party"], row["n"]) for row in found]

    amounts = "select sum(abs(amount)) as n from journal_lines"
    before, money = groups(), rows(books_console, amounts)
    merge = {"do": "merge", "party": "Old Mill", "other": "Ringwell", "reason": "bought"}
    assert bookkeeper.post(PARTIES, merge).status_code == 303
    assert groups()[0][1] == 2
    rename = {"do": "rename", "party": "Old Mill", "name": "Mill & Wire"}
    assert bookkeeper.post(PARTIES, rename).status_code == 303
    assert groups()[0] == ("Mill & Wire", 2)
    assert "Mill &amp; Wire" in bookkeeper.get(f"{PARTIES}?search=wire").text
    assert bookkeeper.post(PARTIES, {"do": "undo"}).status_code == 303
    assert groups()[0][0] != "Mill & Wire"
    assert bookkeeper.post(PARTIES, {**merge, "do": "split"}).status_code == 303
    assert groups() == before
    assert rows(books_console, amounts) == money
    assert "decided about parties" in signed_in(books_console, Role.ADMIN).get("/audit").text


def test_pairs_are_looked_for_and_what_names_nobody_is_refused(bookkeeper: Browser) -> None:
    assert "One party or two?" in bookkeeper.post(f"{PARTIES}/likely").text
    answer = bookkeeper.post(PARTIES, {"do": "merge", "party": "Old Mill", "other": "nobody"})
    assert answer.status_code == 422
    assert "names no single vendor or customer" in answer.text
    assert bookkeeper.post(PARTIES, {"do": "rename", "party": "Old Mill"}).status_code == 422
    assert bookkeeper.post(PARTIES, {"party": "Old Mill", "other": "Ringwell"}).status_code == 422


def test_a_viewer_reads_them_and_is_offered_no_form(books_console: Console) -> None:
    viewer = signed_in(books_console, Role.VIEWER)
    for path in (RULES, PARTIES):
        page = viewer.get(path)
        assert page.status_code == 200
        assert page.text.count("<form") == (2 if path == PARTIES else 1)  # search, signing out
