"""A client's memory of a batch of lines: counts per key and account, and what they say to a ranker.

``history`` keeps the counts; here they are laid out for lines, and turned into features that mean
the same for every client.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.history import (
    EPOCH_DAY,
    HALF_LIFE_DAYS,
    KEYS,
    RECENT_HALF_LIFE_DAYS,
    History,
    keys_of,
)  # fmt: skip
from models.lines import Lines

AGED_KEYS = ("any", "party", "party_text", "party_department", "department", "party_amount")
RECENT_KEYS = ("any", "department", "party", "party_department", "party_text", "party_bucket")
RIVAL_KEYS = ("party", "party_department", "party_text", "party_bucket", "party_amount")
NEVER_DAYS = 4_000.0


@dataclass
class Counts:
    """The history of a batch, dense: one (lines, accounts) matrix of decayed counts per key."""

    weight: dict[str, np.ndarray]
    total: dict[str, np.ndarray]
    pairs: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]

    @classmethod
    def collect(cls, lines: Lines, history: History, accounts: int) -> Counts:
        keys = keys_of(lines)
        now = np.exp2(-(history.last_day - EPOCH_DAY) / HALF_LIFE_DAYS)
        weight, total, pairs = {}, {}, {}
        for name in KEYS:
            table = history.tables[name]
            line, pair = table.pairs(table.find(keys[name]))
            account = table.account[pair]
            dense = np.zeros((len(lines), accounts), np.float32)
            dense[line, account] = table.weight[pair] * now
            weight[name], total[name] = dense, dense.sum(axis=1)
            pairs[name] = (line, account, pair)
        return cls(weight, total, pairs)

    def spread(self, name: str, values: np.ndarray, missing: float) -> np.ndarray:
        """Any per-pair value as a dense matrix, ``missing`` where there is no pair."""
        line, account, pair = self.pairs[name]
        dense = np.full(self.weight[name].shape, missing, np.float32)
        dense[line, account] = values[pair]
        return dense


def memory_features(
    counts: Counts, history: History, top: np.ndarray
) -> tuple[list[np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Features of the candidates ``top`` (n, k), and how often each key was seen with each, at all.

    Returns ``(columns, support, seen)``: columns (n, k) or broadcastable to it; ``support`` and
    ``seen`` as in ``evidence.Evidence``.
    """
    columns: list[np.ndarray] = []
    support, seen = {}, {}
    for name in KEYS:
        count = np.take_along_axis(counts.weight[name], top, 1)
        total = counts.total[name][:, None]
        share = count / np.maximum(total, 1e-6)
        columns += [share, np.log1p(count)]
        if name != "any":
            columns.append(np.log1p(total))
        plain = history.tables[name].count
        support[name] = np.take_along_axis(counts.spread(name, plain, 0.0), top, 1)
        line, _, pair = counts.pairs[name]
        seen[name] = np.bincount(line, plain[pair], len(top)).astype(np.float32)
        if name in RIVAL_KEYS:
            columns.append(share - _best_other(share))
    columns += _recent_features(counts, history, top)
    for name in AGED_KEYS:
        last_day = history.tables[name].last_day
        age = counts.spread(name, history.last_day - last_day, NEVER_DAYS)
        picked = np.take_along_axis(age, top, 1)
        columns += [picked, picked - age.min(axis=1, keepdims=True)]
    return columns, support, seen


def _best_other(share: np.ndarray) -> np.ndarray:
    """The best share among a line's other candidates: (n, k) → (n, k)."""
    first = share.max(axis=1, keepdims=True)
    second = np.partition(share, -2, axis=1)[:, -2:-1] if share.shape[1] > 1 else 0 * first
    return np.where(share >= first, second, first)


def _recent_features(counts: Counts, history: History, top: np.ndarray) -> list[np.ndarray]:
    columns: list[np.ndarray] = []
    now = np.exp2(-(history.last_day - EPOCH_DAY) / RECENT_HALF_LIFE_DAYS)
    for name in RECENT_KEYS:
        recent = counts.spread(name, history.tables[name].recent * now, 0.0)
        total = recent.sum(axis=1, keepdims=True)
        columns += [
            np.take_along_axis(recent, top, 1) / np.maximum(total, 1e-6), np.log1p(total)
        ]  # fmt: skip
    return columns
