"""The books for beancount: accounts opened on their first day, entries linked by their id.

The last directives assert every balance to the cent: ``~ 0.00``, because beancount otherwise
accepts a difference of one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TextIO

from bill_pipeline.exports.books import Books, Entry
from bill_pipeline.exports.names import beancount_names


def write_beancount(books: Books, out: TextIO) -> None:
    """Options, accounts, every entry in the order of its date, balances."""
    names = beancount_names(books.accounts)
    ids = {name: account_id for account_id, name in names.items()}
    accounts = books.accounts_by_id
    first_days = books.first_days
    out.write(f"; The books of {_one_line(books.title)}, as of {books.as_of} UTC.\n")
    out.write(f'option "title" {_string(books.title)}\n')
    out.write(f'option "operating_currency" "{books.currency}"\n\n')
    for name in sorted(names.values()):
        account_id = ids[name]
        if account_id in first_days:
            out.write(f"{first_days[account_id]} open {name} {books.currency}\n")
            out.write(f"  account_id: {_string(accounts[account_id].id_in_bill)}\n")
    for entry in books.entries:
        _write_entry(entry, books, names, out)
    if books.entries:
        out.write("\n")
        day_after = books.entries[-1].date + timedelta(days=1)
        for account_id, balance in sorted(books.balances.items(), key=lambda i: names[i[0]]):
            out.write(
                f"{day_after} balance {names[account_id]}  {balance:.2f} ~ 0.00 {books.currency}\n"
            )


def _write_entry(entry: Entry, books: Books, names: dict[str, str], out: TextIO) -> None:
    out.write(
        f"\n{entry.date} * {_string(entry.party or '')} {_string(entry.description or '')} "
        f"^{entry.entry_id}\n"
    )
    out.write(f"  doc: {_string(f'{entry.document_type}/{entry.document_id}')}\n")
    if entry.document_version is not None:
        out.write(f"  version: {entry.document_version}\n")
    out.write(f"  kind: {_string(entry.kind)}\n")
    if entry.reverses_entry_id:
        out.write(f"  reverses: {_string(entry.reverses_entry_id)}\n")
    for line in entry.lines:
        out.write(f"  {names[line.account_id]}  {line.amount:.2f} {books.currency}\n")
        if line.due_date:
            out.write(f"    due: {line.due_date}\n")
        if line.open_item_id:
            out.write(f"    item: {_string(line.open_item_id)}\n")
        if line.source_line_id:
            out.write(f"    line: {_string(line.source_line_id)}\n")
        if line.description:
            out.write(f"    text: {_string(line.description)}\n")


def _string(text: str) -> str:
    return '"' + _one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _one_line(text: str) -> str:
    return " ".join(text.split())
