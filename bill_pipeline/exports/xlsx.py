"""The books as a workbook: statements, aging and journal, with real dates and amounts.

Sheets are the client's rows of published tables, so a cell can always be found again by SQL. The
file depends on the books alone: no time of day, no random ids, so the same books give the same
bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from bill_pipeline.exports.books import Books

#: (sheet, SQL). Excel shows at most 1,048,576 rows; longer answers go on in a next sheet.
SHEETS: tuple[tuple[str, str], ...] = (
    ("Trial balance", "from trial_balance where client = $client order by all"),
    ("Profit and loss", "from profit_and_loss where client = $client order by all"),
    ("Balance sheet", "from balance_sheet where client = $client order by all"),
    ("Cash flow", "from cash_flow where client = $client order by all"),
    ("Payables aging", "from payables_aging where client = $client order by all"),
    ("Receivables aging", "from receivables_aging where client = $client order by all"),
    ("Vendor spend", "from vendor_spend where client = $client order by all"),
)
JOURNAL_COLUMNS = (
    "Date", "Entry", "Account code", "Account", "Debit", "Credit", "Party", "Description",
    "Document type", "Document", "Due date", "Class", "Department", "Location",
)  # fmt: skip
AMOUNT_FORMAT = "#,##0.00;[Red]-#,##0.00"
DATE_FORMAT = "yyyy-mm-dd"
MOST_ROWS = 1_000_000
#: Workbooks know no day before; such a date is written as text.
FIRST_YEAR = 1900
_FIXED_TIME = datetime(1980, 1, 1)  # noqa: DTZ001 (zip files know no time zone, and no earlier day)
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST_CELL = 32_767


def write_xlsx(ledger: duckdb.DuckDBPyConnection, books: Books, path: Path) -> None:
    """Write the workbook to ``path``."""
    workbook = fixed_workbook()
    _write_sheet(workbook, "About", ("What", "Value"), _about(books))
    for title, sql in SHEETS:
        answer = ledger.execute(sql, {"client": books.client})
        columns = [column[0] for column in answer.description or []][1:]
        rows = (row[1:] for row in answer.fetchall())
        headings = [name.replace("_", " ").capitalize() for name in columns]
        _write_sheet(workbook, title, headings, rows)
    _write_sheet(workbook, "Journal", JOURNAL_COLUMNS, _journal(books))
    path.write_bytes(saved_without_times(workbook))


def fixed_workbook() -> Any:
    """A workbook that does not say when it was made."""
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    workbook.properties.creator = "bill-pipeline"
    workbook.properties.created = workbook.properties.modified = _FIXED_TIME
    return workbook


def new_sheet(workbook: Any, title: str) -> Any:
    """A sheet of ``workbook`` whose ``append`` makes every value a cell by ``cell_of``."""
    from openpyxl.cell import WriteOnlyCell

    sheet = workbook.create_sheet(title)
    plain, made = sheet.append, type(WriteOnlyCell(sheet))

    def append(row: Iterable[Any]) -> None:
        plain([value if isinstance(value, made) else cell_of(sheet, value) for value in row])

    sheet.append = append
    return sheet


def _about(books: Books) -> Iterator[tuple[Any, ...]]:
    yield "Company", books.title
    yield "Client", books.client
    yield "Currency", books.currency
    yield "Books as of (UTC)", books.as_of
    yield "Entries", len(books.entries)
    yield "Sum of debits", sum((max(x.amount, Decimal(0)) for x in _lines(books)), Decimal(0))
    yield "Debits less credits", sum((x.amount for x in _lines(books)), Decimal(0))


def _lines(books: Books) -> Iterator[Any]:
    return (line for entry in books.entries for line in entry.lines)


def _journal(books: Books) -> Iterator[tuple[Any, ...]]:
    accounts = books.accounts_by_id
    for entry in books.entries:
        for line in entry.lines:
            account = accounts[line.account_id]
            yield (
                entry.date, entry.entry_id, account.code, account.name,
                line.amount if line.amount > 0 else None,
                -line.amount if line.amount < 0 else None,
                line.party or entry.party, line.description or entry.description,
                entry.document_type, entry.document_number or entry.document_id, line.due_date,
                line.class_name, line.department_name, line.location_name,
            )  # fmt: skip


def _write_sheet(
    workbook: Any, title: str, headings: Iterable[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    from openpyxl.styles import Font

    headings = list(headings)
    sheet: Any = None
    for number, row in enumerate(_with_an_end(rows)):
        if number % MOST_ROWS == 0 and (number == 0 or row is not None):
            part = number // MOST_ROWS + 1
            sheet = new_sheet(workbook, title if part == 1 else f"{title} {part}")
            sheet.freeze_panes = "A2"
            for index, heading in enumerate(headings):
                sheet.column_dimensions[chr(ord("A") + index) if index < 26 else "AA"].width = max(
                    12, min(len(heading) + 4, 30)
                )
            bold = [cell_of(sheet, heading) for heading in headings]
            for cell in bold:
                cell.font = Font(bold=True)
            sheet.append(bold)
        if row is not None:
            sheet.append(row)


def _with_an_end(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...] | None]:
    """The rows, then None: a sheet without rows still gets its headings."""
    yield from rows
    yield None


def cell_of(sheet: Any, value: Any) -> Any:
    """A cell with the format of its value; what no workbook can hold is left out or made text."""
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, str):
        text = _NOT_IN_XML.sub("", value)[:_LONGEST_CELL]
        cell = WriteOnlyCell(sheet, value=text)
        # Always text: a description that begins with "=" must not run as a formula.
        cell.data_type = "s"
        return cell
    if isinstance(value, list | dict):
        return cell_of(sheet, str(value))
    if isinstance(value, datetime):
        value = value.replace(tzinfo=None)  # workbooks know none; ours are UTC
    if isinstance(value, date) and value.year < FIRST_YEAR:
        return WriteOnlyCell(sheet, value=value.isoformat())
    cell = WriteOnlyCell(sheet, value=value)
    if isinstance(value, Decimal):
        cell.number_format = AMOUNT_FORMAT
    elif isinstance(value, datetime):
        cell.number_format = f"{DATE_FORMAT} hh:mm"
    elif hasattr(value, "isoformat"):
        cell.number_format = DATE_FORMAT
    return cell


def saved_without_times(workbook: Any) -> bytes:
    """The workbook's bytes, with the same time on every member: the same rows, the same bytes."""
    draft, fixed = io.BytesIO(), io.BytesIO()
    workbook.save(draft)
    with zipfile.ZipFile(draft) as source, zipfile.ZipFile(fixed, "w") as target:
        for name in sorted(source.namelist()):
            member = zipfile.ZipInfo(name, _FIXED_TIME.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            content = source.read(name)
            if name == "docProps/core.xml":
                # openpyxl puts the time of saving there, whatever was asked for.
                content = re.sub(
                    rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>1980-01-01T00:00:00Z", content
                )
            target.writestr(member, content)
    return fixed.getvalue()
