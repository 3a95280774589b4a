"""Every format is deterministic, exact and safe to open."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest
from click.testing import CliRunner
from dagster_duckdb import DuckDBResource

from bill_pipeline.actions.review import LINE_COLUMNS, read_answers, write_lines
from bill_pipeline.cli import main
from bill_pipeline.dagster.ledger_resource import PublishedLedger
from bill_pipeline.dagster.statements import write_statement
from bill_pipeline.exports import FORMATS, ExportRefused, export, notes_of
from bill_pipeline.exports.books import Account, read_books
from bill_pipeline.exports.names import beancount_names, plain_text_names
from bill_pipeline.exports.parquet import FolderInUse
from bill_pipeline.exports.spreadsheets import guarded, may_run
from bill_pipeline.registry.client_errors import UnknownClient
from bill_pipeline.settings import Home
from tests.exports.invented_books import published_home

pytestmark = pytest.mark.slow


def contents(path: Path) -> dict[str, bytes]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("format_name", FORMATS)
def test_the_same_books_give_the_same_bytes(home: Home, tmp_path: Path, format_name: str) -> None:
    first = contents(export(home, "bakery", format_name, tmp_path / "1" / "books"))
    again = contents(export(home, "bakery", format_name, tmp_path / "2" / "books"))
    assert first == again


@pytest.mark.rotating(days=4)
@pytest.mark.slow
def test_books_built_again_elsewhere_give_the_same_text(home: Home, tmp_path: Path) -> None:
    other = published_home(Home.at(tmp_path / "other"), {"bakery": 1})
    for format_name in ("hledger", "beancount", "csv", "quickbooks", "xero"):
        here = export(home, "bakery", format_name, tmp_path / "here").read_bytes()
        assert export(other, "bakery", format_name, tmp_path / "there").read_bytes() == here


def test_the_journal_csv_has_every_line_and_balances(
    home: Home, ledger: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    lines = rows(export(home, "bakery", "csv", tmp_path / "journal.csv"))
    count, debits = ledger.execute(
        "select count(*), sum(debit) from journal_lines where client = 'bakery'"
    ).fetchall()[0]
    assert len(lines) == count
    assert sum(Decimal(line["debit"] or 0) for line in lines) == debits
    assert sum(Decimal(line["credit"] or 0) for line in lines) == debits


def test_quickbooks_gets_balanced_entries_with_short_numbers(home: Home, tmp_path: Path) -> None:
    lines = rows(export(home, "bakery", "quickbooks", tmp_path / "journal.csv"))
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        assert len(line["JournalNo"]) <= 21
        assert re.fullmatch(r"[01]\d/[0-3]\d/202\d", line["JournalDate"])
        assert bool(line["Debits"]) != bool(line["Credits"])
        if line["AccountName"] == "Accounts Payable":
            assert line["Name"], "QuickBooks refuses a payables line without a vendor"
        sums[line["JournalNo"]] += Decimal(line["Debits"] or 0) - Decimal(line["Credits"] or 0)
    assert len(sums) > 100
    assert set(sums.values()) == {Decimal(0)}


def test_xero_gets_one_balanced_journal_per_entry(home: Home, tmp_path: Path) -> None:
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in rows(export(home, "bakery", "xero", tmp_path / "journal.csv")):
        sums[line["*Narration"], line["*Date"]] += Decimal(line["*Amount"])
    assert len(sums) > 100
    assert set(sums.values()) == {Decimal(0)}


def test_part_of_the_journal_can_be_exported_for_an_import(home: Home, tmp_path: Path) -> None:
    month = export(
        home, "bakery", "csv", tmp_path / "march.csv",
        first_day=date(2025, 3, 1), last_day=date(2025, 3, 31),
    )  # fmt: skip
    days = {line["date"] for line in rows(month)}
    assert days
    assert min(days) >= "2025-03-01"
    assert max(days) <= "2025-03-31"


def test_books_without_their_beginning_are_refused(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="--from"):
        export(home, "bakery", "hledger", tmp_path / "x", first_day=date(2025, 3, 1))


@pytest.mark.parametrize("format_name", ["csv", "quickbooks", "xero"])
def test_no_cell_of_a_csv_can_run_as_a_formula(
    home: Home, tmp_path: Path, format_name: str
) -> None:
    path = export(home, "bakery", format_name, tmp_path / "journal.csv")
    text = path.read_text(encoding="utf-8")
    assert "cmd|" in text, "the invented books have such a vendor"
    kept = {row["name"] for row in rows(notes_of(path))} if notes_of(path).exists() else set()
    for line in rows(path):
        for value in line.values():
            listed = guarded(value) in kept
            assert listed or not may_run(value)
            assert listed or not value.startswith(("=", "@", "\t", "\r"))


def test_the_workbook_has_real_amounts_and_dates(
    home: Home, ledger: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(export(home, "bakery", "xlsx", tmp_path / "books.xlsx"))
    assert book.sheetnames[:4] == ["About", "Trial balance", "Profit and loss", "Balance sheet"]
    journal = book["Journal"]
    headings = [cell.value for cell in journal[1]]
    debit, day = headings.index("Debit"), headings.index("Date")
    total = Decimal(0)
    for row in journal.iter_rows(min_row=2):
        assert row[day].is_date
        if row[debit].value is not None:
            assert "#,##0.00" in row[debit].number_format
            total += Decimal(str(row[debit].value))
    expected = ledger.execute(
        "select sum(debit) from journal_lines where client = 'bakery'"
    ).fetchall()[0][0]
    assert total == expected


def test_no_cell_of_the_workbook_is_a_formula(home: Home, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(export(home, "bakery", "xlsx", tmp_path / "books.xlsx"))
    texts = [
        cell
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and cell.value.startswith("=")
    ]
    assert texts, "the invented books have a vendor whose name begins with ="
    assert {cell.data_type for cell in texts} == {"s"}


def test_no_cell_of_a_monthly_statement_is_a_formula(home: Home) -> None:
    path, _rows = write_statement(
        PublishedLedger(home=str(home.path)), home, "bakery", date(2024, 1, 1), date(2026, 12, 31)
    )
    cells = [c for s in openpyxl.load_workbook(path) for row in s.iter_rows() for c in row]
    assert [c for c in cells if str(c.value).startswith("=")], "a vendor's name begins with ="
    assert not [c.coordinate for c in cells if c.data_type == "f"]


def test_the_ledger_is_a_duckdb_resource_that_only_reads(home: Home) -> None:
    ledger: DuckDBResource = PublishedLedger(home=str(home.path))
    with ledger.get_connection() as connection:
        assert connection.sql("from accounts").fetchall()
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("create table ledger.mine as select 1 as one")
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("select 1")


def test_no_cell_of_a_file_to_review_is_a_formula_and_its_ids_come_back(tmp_path: Path) -> None:
    row = dict.fromkeys(LINE_COLUMNS, "=1+1")
    path = tmp_path / "answers.csv"
    write_lines([row], path)
    assert not [value for line in rows(path) for value in line.values() if may_run(value)]
    (answer,) = read_answers(path.read_text(), path.name)
    assert (answer["document_id"], answer["line_id"]) == ("=1+1", "=1+1")


def test_parquet_holds_one_client_only(home: Home, tmp_path: Path) -> None:
    folder = export(home, "bakery", "parquet", tmp_path / "tables")
    found = duckdb.sql(f"select distinct client from '{folder}/journal_lines.parquet'").fetchall()
    assert found == [("bakery",)]
    (folder / "other.txt").write_text("kept")
    with pytest.raises(FolderInUse):
        export(home, "bakery", "parquet", folder)


def test_accounts_of_one_name_stay_apart() -> None:
    accounts = [
        Account("A1", None, "Software", "Expense"),
        Account("A2", None, "Software", "Expense"),
        Account("A3", "6200", "Software; Hosting: all", "Expense"),
        Account("A4", None, "ßtraße", "Revenue"),
        Account("A5", None, "::", "Asset"),
        Account("A6", None, "日本", "Equity"),
    ]
    assert plain_text_names(accounts) == {
        "A1": "Expenses:Software A1",
        "A2": "Expenses:Software A2",
        "A3": "Expenses:6200 Software Hosting all",
        "A4": "Income:ßtraße",
        "A5": "Assets:Unnamed",
        "A6": "Equity:日本",
    }
    assert len(set(beancount_names(accounts).values())) == 6
    assert beancount_names(accounts)["A1"] == "Expenses:Software-A1"


def test_an_unknown_client_leaves_no_file(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UnknownClient):
        export(home, "nobody", "csv", tmp_path / "nobody.csv")
    assert list(tmp_path.iterdir()) == []


def test_entries_come_in_the_order_of_their_dates(ledger: duckdb.DuckDBPyConnection) -> None:
    entries = read_books(ledger, "bakery").entries
    assert [e.date for e in entries] == sorted(e.date for e in entries)
    assert all(sum(line.amount for line in entry.lines) == 0 for entry in entries)


def test_the_command_names_the_file_after_the_client(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(
        main, ["export", "bakery", "--format", "beancount", "--home", str(home.path)]
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "bakery.beancount").exists()
