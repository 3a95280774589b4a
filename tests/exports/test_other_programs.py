"""What QuickBooks, Xero, beancount and spreadsheets each insist on, in books made by hand."""

from __future__ import annotations

import csv
import io
import sys
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bill_pipeline.actions.review import LINE_COLUMNS, read_answers, write_lines
from bill_pipeline.exports import FORMATS, ExportRefused, _require_years, xlsx
from bill_pipeline.exports.books import Account, Books, Entry, Line
from bill_pipeline.exports.journal_csv import write_journal, write_quickbooks, write_xero
from bill_pipeline.exports.names import beancount_names, plain_text_names, xero_codes
from bill_pipeline.exports.reports import ReportFile, report_as_csv
from bill_pipeline.exports.spreadsheets import guarded, may_run, unguarded

ACCOUNTS = (
    Account("bank", "1000", "Checking", "Asset"),
    Account("out", "1050", "BILL Money Out Clearing", "Asset", "money out clearing"),
    Account("ar", "1100", "Accounts Receivable", "Asset", "receivables"),
    Account("ap", "2000", "Accounts Payable", "Liability", "payables"),
    Account("ap2", "2001", "Other Payables", "Liability", "payables"),
    Account("rent", "6000", "Rent", "Expense"),
)


def line(account: str, amount: str, party: str | None = None, number: int = 1) -> Line:
    return Line(
        line_no=number, account_id=account, amount=Decimal(amount), currency="USD",
        amount_currency=Decimal(amount), party=party, description=f"line {number}", due_date=None,
        open_item_id=None, source_line_id=None, class_name=None, department_name=None,
        location_name=None,
    )  # fmt: skip


def books(
    *lines: Line, day: date = date(2026, 2, 1), accounts: Sequence[Account] = ACCOUNTS
) -> Books:
    entry = Entry(
        entry_id="0123456789abcdef0123456789abcdef", date=day, kind="posting", party="Paper Co",
        description="Bill", document_type="bill", document_id="B1", document_number="1",
        document_version=1, posted_at=datetime.fromisoformat("2026-02-01T12:00"),
        reverses_entry_id=None, lines=lines,
    )  # fmt: skip
    return Books("acme", "Acme", "USD", None, tuple(accounts), (entry,))


def written(write: object, of: Books) -> list[dict[str, str]]:
    out = io.StringIO(newline="")
    write(of, out)  # type: ignore[operator]
    return list(csv.DictReader(io.StringIO(out.getvalue())))


def journals(of: Books) -> dict[str, list[tuple[str, Decimal, str]]]:
    """Number → account, amount and name of each line."""
    found: dict[str, list[tuple[str, Decimal, str]]] = defaultdict(list)
    for row in written(write_quickbooks, of):
        amount = Decimal(row["Debits"] or 0) - Decimal(row["Credits"] or 0)
        found[row["JournalNo"]].append((row["AccountName"], amount, row["Name"]))
    return found


def test_a_payment_of_two_vendors_bills_is_two_journals() -> None:
    """100 + 200 to one vendor, 50 to another, from one bank: 300 and 50."""
    found = journals(books(
        line("ap", "100", "Paper Co"), line("ap", "200", "Paper Co"), line("ap", "50", "Lessor"),
        line("bank", "-350"),
    ))  # fmt: skip
    assert found == {
        "0123456789abcdef01234": [
            ("Accounts Payable", Decimal(300), "Paper Co"), ("Checking", Decimal(-300), ""),
        ],
        "0123456789abcdef012-2": [
            ("Accounts Payable", Decimal(50), "Lessor"), ("Checking", Decimal(-50), ""),
        ],
    }  # fmt: skip


def test_a_credit_of_one_vendor_for_anothers_bill_meets_on_a_clearing_account() -> None:
    found = journals(books(line("ap", "40", "Paper Co"), line("ap", "-40", "Lessor")))
    assert [sorted(lines) for lines in found.values()] == [
        [("Accounts Payable", Decimal(40), "Paper Co"),
         ("BILL Money Out Clearing", Decimal(-40), "")],
        [("Accounts Payable", Decimal(-40), "Lessor"),
         ("BILL Money Out Clearing", Decimal(40), "")],
    ]  # fmt: skip


def test_a_credit_applied_to_the_vendors_own_bill_moves_nothing_in_quickbooks() -> None:
    assert journals(books(line("ap", "40", "Paper Co"), line("ap", "-40", "Paper Co"))) == {}


cents = st.integers(-5_000, 5_000).filter(bool)
some_lines = st.lists(
    st.tuples(st.sampled_from([a.account_id for a in ACCOUNTS]), cents, st.sampled_from("ABC")),
    min_size=1, max_size=7,
)  # fmt: skip


@given(drawn=some_lines)
@settings(max_examples=200)
def test_quickbooks_journals_balance_and_have_one_control_line_each(
    drawn: list[tuple[str, int, str]],
) -> None:
    lines = [line(a, str(Decimal(c) / 100), party, n) for n, (a, c, party) in enumerate(drawn)]
    lines.append(line("rent", str(-sum((x.amount for x in lines), Decimal(0)))))
    names = {a.name: a for a in ACCOUNTS}
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for number, found in journals(books(*lines)).items():
        assert len(number) <= 21
        assert sum(amount for _name, amount, _party in found) == 0
        controls = [n for n, _amount, _party in found if names[n].control in CONTROLS]
        assert len(controls) <= 1
        for name, amount, party in found:
            sums[name, party if name in controls else ""] += amount
    wanted: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for x in lines:
        account = next(a for a in ACCOUNTS if a.account_id == x.account_id)
        party = x.party if account.control in CONTROLS else ""
        wanted[account.name, party or "Paper Co" if account.control in CONTROLS else ""] += x.amount
    assert {k: v for k, v in sums.items() if v} == {k: v for k, v in wanted.items() if v}


CONTROLS = ("payables", "receivables")


def test_two_accounts_of_one_number_or_name_do_not_mix() -> None:
    accounts = (
        Account("debt", "6150", "Bad Debt", "Expense"),
        Account("fees", "6150", "Accounting Fees", "Expense"),
        Account("a", None, "Software", "Expense"), Account("b", None, "software", "Expense"),
        Account("c", "6000", "Rent", "Expense"),
    )  # fmt: skip
    assert xero_codes(accounts) == {
        "debt": "6150 Bad Debt", "fees": "6150 Accounting Fees", "a": "Software (a)",
        "b": "software (b)", "c": "6000",
    }  # fmt: skip
    of = books(line("debt", "5"), line("fees", "-5"), accounts=accounts)
    assert [row["*AccountCode"] for row in written(write_xero, of)] == [
        "6150 Bad Debt", "6150 Accounting Fees",
    ]  # fmt: skip
    of = books(line("a", "5"), line("b", "-5"), accounts=accounts)
    assert [row["AccountName"] for row in written(write_quickbooks, of)] == [
        "Software (a)", "software (b)",
    ]  # fmt: skip


@pytest.mark.parametrize(("day", "american"), [
    (date(225, 3, 1), "03/01/0225"), (date(7, 12, 31), "12/31/0007"),
    (date(2026, 2, 3), "02/03/2026"),
])  # fmt: skip
def test_years_have_four_digits(day: date, american: str) -> None:
    of = books(line("rent", "5"), line("bank", "-5"), day=day)
    assert {row["JournalDate"] for row in written(write_quickbooks, of)} == {american}
    month, day_of_month, year = american.split("/")
    assert {row["*Date"] for row in written(write_xero, of)} == {f"{day_of_month}/{month}/{year}"}


def test_a_year_that_ledger_cannot_read_is_refused_with_the_document() -> None:
    of = books(line("rent", "5"), line("bank", "-5"), day=date(225, 3, 1))
    with pytest.raises(ExportRefused, match="acme: bill B1 is dated 0225-03-01"):
        _require_years(FORMATS["ledger"], of)
    _require_years(FORMATS["hledger"], of)


def test_a_workbook_writes_a_day_before_1900_as_text() -> None:
    sheet = openpyxl.Workbook(write_only=True).create_sheet()
    assert xlsx.cell_of(sheet, date(225, 3, 1)).value == "0225-03-01"


@pytest.mark.parametrize("text", [
    "=1+1", "\n=1+1", "  @SUM(A1)", "＝1+1", "－1 item", "\u200b=1", "\ufeff+cmd", "\u00a0-x",
    "\r\n",
    "﹦1",
])  # fmt: skip
def test_text_that_a_spreadsheet_may_run_is_guarded(text: str) -> None:
    assert str(guarded(text)).startswith("'")
    assert unguarded(str(guarded(text))) == text


@pytest.mark.parametrize("text", ["Flour", "-5.00", "+1,000.50", "a=b", "", "(=1)", "a; b", "a\nb"])
def test_other_text_is_left_alone(text: str) -> None:
    assert not may_run(text)
    assert guarded(text) == text


#: Texts of which a part would be a cell where semicolons, tabs or line ends begin one.
HOSTILE = (
    "x;=1+1;y", "x\t=1+1", 'q";=HYPERLINK("a")', 'x;"=1+1"', "x; \u200b=1", "x;;=1", "x\n=1\r+1",
    "x;'=1", "x;-1", "=1;=1", "'=1", "''=1;''=1", " \n=1", ";=1", "\t;\n=1", "x;＝1", "-5", "a,=1",
)  # fmt: skip


def begins_like_a_formula(cell: str) -> bool:
    return may_run(cell) or (cell[:1] in "=+-@\t\r" and cell != "")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_runs_whatever_a_spreadsheet_takes_for_the_separator(
    separator: str, tmp_path: Path
) -> None:
    of = books(*(line("rent", "5", text) for text in HOSTILE), line("bank", "-90"))
    journal = io.StringIO(newline="")
    write_journal(of, journal)
    report = ReportFile("t", "c", "", "", ("a", "b"), [(t, t) for t in HOSTILE], ())
    lines = tmp_path / "review.csv"
    write_lines([{**dict.fromkeys(LINE_COLUMNS, t), "client": "acme"} for t in HOSTILE], lines)
    with lines.open(encoding="utf-8", newline="") as file:
        texts = [journal.getvalue(), report_as_csv(report), file.read()]
    for text in texts:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        assert len(rows) > len(HOSTILE)
        cells = [cell for row in rows for cell in row if cell not in ("-5", "-90", "-90.00")]
        assert [cell for cell in cells if begins_like_a_formula(cell)] == []


def test_every_text_comes_back_from_a_file_of_ours(tmp_path: Path) -> None:
    for text in HOSTILE:
        assert unguarded(str(guarded(text))) == text
    path = tmp_path / "review.csv"
    write_lines([dict.fromkeys(LINE_COLUMNS, text) for text in HOSTILE], path)
    with path.open(encoding="utf-8", newline="") as file:
        read = read_answers(file.read(), path.name)
    assert [row["line_id"] for row in read] == list(HOSTILE)


def test_a_name_that_must_match_stays_and_is_listed(tmp_path: Path) -> None:
    of = books(line("rent", "5", "=Paper"), line("bank", "-5", "=Paper"))
    out = io.StringIO(newline="")
    kept = write_quickbooks(of, out)
    assert [row["Name"] for row in csv.DictReader(io.StringIO(out.getvalue()))] == ["=Paper"] * 2
    kept.write(tmp_path / "notes.csv")
    with (tmp_path / "notes.csv").open(encoding="utf-8") as file:
        notes = list(csv.DictReader(file))
    assert [(n["column"], n["name"], n["first_row"], n["rows"]) for n in notes] == [
        ("Name", "'=Paper", "1", "2")
    ]
    # Nothing to say: no file, also where there was one.
    write_quickbooks(books(line("rent", "5"), line("bank", "-5")), io.StringIO()).write(
        tmp_path / "notes.csv"
    )
    assert not (tmp_path / "notes.csv").exists()


EVERY_SIGN = [chr(n) for n in range(sys.maxunicode + 1) if not 0xD800 <= n <= 0xDFFF]


@pytest.mark.slow
def test_beancount_accepts_a_name_with_any_first_sign() -> None:
    account = pytest.importorskip("beancount.core.account")
    signs = EVERY_SIGN[::29]
    odd = [*signs, *"²½Ⅷⅷŉǅªſßΐẖΰﬁ①Ⓐ_-· "]
    accounts = [Account(f"{n}", None, f"{sign}rest", "Expense") for n, sign in enumerate(odd)]
    names = beancount_names(accounts)
    assert [name for name in names.values() if not account.is_valid(name)] == []
    assert len(set(names.values())) == len(accounts)


def test_no_name_is_given_twice_by_an_id_that_looks_like_a_name() -> None:
    accounts = [
        Account("A1", None, "Software", "Expense"), Account("a_1", None, "Software", "Expense"),
        Account("x", None, "Software A1", "Expense"), Account("a-1", None, "software", "Expense"),
    ]  # fmt: skip
    for names in (plain_text_names(accounts), beancount_names(accounts)):
        assert len({name.casefold() for name in names.values()}) == len(accounts)
