"""What a bank rule, a vendor default or a plain text classifier would do: the bar to clear.

Each baseline is fitted on the same earlier lines as the model beside it, is calibrated on the last
fifth of them, and chooses its thresholds there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from models.confidence import FACTS, Calibrator, choose_threshold
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

    keys: tuple[tuple[str, ...], ...] = (("party_name",),)

    def fit(self, lines: pd.DataFrame) -> VendorMajority:
        self.fallback_ = Majority().fit(lines)
        self.tables_ = [self._table(lines, list(columns)) for columns in self.keys]
        return self

    @staticmethod
    def _table(lines: pd.DataFrame, columns: list[str]) -> dict[Any, tuple[np.ndarray, float]]:
        """Per value of the columns: its three most frequent accounts and the first one's share."""
        counts = lines.groupby([*columns, "account_id"], sort=False).size().reset_index(name="n")
        counts = counts.sort_values("n", ascending=False, kind="stable")
        by_value = counts.groupby(columns, sort=False)
        rank = by_value.cumcount().to_numpy()
        share = (counts["n"] / (by_value["n"].transform("sum") + 1.0)).to_numpy(float)
        values = zip(*(counts[column].tolist() for column in columns), strict=True)
        table: dict[Any, tuple[np.ndarray, float]] = {}
        for value, account, place, part in zip(
            values, counts["account_id"].tolist(), rank, share, strict=True
        ):
            if place == 0:
                table[value] = (_three([account]), part)
            elif place < 3:
                table[value][0][place] = account
        return table

    def guess(self, lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        found = [(self.fallback_.top_, self.fallback_.share_ * 0.5)] * len(lines)
        # From the general to the particular.
        for columns, table in zip(self.keys, self.tables_, strict=True):
            values = zip(*(lines[column].tolist() for column in columns), strict=True)
            found = [table.get(v, before) for v, before in zip(values, found, strict=True)]
        return _stack(found)


class VendorRules(VendorMajority):
    """What hand-made rules give: by vendor, its amount, its text, both; the closest decides."""

    keys = (
        ("party_name",), ("party_name", "amount"), ("party_name", "description"),
        ("party_name", "description", "amount"),
    )  # fmt: skip


class VendorLast(VendorMajority):
    """The vendor's last account: what a bank rule or a vendor default gives."""

    def fit(self, lines: pd.DataFrame) -> VendorLast:
        super().fit(lines)
        table = self.tables_[0]
        last = lines.drop_duplicates("party_name", keep="last")
        for vendor, account in zip(last["party_name"], last["account_id"], strict=True):
            top, score = table.get((vendor,), (np.full(3, None, dtype=object), 0.0))
            others = [other for other in top.tolist() if other != account]
            table[vendor,] = (_three([account, *others]), score)
        return self


class LinearText:
    """TF-IDF of words and character n-grams, department and amount bucket, linear SVM."""

    sharpness = 3.0

    def fit(self, lines: pd.DataFrame) -> LinearText:
        recent = lines.iloc[-ROWS_MAX:]
        self.vectorizers_: list[tuple[str, Any]] = []
        self.fallback_ = Majority().fit(lines)
        self.model_: Any = None
        if recent["account_id"].nunique() < 2:
            return self
        features = self._features(recent, is_fit=True)
        self.model_ = self._classifier().fit(features, recent["account_id"])
        return self

    def _classifier(self) -> Any:
        from sklearn.svm import LinearSVC

        return LinearSVC(C=0.3, random_state=0)

    def _scores(self, features: Any) -> np.ndarray:
        scores: np.ndarray = self.model_.decision_function(features)
        return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores

    def _plan(self) -> list[tuple[str, dict[str, Any]]]:
        """Which vectorizers read which fields."""
        whole = {"analyzer": _whole, "lowercase": False}
        letters = {"analyzer": "char_wb", "ngram_range": (3, 5), "sublinear_tf": True}
        words = {"ngram_range": (1, 2), "token_pattern": TOKENS}
        return [
            ("vendor", whole), ("vendor", words), ("vendor", letters), ("text", words),
            ("text", letters), ("department", whole), ("amount", whole),
        ]  # fmt: skip

    def _features(self, lines: pd.DataFrame, *, is_fit: bool) -> Any:
        from scipy import sparse
        from sklearn.feature_extraction.text import TfidfVectorizer

        fields = _text_fields(lines)
        if is_fit:
            for name, options in self._plan():
                if any(fields[name]):
                    vectorizer = TfidfVectorizer(max_features=100_000, **options)
                    self.vectorizers_.append((name, vectorizer.fit(fields[name])))
        parts = [vectorizer.transform(fields[name]) for name, vectorizer in self.vectorizers_]
        return sparse.hstack(parts).tocsr()

    def guess(self, lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        from scipy.special import softmax

        if self.model_ is None or not len(lines):
            return self.fallback_.guess(lines)
        scores = self._scores(self._features(lines, is_fit=False))
        top = np.argsort(-scores, axis=1, kind="stable")[:, :3]
        names = np.full((len(lines), 3), None, dtype=object)
        names[:, : top.shape[1]] = np.asarray(self.model_.classes_, dtype=object)[top]
        return names, softmax(self.sharpness * scores, axis=1).max(axis=1)


class ComplementBayes(LinearText):
    """Complement naive Bayes over whole vendors and words: the quickest text classifier."""

    sharpness = 1.0

    def _classifier(self) -> Any:
        from sklearn.naive_bayes import ComplementNB

        return ComplementNB(alpha=0.1)

    def _scores(self, features: Any) -> np.ndarray:
        scores: np.ndarray = self.model_.predict_joint_log_proba(features)
        return scores

    def _plan(self) -> list[tuple[str, dict[str, Any]]]:
        # Letter groups would make a dense table of accounts by a hundred thousand columns.
        return [step for step in super()._plan() if step[1].get("analyzer") != "char_wb"]


TOKENS = r"\w+"
BASELINES: dict[str, type[Any]] = {
    "majority": Majority, "vendor majority": VendorMajority, "vendor last": VendorLast,
    "vendor rules": VendorRules, "complement NB": ComplementBayes, "linear text": LinearText,
}  # fmt: skip
# Text models are trained like ours, at a refit; look-ups follow every month, as our memory does.
REFITTED_ONLY = ("complement NB", "linear text")


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
    return np.column_stack([np.log(clipped / (1 - clipped)), np.zeros((len(score), FACTS - 1))])


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
