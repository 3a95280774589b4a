"""The estimators keep scikit-learn's contract: its own checks, and their twins for lines.

scikit-learn's checks fit a matrix of numbers. Ours are fitted on tables of lines, on replays of
them or on decisions, so those of its checks that call ``fit`` cannot run; what they look for is
looked for here on invented lines.
"""

from __future__ import annotations

import pickle
from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.utils.estimator_checks import check_estimator

from models.accounts import Accounts
from models.categorizer import Categorizer
from models.confidence import FACTS, Calibrator
from models.knowledge import GlobalKnowledge, seed_lines
from models.lines import Lines
from models.ranker import Ranker
from models.text_model import TextModel

pytestmark = pytest.mark.slow

ESTIMATORS = (Categorizer, TextModel, Ranker, GlobalKnowledge, Calibrator)
# Every check of scikit-learn that does not fit a matrix of numbers.
APPLICABLE = {
    "check_estimator_cloneable", "check_estimator_tags_renamed", "check_valid_tag_types",
    "check_estimator_repr", "check_no_attributes_set_in_init", "check_estimators_unfitted",
    "check_do_not_raise_errors_in_init_or_set_params", "check_mixin_order",
    "check_parameters_default_constructible", "check_get_params_invariance", "check_set_params",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_checks_of_scikit_learn_that_need_no_matrix_pass(kind: type[BaseEstimator]) -> None:
    results = check_estimator(kind(), on_fail=None, on_skip=None)
    status = {row["check_name"]: row["status"] for row in results}
    assert set(status) >= APPLICABLE, "scikit-learn renamed a check"
    assert {name: status[name] for name in APPLICABLE} == dict.fromkeys(APPLICABLE, "passed")


@pytest.fixture(scope="module")
def fits(model: Categorizer, lines: pd.DataFrame, chart: pd.DataFrame) -> dict[type, Any]:
    """How each estimator is fitted, on data of its own kind."""
    coded = lines.iloc[:300]
    prepared, accounts = Lines.read(coded), Accounts.of_chart(chart)
    account = accounts.codes(coded["account_id"])
    random = np.random.default_rng(5)
    facts = random.normal(size=(200, FACTS))
    hit = random.random(200) < 1 / (1 + np.exp(-facts[:, 0]))
    replays = replayed(model, prepared, account)
    seeds = seed_lines().iloc[:400]
    return {
        Categorizer: lambda e: e.fit(coded, chart),
        TextModel: lambda e: e.fit(prepared, account, len(accounts)),
        Ranker: lambda e: e.fit(replays),
        GlobalKnowledge: lambda e: e.fit(seeds),
        Calibrator: lambda e: e.fit(facts, hit),
    }


def replayed(model: Categorizer, lines: Lines, account: np.ndarray) -> list[Any]:
    from models.backtest import backtest

    return backtest(
        lines, account, model._sources, folds=2, lines_max=200, text_rows_max=500, random_state=0
    )


def state_of(estimator: BaseEstimator) -> bytes:
    return pickle.dumps({k: v for k, v in vars(estimator).items() if k.endswith("_")})


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_fit_returns_itself_and_changes_no_parameter(kind: type, fits: Any) -> None:
    estimator = kind()
    before = deepcopy(estimator.get_params(deep=False))
    assert fits[kind](estimator) is estimator
    assert repr(estimator.get_params(deep=False)) == repr(before)
    added = set(vars(estimator)) - set(before)
    assert added, "something is learned"
    assert all(name.endswith("_") for name in added), added


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_fitted_twice_or_as_a_clone_it_learns_the_same(kind: type, fits: Any) -> None:
    estimator = fits[kind](kind())
    first = state_of(estimator)
    assert state_of(fits[kind](estimator)) == first
    assert state_of(fits[kind](clone(estimator))) == first


def test_a_suggestion_does_not_depend_on_the_lines_beside_it(
    model: Categorizer, lines: pd.DataFrame
) -> None:
    some = lines.iloc[1_000:1_060]
    whole = model.suggest(some)
    shuffled = model.suggest(some.sample(frac=1, random_state=3)).loc[some.index]
    alone = pd.concat([model.suggest(some.iloc[[n]]) for n in range(0, 60, 12)])
    for other in (shuffled, alone):
        same = whole.loc[other.index]
        assert other["account_id"].tolist() == same["account_id"].tolist()
        np.testing.assert_allclose(other["confidence"], same["confidence"], rtol=1e-6)


def test_suggesting_changes_neither_the_model_nor_the_lines(
    model: Categorizer, lines: pd.DataFrame
) -> None:
    some = lines.iloc[1_000:1_060]
    before, copied = state_of(model), some.copy()
    model.suggest(some)
    assert state_of(model) == before
    pd.testing.assert_frame_equal(some, copied)


def test_a_pickled_copy_in_memory_suggests_the_same(
    model: Categorizer, lines: pd.DataFrame
) -> None:
    """Copies travel between the processes of a sweep; files from outside are never unpickled."""
    some = lines.iloc[1_000:1_060]
    copied = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own object, in memory
    pd.testing.assert_frame_equal(copied.suggest(some), model.suggest(some))
