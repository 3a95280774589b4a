"""Rank a line's candidate accounts by features that mean the same for every client.

A histogram gradient boosting answers, for each candidate, "is it this one?". Because no feature
names an account, the skill carries over from client to client and from chart to chart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from models.evidence import Evidence
from models.lines import Lines

# Fewer replayed lines than this teach nothing that the back-off estimate does not know.
LINES_MIN = 150
# Replayed lines after which a client's own ranking has half of the say it can ever have.
HALF_SAY_LINES = 100
# The say of a client's own ranking, of the skill of other clients and of the plain estimate. What
# each says is multiplied, not added: an account that one of them knows to be over stays over.
OWN_SAY, SKILL_SAY, PLAIN_SAY = 0.6, 0.3, 0.1
OWN_SAY_ALONE = 0.8
# No judge's "never" is believed further than this.
LEAST = 1e-4
ROWS_AT_ONCE = 3_000


@dataclass
class Replay:
    """Lines of the past, seen as on their own day: only earlier lines made the evidence."""

    lines: Lines
    evidence: Evidence
    truth: np.ndarray  # int64 (n,): the account a person gave, as a code

    def hits(self) -> np.ndarray:
        """Whether each candidate is the true account: bool (n, k)."""
        return self.evidence.account == self.truth[:, None]


def one_thread() -> Any:
    """A context in which boosting uses one core.

    Clients are trained side by side; OpenMP threads that wait for each other on busy cores make a
    fit of one second last two minutes.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(limits=1, user_api="openmp")


class Ranker(BaseEstimator):
    """P(candidate is the account) for each candidate.

    ``skill``: a ranker trained on other clients, trusted while this one has seen little; without it
    the back-off estimate serves. ``iterations`` and ``leaves`` size the boosting.

    Learned: ``model_`` and ``line_count_``.
    """

    def __init__(
        self,
        *,
        skill: Ranker | None = None,
        iterations: int = 60,
        leaves: int = 10,
        random_state: int = 0,
    ) -> None:
        self.skill = skill
        self.iterations = iterations
        self.leaves = leaves
        self.random_state = random_state

    def fit(self, replays: list[Replay]) -> Ranker:
        """Learn from replayed lines; too few, or only one answer, and nothing is learned."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        rows, hits = [], []
        for replay in replays:
            valid = replay.evidence.account >= 0
            rows.append(replay.evidence.features[valid])
            hits.append(replay.hits()[valid])
        self.line_count_ = sum(len(replay.truth) for replay in replays)
        self.model_ = None
        if self.line_count_ < LINES_MIN:
            return self
        features, hit = np.concatenate(rows), np.concatenate(hits)
        if hit.all() or not hit.any():
            return self
        with one_thread():
            self.model_ = HistGradientBoostingClassifier(
                max_iter=self.iterations, max_leaf_nodes=self.leaves, learning_rate=0.1,
                min_samples_leaf=40, l2_regularization=1.0, early_stopping=False,
                random_state=self.random_state,
            ).fit(features, hit)  # fmt: skip
        return self

    def untrained(self) -> Ranker:
        """A twin with the same parameters that has learned nothing; the skill is shared."""
        return Ranker(**self.get_params(deep=False))

    def probabilities(self, evidence: Evidence) -> np.ndarray:
        """(n, k); 0 for missing candidates. Rows sum to 1 or less: the rest is "none of these"."""
        valid = evidence.account >= 0
        plain = np.where(valid, evidence.backoff, 0.0)
        judges, says = [plain], [1.0]
        own_say = OWN_SAY_ALONE
        if self.skill is not None and self.skill.model_ is not None:
            # The plain estimate stays in: the skill never saw this client's kind of chart.
            judges.append(self.skill.own_probabilities(evidence))
            says = [PLAIN_SAY / (PLAIN_SAY + SKILL_SAY), SKILL_SAY / (PLAIN_SAY + SKILL_SAY)]
            own_say = OWN_SAY
        if self.model_ is not None:
            own_say *= self.line_count_ / (self.line_count_ + HALF_SAY_LINES)
            says = [(1 - own_say) * say for say in says] + [own_say]
            judges.append(self.own_probabilities(evidence))
        return np.where(valid, _pooled(judges, says), 0.0)

    def own_probabilities(self, evidence: Evidence) -> np.ndarray:
        """What this ranker learned itself, nothing mixed in; shape as ``probabilities``."""
        valid = evidence.account >= 0
        p = np.zeros(evidence.account.shape)
        if not valid.any():
            return p
        if self.model_ is not None:
            p[valid] = _boosted(self.model_, evidence.features[valid])
        # An account never used has no record to rank by; its name and the knowledge speak.
        unused = valid & (evidence.support["any"] == 0)
        p = np.where(unused, np.maximum(p, evidence.backoff), p)
        return p / np.maximum(p.sum(axis=1, keepdims=True), 1.0)


def _pooled(judges: list[np.ndarray], says: list[float]) -> np.ndarray:
    """The weighted geometric mean; ``says`` sum to 1, so rows still sum to 1 or less."""
    spoken = [say * np.log(np.maximum(p, LEAST)) for p, say in zip(judges, says, strict=True)]
    pooled = np.exp(np.sum(spoken, axis=0))
    return pooled / np.maximum(pooled.sum(axis=1, keepdims=True), 1.0)


def _boosted(model: Any, features: np.ndarray) -> np.ndarray:
    """The boosting's answer, in pieces that stay in the processor's cache: twice as fast."""
    with one_thread():
        pieces = [
            model.predict_proba(features[start : start + ROWS_AT_ONCE])[:, 1]
            for start in range(0, len(features), ROWS_AT_ONCE)
        ]
    return np.concatenate(pieces)
