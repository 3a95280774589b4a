"""From ranked candidates to one decision per line.

Puts the ranker's probabilities, the calibration facts, the safety rules and people's corrections
together; ``Categorizer`` supplies the parts and turns the result into a table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from models.confidence import FACTS, score_facts
from models.evidence import Evidence
from models.explanation import REASON_CLASS, REASON_THRESHOLD, REASON_YOUNG
from models.lines import Lines
from models.ranker import Ranker
from models.safety import (
    Limits,
    at_choice,
    first_rule,
    is_new_pair,
    is_new_party,
    is_pure,
    risk_class,
)  # fmt: skip

ALTERNATIVES = 3


@dataclass
class Decisions:
    """One decision per line."""

    account: np.ndarray  # int64 (n,), -1 = no candidate
    choice: np.ndarray  # int64 (n,): the chosen candidate's position in the evidence
    confidence: np.ndarray  # float (n,)
    facts: np.ndarray  # float (n, FACTS), what the calibrator looks at
    rule: np.ndarray  # int64 (n,): index into ``safety.RULES``, -1 = none
    is_correction: np.ndarray  # bool (n,): follows a person's earlier answer
    ranked: np.ndarray  # int64 (n, k): candidates, best first
    scores: np.ndarray  # float (n, k): their scores in the same order
    evidence: Evidence

    def with_answers(
        self, confidence: np.ndarray, answered: np.ndarray, answer_confidence: float
    ) -> Decisions:
        """The decisions with calibrated confidence, following people's answers (-1 = none)."""
        follows = answered >= 0
        matches = self.evidence.account == answered[:, None]
        choice = self.choice
        if matches.shape[1]:
            choice = np.where(follows & matches.any(axis=1), matches.argmax(axis=1), choice)
        agrees = self.account == answered
        of_answers = np.where(agrees, np.maximum(confidence, answer_confidence), answer_confidence)
        return replace(
            self,
            account=np.where(follows, answered, self.account),
            choice=choice,
            confidence=np.where(follows, of_answers, confidence),
            is_correction=follows,
        )

    def asked(self, thresholds: np.ndarray, *, is_young: bool, follows_answers: bool) -> np.ndarray:
        """Why a person is asked: a rule's index, or a reason of ``explanation``; -1 = not asked.

        ``thresholds``: one per risk class. ``follows_answers``: what people answered is booked.
        """
        kind = risk_class(self.facts)
        is_answered = self.is_correction & follows_answers
        below = self.confidence < thresholds[kind]
        reason = np.where(kind > 0, REASON_CLASS + kind, REASON_THRESHOLD)
        asked = np.where(below & ~is_answered, reason, -1)
        asked = np.where(self.rule >= 0, self.rule, asked)
        if is_young:
            asked = np.where(is_answered, asked, REASON_YOUNG)
        return asked

    def account_ids(self, ids: np.ndarray) -> np.ndarray:
        """Account id of each decision, None without a candidate; object (n,)."""
        result = np.full(len(self.account), None, dtype=object)
        found = self.account >= 0
        result[found] = ids[self.account[found]]
        return result

    def alternatives(self, ids: np.ndarray) -> np.ndarray:
        """Per line the next best accounts with what is left of the confidence; object (n,)."""
        result = np.empty(len(self.account), dtype=object)
        rest = np.minimum(self.scores, (1.0 - self.confidence)[:, None])
        width = min(ALTERNATIVES + 1, self.ranked.shape[1])
        names = np.full(self.ranked.shape, None, dtype=object)
        names[self.ranked >= 0] = ids[self.ranked[self.ranked >= 0]]
        accounts, shares = names[:, :width].tolist(), rest[:, :width].round(4).tolist()
        for line, chosen in enumerate(self.account_ids(ids).tolist()):
            pairs = zip(accounts[line], shares[line], strict=True)
            others = [pair for pair in pairs if pair[0] is not None and pair[0] != chosen]
            result[line] = others[:ALTERNATIVES]
        return result


def decide(lines: Lines, evidence: Evidence, ranker: Ranker, limits: Limits) -> Decisions:
    """The best candidate of each line with everything needed to judge it; not yet calibrated."""
    n, k = evidence.account.shape
    if not k:
        none = np.full(n, -1, np.int64)
        return Decisions(
            account=none, choice=np.zeros(n, np.int64), confidence=np.zeros(n),
            facts=np.zeros((n, FACTS)), rule=none, is_correction=np.zeros(n, bool),
            ranked=np.zeros((n, 0), np.int64), scores=np.zeros((n, 0)), evidence=evidence,
        )  # fmt: skip
    p = ranker.probabilities(evidence)
    order = np.argsort(-p, axis=1, kind="stable")
    scores = np.take_along_axis(p, order, 1)
    ranked = np.take_along_axis(evidence.account, order, 1)
    choice = order[:, 0]
    facts = score_facts(
        scores, is_new_party(lines, evidence), is_new_pair(lines, evidence, choice),
        lines.is_credit, is_pure(lines, evidence, choice),
    )  # fmt: skip
    return Decisions(
        account=at_choice(evidence.account, choice), choice=choice, confidence=scores[:, 0],
        facts=facts, rule=first_rule(lines, evidence, choice, limits),
        is_correction=np.zeros(n, bool), ranked=ranked, scores=scores, evidence=evidence,
    )  # fmt: skip
