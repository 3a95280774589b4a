"""Say in one sentence why an account is suggested, and why a person is asked.

The sentence names the most specific precedent: how many earlier lines with the same facts went to
this account. Where there is none, it names the words that counted, or the firm's knowledge.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.evidence import Evidence
from models.lines import Lines
from models.safety import CLASS_SENTENCES, RULES, at_choice

# From the most to the least specific precedent.
PRECEDENTS = (
    ("party_text_department", "of this {party} with this text in this department"),
    ("party_text", "of this {party} with this text"),
    ("party_amount", "of this {party} with this exact amount"),
    ("party_department", "of this {party} in this department"),
    ("party", "of this {party}"),
    ("name", "of a {party} of this name"),
    ("text", "with this text"),
)
_NO_PRECEDENT = len(PRECEDENTS)
REASON_THRESHOLD = len(RULES)
REASON_YOUNG = len(RULES) + 1
# Plus the risk class, 1 or 2.
REASON_CLASS = len(RULES) + 1
REASON_NONE = -1
# Whether a line follows a person's answer, and if so one given in its own department.
NOT_ANSWERED, ANSWERED_HERE, ANSWERED_ELSEWHERE = range(3)


def reasons(
    lines: Lines, evidence: Evidence, choice: np.ndarray, asked: np.ndarray,
    answered: np.ndarray, words: Callable[[np.ndarray], np.ndarray], threshold: float,
) -> np.ndarray:  # fmt: skip
    """One sentence per line; object (n,).

    ``asked``: index into ``safety.RULES``, or ``REASON_THRESHOLD``, ``REASON_YOUNG``,
    ``REASON_CLASS`` plus a risk class, ``REASON_NONE``. ``answered``: ``NOT_ANSWERED``,
    ``ANSWERED_HERE`` or ``ANSWERED_ELSEWHERE``. ``words``: gives the words that counted for the
    lines at some positions.
    """
    n = len(lines)
    if not evidence.account.shape[1]:
        return np.full(n, "the chart has no account that may be suggested", dtype=object)
    kind = np.full(n, _NO_PRECEDENT, np.int64)
    count, total = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for index in range(len(PRECEDENTS) - 1, -1, -1):
        key = PRECEDENTS[index][0]
        support = at_choice(evidence.support[key], choice)
        found = support > 0
        kind[found] = index
        count[found] = support[found].astype(np.int64)
        total[found] = evidence.seen[key][found].astype(np.int64)
    facts = np.column_stack(
        [kind, count, total, asked, answered, lines.is_sale, lines.text != 0, lines.department != 0]
    ).astype(np.int64)
    distinct, position = np.unique(facts, axis=0, return_inverse=True)
    sentences = np.array([_sentence(row, threshold) for row in distinct], dtype=object)
    result = sentences[position.reshape(-1)]
    unprecedented = np.flatnonzero((kind == _NO_PRECEDENT) & (answered == NOT_ANSWERED))
    for line, counted in zip(unprecedented, words(unprecedented), strict=True):
        if counted:
            result[line] = f"the words {counted} point to it{_asked(asked[line], threshold)}"
    return result


def _sentence(facts: np.ndarray, threshold: float) -> str:
    kind, count, total, asked, answered, is_sale, has_text, has_department = map(int, facts)
    party, document = ("customer", "invoice") if is_sale else ("vendor", "bill")
    if answered:
        same = f"{party} and text" if has_text else party
        if has_department and answered == ANSWERED_HERE:
            same = f"{party}, text and department" if has_text else f"{party} and department"
        elsewhere = ", in another department" if answered == ANSWERED_ELSEWHERE else ""
        return f"a person decided this for the same {same}{elsewhere}{_asked(asked, threshold)}"
    if kind == _NO_PRECEDENT:
        return f"what {party}s of this kind usually are{_asked(asked, threshold)}"
    lines = f"{document} lines" if total != 1 else f"{document} line"
    how = PRECEDENTS[kind][1].format(party=party)
    return f"{count} of {total} earlier {lines} {how}{_asked(asked, threshold)}"


def _asked(asked: int, threshold: float) -> str:
    if asked == REASON_NONE:
        return ""
    if asked == REASON_YOUNG:
        return "; asked because this client has too few coded lines yet"
    if asked == REASON_THRESHOLD:
        known = f"under {threshold:.2f}" if threshold <= 1 else "not proven on the past"
        return f"; asked because the confidence is {known}"
    if asked > REASON_CLASS:
        return f"; asked because {CLASS_SENTENCES[asked - REASON_CLASS]}"
    return f"; asked because {RULES[asked].sentence}"
