"""How the judges of a line are pooled."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.ranker import LEAST, _pooled

shares = arrays(float, (4, 3), elements=st.floats(0.0, 1.0))


@given(shares, shares, st.floats(0.0, 1.0))
def test_pooled_rows_are_shares_between_what_the_judges_say(
    first: np.ndarray, second: np.ndarray, say: float
) -> None:
    one, two = (p / np.maximum(p.sum(axis=1, keepdims=True), 1.0) for p in (first, second))
    pooled = _pooled([one, two], [say, 1.0 - say])
    assert (pooled.sum(axis=1) <= 1.0 + 1e-9).all()
    low, high = (np.maximum(f(one, two), LEAST) for f in (np.minimum, np.maximum))
    assert (pooled <= high * (1 + 1e-9)).all()
    assert (pooled * (1 + 3 * LEAST) >= low * (1 - 1e-9)).all()


def test_an_account_that_one_judge_knows_to_be_over_loses() -> None:
    # The vendor went to the first account for years; the boosting has seen it move for good.
    habit, moved = np.array([[0.99, 0.01]]), np.array([[0.002, 0.6]])
    assert _pooled([habit, moved], [0.25, 0.75]).argmax() == 1
