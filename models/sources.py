"""What a client's model knows at one moment, and what each source says about a batch of lines.

Every source gives one number per line and account. How they become candidates and features is in
``evidence``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from models.history import History
from models.knowledge import GlobalKnowledge
from models.lines import Lines
from models.text_model import TextModel

LONG_WORD = r"\w{3,}"


@dataclass
class Sources:
    """What a client's model knows at one moment."""

    history: History
    text_model: TextModel | None
    knowledge: GlobalKnowledge | None
    correspondence: np.ndarray | None  # canonical accounts × accounts
    is_candidate: np.ndarray  # bool (accounts,)
    is_income: np.ndarray  # bool (accounts,)
    is_asset: np.ndarray  # bool (accounts,)
    account_words: sparse.csr_matrix  # (accounts, hashed words), rows of length 1

    @property
    def account_count(self) -> int:
        return len(self.is_candidate)


def account_word_matrix(names: np.ndarray) -> sparse.csr_matrix:
    """Hashed words and letter groups of account names or line words, rows of length 1."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.preprocessing import normalize

    shared = {"n_features": 2**16, "alternate_sign": False, "lowercase": False, "norm": "l2"}
    words = HashingVectorizer(token_pattern=LONG_WORD, **shared)
    letters = HashingVectorizer(analyzer="char_wb", ngram_range=(5, 5), **shared)
    joined = sparse.hstack([words.transform(names), letters.transform(names)])
    return normalize(joined.tocsr()).astype(np.float32)


def text_scores(lines: Lines, sources: Sources) -> tuple[np.ndarray, np.ndarray]:
    from scipy.special import softmax

    if sources.text_model is None:
        zero = np.zeros((len(lines), sources.account_count), np.float32)
        return zero, zero
    scores = sources.text_model.scores(sources.text_model.field_scores(lines), slice(None))
    return scores, softmax(4.0 * scores, axis=1)


def knowledge_share(lines: Lines, sources: Sources) -> np.ndarray:
    if sources.knowledge is None or sources.correspondence is None:
        return np.zeros((len(lines), sources.account_count), np.float32)
    probabilities = sources.knowledge.probabilities(lines)
    return (probabilities @ sources.correspondence).astype(np.float32)


def name_match(lines: Lines, sources: Sources) -> np.ndarray:
    """How many words a line shares with each account's name: (lines, accounts), cosine."""
    total = np.zeros((len(lines), sources.account_count), np.float32)
    for code, strings in (
        (lines.text_code, lines.distinct_texts),
        (lines.name_code, lines.distinct_names),
        (lines.department_code, lines.distinct_departments),
    ):
        used, position = np.unique(code, return_inverse=True)
        match = (account_word_matrix(strings[used]) @ sources.account_words.T).toarray()
        total += match[position]
    return total
