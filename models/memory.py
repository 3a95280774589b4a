"""A client's memory of a batch of lines: counts per key and account, and what they say to a ranker.

``history`` keeps the counts; here they are laid out for lines, and turned into features that mean
the same for every client. Lines that share a key (all of a department, say) are looked up once;
nothing is spread over all accounts but the back-off estimate itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.history import (
    EPOCH_DAY,
    HALF_LIFE_DAYS,
    KEYS,
    RECENT_HALF_LIFE_DAYS,
    CountTable,
    History,
    keys_of,
)  # fmt: skip
from models.lines import Lines

AGED_KEYS = ("any", "party", "party_text", "party_department", "department", "party_amount")
RECENT_KEYS = ("any", "department", "party", "party_department", "party_text", "party_bucket")
RIVAL_KEYS = ("party", "party_department", "party_text", "party_bucket", "party_amount")
NEVER_DAYS = 4_000.0
# A key with so few values among the lines is laid out as a table of values × accounts.
LINES_PER_VALUE = 8


@dataclass
class Found:
    """What one kind of key says about a batch: pairs of (group of lines, account)."""

    index: np.ndarray | None  # int64 (n,): the group of each line; None = each line is its own
    groups: int
    group: np.ndarray  # int64 (m,), ascending
    account: np.ndarray  # int32 (m,)
    pair: np.ndarray  # int64 (m,): position in the table's arrays
    weight: np.ndarray  # float32 (m,): decayed counts, as of now
    total: np.ndarray  # float32 (n,): their sum for each line

    @classmethod
    def of(cls, table: CountTable, keys: np.ndarray, now: float) -> Found:
        row = table.find(keys)
        distinct, inverse = np.unique(row, return_inverse=True)
        is_shared = len(distinct) * LINES_PER_VALUE < len(row)
        index, rows = (inverse, distinct) if is_shared else (None, row)
        group, pair = table.pairs(rows)
        weight = (table.weight[pair] * now).astype(np.float32)
        total = np.bincount(group, weight, len(rows)).astype(np.float32)
        total = total if index is None else total[index]
        return cls(index, len(rows), group, table.account[pair], pair, weight, total)

    def per_line(self, values: np.ndarray) -> np.ndarray:
        """A value per group as a value per line."""
        return values if self.index is None else values[self.index]

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The sum of a per-pair value for each line; float32 (n,)."""
        return self.per_line(np.bincount(self.group, values, self.groups).astype(np.float32))

    def least(self, values: np.ndarray, most: float) -> np.ndarray:
        """The smallest of a per-pair value for each line, ``most`` where there is none."""
        result = np.full(self.groups, most, np.float32)
        if len(self.group):
            first = np.flatnonzero(np.r_[True, self.group[1:] != self.group[:-1]])
            result[self.group[first]] = np.minimum.reduceat(values, first)
        return self.per_line(np.minimum(result, most))

    def weigh_in(self, p: np.ndarray, trust: float) -> None:
        """Move the estimate ``p`` (n, accounts) towards the counts, in place."""
        if not len(self.group):
            return
        p *= (trust / (self.total + trust))[:, None]
        if self.index is None:
            p[self.group, self.account] += self.weight / (self.total[self.group] + trust)
            return
        table = np.zeros((self.groups, p.shape[1]), np.float32)
        table[self.group, self.account] = self.weight
        table /= (np.bincount(self.group, self.weight, self.groups) + trust)[:, None]
        p += table[self.index]


@dataclass
class Counts:
    """The memory of a batch of lines, per kind of key."""

    found: dict[str, Found]
    accounts: int

    @classmethod
    def collect(cls, lines: Lines, history: History, accounts: int) -> Counts:
        keys = keys_of(lines)
        now = float(np.exp2(-(history.last_day - EPOCH_DAY) / HALF_LIFE_DAYS))
        found = {name: Found.of(history.tables[name], keys[name], now) for name in KEYS}
        return cls(found, accounts)


class Picker:
    """Looks values up for the candidates ``top`` (n, k) of each line."""

    def __init__(self, counts: Counts, top: np.ndarray) -> None:
        self.counts = counts
        self.top = top
        self.slot = np.full((len(top), counts.accounts), -1, np.int8)
        np.put_along_axis(self.slot, top, np.arange(top.shape[1], dtype=np.int8)[None, :], 1)

    def at(self, name: str, values: np.ndarray, missing: float) -> np.ndarray:
        """A per-pair value at each candidate, ``missing`` where there is no pair; (n, k)."""
        found = self.counts.found[name]
        if found.index is not None:
            table = np.full((found.groups, self.counts.accounts), missing, np.float32)
            table[found.group, found.account] = values
            return table[found.index[:, None], self.top]
        result = np.full(self.top.shape, missing, np.float32)
        slot = self.slot[found.group, found.account]
        kept = slot >= 0
        result[found.group[kept], slot[kept]] = values[kept]
        return result


def memory_features(
    picker: Picker, history: History
) -> tuple[list[np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Features of the candidates, and how often each key was seen with each, and at all.

    Returns ``(columns, support, seen)``: columns (n, k) or broadcastable to it; ``support`` and
    ``seen`` as in ``evidence.Evidence``.
    """
    columns: list[np.ndarray] = []
    support, seen = {}, {}
    for name in KEYS:
        found = picker.counts.found[name]
        count = picker.at(name, found.weight, 0.0)
        total = found.total[:, None]
        share = count / np.maximum(total, 1e-6)
        columns += [share, np.log1p(count)]
        if name != "any":
            columns.append(np.log1p(total))
        plain = history.tables[name].count[found.pair]
        support[name] = picker.at(name, plain, 0.0)
        seen[name] = found.sum(plain)
        if name in RIVAL_KEYS:
            columns.append(share - _best_other(share))
    return columns + _time_features(picker, history), support, seen


def _best_other(share: np.ndarray) -> np.ndarray:
    """The best share among a line's other candidates: (n, k) → (n, k)."""
    first = share.max(axis=1, keepdims=True)
    second = np.partition(share, -2, axis=1)[:, -2:-1] if share.shape[1] > 1 else 0 * first
    return np.where(share >= first, second, first)


def _time_features(picker: Picker, history: History) -> list[np.ndarray]:
    """What was usual in the last weeks, and how long ago each account was used last."""
    columns: list[np.ndarray] = []
    now = np.exp2(-(history.last_day - EPOCH_DAY) / RECENT_HALF_LIFE_DAYS)
    for name in RECENT_KEYS:
        found = picker.counts.found[name]
        recent = (history.tables[name].recent[found.pair] * now).astype(np.float32)
        total = found.sum(recent)[:, None]
        columns += [picker.at(name, recent, 0.0) / np.maximum(total, 1e-6), np.log1p(total)]
    for name in AGED_KEYS:
        found = picker.counts.found[name]
        age = (history.last_day - history.tables[name].last_day[found.pair]).astype(np.float32)
        picked = picker.at(name, age, NEVER_DAYS)
        columns += [picked, picked - found.least(age, NEVER_DAYS)[:, None]]
    return columns
