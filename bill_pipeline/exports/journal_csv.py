"""The journal as CSV: our own layout, and those QuickBooks Online and Xero import.

QuickBooks Online: account names as in its own chart, dates MM/DD/YYYY, debits and credits in two
columns, numbers of entries of at most 21 signs, one line on payables or receivables in an entry;
account numbers must be switched off there while importing. Xero: account codes, dates DD/MM/YYYY,
signed amounts, the name of a tax rate.
Both take a limited number of lines at a time; ``--from`` and ``--to`` cut the journal into parts.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TextIO

from bill_pipeline.amounts import to_cents
from bill_pipeline.exports.books import Account, Books, Entry, Line
from bill_pipeline.exports.names import quickbooks_names, xero_codes
from bill_pipeline.exports.spreadsheets import KeptNames, guarded, guarded_row

#: Xero wants the name of a tax rate on every line; journal lines hold tax in accounts of their own.
XERO_TAX_RATE = "Tax Exempt (0%)"
QUICKBOOKS_NUMBER_LENGTH = 21

CSV_COLUMNS = (
    "entry_id", "line_no", "date", "entry_kind", "account_id", "account_code", "account_name",
    "account_type", "debit", "credit", "currency", "amount_currency", "party", "description",
    "class", "department", "location", "document_type", "document_id", "document_number",
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
    writer.writerow(CSV_COLUMNS)
    accounts = books.accounts_by_id
    for entry in books.entries:
        for line in entry.lines:
            account = accounts[line.account_id]
            row = (
                entry.entry_id, line.line_no, entry.date, entry.kind, account.id_in_bill,
                account.code, account.name, account.account_type, _debit(line), _credit(line),
                line.currency, f"{to_cents(line.amount_currency):f}", line.party, line.description,
                line.class_name, line.department_name, line.location_name, entry.document_type,
                entry.document_id, entry.document_number, entry.document_version, line.due_date,
                entry.posted_at, entry.reverses_entry_id,
            )  # fmt: skip
            writer.writerow(guarded_row(row))


def write_quickbooks(books: Books, out: TextIO) -> KeptNames:
    """QuickBooks Online's import of journal entries, amounts in the books' currency."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(QUICKBOOKS_COLUMNS)
    names, kept, row = quickbooks_names(books.accounts), KeptNames(), 0
    for entry in books.entries:
        for number, lines in enumerate(_with_one_control_line(entry, books), start=1):
            for line in lines:
                row += 1
                writer.writerow(
                    [
                        _journal_number(entry, number),
                        _day(entry.date, "{month}/{day}/{year}"),
                        kept.kept(row, "AccountName", names[line.account_id]),
                        _debit(line),
                        _credit(line),
                        guarded(line.description or entry.title),
                        kept.kept(row, "Name", line.party),
                        books.currency,
                        kept.kept(row, "Location", line.location_name),
                        kept.kept(row, "Class", line.class_name),
                    ]
                )
    return kept


def _journal_number(entry: Entry, number: int) -> str:
    """The entry's id, cut; what is not its first journal ends in its number."""
    ending = f"-{number}" if number > 1 else ""
    return entry.entry_id[: QUICKBOOKS_NUMBER_LENGTH - len(ending)] + ending


def _with_one_control_line(entry: Entry, books: Books) -> Iterator[Sequence[Line]]:
    """The entry as journals with at most one line on payables or receivables each.

    Lines of one account and party are one line, since QuickBooks keeps balances by party. Every
    other such line gets a journal with as much of the other lines as balances it; where they do
    not suffice, the two journals meet on a clearing account, which ends as it was.
    """
    accounts = books.accounts_by_id
    controls: dict[tuple[str, str | None], list[Line]] = {}
    rest: list[Line] = []
    for line in _lines_with_amounts(entry):
        if accounts[line.account_id].control in ("payables", "receivables"):
            party = line.party or entry.party
            controls.setdefault((line.account_id, party), []).append(replace(line, party=party))
        else:
            rest.append(line)
    sums = [line for lines in controls.values() if (line := _sum(lines)).amount]
    for control in sums[:-1]:
        needed, taken = -control.amount, [control]
        for index, line in enumerate(rest):
            part = _part(line.amount, needed)
            if part:
                taken.append(replace(line, amount=part))
                rest[index] = replace(line, amount=line.amount - part)
                needed -= part
        if needed:
            between = replace(control, account_id=_clearing(books.accounts), party=None)
            taken.append(replace(between, amount=needed))
            rest.append(replace(between, amount=-needed))
        yield taken
    if last := [*sums[-1:], *(line for line in rest if line.amount)]:
        yield last


def _sum(lines: Sequence[Line]) -> Line:
    """One line for ``lines``; the words only where there is one."""
    amount = sum((line.amount for line in lines), Decimal(0))
    return lines[0] if len(lines) == 1 else replace(lines[0], amount=amount, description=None)


def _part(amount: Decimal, needed: Decimal) -> Decimal:
    """As much of ``amount`` as is needed; nothing where the two have different signs."""
    if amount * needed <= 0:
        return Decimal(0)
    return amount if abs(amount) <= abs(needed) else needed


def _clearing(accounts: Sequence[Account]) -> str:
    """The account on which two journals of one entry meet: BILL's clearing account."""
    return min(
        (a for a in accounts if a.control in ("money out clearing", "money in clearing")),
        key=lambda account: (account.control != "money out clearing", account.account_id),
    ).account_id


def write_xero(books: Books, out: TextIO) -> KeptNames:
    """Xero's import of manual journals: one journal per date and narration."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(XERO_COLUMNS)
    codes, kept, row = xero_codes(books.accounts), KeptNames(), 0
    for entry in books.entries:
        # Rows of the same date and narration become one journal: the id keeps entries apart.
        narration = f"{entry.title} [{entry.entry_id}]"
        for line in _lines_with_amounts(entry):
            row += 1
            writer.writerow(
                [
                    guarded(narration),
                    _day(entry.date, "{day}/{month}/{year}"),
                    guarded(line.description),
                    kept.kept(row, "*AccountCode", codes[line.account_id]),
                    XERO_TAX_RATE,
                    f"{line.amount:.2f}",
                    "Class" if line.class_name else "",
                    kept.kept(row, "TrackingOption1", line.class_name),
                    "Location" if line.location_name else "",
                    kept.kept(row, "TrackingOption2", line.location_name),
                ]
            )
    return kept


def _day(day: date, layout: str) -> str:
    """A day with four digits of its year: ``strftime`` leaves zeros out before the year 1000."""
    year, month, day_of_month = day.isoformat().split("-")
    return layout.format(year=year, month=month, day=day_of_month)


def _lines_with_amounts(entry: Entry) -> list[Line]:
    """Imports refuse a line that is neither debit nor credit; it changes no balance."""
    return [line for line in entry.lines if line.amount]


def _debit(line: Line) -> str:
    return f"{line.amount:.2f}" if line.amount > Decimal(0) else ""


def _credit(line: Line) -> str:
    return f"{-line.amount:.2f}" if line.amount < Decimal(0) else ""
