"""Other tools know one type per account: their statements are ours all the same."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bill_pipeline.actions.retyping import move
from bill_pipeline.exports import export
from bill_pipeline.exports.books import read_books
from bill_pipeline.exports.names import plain_text_names, quickbooks_names, xero_codes
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.settings import Home
from tests.console.invented_books import make_books, retype_rent

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]

CLIENT = "maple-bakery"


def by_type(home: Home) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Account type → balance, debit positive: of what is exported, and of the statements."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    with open_ledger(home) as ledger:
        books = read_books(ledger, CLIENT)
        ours = ledger.execute(
            """
            select account_type, sum(balance) from balance_sheet
            where client = $client and account_id not like 'earnings:%' group by all
            union all
            select account_type, sum(-net_income) from profit_and_loss
            where client = $client group by all
            """,
            {"client": CLIENT},
        ).fetchall()
    for account_id, balance in books.balances.items():
        sums[books.accounts_by_id[account_id].account_type] += balance
    return {key: total for key, total in sums.items() if total}, {k: v for k, v in ours if v}


def test_what_stands_under_an_old_type_is_an_account_of_its_own(tmp_path: Path) -> None:
    home = make_books(tmp_path / "home")
    retype_rent(home, CLIENT)
    exported, ours = by_type(home)
    assert exported == ours
    assert exported["Asset"] == Decimal("4800.00")
    with open_ledger(home) as ledger:
        accounts = read_books(ledger, CLIENT).accounts
    assert plain_text_names(accounts)["RENT"] == "Assets:6100 Rent"
    assert plain_text_names(accounts)["RENT:Expense"] == "Expenses:Rent Expense"
    # The account of now is found by the name and number that it has in the other chart.
    assert quickbooks_names(accounts)["RENT"] == "Rent"
    assert quickbooks_names(accounts)["RENT:Expense"] == "Rent (Expense)"
    assert xero_codes(accounts)["RENT"] == "6100"
    assert xero_codes(accounts)["RENT:Expense"] == "Rent (Expense)"
    move(home, CLIENT, "RENT", date(2026, 2, 1), by="test", reason="capitalized")
    exported, ours = by_type(home)
    assert exported == ours
    assert exported["Asset"] == Decimal("7200.00")
    with export(home, CLIENT, "csv", tmp_path / "journal.csv").open(encoding="utf-8") as file:
        rent = [row for row in csv.DictReader(file) if row["account_id"] == "RENT"]
    moved = [row for row in rent if row["document_type"] == "reclassification"]
    assert [(row["account_type"], row["debit"], row["credit"]) for row in moved] == [
        ("Asset", "2400.00", ""),
        ("Expense", "", "2400.00"),
    ]
