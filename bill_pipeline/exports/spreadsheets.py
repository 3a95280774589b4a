"""Text in files that people open in a spreadsheet: it is shown and never run.

Vendors choose the words on their bills, and their names. A name that another program looks up must
stay as it is, or it would be found no more: such names are collected and listed beside the file.
"""

from __future__ import annotations

import csv
import unicodedata
from collections import defaultdict
from pathlib import Path

KEPT_NAME_NOTE = (
    "begins like a formula and must match: import the file before any spreadsheet opens it"
)


def may_run(text: str) -> bool:
    """Whether a spreadsheet may take ``text`` for a formula.

    What it skips first (spaces, line feeds, invisible signs) and full-width signs are looked
    through; a plain number is no formula.
    """
    shown = unicodedata.normalize("NFKC", text)
    at = next((n for n, char in enumerate(shown) if not _is_skipped(char)), len(shown))
    number = text.replace(",", "").replace(".", "", 1).lstrip("+-")
    if shown[at : at + 1] in ("=", "+", "-", "@"):
        return not (number.isascii() and number.isdigit())
    return text[:1] in ("\t", "\r", "\n")


def _is_skipped(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf")


def guarded(value: object) -> object:
    """``value`` for a cell; text that may run begins with an apostrophe, None is empty."""
    if isinstance(value, str) and may_run(value):
        return f"'{value}"
    return "" if value is None else value


def unguarded(text: str) -> str:
    """The text that ``guarded`` was given."""
    return text[1:] if text[:1] == "'" and may_run(text[1:]) else text


class KeptNames:
    """Names that may run and were written unchanged, because another program looks them up."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], list[int]] = defaultdict(list)

    def kept(self, row: int, column: str, value: str | None) -> str:
        """``value`` as it is; noted when it may run. ``row`` counts from 1, after the headings."""
        if value and may_run(value):
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
                writer.writerow((column, f"'{value}", rows[0], len(rows), KEPT_NAME_NOTE))
