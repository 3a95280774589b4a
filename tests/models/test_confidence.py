"""Thresholds keep their promise and calibration is honest, on simulated decisions."""

from __future__ import annotations

import numpy as np
import pytest

from models.confidence import (
    DECISIONS_MIN,
    FACTS,
    NEVER,
    Calibrator,
    calibration_error,
    choose_threshold,
    wilson_lower_bound,
)

SEED = 11


def simulated(count: int, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Confidences and outcomes of a perfectly calibrated model."""
    print(f"seed {seed}")
    random = np.random.default_rng(seed)
    confidence = random.beta(4, 1, count)
    return confidence, random.random(count) < confidence


@pytest.mark.parametrize("seed", range(5))
def test_the_promised_precision_is_reached_on_the_next_decisions(seed):
    confidence, hit = simulated(3_000, seed)
    threshold = choose_threshold(confidence, hit, 0.95)
    later, right = simulated(20_000, seed + 100)
    booked = later >= threshold
    assert booked.mean() > 0.2
    assert right[booked].mean() >= 0.94


def test_few_decisions_prove_nothing():
    assert choose_threshold(np.ones(DECISIONS_MIN - 1), np.ones(DECISIONS_MIN - 1), 0.95) == NEVER


def test_a_precision_that_was_never_reached_is_never_promised():
    confidence, _ = simulated(2_000)
    assert choose_threshold(confidence, np.zeros(2_000, bool), 0.95) == NEVER


def test_a_higher_promise_needs_a_higher_threshold():
    confidence, hit = simulated(5_000)
    assert choose_threshold(confidence, hit, 0.98) > choose_threshold(confidence, hit, 0.9)


def test_equal_confidences_are_booked_together_or_not_at_all():
    confidence = np.r_[np.full(500, 0.9), np.full(500, 0.8)]
    hit = np.r_[np.ones(500, bool), np.arange(500) % 2 == 0]
    assert choose_threshold(confidence, hit, 0.95) == 0.9


@pytest.mark.parametrize(("hits", "count"), [(0, 0), (0, 10), (10, 10), (95, 100), (990, 1_000)])
def test_the_lower_bound_lies_below_the_share(hits, count):
    bound = float(wilson_lower_bound(np.array(hits), np.array(count)))
    assert 0 <= bound <= (hits / count if count else 0) + 1e-12


def test_calibration_turns_boasting_scores_into_honest_ones():
    confidence, hit = simulated(24_000)
    boasting = np.clip(np.log(confidence / (1 - confidence)) * 2 + 1, -9, 9)
    facts = np.column_stack([boasting, np.zeros((len(hit), FACTS - 1))])
    honest = Calibrator().fit(facts[:9_000], hit[:9_000]).confidence(facts[9_000:])
    raw = 1 / (1 + np.exp(-boasting[9_000:]))
    assert calibration_error(honest, hit[9_000:]) < 0.03
    assert calibration_error(raw, hit[9_000:]) > 0.06


def test_before_enough_decisions_confidence_stays_below_nine_tenths():
    facts = np.column_stack([np.full(5, 9.0), np.zeros((5, FACTS - 1))])
    assert (Calibrator().fit(np.zeros((0, FACTS)), np.zeros(0)).confidence(facts) < 0.9).all()
