"""Texts and bill numbers as they are compared: by rules, questions and the search for duplicates.

A text is folded as the models fold it (``models.normalize``), so that what the categorizer takes
for one text is one text for a rule too. SQL calls the same two functions by the same names.
"""

from __future__ import annotations

import re

import duckdb

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[\W_]+(?=[0-9])")
_OTHER_SEPARATORS = re.compile(r"(?<![0-9])[\W_]|[\W_](?![0-9])")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")


def plain_text(text: str) -> str:
    """The words of ``text``: one space between them, no case, accents or invisible characters.

    >>> plain_text("  CAFÉ   Delivery 4711")
    'cafe delivery 4711'
    """
    # numpy and pandas come with it: who compares no texts does not wait for them.
    from models.normalize import fold

    # What stands for a tab or a line's end parts words; the fold would take some of it out.
    return " ".join(fold(_CONTROL.sub(" ", text)).split())


def plain_number(number: str) -> str:
    """A bill's number without leading zeros, and separators only between groups of digits.

    >>> plain_number("INV-0041277"), plain_number("INV 2026/01"), plain_number("12-3")
    ('inv41277', 'inv2026-1', '12-3')
    """
    groups = _BETWEEN_DIGITS.sub("-", plain_text(number))
    return _LEADING_ZEROS.sub("", _OTHER_SEPARATORS.sub("", groups))


def add_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the SQL of this connection call ``plain_text`` and ``plain_number``."""
    known = connection.execute(
        "select 1 from duckdb_functions() where function_name = 'plain_text'"
    ).fetchone()
    if known is None:
        for function in (plain_text, plain_number):
            connection.create_function(function.__name__, function, ["VARCHAR"], "VARCHAR")
