"""What people answered, and which lines an answer is about.

An answer is about a vendor (or customer), a text and a department. In another department it holds
only where all lines of that vendor and text went to one account, in several departments: there the
department makes no difference. Without a text nothing tells a vendor's lines apart: an answer to
one holds for the others as long as they went to one account before. How lines that followed answers
fared says how sure one is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.history import CountTable
from models.lines import Lines
from models.normalize import combine

# What is believed of answers before any was put to the test, and how many tests that counts as.
RIGHT_AT_FIRST = 0.95
TESTS_AT_FIRST = 20
# Answers are followed unasked while they are right as often as promised, less this.
ANSWER_MARGIN = 0.02
_ABOUT, _EXACT = np.uint64(101), np.uint64(102)
_DEPARTMENT_CODES = np.uint64(2**31 - 1)


@dataclass
class AnswerMemory:
    """Answers, and where lines of the same vendor and text went and came from."""

    exact: CountTable  # vendor, text and department → the accounts that people gave
    about: CountTable  # vendor and text → the same
    coded: CountTable  # either → the accounts of all its lines
    departments: CountTable  # vendor and text → the departments of all its lines, as numbers
    followed: int = 0  # lines that an answer would have decided, and whose account is known since
    right: int = 0  # those of them for which it was the right one

    @classmethod
    def empty(cls) -> AnswerMemory:
        nothing = CountTable.empty()
        return cls(exact=nothing, about=nothing, coded=nothing, departments=nothing)

    def learn(self, lines: Lines, account: np.ndarray, is_answer: np.ndarray) -> AnswerMemory:
        """With these lines as well: ``account`` are codes, ``is_answer`` says what people gave."""
        about, exact = _keys(lines)
        department = (lines.department % _DEPARTMENT_CODES).astype(np.int64)

        def grown(
            table: CountTable, keys: np.ndarray, what: np.ndarray, some: np.ndarray
        ) -> CountTable:
            return table.add(keys[some], what[some], lines.day[some], lines.log_amount[some])

        every = account >= 0
        return replace(
            self,
            exact=grown(self.exact, exact, account, is_answer),
            about=grown(self.about, about, account, is_answer),
            coded=grown(grown(self.coded, about, account, every), exact, account, every),
            departments=grown(self.departments, about, department, every),
        )

    def account_for(self, lines: Lines) -> np.ndarray:
        """The account that answers give each line; -1 where there is none, or people disagree."""
        about, exact = _keys(lines)
        anywhere = np.where(
            (self.about.find(about) >= 0) & (_distinct(self.departments, about) > 1),
            _only_account(self.coded, about), -1,
        )  # fmt: skip
        # The answer's own account, and the one before it.
        is_told_apart = (lines.text != 0) | (_distinct(self.coded, exact) <= 2)
        here = np.where(is_told_apart, _only_account(self.exact, exact), -1)
        return np.where(self.has_exact(lines), here, anywhere)

    def has_exact(self, lines: Lines) -> np.ndarray:
        """Whether people answered for the vendor and text in each line's own department; bool."""
        return self.exact.find(_keys(lines)[1]) >= 0

    @property
    def confidence(self) -> float:
        """How often a line that follows an answer is right, in 0–1."""
        return (self.right + RIGHT_AT_FIRST * TESTS_AT_FIRST) / (self.followed + TESTS_AT_FIRST)

    def keep(self, precision: float) -> bool:
        """Whether lines that follow answers are right as often as ``precision`` promises."""
        return self.confidence >= precision - ANSWER_MARGIN

    def tested(self, hit: np.ndarray) -> AnswerMemory:
        """With lines that followed answers and turned out to be right where ``hit``."""
        return replace(self, followed=self.followed + len(hit), right=self.right + int(np.sum(hit)))


def _keys(lines: Lines) -> tuple[np.ndarray, np.ndarray]:
    """Vendor and text, and with them the department; 0, which is never found, without a vendor."""
    sign = lines.is_sale.astype(np.uint64) + np.uint64(1)
    salt = np.ones(len(lines), np.uint64)
    about = combine(salt * _ABOUT, lines.party, lines.text, sign)
    exact = combine(salt * _EXACT, lines.party, lines.text, lines.department, sign)
    is_known = lines.party != 0
    return np.where(is_known, about, np.uint64(0)), np.where(is_known, exact, np.uint64(0))


def _distinct(table: CountTable, keys: np.ndarray) -> np.ndarray:
    """How many accounts (or whatever it counts) ``table`` has of each key; int64."""
    row = table.find(keys)
    found = np.where(row >= 0, row, 0)
    length = np.diff(table.start)
    return np.where(row >= 0, length[found] if len(length) else 0, 0)


def _only_account(table: CountTable, keys: np.ndarray) -> np.ndarray:
    """The account of each key that has one and no other; else -1."""
    row = table.find(keys)
    result = np.full(len(keys), -1, np.int64)
    one = np.flatnonzero(_distinct(table, keys) == 1)
    result[one] = table.account[table.start[row[one]]]
    return result
