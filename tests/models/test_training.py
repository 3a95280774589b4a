"""Champion and challenger: judged on lines neither has seen, promoted only when not worse."""

from __future__ import annotations

import pytest

from models.categorizer import Categorizer
from models.training import Scores, split_by_time, train

pytestmark = pytest.mark.rotating(days=4, together=True)


def test_the_first_model_is_taken_with_its_figures_beside_a_baseline(lines, chart):
    training = train(lines.iloc[:600], chart)
    assert training.is_promoted
    assert training.challenger.lines >= 80
    assert training.challenger.top1 > 0.85
    assert training.vendor_majority_top1 is not None
    assert training.model.line_count_ == 600
    assert training.metadata()["data_hash"] == training.data_hash


class Forgetful(Categorizer):
    """A challenger that learns shuffled answers."""

    def fit(self, lines, chart):
        shuffled = lines["account_id"].sample(frac=1, random_state=3).to_numpy()
        return super().fit(lines.assign(account_id=shuffled), chart)


@pytest.mark.slow
def test_a_better_challenger_is_promoted(lines, chart):
    champion = Forgetful().fit(lines.iloc[:900], chart)
    training = train(lines, chart, champion=champion)
    assert training.is_promoted
    assert training.model is not champion
    assert training.challenger.worth > training.champion.worth


@pytest.mark.slow
def test_a_worse_challenger_is_not_promoted(lines, chart, monkeypatch):
    champion = train(lines.iloc[:900], chart).model
    monkeypatch.setattr("models.training.Categorizer", Forgetful)
    training = train(lines, chart, champion=champion)
    assert not training.is_promoted
    assert training.model is champion
    assert training.challenger.worth < training.champion.worth
    assert "kept the champion" in training.reason


def test_too_few_lines_to_judge_by_still_give_a_model(lines, chart):
    training = train(lines.iloc[:20], chart)
    assert training.is_promoted
    assert training.challenger is None
    assert "too few" in training.reason


def test_no_line_at_all_gives_the_first_days_model(lines, chart, knowledge):
    training = train(lines.iloc[:0], chart, knowledge)
    assert training.model.suggest(lines.iloc[:3]).account_id.notna().all()


def test_the_judged_lines_are_the_newest_and_no_day_is_split(lines):
    past, recent = split_by_time(lines)
    assert past["date"].max() < recent["date"].min()
    assert 0.1 < len(recent) / len(lines) < 0.2


def test_honesty_counts_beside_being_right():
    right_but_boastful = Scores(100, 0.90, 0.9, 0.9, 0.08)
    honest = Scores(100, 0.89, 0.8, 0.95, 0.01)
    assert honest.worth > right_but_boastful.worth
