"""Everything known about a line and an account: the candidates of a line and their features.

Each source (``sources``) gives a number for every account; the best few accounts become candidates,
and the ranker sees only features that mean the same for every client and every chart.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from models.history import KEYS, History
from models.lines import Lines
from models.memory import Counts, Picker, memory_features
from models.sources import Sources, knowledge_share, name_match, text_scores

CANDIDATES = 8
# A candidate this much weaker than the best one is not ranked at all.
WORTH_RANKING = 0.01
ALWAYS_RANKED = 3
# How many observations of a key outweigh what the more general keys say.
TRUST = {
    "any": 60.0, "department": 12.0, "department_amount": 4.0, "text": 3.0, "text_department": 1.5,
    "first_word": 3.0, "name": 1.0, "party": 1.0, "party_bucket": 2.0, "party_department": 1.0,
    "party_text": 0.7, "party_amount": 0.7, "party_text_department": 0.5,
    "party_department_amount": 0.5,
}  # fmt: skip


@dataclass
class Evidence:
    """Candidates of n lines, best first by the back-off estimate, and their features."""

    account: np.ndarray  # int64 (n, k), -1 where a line has fewer candidates
    features: np.ndarray  # float32 (n, k, features)
    backoff: np.ndarray  # float32 (n, k): probability by the back-off estimate
    knowledge: np.ndarray  # float32 (n, k)
    support: dict[str, np.ndarray]  # key kind → float32 (n, k): times this key went to the account
    seen: dict[str, np.ndarray]  # key kind → float32 (n,): times this key was seen at all
    text_gap: np.ndarray  # float32 (n, k): text score behind the best
    mean_amount: np.ndarray  # float32 (n, k): log amount this vendor usually has in the account

    @classmethod
    def joined(cls, parts: list[Evidence]) -> Evidence:
        """One batch from several of the same model, in order."""
        columns: dict[str, Any] = {}
        for column in fields(cls):
            values = [getattr(part, column.name) for part in parts]
            if isinstance(values[0], dict):
                columns[column.name] = {
                    key: np.concatenate([value[key] for value in values]) for key in values[0]
                }
            else:
                columns[column.name] = np.concatenate(values)
        return cls(**columns)


def gather(lines: Lines, sources: Sources, candidates: int = CANDIDATES) -> Evidence:
    """Candidates and features of every line; memory is lines × accounts, so call it in batches."""
    n, accounts = len(lines), sources.account_count
    counts = Counts.collect(lines, sources.history, accounts)
    text, text_share = text_scores(lines, sources)
    known = knowledge_share(lines, sources)
    names = name_match(lines, sources)
    backoff = _backoff(lines, sources, counts, text_share, known, names)
    # A new account has no history: its name alone can make it a candidate.
    combined = backoff + 0.3 * text_share + 0.02 * known + 0.5 * names**2
    combined[:, ~sources.is_candidate] = -1.0
    k = min(candidates, accounts)
    if k == 0:
        return _nothing(n)
    top = np.argpartition(-combined, k - 1, axis=1)[:, :k] if k < accounts else None
    top = np.tile(np.arange(accounts), (n, 1)) if top is None else top
    order = np.argsort(-np.take_along_axis(combined, top, 1), axis=1, kind="stable")
    top = np.take_along_axis(top, order, 1)
    strength = np.take_along_axis(combined, top, 1)
    # Most lines have few accounts worth ranking; the first three are kept as alternatives.
    is_worth_it = strength >= WORTH_RANKING * strength[:, :1]
    is_worth_it[:, :ALWAYS_RANKED] = True
    valid = (strength >= 0) & is_worth_it
    return _features(lines, sources, counts, text, text_share, known, names, backoff, top, valid)


def _backoff(
    lines: Lines,
    sources: Sources,
    counts: Counts,
    text_share: np.ndarray,
    known: np.ndarray,
    names: np.ndarray,
) -> np.ndarray:
    """P(account) by trusting each more specific key as far as it has been observed.

    A chain of Dirichlet estimates; it needs no training, so it serves from the first line on.
    """
    fits = np.where(lines.is_sale[:, None], sources.is_income, ~sources.is_income)
    base = np.where(fits, np.where(sources.is_asset, 0.2, 1.0), 0.02) * sources.is_candidate
    base = base * (1.0 + 30.0 * names**2)
    base = base / np.maximum(base.sum(axis=1, keepdims=True), 1e-9)
    known = known * np.where(fits, 1.0, 0.1)
    p = (known + 0.3 * base) / (known.sum(axis=1, keepdims=True) + 0.3)
    p = p.astype(np.float32)
    name_share = names**2 / np.maximum((names**2).sum(axis=1, keepdims=True), 0.25)
    for name in KEYS:
        counts.found[name].weigh_in(p, TRUST[name])
        if name == "text" and sources.text_model is not None:
            # Words never seen before leave more to the names of the accounts.
            is_new_text = (lines.text != 0) & (counts.found["text"].total == 0)
            named = np.where(is_new_text, np.float32(0.25), np.float32(0.1))[:, None]
            p = 0.4 * p + (0.6 - named) * text_share + named * name_share
    return p


def _features(
    lines: Lines, sources: Sources, counts: Counts, text: np.ndarray, text_share: np.ndarray,
    known: np.ndarray, names: np.ndarray, backoff: np.ndarray, top: np.ndarray, valid: np.ndarray,
) -> Evidence:  # fmt: skip
    history = sources.history
    n, k = top.shape

    def at(matrix: np.ndarray) -> np.ndarray:
        return np.take_along_axis(matrix, top, 1)

    def per_line(values: np.ndarray) -> np.ndarray:
        return np.repeat(values[:, None], k, axis=1)

    picker = Picker(counts, top)
    columns, support, seen = memory_features(picker, history)
    mean, usual = (_mean_amount(picker, history, name) for name in ("party", "any"))
    amount = lines.log_amount[:, None]
    by_party = counts.found["party"]
    accounts_of_party = by_party.sum(np.ones(len(by_party.group)))
    text_best = text.max(axis=1, keepdims=True)
    named = at(names)
    picked, picked_share, picked_known = at(backoff), at(text_share), at(known)
    columns += [
        _or_far(np.abs(amount - mean)), _or_far(np.abs(amount - usual)), _or_far(amount - usual),
        at(text), text_best - at(text), picked_share, picked, np.log(picked + 1e-6),
        picked.max(axis=1, keepdims=True) - picked, picked_known,
        known.max(axis=1, keepdims=True) - picked_known, named,
        names.max(axis=1, keepdims=True) - named,
        per_line(accounts_of_party), per_line(lines.log_amount),
        per_line(lines.is_credit.astype(np.float32)),
        per_line((lines.text == 0).astype(np.float32)),
        sources.is_asset[top].astype(np.float32),
        sources.is_income[top] == lines.is_sale[:, None],
    ]  # fmt: skip
    features = np.stack([np.broadcast_to(c, (n, k)) for c in columns], axis=2).astype(np.float32)
    return Evidence(
        account=np.where(valid, top, -1), features=features, backoff=picked,
        knowledge=picked_known, support=support, seen=seen,
        text_gap=text_best - at(text), mean_amount=mean,
    )  # fmt: skip


def _mean_amount(picker: Picker, history: History, name: str) -> np.ndarray:
    """The mean log amount that the key had in each candidate; NaN where it never went there."""
    table, pair = history.tables[name], picker.counts.found[name].pair
    return picker.at(name, table.amount[pair] / np.maximum(table.count[pair], 1), np.nan)


def _or_far(distance: np.ndarray) -> np.ndarray:
    """A distance, or one beyond every amount where there is nothing to compare with."""
    return np.nan_to_num(distance, nan=60.0)


def _nothing(n: int) -> Evidence:
    none = np.zeros((n, 0), np.float32)
    zero = np.zeros(n, np.float32)
    return Evidence(
        account=np.zeros((n, 0), np.int64), features=np.zeros((n, 0, 0), np.float32), backoff=none,
        knowledge=none, support=dict.fromkeys(KEYS, none), seen=dict.fromkeys(KEYS, zero),
        text_gap=none, mean_amount=none,
    )  # fmt: skip
