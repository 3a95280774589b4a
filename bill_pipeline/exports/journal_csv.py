"""The journal as CSV: our own layout, and those QuickBooks Online and Xero import.

QuickBooks Online: account names as in its own chart, dates MM/DD/YYYY, debits and credits in two
columns, numbers of entries of at most 21 signs; account numbers must be switched off there while
importing. Xero: account codes, dates DD/MM/YYYY, signed amounts, the name of a tax rate.
Both take a limited number of lines at a time; ``--from`` and ``--to`` cut the journal into parts.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from typing import TextIO

from bill_pipeline.exports.books import Books, Entry, Line

#: Xero wants the name of a tax rate on every line; journal lines hold tax in accounts of their own.
XERO_TAX_RATE = "Tax Exempt (0%)"
QUICKBOOKS_NUMBER_LENGTH = 21

JOURNAL_COLUMNS = (
    "entry_id", "line_no", "date", "entry_kind", "account_id", "account_code", "account_name",
    "debit", "credit", "currency", "amount_currency", "party", "description", "class",
    "department", "location", "document_type", "document_id", "document_number",
    "document_version", "due_date", "posted_at", "reverses_entry_id",
)  # fmt: skip
QUICKBOOKS_COLUMNS = (
    "JournalNo", "JournalDate", "AccountName", "Debits", "Credits", "Description", "Name",
    "Currency", "Location", "Class",
)  # fmt: skip
XERO_COLUMNS = (
    "*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount", "TrackingName1",
    "TrackingOption1", "TrackingName2", "TrackingOption2",
)  # fmt: skip


def write_journal(books: Books, out: TextIO) -> None:
    """Every line of the journal with the words of its document; ISO dates, exact amounts."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(JOURNAL_COLUMNS)
    accounts = books.accounts_by_id
    for entry in books.entries:
        for line in entry.lines:
            account = accounts[line.account_id]
            row = (
                entry.entry_id, line.line_no, entry.date, entry.kind, account.account_id,
                account.code, account.name, _debit(line), _credit(line), line.currency,
                f"{line.amount_currency:.2f}", line.party, line.description, line.class_name,
                line.department_name, line.location_name, entry.document_type, entry.document_id,
                entry.document_number, entry.document_version, line.due_date, entry.posted_at,
                entry.reverses_entry_id,
            )  # fmt: skip
            writer.writerow([_safe(value) for value in row])


def write_quickbooks(books: Books, out: TextIO) -> None:
    """QuickBooks Online's import of journal entries, amounts in the books' currency."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(QUICKBOOKS_COLUMNS)
    accounts = books.accounts_by_id
    for entry in books.entries:
        for line in _lines_with_amounts(entry):
            writer.writerow(
                [
                    entry.entry_id[:QUICKBOOKS_NUMBER_LENGTH],
                    f"{entry.date:%m/%d/%Y}",
                    accounts[line.account_id].name,
                    _debit(line),
                    _credit(line),
                    _safe(line.description or entry.title),
                    _safe(line.party),
                    books.currency,
                    _safe(line.location_name),
                    _safe(line.class_name),
                ]
            )


def write_xero(books: Books, out: TextIO) -> None:
    """Xero's import of manual journals: one journal per date and narration."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(XERO_COLUMNS)
    accounts = books.accounts_by_id
    for entry in books.entries:
        # Rows of the same date and narration become one journal: the id keeps entries apart.
        narration = f"{entry.title} [{entry.entry_id}]"
        for line in _lines_with_amounts(entry):
            account = accounts[line.account_id]
            writer.writerow(
                [
                    _safe(narration),
                    f"{entry.date:%d/%m/%Y}",
                    _safe(line.description),
                    account.code or account.name,
                    XERO_TAX_RATE,
                    f"{line.amount:.2f}",
                    "Class" if line.class_name else "",
                    _safe(line.class_name),
                    "Location" if line.location_name else "",
                    _safe(line.location_name),
                ]
            )


def _lines_with_amounts(entry: Entry) -> list[Line]:
    """Imports refuse a line that is neither debit nor credit; it changes no balance."""
    return [line for line in entry.lines if line.amount]


def _debit(line: Line) -> str:
    return f"{line.amount:.2f}" if line.amount > Decimal(0) else ""


def _credit(line: Line) -> str:
    return f"{-line.amount:.2f}" if line.amount < Decimal(0) else ""


def _safe(value: object) -> object:
    """Text that a spreadsheet shows and never runs: vendors choose the words on their bills."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        number = value.replace(",", "").replace(".", "", 1).lstrip("+-")
        return value if number.isdigit() else f"'{value}"
    return "" if value is None else value
