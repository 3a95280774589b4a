"""One client's books for other tools: the same input gives the same bytes, every time.

``books``        reads the published ledger into plain records; every format is made of these
``names``        account names that plain-text accounting tools accept
``hledger``      one journal that hledger and ledger both read
``beancount``    the same for beancount
``journal_csv``  CSV: our own layout, QuickBooks Online's and Xero's journal import
``spreadsheets`` text that a spreadsheet shows and never runs, and names that must stay as they are
``xlsx``         a workbook with statements, aging and journal
``parquet``      every published table of the client as a Parquet file

Exports read the published ledger only: they work at any moment and never hold up a sync.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TextIO

from bill_pipeline.errors import PipelineError
from bill_pipeline.exports import beancount, hledger, journal_csv, parquet, xlsx
from bill_pipeline.exports.books import Books, read_books
from bill_pipeline.exports.spreadsheets import KeptNames
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home


class ExportRefused(PipelineError):
    """What was asked for makes no sense in that format; the message says what does."""


@dataclass(frozen=True)
class Format:
    """One way to take the books elsewhere."""

    name: str
    ending: str
    about: str
    write_text: Callable[[Books, TextIO], KeptNames | None] | None = None
    can_begin_later: bool = False  # part of the journal makes sense alone, to be imported
    first_year: int = 1  # years before it the tool cannot read


FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("hledger", "journal", "plain text for hledger", hledger.write_hledger),
        Format("ledger", "ledger", "plain text for ledger (the same file)", hledger.write_hledger,
               first_year=1400),
        Format("beancount", "beancount", "plain text for beancount", beancount.write_beancount),
        Format("csv", "csv", "the journal, a line a row", journal_csv.write_journal, True),
        Format("quickbooks", "csv", "QuickBooks Online's import of journal entries",
               journal_csv.write_quickbooks, True),
        Format("xero", "csv", "Xero's import of manual journals", journal_csv.write_xero, True),
        Format("xlsx", "xlsx", "a workbook: statements, aging, journal"),
        Format("parquet", "parquet", "a folder with every table"),
    )
}  # fmt: skip


def export(
    home: Home,
    client: str,
    format_name: str,
    path: Path,
    *,
    first_day: date | None = None,
    last_day: date | None = None,
) -> Path:
    """Write ``client``'s books to ``path`` and return it; the whole file, or the old one stays.

    ``first_day`` and ``last_day`` are inclusive. Names that begin like a formula and could not be
    changed are listed in ``notes_of(path)``. Raises ExportRefused when a format cannot begin in
    the middle of the books or cannot read a year, UnknownClient, QueryError.
    """
    chosen = FORMATS[format_name]
    if first_day and last_day and first_day > last_day:
        raise ExportRefused(f"{client}: nothing lies between {first_day} and {last_day}.")
    if first_day and not chosen.can_begin_later:
        raise ExportRefused(
            f"{format_name} needs the books from their beginning, or balances would be wrong: "
            "leave --from out. csv, quickbooks and xero can begin at any day."
        )
    if chosen.name == "parquet" and last_day:
        raise ExportRefused("parquet holds whole tables: leave --to out, or use `query -o`.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_ledger(home) as ledger:
        if chosen.name == "parquet":
            parquet.write_folder(ledger, client, path)
            return path
        books = read_books(ledger, client, first_day=first_day, last_day=last_day)
        if missing := ", ".join(sorted(Registry(home).status(client).lists_missing)):
            books = replace(books, title=f"{books.title} (incomplete: without {missing})")
        _require_years(chosen, books)
        draft, kept = path.with_name(f".{path.name}.part"), None
        try:
            if chosen.write_text is None:
                xlsx.write_xlsx(ledger, books, draft)
            else:
                with draft.open("w", encoding="utf-8", newline="") as out:
                    kept = chosen.write_text(books, out)
            draft.replace(path)
            (kept or KeptNames()).write(notes_of(path))
        finally:
            draft.unlink(missing_ok=True)
    return path


def notes_of(path: Path) -> Path:
    """The file beside an export that lists the names left as they are; often there is none."""
    return path.with_name(f"{path.name}.notes.csv")


def _require_years(chosen: Format, books: Books) -> None:
    early = next((e for e in books.entries if e.date.year < chosen.first_year), None)
    if early is not None:
        raise ExportRefused(
            f"{books.client}: {early.document_type} {early.document_id} is dated {early.date}, and "
            f"{chosen.name} reads no year before {chosen.first_year}. Correct the date in BILL and "
            "sync, or export hledger, beancount or csv."
        )
