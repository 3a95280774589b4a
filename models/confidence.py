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
# What a calibrated confidence is worth beside the decisions observed: a fifth of their number.
BELIEVED_SHARE, BELIEVED_MAX = 0.2, 200.0
NEVER = 2.0  # a threshold above every confidence
FACTS = 6
NEWTON_STEPS_MAX = 50


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

    A calibrated confidence is itself some evidence: it counts as a few more decisions that came out
    as promised. Returns ``NEVER`` when no threshold reaches it or too few decisions were observed.
    """
    if len(confidence) < DECISIONS_MIN:
        return NEVER
    order = np.argsort(-confidence, kind="stable")
    ranked, right = confidence[order], hit[order].astype(float)
    count = np.arange(1, len(right) + 1)
    believed = min(BELIEVED_SHARE * len(right), BELIEVED_MAX)
    promised = believed * np.cumsum(ranked) / count
    bound = wilson_lower_bound(np.cumsum(right) + promised, count + believed)
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


def calibration_noise(confidence: np.ndarray, bins: int = 15) -> float:
    """The calibration error that luck alone gives to a perfectly honest confidence.

    A bin of n lines with mean p misses by ``sqrt(2 p (1 - p) / (pi n))`` on average.
    """
    if not len(confidence):
        return 0.0
    parts = np.array_split(np.sort(confidence), min(bins, len(confidence)))
    gaps = [
        len(part) * np.sqrt(2 * part.mean() * (1 - part.mean()) / (np.pi * len(part)))
        for part in parts
    ]
    return float(np.sum(gaps) / len(confidence))


def score_facts(
    p: np.ndarray,
    is_new_party: np.ndarray,
    is_new_pair: np.ndarray,
    is_credit: np.ndarray,
    is_pure: np.ndarray,
) -> np.ndarray:
    """The facts a calibrator looks at, from sorted candidate scores ``p`` (n, k); (n, FACTS)."""
    best = np.clip(p[:, 0], 1e-4, 1 - 1e-4)
    second = np.clip(p[:, 1] if p.shape[1] > 1 else np.zeros(len(p)), 1e-4, 1 - 1e-4)
    return np.column_stack(
        [
            np.log(best / (1 - best)),
            np.log(second / (1 - second)),
            is_new_party.astype(float),
            is_new_pair.astype(float),
            is_credit.astype(float),
            is_pure.astype(float),
        ]
    )


class Calibrator(BaseEstimator):
    """Probability that the first candidate is right: the score, corrected by a few facts.

    A logistic regression that starts from the score itself (or from another client's correction)
    and leaves it only as far as the decisions insist: ``penalty`` is the number of decisions'
    worth of stubbornness. Newer decisions count more: their weight halves every
    ``half_life`` decisions.
    """

    def __init__(
        self, *, decisions_min: int = 40, penalty: float = 10.0, half_life: float = 500.0
    ) -> None:
        self.decisions_min = decisions_min
        self.penalty = penalty
        self.half_life = half_life

    def fit(
        self, facts: np.ndarray, hit: np.ndarray, towards: Calibrator | None = None
    ) -> Calibrator:
        """Learn from decisions, oldest first: facts (n, FACTS) and whether each was right (n,)."""
        self.decision_count_ = len(hit)
        self.coefficients_ = np.zeros(FACTS + 1)
        self.is_fitted_ = len(hit) >= self.decisions_min
        if towards is not None and towards.is_fitted_:
            self.coefficients_ = towards.coefficients_.copy()
            if not self.is_fitted_:
                self.is_fitted_ = True
                return self
        if self.is_fitted_:
            weight = 0.5 ** (np.arange(len(hit))[::-1] / self.half_life)
            self.coefficients_ = self._newton(_design(facts), facts[:, 0], hit, weight)
        return self

    def _newton(
        self, design: np.ndarray, score: np.ndarray, hit: np.ndarray, weight: np.ndarray
    ) -> np.ndarray:
        from scipy.special import expit

        start = self.coefficients_
        # The level of a client is learned faster than its peculiarities.
        penalty = self.penalty * np.r_[0.25, np.ones(FACTS)]
        result = start.copy()
        for _ in range(NEWTON_STEPS_MAX):
            p = expit(score + design @ result)
            slope = design.T @ (weight * (p - hit)) + penalty * (result - start)
            curvature = (design * (weight * p * (1 - p))[:, None]).T @ design + np.diag(penalty)
            step = np.linalg.solve(curvature, slope)
            # Where the score is far off, a whole Newton step can overshoot.
            result -= step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
            if np.abs(step).max() < 1e-5:
                break
        return result

    def confidence(self, facts: np.ndarray) -> np.ndarray:
        """0–1; before enough decisions were observed, the score itself, kept below 0.9."""
        from scipy.special import expit

        if not self.is_fitted_:
            return 0.9 * expit(facts[:, 0])
        return expit(facts[:, 0] + _design(facts) @ self.coefficients_)


def _design(facts: np.ndarray) -> np.ndarray:
    """A constant and the facts, the two scores centred where most decisions lie."""
    centred = facts - np.array([1.0, -3.0, 0.0, 0.0, 0.0, 0.0])
    return np.column_stack([np.ones(len(facts)), centred])
