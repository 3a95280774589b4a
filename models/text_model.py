"""A client's words: a linear classifier over vendor name, line text, department and amount.

TF-IDF of words and character n-grams, one-against-rest linear SVM. Because the model is linear and
each field is normalised on its own, the score of a line is the sum of the scores of its vendor, its
text, its department and its amount bucket; each distinct value is scored once, however many lines
carry it. That is what makes it fast.
"""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from models.lines import Lines

FIELDS = ("name", "text", "department", "amount")
HASH_COLUMNS = 2**18
WORD = r"\w+"
# Above this many coefficients (features × accounts) rare features are dropped: 30M floats = 120 MB.
COEFFICIENTS_MAX = 30_000_000
# An explanation reads this many words of a text, not a pasted contract.
WORDS_READ = 12
FIELD_WEIGHT = {"name": 1.0, "text": 1.0, "department": 0.8, "amount": 0.7}


def _vectorizers(field: str) -> list[Any]:
    from sklearn.feature_extraction.text import HashingVectorizer

    shared = {"n_features": HASH_COLUMNS, "norm": "l2", "alternate_sign": False, "lowercase": False}
    whole = HashingVectorizer(analyzer=_whole, **shared)
    words = HashingVectorizer(token_pattern=WORD, ngram_range=(1, 2), **shared)
    letters = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), **shared)
    return {
        "name": [whole, words, letters],
        "text": [words, letters],
        "department": [whole, words],
        "amount": [whole],
    }[field]


def _whole(text: str) -> list[str]:
    return [text] if text else []


def distinct_values(lines: Lines, field: str) -> tuple[np.ndarray, np.ndarray]:
    """(code of each line, distinct strings) of one field."""
    if field == "amount":
        bucket, code = np.unique(lines.amount_bucket, return_inverse=True)
        return code, np.array([str(b) for b in bucket], dtype=object)
    return getattr(lines, f"{field}_code"), getattr(lines, f"distinct_{field}s")


def field_matrix(strings: np.ndarray, field: str) -> sparse.csr_matrix:
    """Hashed n-gram counts of distinct strings: (n_strings, columns of the field)."""
    parts = [vectorizer.transform(strings) for vectorizer in _vectorizers(field)]
    return sparse.hstack(parts).tocsr().astype(np.float32)


class TextModel(BaseEstimator):
    """Linear SVM over the words of a line.

    ``rows_max`` bounds the training rows: the most recent distinct (vendor, text, department,
    amount bucket, account) combinations, each weighted by how often it occurred.
    """

    def __init__(
        self, *, rows_max: int = 15_000, inverse_penalty: float = 0.3, random_state: int = 0
    ) -> None:
        self.rows_max = rows_max
        self.inverse_penalty = inverse_penalty
        self.random_state = random_state

    def fit(self, lines: Lines, account: np.ndarray, account_count: int) -> TextModel:
        """Learn from lines with account codes 0 … ``account_count`` - 1, oldest first."""
        from sklearn.svm import LinearSVC

        row, weight = self._training_rows(lines, account)
        lines, account = lines.take(row), account[row]
        self.account_count_ = account_count
        self.classes_ = np.unique(account)
        parts = [self._fit_field(lines, field) for field in FIELDS]
        features = sparse.hstack(parts).tocsr()
        features = self._drop_rare(features)
        if len(self.classes_) < 2 or not features.shape[1]:
            self.coefficients_ = np.zeros((features.shape[1], len(self.classes_)), np.float32)
            self.intercept_ = np.zeros(len(self.classes_), np.float32)
            return self
        model = LinearSVC(
            C=self.inverse_penalty, random_state=self.random_state, tol=1e-3, max_iter=300
        )
        with warnings.catch_warnings():
            # Nearly as many accounts as lines: a young client with a large chart, no mistake.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            model.fit(features, account, sample_weight=weight)
        coefficients, intercept = model.coef_, model.intercept_
        if len(self.classes_) == 2:  # scikit-learn keeps one row for two classes
            coefficients = np.vstack([-coefficients, coefficients])
            intercept = np.r_[-intercept, intercept]
        self.coefficients_ = np.ascontiguousarray(coefficients.T, dtype=np.float32)
        self.intercept_ = intercept.astype(np.float32)
        return self

    def _training_rows(self, lines: Lines, account: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from models.normalize import combine

        key = combine(
            lines.name, lines.text, lines.department,
            lines.amount_bucket.astype(np.int64).view(np.uint64), account.astype(np.uint64),
        )  # fmt: skip
        newest_first = key[::-1]
        _, first, count = np.unique(newest_first, return_index=True, return_counts=True)
        newest = np.argsort(first, kind="stable")[: self.rows_max]
        row = len(key) - 1 - first[newest]
        weight = 1.0 + np.log(count[newest])
        order = np.argsort(row)
        return row[order], weight[order]

    def _fit_field(self, lines: Lines, field: str) -> sparse.csr_matrix:
        """Learn the field's columns and inverse document frequencies; returns its features."""
        code, strings = distinct_values(lines, field)
        used, position = np.unique(code, return_inverse=True)
        counts = field_matrix(strings[used], field)
        features = counts[position]
        frequency = np.bincount(features.indices, minlength=features.shape[1])
        columns = np.flatnonzero(frequency >= (2 if features.shape[0] > 2_000 else 1))
        idf = np.log((1 + len(lines)) / (1 + frequency[columns])) + 1
        setattr(self, f"{field}_columns_", columns)
        setattr(self, f"{field}_idf_", idf.astype(np.float32))
        return self._weigh(features, field)

    def _weigh(self, counts: sparse.csr_matrix, field: str) -> sparse.csr_matrix:
        from sklearn.preprocessing import normalize

        columns = getattr(self, f"{field}_columns_")
        kept = (counts[:, columns] @ sparse.diags(getattr(self, f"{field}_idf_"))).tocsr()
        # Each kind of feature has the same say: the one whole name is not drowned by its letters.
        edges = np.searchsorted(columns, np.arange(len(_vectorizers(field)) + 1) * HASH_COLUMNS)
        parts = [
            normalize(kept[:, start:end]) if end > start else kept[:, start:end]
            for start, end in pairwise(edges)
        ]
        return sparse.hstack(parts).tocsr() * np.float32(FIELD_WEIGHT[field])

    def _drop_rare(self, features: sparse.csr_matrix) -> sparse.csr_matrix:
        columns_max = max(COEFFICIENTS_MAX // max(len(self.classes_), 1), 1_000)
        if features.shape[1] <= columns_max:
            return features
        frequency = np.bincount(features.indices, minlength=features.shape[1])
        kept = np.sort(np.argsort(-frequency, kind="stable")[:columns_max])
        offset = 0
        for field in FIELDS:
            columns = getattr(self, f"{field}_columns_")
            own = kept[(kept >= offset) & (kept < offset + len(columns))] - offset
            offset += len(columns)
            setattr(self, f"{field}_columns_", columns[own])
            setattr(self, f"{field}_idf_", getattr(self, f"{field}_idf_")[own])
        return features[:, kept]

    def field_scores(self, lines: Lines) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per field: (code of each line, scores (distinct values, classes) without intercept)."""
        result, offset = [], 0
        for field in FIELDS:
            code, strings = distinct_values(lines, field)
            used, position = np.unique(code, return_inverse=True)
            width = len(getattr(self, f"{field}_columns_"))
            block = self.coefficients_[offset : offset + width]
            offset += width
            features = self._weigh(field_matrix(strings[used], field), field)
            result.append((position, np.asarray(features @ block, dtype=np.float32)))
        return result

    def scores(self, field_scores: list[tuple[np.ndarray, np.ndarray]], row: slice) -> np.ndarray:
        """Scores of the lines in ``row`` for every account, (n, accounts); unseen accounts -1.5."""
        total = np.repeat(self.intercept_[None, :], len(field_scores[0][0][row]), axis=0)
        for code, scores in field_scores:
            total += scores[code[row]]
        result = np.full((len(total), self.account_count_), -1.5, np.float32)
        result[:, self.classes_] = total
        return result

    def words_that_counted(self, lines: Lines, account: np.ndarray) -> np.ndarray:
        """Per line the up to three words of its text and vendor that most favour ``account``.

        Quoted and joined, ``'hosting', 'cloud'``; empty where no known word speaks for it.
        """
        class_of = np.full(self.account_count_ + 1, -1)
        class_of[self.classes_] = np.arange(len(self.classes_))
        texts = [
            [("text", w) for w in lines.distinct_texts[text].split()[:WORDS_READ]]
            + [("name", w) for w in lines.distinct_names[name].split()[:WORDS_READ]]
            for text, name in zip(lines.text_code, lines.name_code, strict=True)
        ]
        weight = self._word_coefficients({pair for words in texts for pair in words})
        result = np.full(len(lines), "", dtype=object)
        for line, (words, code) in enumerate(zip(texts, account, strict=True)):
            known = class_of[code] if 0 <= code < self.account_count_ else -1
            if known < 0:
                continue
            spoken = {word: weight[field, word][known] for field, word in words}
            best = sorted(spoken, key=lambda word: (-spoken[word], word))[:3]
            result[line] = ", ".join(f"'{word}'" for word in best if spoken[word] > 0)
        return result

    def _word_coefficients(self, words: set[tuple[str, str]]) -> dict[tuple[str, str], np.ndarray]:
        """What one word of a field adds to each class; zeros for words never learned."""
        from sklearn.feature_extraction.text import HashingVectorizer

        hasher = HashingVectorizer(
            token_pattern=WORD, n_features=HASH_COLUMNS, norm=None, alternate_sign=False
        )
        ordered = sorted(words)
        result = {pair: np.zeros(len(self.classes_), np.float32) for pair in ordered}
        offsets = {"name": 0, "text": len(self.name_columns_)}
        # Within a field the word columns come after the whole-value columns, if it has those.
        block = {"name": HASH_COLUMNS, "text": 0}
        if not ordered:
            return result
        hashed = hasher.transform([word for _, word in ordered]).tocsr()
        for row, (field, word) in enumerate(ordered):
            columns = getattr(self, f"{field}_columns_")
            for index in hashed.indices[hashed.indptr[row] : hashed.indptr[row + 1]]:
                at = int(np.searchsorted(columns, index + block[field]))
                if at < len(columns) and columns[at] == index + block[field]:
                    idf = getattr(self, f"{field}_idf_")[at]
                    result[field, word] = self.coefficients_[offsets[field] + at] * idf
        return result
