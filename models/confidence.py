"""From scores to honest probabilities, and from probabilities to "book" or "ask".

``Calibrator`` learns on past decisions how often a score was right. ``choose_threshold`` finds the
lowest confidence at which the promised precision was reached on the past, with a margin for luck.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

# One-sided 90 % confidence: a threshold is believed when luck explains it one time in ten.
WILSON_Z = 1.2816
# Below this many observed decisions no threshold can be believed: everything is asked.
DECISIONS_MIN = 60
NEVER = 2.0  # a threshold above every confidence


def wilson_lower_bound(hits: np.ndarray, count: np.ndarray, z: float = WILSON_Z) -> np.ndarray:
    """Lower confidence bound of a share ``hits / count``; 0 where ``count`` is 0.

    >>> round(float(wilson_lower_bound(np.array(98.0), np.array(100.0))), 3)
    0.951
    """
    n = np.maximum(count, 1e-9)
    share = hits / n
    centre = share + z * z / (2 * n)
    margin = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return np.where(count > 0, np.maximum(centre - margin, 0.0) / (1 + z * z / n), 0.0)


def choose_threshold(confidence: np.ndarray, hit: np.ndarray, target: float) -> float:
    """The lowest confidence above which precision was at least ``target``, luck allowed for.

    Returns ``NEVER`` when no threshold reaches it or too few decisions were observed.
    """
    if len(confidence) < DECISIONS_MIN:
        return NEVER
    order = np.argsort(-confidence, kind="stable")
    ranked, right = confidence[order], hit[order].astype(float)
    count = np.arange(1, len(right) + 1)
    bound = wilson_lower_bound(np.cumsum(right), count)
    # Equal confidences are booked together or not at all.
    last_of_its_value = np.r_[ranked[1:] < ranked[:-1], True]
    reached = np.flatnonzero((bound >= target) & last_of_its_value & (count >= DECISIONS_MIN))
    return float(ranked[reached[-1]]) if len(reached) else NEVER


def calibration_error(confidence: np.ndarray, hit: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: mean gap of promised and reached precision, bins of equal size.

    0 for no rows.
    """
    if not len(confidence):
        return 0.0
    order = np.argsort(confidence, kind="stable")
    gaps = [
        len(part) * abs(float(confidence[part].mean()) - float(hit[part].mean()))
        for part in np.array_split(order, min(bins, len(order)))
    ]
    return float(np.sum(gaps) / len(order))


def score_facts(
    p: np.ndarray, is_new_party: np.ndarray, is_new_pair: np.ndarray, is_credit: np.ndarray
) -> np.ndarray:
    """The facts a calibrator looks at, from sorted candidate scores ``p`` (n, k); (n, 5)."""
    best = np.clip(p[:, 0], 1e-4, 1 - 1e-4)
    second = np.clip(p[:, 1] if p.shape[1] > 1 else np.zeros(len(p)), 1e-4, 1 - 1e-4)
    return np.column_stack(
        [
            np.log(best / (1 - best)),
            np.log(second / (1 - second)),
            is_new_party.astype(float),
            is_new_pair.astype(float),
            is_credit.astype(float),
        ]
    )


class Calibrator(BaseEstimator):
    """Probability that the first candidate is right: logistic regression on a few facts."""

    def __init__(self, *, decisions_min: int = 40, inverse_penalty: float = 1.0) -> None:
        self.decisions_min = decisions_min
        self.inverse_penalty = inverse_penalty

    def fit(self, facts: np.ndarray, hit: np.ndarray) -> Calibrator:
        """Learn from past decisions: facts (n, 5) and whether each was right (n,)."""
        from sklearn.linear_model import LogisticRegression

        self.model_ = None
        self.decision_count_ = len(hit)
        enough = len(hit) >= self.decisions_min and 0 < hit.sum() < len(hit)
        if enough:
            self.model_ = LogisticRegression(C=self.inverse_penalty, max_iter=500).fit(facts, hit)
        self.share_right_ = float(hit.mean()) if len(hit) else 0.0
        return self

    def confidence(self, facts: np.ndarray) -> np.ndarray:
        """0–1; before enough decisions were observed, the score itself, kept below 0.9."""
        if self.model_ is None:
            return 0.9 / (1.0 + np.exp(-facts[:, 0]))
        return self.model_.predict_proba(facts)[:, 1]
