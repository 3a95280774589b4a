"""When a person must look, however sure the model is.

A table of rules over one batch of decisions: each has a name, a sentence for the reviewer, and a
condition. A new rule is one more row. Thresholds of confidence live in ``confidence``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.evidence import Evidence
from models.lines import Lines

# Amounts are compared as log2: 2 means four times.
LARGE_AMOUNT_STEP = 2.0
# As many lines without an exception are a habit.
PURE_LINES = 6


@dataclass(frozen=True)
class Limits:
    """What counts as unusual for this client."""

    large_log_amount: float  # log2 of the amount that all but one line in 200 stay below
    last_day: int  # the newest line with a known account
    gap_days_max: int  # after so many days without confirmed lines nothing is booked unasked


@dataclass(frozen=True)
class Rule:
    name: str
    sentence: str
    applies: Callable[[Lines, Evidence, np.ndarray, Limits], np.ndarray]


def at_choice(values: np.ndarray, choice: np.ndarray) -> np.ndarray:
    """The value of each line's chosen candidate: (n, k) and (n,) → (n,)."""
    return np.take_along_axis(values, choice[:, None], 1)[:, 0]


def is_new_party(lines: Lines, evidence: Evidence) -> np.ndarray:
    return (lines.party != 0) & (evidence.seen["party"] == 0) & (evidence.seen["name"] == 0)


def is_new_pair(lines: Lines, evidence: Evidence, choice: np.ndarray) -> np.ndarray:
    """The chosen account was never used for this vendor (or this text, if no vendor is named)."""
    by_party = at_choice(evidence.support["party"], choice)
    by_name = at_choice(evidence.support["name"], choice)
    by_text = at_choice(evidence.support["text"], choice)
    return np.where(lines.party != 0, by_party + by_name, by_text) == 0


def is_pure(lines: Lines, evidence: Evidence, choice: np.ndarray) -> np.ndarray:
    """This vendor's lines of this department, ``PURE_LINES`` or more, all went to the choice."""
    key = np.where(lines.department != 0, "party_department", "party")
    result = np.zeros(len(lines), bool)
    for name in ("party_department", "party"):
        support, seen = at_choice(evidence.support[name], choice), evidence.seen[name]
        result |= (key == name) & (seen >= PURE_LINES) & (support >= seen)
    return result


def _unlinked_credit(
    lines: Lines, evidence: Evidence, choice: np.ndarray, limits: Limits
) -> np.ndarray:
    return lines.is_credit & (at_choice(evidence.support["party_amount"], choice) == 0)


def _large(lines: Lines, evidence: Evidence, choice: np.ndarray, limits: Limits) -> np.ndarray:
    usual = np.nan_to_num(at_choice(evidence.mean_amount, choice), nan=0.0)
    beyond_usual = lines.log_amount > usual + LARGE_AMOUNT_STEP
    return beyond_usual & (lines.log_amount > limits.large_log_amount)


def risk_class(facts: np.ndarray) -> np.ndarray:
    """0 = a known vendor and an account it had before, 1 = a new pair, 2 = a new vendor; int64.

    ``facts``: as made by ``confidence.score_facts``. Each class is booked only where its own
    record proves the promised precision (``track_record``).
    """
    return np.where(facts[:, 2] > 0, 2, np.where(facts[:, 3] > 0, 1, 0)).astype(np.int64)


# Why a line of risk class 1 or 2 is asked about while its class has not proven itself.
CLASS_SENTENCES = {
    1: "this vendor was never coded to this account before",
    2: "this vendor or customer has no coded line yet",
}
RULES = (
    Rule(
        "unlinked_credit", "a credit that matches no earlier bill of this vendor", _unlinked_credit
    ),
    Rule("large_amount", "the amount is far above what this vendor usually bills", _large),
    Rule(
        "long_gap", "no confirmed line for so long that old habits may not hold",
        lambda lines, evidence, choice, limits: lines.day - limits.last_day > limits.gap_days_max,
    ),
)  # fmt: skip


def first_rule(lines: Lines, evidence: Evidence, choice: np.ndarray, limits: Limits) -> np.ndarray:
    """Index into ``RULES`` of the first rule that applies to each line, -1 for none; int64."""
    result = np.full(len(lines), -1, np.int64)
    if not evidence.account.shape[1]:
        return result
    for index in range(len(RULES) - 1, -1, -1):
        result[RULES[index].applies(lines, evidence, choice, limits)] = index
    return result
