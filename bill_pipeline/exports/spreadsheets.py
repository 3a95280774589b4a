"""Text in files that people open in a spreadsheet: it is shown and never run.

Vendors choose the words on their bills, and their names. A name that another program looks up must
stay as it is, or it would be found no more: such names are collected and listed beside the file.
"""

from __future__ import annotations

import csv
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

KEPT_NAME_NOTE = (
    "begins like a formula and must match: import the file before any spreadsheet opens it"
)

_SIGNS = ("=", "+", "-", "@")
#: After these a cell begins for some spreadsheet, whatever stands before them.
_BEGIN_CELLS = (";", "\t", "\r", "\n")
#: A quotation mark is no part of the cell that it begins; our own mark is looked through as well,
#: so that a text that had one before comes back with it.
_MARKS = ("'", '"')


def may_run(text: str) -> bool:
    """Whether a spreadsheet may take ``text`` for a formula.

    What it skips first (spaces, line feeds, invisible signs) and full-width signs are looked
    through; a plain number is no formula.
    """
    shown = unicodedata.normalize("NFKC", text)
    at = next((n for n, char in enumerate(shown) if not _is_skipped(char)), len(shown))
    number = text.replace(",", "").replace(".", "", 1).lstrip("+-")
    if shown[at : at + 1] in _SIGNS:
        return not (number.isascii() and number.isdigit())
    return text[:1] in ("\t", "\r", "\n")


def _is_skipped(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf")


def guarded(value: object) -> object:
    """``value`` for a cell of a CSV; None is empty, and of a text no part may run.

    A spreadsheet that splits at semicolons or tabs takes no notice of quotation marks within a
    line, so what follows such a sign, or a new line, begins a cell. Text that may run there begins
    with an apostrophe, as the whole one does.
    """
    if isinstance(value, str):
        inside = _guarded_inside(value)
        return f"'{inside}" if may_run(value.lstrip("'")) else inside
    return "" if value is None else value


def guarded_row(values: Iterable[object]) -> list[object]:
    """A row of a CSV; its first text begins the line, which may be all one cell to a reader."""
    row = [guarded(value) for value in values]
    if row and isinstance(row[0], str) and row[0][:1] in _SIGNS:
        row[0] = f"'{row[0]}"  # a number by itself is none with what follows it
    return row


def unguarded(text: str) -> str:
    """The text that ``guarded`` was given."""
    # From the end: what is looked at is as ``guarded`` saw it.
    kept, runs = "", False
    for at in range(len(text) - 1, -1, -1):
        is_ours = runs and text[at] == "'" and at > 0 and text[at - 1] in _BEGIN_CELLS
        kept += "" if is_ours else text[at]
        runs = _runs_before(text[at], runs)
    text = kept[::-1]
    return text[1:] if text[:1] == "'" and may_run(text.lstrip("'")) else text


def _guarded_inside(text: str) -> str:
    if not any(sign in text for sign in _BEGIN_CELLS):
        return text
    kept, runs = "", False
    for char in reversed(text):
        kept += "'" if runs and char in _BEGIN_CELLS else ""
        kept += char
        runs = _runs_before(char, runs)
    return kept[::-1]


def _runs_before(char: str, runs: bool) -> bool:
    """Whether a cell that begins with ``char`` runs when one that begins behind it ``runs``."""
    if _is_skipped(char) or char in _MARKS:
        return runs
    return unicodedata.normalize("NFKC", char)[:1] in _SIGNS


class KeptNames:
    """Names that may run and were written unchanged, because another program looks them up."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], list[int]] = defaultdict(list)

    def kept(self, row: int, column: str, value: str | None) -> str:
        """``value`` as it is; noted when a part may run. ``row`` counts from 1, after headings."""
        if value and guarded(value) != value:
            self._rows[column, value].append(row)
        return value or ""

    def write(self, path: Path) -> None:
        """The list of them at ``path``; no file when there are none."""
        if not self._rows:
            path.unlink(missing_ok=True)
            return
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(("column", "name", "first_row", "rows", "note"))
            for (column, value), rows in sorted(self._rows.items()):
                writer.writerow((column, guarded(value), rows[0], len(rows), KEPT_NAME_NOTE))
