"""What holds across clients: which canonical account a vendor and a text usually mean.

Learned from the seed examples and from clients who agreed to share. It serves a new client before
its first coded line, and every client for vendors it has not met. The knowledge holds hashes and
coefficients, never names, texts or amounts of a client.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from models.accounts import Accounts
from models.chart import canonical_chart, correspondence, name_agreement, read_chart
from models.fingerprint import code_version, fingerprint, frame_fingerprint
from models.history import CountTable
from models.lines import Lines
from models.normalize import combine
from models.text_model import TextModel

SEED_FILE = Path(__file__).with_name("seed_examples.csv")
# The vendor's own record counts this much against the words, per line seen elsewhere.
VENDOR_TRUST = 3.0
SHARPNESS = 3.0
WORD_ROWS = 24_000


def seed_lines() -> pd.DataFrame:
    """The seed examples as lines of bills and invoices, labelled with canonical accounts."""
    seeds = pd.read_csv(SEED_FILE, dtype=str, keep_default_na=False)
    is_sale = seeds["account_code"].str.startswith("4")
    return pd.DataFrame(
        {
            "date": pd.Timestamp("2020-01-01"),
            "document_type": np.where(is_sale, "invoice", "bill"),
            "party_id": None,
            "party_name": seeds["vendor"],
            "description": seeds["description"],
            "amount": 0.0,
            "department_id": None,
            "account_id": seeds["account_code"],
        }
    )


def _kinds(lines: Lines, account: np.ndarray, client: np.ndarray) -> np.ndarray:
    """Positions of the lines that teach: the newest of each kind of each client.

    A vendor billed a thousand times tells a *new* client no more than one billed twice.
    """
    key = combine(
        client.astype(np.uint64), lines.name, lines.text, lines.department,
        account.astype(np.uint64),
    )  # fmt: skip
    newest_first = key[::-1]
    return np.sort(len(key) - 1 - np.unique(newest_first, return_index=True)[1])


def _balanced(row: np.ndarray, client: np.ndarray, random_state: int) -> np.ndarray:
    """At most ``WORD_ROWS`` of the positions ``row``; no client is drowned by another."""
    share = WORD_ROWS // max(len(np.unique(client[row])), 1)
    random = np.random.default_rng(random_state)
    parts = []
    for code in np.unique(client[row]):
        own = row[client[row] == code]
        parts.append(own if len(own) <= share else random.choice(own, share, replace=False))
    return np.sort(np.concatenate(parts)) if parts else row


class GlobalKnowledge(BaseEstimator):
    """Canonical accounts from vendor and text, and their counterparts in any client's chart.

    ``chart`` is the canonical chart (default: ``chart_of_accounts.csv``). Learned: ``words_`` (a
    ``TextModel``), ``vendors_`` (counts per vendor name). ``skill_`` is None, or the
    ``models.skill.Skill`` that ``models.skill.learn_knowledge`` adds: it backtests with knowledge,
    so knowledge cannot know it.
    """

    def __init__(self, *, chart: pd.DataFrame | None = None, random_state: int = 0) -> None:
        self.chart = chart
        self.random_state = random_state

    def fit(self, lines: pd.DataFrame) -> GlobalKnowledge:
        """Learn from lines whose ``account_id`` is a canonical account; others are left out.

        Clients' lines must already be limited to those whose owner agreed to share. A column
        ``organization`` tells the clients apart: none of them drowns another.
        """
        self.accounts_ = Accounts.of_chart(canonical_chart() if self.chart is None else self.chart)
        code = self.accounts_.codes(lines["account_id"])
        lines = lines[code >= 0]
        account = code[code >= 0]
        # An amount says something only where it was a real one.
        prepared = Lines.read(lines)
        count = len(self.accounts_)
        client = np.zeros(len(lines), np.int64)
        if "organization" in lines.columns:
            client = pd.factorize(lines["organization"])[0]
        kinds = _kinds(prepared, account, client)
        row = _balanced(kinds, client, self.random_state)
        self.words_ = TextModel(rows_max=WORD_ROWS, random_state=self.random_state)
        self.words_.fit(prepared.take(row), account[row], count)
        # Look-ups cost nothing: every vendor counts, however few lines teach the words.
        vendors = prepared.take(kinds)
        recent = np.full(len(kinds), prepared.day.max() if len(prepared) else 0)
        self.vendors_ = CountTable.empty().add(
            vendors.name, account[kinds], recent, vendors.log_amount
        )
        self.line_count_ = len(prepared)
        self.version_ = fingerprint(
            code_version(), frame_fingerprint(lines), frame_fingerprint(self.accounts_.frame())
        )
        self.skill_: Any = None
        return self

    def __getstate__(self) -> dict[str, Any]:
        # The chart lives on in ``accounts_``; a data frame does not belong into a model file.
        return dict(super().__getstate__()) | {"chart": None}

    @classmethod
    def from_seeds(cls) -> GlobalKnowledge:
        """What a firm knows before its first client: the seed examples alone."""
        return cls().fit(seed_lines())

    def probabilities(self, lines: Lines) -> np.ndarray:
        """P(canonical account | line), (n_lines, n_accounts); rows sum to 1."""
        from scipy.special import softmax

        fields = self.words_.field_scores(lines)
        words = softmax(SHARPNESS * self.words_.scores(fields, slice(None)), axis=1)
        line, pair = self.vendors_.pairs(self.vendors_.find(lines.name))
        seen = np.zeros_like(words)
        seen[line, self.vendors_.account[pair]] = np.sqrt(self.vendors_.count[pair])
        total = seen.sum(axis=1, keepdims=True)
        return (VENDOR_TRUST * words + seen) / (VENDOR_TRUST + total)

    def correspondence(self, chart: pd.DataFrame) -> np.ndarray:
        """Canonical accounts × the client's accounts; see ``models.chart.correspondence``."""
        return correspondence(self.accounts_.frame(), chart)

    def canonical_account(self, chart: pd.DataFrame) -> pd.Series:
        """The canonical account of each account of a client's chart, by account id; None if none.

        This is how a sharing client's lines become training lines of the firm's knowledge.
        """
        own = read_chart(chart)
        agreement = name_agreement(self.accounts_.frame(), own)
        agreement[~self.accounts_.is_candidate] = 0
        best = agreement.argmax(axis=0)
        found = agreement.max(axis=0) >= 0.8
        ids = self.accounts_.account_id.astype(object)[best]
        return pd.Series(np.where(found, ids, None), index=own["account_id"], dtype=object)
