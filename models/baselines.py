"""What a bank rule, a vendor default or a plain text classifier would do: the bar to clear.

Each baseline is fitted on the same earlier lines as the model beside it, is calibrated on the last
fifth of them, and chooses its thresholds there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from models.confidence import Calibrator, choose_threshold
from models.lines import Lines

ROWS_MAX = 15_000


class Guesser(Protocol):
    """Guesses accounts; ``guess`` gives (account ids (n, 3), score 0–1 (n,))."""

    def fit(self, lines: pd.DataFrame) -> Guesser: ...

    def guess(self, lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]: ...


class Majority:
    """Always the client's most frequent accounts."""

    def fit(self, lines: pd.DataFrame) -> Majority:
        counts = lines["account_id"].value_counts()
        self.top_ = _three(counts.index.tolist())
        self.share_ = float(counts.iloc[0] / len(lines)) if len(lines) else 0.0
        return self

    def guess(self, lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        return np.tile(self.top_, (len(lines), 1)), np.full(len(lines), self.share_)


class VendorMajority:
    """The vendor's most frequent account; the client's, where the vendor is new."""

    def fit(self, lines: pd.DataFrame) -> VendorMajority:
        self.fallback_ = Majority().fit(lines)
        counts = lines.groupby(["party_name", "account_id"], sort=False).size()
        counts = counts.sort_values(ascending=False, kind="stable")
        self.table_: dict[str, tuple[np.ndarray, float]] = {}
        total = counts.groupby(level=0).sum()
        for vendor, group in counts.groupby(level=0, sort=False):
            accounts = group.index.get_level_values(1).tolist()
            score = float(group.iloc[0]) / (float(total[vendor]) + 1.0)
            self.table_[vendor] = (_three(accounts), score)
        return self

    def guess(self, lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        unknown = (self.fallback_.top_, self.fallback_.share_ * 0.5)
        found = [self.table_.get(vendor, unknown) for vendor in lines["party_name"]]
        return _stack(found)


class VendorLast(VendorMajority):
    """The vendor's last account: what a bank rule or a vendor default gives."""

    def fit(self, lines: pd.DataFrame) -> VendorLast:
        super().fit(lines)
        last = lines.drop_duplicates("party_name", keep="last")
        for vendor, account in zip(last["party_name"], last["account_id"], strict=True):
            top, score = self.table_.get(vendor, (np.full(3, None, dtype=object), 0.0))
            others = [other for other in top.tolist() if other != account]
            self.table_[vendor] = (_three([account, *others]), score)
        return self


class LinearText:
    """TF-IDF of words and character n-grams, department and amount bucket, linear SVM."""

    def fit(self, lines: pd.DataFrame) -> LinearText:
        from sklearn.svm import LinearSVC

        recent = lines.iloc[-ROWS_MAX:]
        self.vectorizers_: list[tuple[str, Any]] = []
        self.fallback_ = Majority().fit(lines)
        self.model_ = None
        if recent["account_id"].nunique() < 2:
            return self
        features = self._features(recent, is_fit=True)
        self.model_ = LinearSVC(C=0.3, random_state=0).fit(features, recent["account_id"])
        return self

    def _features(self, lines: pd.DataFrame, *, is_fit: bool) -> Any:
        from scipy import sparse
        from sklearn.feature_extraction.text import TfidfVectorizer

        fields = _text_fields(lines)
        if is_fit:
            whole = {"analyzer": _whole, "lowercase": False}
            letters = {"analyzer": "char_wb", "ngram_range": (3, 5), "sublinear_tf": True}
            words = {"ngram_range": (1, 2), "token_pattern": WORD}
            plan: list[tuple[str, dict[str, Any]]] = [
                ("vendor", whole), ("vendor", words), ("vendor", letters), ("text", words),
                ("text", letters), ("department", whole), ("amount", whole),
            ]  # fmt: skip
            for name, options in plan:
                if any(fields[name]):
                    vectorizer = TfidfVectorizer(max_features=100_000, **options)
                    self.vectorizers_.append((name, vectorizer.fit(fields[name])))
        parts = [vectorizer.transform(fields[name]) for name, vectorizer in self.vectorizers_]
        return sparse.hstack(parts).tocsr()

    def guess(self, lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        from scipy.special import softmax

        if self.model_ is None or not len(lines):
            return self.fallback_.guess(lines)
        scores = self.model_.decision_function(self._features(lines, is_fit=False))
        if scores.ndim == 1:
            scores = np.column_stack([-scores, scores])
        top = np.argsort(-scores, axis=1, kind="stable")[:, :3]
        names = np.full((len(lines), 3), None, dtype=object)
        names[:, : top.shape[1]] = np.asarray(self.model_.classes_, dtype=object)[top]
        return names, softmax(3.0 * scores, axis=1).max(axis=1)


WORD = r"\w+"
BASELINES: dict[str, type[Any]] = {
    "majority": Majority, "vendor majority": VendorMajority, "vendor last": VendorLast,
    "linear text": LinearText,
}  # fmt: skip


@dataclass
class Judged:
    """A fitted baseline with its calibration and thresholds, all from earlier lines."""

    guesser: Any
    calibrator: Calibrator
    threshold95: float
    threshold98: float

    @classmethod
    def fit(cls, name: str, lines: pd.DataFrame) -> Judged:
        """Fit on all earlier ``lines``; calibrate a twin on the last fifth of them."""
        cut = int(len(lines) * 0.8)
        guessed, score = BASELINES[name]().fit(lines.iloc[:cut]).guess(lines.iloc[cut:])
        hit = guessed[:, 0] == lines["account_id"].iloc[cut:].to_numpy(object)
        calibrator = Calibrator(penalty=1.0).fit(_facts(score), hit)
        confidence = calibrator.confidence(_facts(score))
        return cls(
            BASELINES[name]().fit(lines), calibrator,
            choose_threshold(confidence, hit, 0.95),
            choose_threshold(confidence, hit, 0.98),
        )  # fmt: skip

    def outcomes(self, lines: pd.DataFrame) -> pd.DataFrame:
        """``account_id``, ``top3``, ``confidence``, ``booked95``, ``booked98`` of each line."""
        guessed, score = self.guesser.guess(lines)
        confidence = self.calibrator.confidence(_facts(score))
        return pd.DataFrame(
            {
                "account_id": guessed[:, 0],
                "top3": [tuple(row) for row in guessed],
                "confidence": confidence,
                "booked95": confidence >= self.threshold95,
                "booked98": confidence >= self.threshold98,
            },
            index=lines.index,
        )


def _facts(score: np.ndarray) -> np.ndarray:
    clipped = np.clip(score, 1e-4, 1 - 1e-4)
    return np.column_stack([np.log(clipped / (1 - clipped)), np.zeros((len(score), 4))])


def _whole(text: str) -> list[str]:
    return [text] if text else []


def _three(accounts: list[Any]) -> np.ndarray:
    result = np.full(3, None, dtype=object)
    result[: min(len(accounts), 3)] = accounts[:3]
    return result


def _stack(found: list[tuple[np.ndarray, float]]) -> tuple[np.ndarray, np.ndarray]:
    if not found:
        return np.full((0, 3), None, dtype=object), np.zeros(0)
    return np.stack([top for top, _ in found]), np.array([score for _, score in found])


def _text_fields(lines: pd.DataFrame) -> dict[str, list[str]]:
    prepared = Lines.read(lines)
    return {
        "vendor": prepared.distinct_names[prepared.name_code].tolist(),
        "text": prepared.distinct_texts[prepared.text_code].tolist(),
        "department": prepared.distinct_departments[prepared.department_code].tolist(),
        "amount": prepared.amount_bucket.astype(str).tolist(),
    }
