"""Fiscal year, account roles and opening balances, set in the console and on the command line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bill_pipeline.actions.book_settings import bring_in_balances, change_policies, change_role
from bill_pipeline.actions.deciding import close_through, reopen_from
from bill_pipeline.cli import main
from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.publishing.publish import publish
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.console.console_browser import Browser, signed_in
from tests.console.invented_books import put

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]

CLIENT = "maple-bakery"
PATH = f"/clients/{CLIENT}/settings"


@pytest.fixture
def bookkeeper(books_console: Console) -> Browser:
    return signed_in(books_console, Role.BOOKKEEPER)


def balances(console: Console) -> dict[str, Decimal]:
    with console.ledger.reading([CLIENT]) as books:
        rows = books.rows("select account_id, balance from trial_balance where balance <> 0")
    return {row["account_id"]: row["balance"] for row in rows}


def opening_form(day: str, **sides: str) -> dict[str, Any]:
    form = {name.replace("_", "-", 1): text for name, text in sides.items()}
    return {"cutover": day, **form}


def test_the_fiscal_year_is_changed_and_shown(bookkeeper: Browser) -> None:
    form = {"fiscal_year_end": "06-30", "home_currency": "USD", "book_bills_on": "approval",
            "sales_tax_on_cash_basis": "last"}  # fmt: skip
    assert bookkeeper.post(f"{PATH}/policies", form).status_code == 303
    page = bookkeeper.get(PATH).text
    assert 'value="06-30"' in page
    assert '<option value="approval" selected>' in page
    assert '<option value="last" selected>after the lines' in page
    refused = bookkeeper.post(f"{PATH}/policies", {"fiscal_year_end": "31-12"})
    assert refused.status_code == 409
    assert "MM-DD" in refused.text


def test_a_role_moves_what_is_posted_to_its_new_account(
    books_console: Console, bookkeeper: Browser
) -> None:
    before = balances(books_console)
    form = {"role": "uncategorized_expense", "account": "TOOLS"}
    assert bookkeeper.post(f"{PATH}/role", form).status_code == 303
    after = balances(books_console)
    (moved,) = before.keys() - after.keys()
    assert after["TOOLS"] == before[moved]
    assert after["AP"] == before["AP"]
    refused = bookkeeper.post(f"{PATH}/role", {"role": "ap_control", "account": "RENT"})
    assert refused.status_code == 409
    assert "Rent is one of the income statement" in refused.text


def test_a_bank_account_gets_its_ledger_account_in_the_settings(
    books_console: Console, bookkeeper: Browser
) -> None:
    before = balances(books_console)
    payment = {
        "id": "stp-second",
        "vendorId": "nobody",
        "amount": 40.0,
        "processDate": "2026-02-10",
        "onlinePayment": True,
        "singleStatus": "CLEARED",
        "fundingAccount": {"type": "BANK_ACCOUNT", "id": "second"},
    }
    with Warehouse.open(Registry(books_console.home), CLIENT) as warehouse:
        bank = {"id": "second", "bankName": "Second Bank", "chartOfAccountId": "0000"}
        put(warehouse, "bank_accounts", bank, utc_now())
        put(warehouse, "payments", payment, utc_now())
    change_policies(books_console.home, CLIENT, {"fiscal_year_end": "06-30"}, by="test")
    assert balances(books_console).get("BANK") == before.get("BANK")
    page = bookkeeper.get(PATH).text
    assert "Second Bank (bank account)" in page
    assert "none yet: (40.00) waits in clearing" in page
    told = CliRunner().invoke(main, ["settings", CLIENT, "--home", str(books_console.home.path)])
    assert "none yet: Second Bank" in told.output
    refused = bookkeeper.post(f"{PATH}/role", {"role": "bank:second", "account": "RENT"})
    assert "Rent is one of the income statement" in refused.text
    form = {"role": "bank:second", "account": "BANK"}
    assert bookkeeper.post(f"{PATH}/role", form).status_code == 303
    after = balances(books_console)
    assert after["BANK"] - before.get("BANK", Decimal(0)) == Decimal("-40.00")
    assert "none yet" not in bookkeeper.get(PATH).text


def test_opening_balances_are_booked_replaced_and_kept_as_typed_when_refused(
    books_console: Console, bookkeeper: Browser
) -> None:
    before = balances(books_console)
    form = opening_form("2025-12-31", debit_BANK="10,000.00", credit_TOOLS="400")
    assert bookkeeper.post(f"{PATH}/opening-balances", form).status_code == 303
    page = bookkeeper.get(PATH).text
    assert "9,600.00 is left in opening balance equity" in page
    assert 'name="debit-BANK" value="10,000.00"' in page
    after = balances(books_console)
    assert after["BANK"] - before.get("BANK", Decimal(0)) == Decimal("10000.00")
    # The form holds all balances: an account left out is taken out.
    bookkeeper.post(f"{PATH}/opening-balances", opening_form("2025-12-31", debit_BANK="9,000"))
    now = balances(books_console)
    assert now["BANK"] - before.get("BANK", Decimal(0)) == Decimal("9000.00")
    assert now.get("TOOLS") == before.get("TOOLS")
    for typed, problem in (
        ({"debit_BANK": "1,0x"}, "is no amount"),
        ({"debit_BANK": "1", "credit_BANK": "1"}, "a debit or a credit, not both"),
    ):
        answer = bookkeeper.post(f"{PATH}/opening-balances", opening_form("2025-12-31", **typed))
        assert answer.status_code == 422
        assert problem in answer.text
        assert f'value="{typed["debit_BANK"]}"' in answer.text
    assert balances(books_console) == now


def test_what_would_make_wrong_books_is_refused(books_home: Home) -> None:
    day, by = date(2025, 12, 31), {"by": "test"}
    with pytest.raises(DecisionRefused, match=r"its open documents 0\.00: -5\.00 apart"):
        bring_in_balances(books_home, CLIENT, day, {"AP": Decimal(-5)}, **by, reason="x")
    with pytest.raises(DecisionRefused, match="no account 'nothing'"):
        bring_in_balances(books_home, CLIENT, day, {"nothing": Decimal(5)}, **by, reason="x")
    with pytest.raises(DecisionRefused, match="no role 'chief'"):
        change_role(books_home, CLIENT, "chief", "BANK", **by, reason="x")
    with pytest.raises(DecisionRefused, match="organization_id cannot be changed"):
        change_policies(books_home, CLIENT, {"organization_id": "x"}, **by)
    bring_in_balances(books_home, CLIENT, day, {"BANK": Decimal(5)}, **by, reason="x")
    with pytest.raises(DecisionRefused, match="the books begin on 2025-12-31, not on 2025-11-30"):
        bring_in_balances(
            books_home, CLIENT, date(2025, 11, 30), {"BANK": Decimal(5)}, **by, reason="x"
        )
    with pytest.raises(DecisionRefused, match="YYYY-MM-DD"):
        change_policies(books_home, CLIENT, {"books_begin_on": "31.12.2025"}, **by)
    close_through(books_home, CLIENT, date(2026, 1, 31), by="test", reason="")
    with pytest.raises(DecisionRefused, match="reopen January 2026"):
        bring_in_balances(
            books_home, CLIENT, date(2026, 1, 1), {"BANK": Decimal(5)}, **by, reason="x"
        )
    with pytest.raises(DecisionRefused, match="closed through 2026-01-31"):
        change_policies(books_home, CLIENT, {"home_currency": "EUR"}, **by)
    moved = {"books_begin_on": "2026-01-31"}
    with pytest.raises(DecisionRefused, match=rf"bill-pipeline reopen {CLIENT} 2025-12"):
        change_policies(books_home, CLIENT, moved, **by)
    reopen_from(books_home, CLIENT, date(2025, 12, 1), by="test", reason="to begin later")
    change_policies(books_home, CLIENT, moved, **by)


def test_control_accounts_of_books_that_hold_everything_are_refused(books_home: Home) -> None:
    day, by = date(2026, 2, 28), {"by": "test"}
    close_through(books_home, CLIENT, date(2026, 1, 31), **by, reason="")
    with pytest.raises(DecisionRefused, match="--books-begin-on DAY"):
        bring_in_balances(books_home, CLIENT, day, {"AP": Decimal(-5)}, **by, reason="x")
    opening = bring_in_balances(books_home, CLIENT, day, {"BANK": Decimal(5)}, **by, reason="x")
    assert (opening.left, opening.begin, opening.documents) == (Decimal(5), None, {})


def test_the_first_balances_say_where_the_books_begin_and_what_is_open_opens(
    books_console: Console, bookkeeper: Browser
) -> None:
    day = "2026-02-28"
    with books_console.ledger.reading([CLIENT]) as books:
        row = books.row(
            "select sum(balance) as owed from trial_balance_at(?, report_date := ?) "
            "where account_id = 'AP'",
            [CLIENT, date(2026, 2, 28)],
        )
    owed = row["owed"] if row else None
    assert owed
    form = opening_form(day, debit_BANK="10,000.00", credit_AP="1.00")
    refused = bookkeeper.post(f"{PATH}/opening-balances", form)
    assert refused.status_code == 422
    assert f"its open documents {owed:,.2f}" in refused.text
    assert balances(books_console).keys() >= {"FLOUR", "RENT"}
    told = bookkeeper.post(f"{PATH}/opening-balances", form | {"accept_differences": "yes"})
    assert told.status_code == 303
    page = bookkeeper.get(PATH).text
    assert "The books begin on 2026-02-28 now" in page
    assert f"Accounts Payable opens with its documents: {owed:,.2f}." in page
    assert 'name="books_begin_on" value="2026-02-28"' in page
    assert 'name="credit-AP" value="1.00"' in page


def test_books_published_before_a_choice_existed_are_kept_by_its_default(
    books_home: Home, bookkeeper: Browser
) -> None:
    """After an upgrade pages and commands work before the first sync publishes the new column."""
    with Warehouse.open(Registry(books_home), CLIENT) as warehouse:
        warehouse.connection.execute(
            "create or replace table ledger.books as "
            "select * exclude (sales_tax_on_cash_basis) from ledger.books"
        )
    publish(Registry(books_home), [CLIENT])
    with open_ledger(books_home) as ledger:
        told = "select sales_tax_on_cash_basis from books where client = ?"
        assert ledger.execute(told, [CLIENT]).fetchall() == [(None,)]
    assert "Fiscal year" in bookkeeper.get(PATH).text
    shown = CliRunner().invoke(main, ["settings", CLIENT, "--home", str(books_home.path)])
    assert "sales tax on cash basis  shared" in shown.output


def test_the_command_line_does_the_same(books_home: Home, tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, [*arguments, "--home", str(books_home.path)])
        return result.exit_code, result.output

    chosen = ("--fiscal-year-end", "03-31", "--sales-tax-on-cash-basis", "last")
    code, text = run("settings", CLIENT, *chosen, "--role", "rounding=6300")
    assert code == 0, text
    assert "03-31" in text
    assert "sales tax on cash basis  last" in text
    assert "Small Equipment" in text
    file = tmp_path / "opening.csv"
    file.write_text('account,debit,credit\n1000,"1,200.00",\n6300,,200.00\n')
    arguments = ("opening-balances", CLIENT, str(file), "--on", "2025-12-31", "--reason", "old")
    code, text = run(*arguments)
    assert code == 0, text
    assert "2 opening balances booked on 2025-12-31" in text
    assert "1,000.00 is left in opening balance equity" in text
    assert "The books begin on 2025-12-31 now" in text
    file.write_text("account,debit,credit\n1000,1000,\n2000,,7\n")
    code, text = run(*arguments)
    assert code == 1
    assert "Accounts Payable -7.00, its open documents 0.00: -7.00 apart" in text
    code, text = run(*arguments, "--accept-differences")
    assert code == 0, text
    code, text = run("settings", CLIENT, "--books-begin-on", "")
    assert code == 0, text
    file.write_text("account,debit,credit\n1000,1,1\n")
    code, text = run(*arguments)
    assert code == 1
    assert "line 2: give one of debit, credit and amount" in text
