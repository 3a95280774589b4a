"""Suggest an account for each line of a client's documents, and know when to ask.

``Categorizer`` holds one client's layers together: memory (``history``), words (``text_model``),
the firm's knowledge (``knowledge``), the ranking of candidates (``ranker``), calibrated confidence
(``confidence``) and the rules that always ask a person (``safety``). It never books anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from models.accounts import Accounts
from models.answers import AnswerMemory
from models.backtest import CELLS_MAX, backtest
from models.decision import Decisions, decide
from models.evidence import gather
from models.explanation import ANSWERED_ELSEWHERE, ANSWERED_HERE, NOT_ANSWERED, reasons
from models.fingerprint import code_version, fingerprint, frame_fingerprint
from models.history import History
from models.knowledge import GlobalKnowledge
from models.lines import Lines, repeated_key
from models.normalize import combine
from models.ranker import Ranker
from models.safety import Limits
from models.skill import Skill
from models.sources import Sources, account_word_matrix
from models.text_model import TextModel
from models.track_record import TrackRecord

# Suggestions only, nothing booked unasked, before a client has this many coded lines.
MATURE_LINES = 100
BATCH_LINES_MAX = 6_000


class Categorizer(BaseEstimator):
    """One client's model. ``fit`` learns all layers, ``suggest`` uses them, ``learn`` remembers.

    ``target_precision``: share of booked lines that must be right. ``knowledge``: what the firm
    knows across clients, or None. ``gap_days_max``: with no confirmed line for longer, only ask.
    ``replay_lines``: newest lines replayed to train the ranker and the calibration.
    """

    def __init__(
        self,
        *,
        target_precision: float = 0.95,
        knowledge: GlobalKnowledge | None = None,
        random_state: int = 0,
        gap_days_max: int = 90,
        replay_lines: int = 10_000,
        text_rows_max: int = 15_000,
    ) -> None:
        self.target_precision = target_precision
        self.knowledge = knowledge
        self.random_state = random_state
        self.gap_days_max = gap_days_max
        self.replay_lines = replay_lines
        self.text_rows_max = text_rows_max

    def fit(self, lines: pd.DataFrame, chart: pd.DataFrame) -> Categorizer:
        """Learn from coded lines (columns of the contract, ``account_id`` the label).

        Zero lines are allowed: then only the chart and the knowledge speak. Raises
        ``LineColumnsMissing`` or ``ChartColumnsMissing``.
        """
        coded = lines[lines["account_id"].notna()]
        prepared = Lines.read(coded)
        order = np.argsort(prepared.day, kind="stable")
        prepared, coded = prepared.take(order), coded.iloc[order]
        self.accounts_ = Accounts.of_chart(chart, coded["account_id"])
        account = self.accounts_.codes(coded["account_id"])
        self.version_ = self._fingerprint(coded, chart)
        self.line_count_ = len(coded)
        self.fitted_through_ = int(prepared.day.max()) if len(coded) else 0
        self._prepare_chart()
        self.history_ = History.empty().learn(prepared, account)
        self.answers_ = AnswerMemory.empty()
        self._remember_answers(prepared, account, coded)
        self.text_model_ = None
        if len(coded) >= 20:
            self.text_model_ = TextModel(
                rows_max=self.text_rows_max, random_state=self.random_state
            ).fit(prepared, account, len(self.accounts_))
        self._fit_ranking(prepared, account)
        return self

    def _fingerprint(self, coded: pd.DataFrame, chart: pd.DataFrame) -> str:
        parameters = {k: v for k, v in self.get_params(deep=False).items() if k != "knowledge"}
        knowledge = self.knowledge.version_ if self.knowledge is not None else "none"
        return fingerprint(
            code_version(), repr(sorted(parameters.items())), knowledge,
            frame_fingerprint(coded), frame_fingerprint(chart),
        )  # fmt: skip

    def _prepare_chart(self) -> None:
        self.account_words_ = account_word_matrix(self.accounts_.words)
        self.correspondence_ = None
        if self.knowledge is not None:
            self.correspondence_ = self.knowledge.correspondence(self.accounts_.frame())

    def __getstate__(self) -> dict[str, Any]:
        # Sparse matrices do not belong into a model file: their indices are followed unchecked.
        state = dict(super().__getstate__())
        state.pop("account_words_", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if hasattr(self, "accounts_"):
            self.account_words_ = account_word_matrix(self.accounts_.words)

    def _sources(self, history: History, text_model: TextModel | None) -> Sources:
        return Sources(
            history=history, text_model=text_model, knowledge=self.knowledge,
            correspondence=self.correspondence_, is_candidate=self.accounts_.is_candidate,
            is_income=self.accounts_.is_income, is_asset=self.accounts_.is_asset,
            account_words=self.account_words_,
        )  # fmt: skip

    def _limits(self) -> Limits:
        return Limits(self.large_log_amount_, self.history_.last_day, self.gap_days_max)

    def _fit_ranking(self, lines: Lines, account: np.ndarray) -> None:
        """Replay the past; learn ranking, calibration and threshold from it."""
        self.large_log_amount_ = float(np.quantile(lines.log_amount, 0.995) if len(lines) else 0.0)
        folds = 3 if len(lines) < 4_000 else 4
        replays = backtest(
            lines, account, self._sources, folds=folds, lines_max=self.replay_lines,
            text_rows_max=self.text_rows_max // 2, random_state=self.random_state,
        )  # fmt: skip
        self.ranker_ = self._ranker().fit(replays)
        skill: Skill | None = self.knowledge.skill_ if self.knowledge is not None else None
        self.record_ = TrackRecord.of_replays(
            replays, self.ranker_, self._limits(), self.target_precision,
            skill.calibrator if skill else None,
        )  # fmt: skip

    def _ranker(self) -> Ranker:
        skill: Skill | None = self.knowledge.skill_ if self.knowledge is not None else None
        return Ranker(skill=skill.ranker if skill else None, random_state=self.random_state)

    @property
    def threshold_(self) -> float:
        """The confidence below which a person is asked about an ordinary line.

        New vendors and new pairs of vendor and account have thresholds of their own.
        """
        return float(self.record_.thresholds[0])

    def threshold_for(self, precision: float) -> float:
        """The confidence that promises another ``precision`` than ``target_precision``."""
        return self.record_.threshold_for(precision)

    def suggest(self, lines: pd.DataFrame) -> pd.DataFrame:
        """The best account of each line, how sure that is, and whether to ask a person.

        Same index as ``lines``. Columns: ``account_id`` (None only when the chart has no
        candidate), ``confidence`` 0–1, ``needs_review``, ``reason``, ``alternatives`` (up to three
        ``(account_id, confidence)``, without the suggested one). Raises ``NotFittedError``.
        """
        self._check_fitted()
        prepared = Lines.read(lines)
        is_late = prepared.day - self.history_.last_day > self.gap_days_max
        repeated = repeated_key(prepared, self.history_.knows_amount(prepared))
        key = combine(repeated, is_late.astype(np.uint64) + np.uint64(1))
        _, first, position = np.unique(key, return_index=True, return_inverse=True)
        # Lines of one vendor side by side: its name is read once per batch.
        order = np.argsort(prepared.name_code[first], kind="stable")
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        position, distinct = place[position], prepared.take(first[order])
        parts = [self._suggest_batch(distinct.take(part)) for part in self._batches(distinct)]
        if not parts:
            return _no_suggestions(lines.index)
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return pd.DataFrame(
            {name: values[position] for name, values in columns.items()}, index=lines.index
        )

    def _check_fitted(self) -> None:
        if not hasattr(self, "history_"):
            raise NotFittedError("call Categorizer.fit before suggest or learn")

    def _batches(self, lines: Lines) -> Iterator[slice]:
        size = min(max(CELLS_MAX // max(len(self.accounts_), 1), 250), BATCH_LINES_MAX)
        for start in range(0, len(lines), size):
            yield slice(start, start + size)

    def _decide(self, lines: Lines) -> Decisions:
        sources = self._sources(self.history_, self.text_model_)
        evidence = gather(lines, sources)
        decisions = decide(lines, evidence, self.ranker_, self._limits())
        confidence = self.record_.calibrated(decisions.facts)
        answered = self.answers_.account_for(lines)
        found = np.flatnonzero(answered >= 0)
        is_candidate = self.accounts_.is_candidate[answered[found]]
        answered[found[~is_candidate]] = -1
        return decisions.with_answers(confidence, answered, self.answers_.confidence)

    def _suggest_batch(self, lines: Lines) -> dict[str, np.ndarray]:
        decisions = self._decide(lines)
        asked = decisions.asked(
            self.record_.thresholds,
            is_young=self.line_count_ < MATURE_LINES,
            follows_answers=self.answers_.keep(self.target_precision),
        )
        ids = self.accounts_.account_id.astype(object)
        answered = np.where(self.answers_.has_exact(lines), ANSWERED_HERE, ANSWERED_ELSEWHERE)
        answered[~decisions.is_correction] = NOT_ANSWERED
        return {
            "account_id": decisions.account_ids(ids),
            "confidence": decisions.confidence,
            "needs_review": (asked >= 0) | (decisions.account < 0),
            "reason": reasons(
                lines, decisions.evidence, decisions.choice, asked, answered,
                lambda line: self._words_that_counted(lines.take(line), decisions.account[line]),
                self.threshold_,
            ),
            "alternatives": decisions.alternatives(ids),
        }  # fmt: skip

    def _words_that_counted(self, lines: Lines, account: np.ndarray) -> np.ndarray:
        if self.text_model_ is None:
            return np.full(len(lines), "", dtype=object)
        return self.text_model_.words_that_counted(lines, account)

    def learn(self, lines: pd.DataFrame) -> Categorizer:
        """Remember newly coded lines at once, without a refit.

        A row counts as a person's answer, which lines of the same vendor, text and department then
        follow, unless its ``is_correction`` is False (simply coded in BILL). What the model would
        have said is compared with the answer first, and the threshold moves accordingly.
        """
        self._check_fitted()
        coded = lines[lines["account_id"].notna()]
        if not len(coded):
            return self
        if "is_correction" not in coded.columns:
            coded = coded.assign(is_correction=True)
        self._know_accounts(coded["account_id"])
        prepared, account = Lines.read(coded), self.accounts_.codes(coded["account_id"])
        self._compare(prepared, account)
        self.history_ = self.history_.learn(prepared, account)
        self._remember_answers(prepared, account, coded)
        self.line_count_ += len(coded)
        self.version_ = fingerprint(self.version_, frame_fingerprint(coded))
        return self

    def _compare(self, lines: Lines, account: np.ndarray) -> None:
        """After each answer: the latest answers recalibrate, and decide what is sure enough."""
        for part in self._batches(lines):
            decisions = self._decide(lines.take(part))
            hit = decisions.account == account[part]
            follows = decisions.is_correction
            self.answers_ = self.answers_.tested(hit[follows])
            own = ~follows
            self.record_ = self.record_.add(decisions.facts[own], hit[own], decisions.rule[own] < 0)

    def _remember_answers(self, lines: Lines, account: np.ndarray, coded: pd.DataFrame) -> None:
        is_answer = np.zeros(len(coded), bool)
        if "is_correction" in coded.columns:
            is_answer = coded["is_correction"].eq(True).to_numpy(bool)
        self.answers_ = self.answers_.learn(lines, account, is_answer)

    def _know_accounts(self, account_id: pd.Series) -> None:
        """A person may use an account that is newer than the training."""
        unknown = account_id[self.accounts_.codes(account_id) < 0].astype(str).unique()
        if len(unknown):
            new = pd.DataFrame({"account_id": unknown, "account_name": "", "is_candidate": True})
            self.use_chart(pd.concat([self.accounts_.frame(), new], ignore_index=True))

    def use_chart(self, chart: pd.DataFrame) -> Categorizer:
        """Follow a changed chart without a refit: renamed, deleted and new accounts."""
        self._check_fitted()
        self.accounts_ = self.accounts_.updated(chart)
        if self.text_model_ is not None:
            self.text_model_.account_count_ = len(self.accounts_)
        self._prepare_chart()
        return self


def _no_suggestions(index: pd.Index) -> pd.DataFrame:
    empty = pd.DataFrame(
        {"account_id": [], "confidence": [], "needs_review": [], "reason": [], "alternatives": []}
    )
    return empty.astype({"confidence": float, "needs_review": bool}).set_index(index[:0])
