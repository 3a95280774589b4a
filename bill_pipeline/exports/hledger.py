"""One plain-text journal that hledger and ledger both read, strictly.

Every posting of an open document carries its due date, so ``hledger bal payable --pivot due`` is
the aging. The last transaction asserts every account's balance: a file cut short is refused.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TextIO

from bill_pipeline.exports.books import Books, Entry, Line
from bill_pipeline.exports.names import plain_text_names

TAGS = ("document", "version", "due", "item", "line", "kind", "reverses", "text")


def write_hledger(books: Books, out: TextIO) -> None:
    """Declarations, then every entry in the order of its date, then the balances."""
    names = plain_text_names(books.accounts)
    out.write(f"; The books of {_text(books.title)}, amounts in {books.currency}.\n")
    out.write(f"; As of {books.as_of} UTC. Read by hledger and by ledger.\n\n")
    out.write(f"commodity {books.currency}\n    format 1,000.00 {books.currency}\n\n")
    for tag in TAGS:
        out.write(f"tag {tag}\n")
    out.write("\n")
    for name in sorted(names.values()):
        out.write(f"account {name}\n")
    for entry in books.entries:
        _write_entry(entry, books, names, out)
    _write_balances(books, names, out)


def _write_entry(entry: Entry, books: Books, names: dict[str, str], out: TextIO) -> None:
    out.write(f"\n{entry.date} * ({entry.entry_id}) {_text(entry.title)}\n")
    _tag(out, "document", f"{entry.document_type}/{entry.document_id}")
    if entry.document_version is not None:
        _tag(out, "version", str(entry.document_version))
    if entry.kind != "posting":
        _tag(out, "kind", entry.kind)
    if entry.reverses_entry_id:
        _tag(out, "reverses", entry.reverses_entry_id)
    for line in entry.lines:
        _write_line(line, books, names, out)


def _write_line(line: Line, books: Books, names: dict[str, str], out: TextIO) -> None:
    out.write(f"    {names[line.account_id]}  {_amount(line.amount, books.currency)}\n")
    if line.due_date:
        _tag(out, "due", line.due_date.isoformat())
    if line.open_item_id:
        _tag(out, "item", line.open_item_id)
    if line.source_line_id:
        _tag(out, "line", line.source_line_id)
    if line.description:
        _tag(out, "text", line.description)


def _write_balances(books: Books, names: dict[str, str], out: TextIO) -> None:
    if not books.entries:
        return
    out.write(f"\n{books.entries[-1].date} * Balances at the end of this file\n")
    for account_id, balance in sorted(books.balances.items(), key=lambda item: names[item[0]]):
        zero = _amount(Decimal(0), books.currency)
        out.write(f"    {names[account_id]}  {zero} = {_amount(balance, books.currency)}\n")


def _amount(amount: Decimal, currency: str) -> str:
    return f"{amount:,.2f} {currency}"


def _tag(out: TextIO, name: str, value: str) -> None:
    # A comma would end the value for hledger, brackets would be read as a date.
    plain = re.sub(r"[,\[\]]", " ", value)
    out.write(f"    ; {name}: {_text(plain)}\n")


def _text(text: str) -> str:
    """One line without what begins a comment, a note or another tag."""
    return re.sub(r"\s+", " ", re.sub(r"[;|:]", " ", text)).strip()
