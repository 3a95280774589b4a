"""How one client's model has done lately: its calibration and its threshold come from here.

Starts with decisions replayed from the past; every answer a person gives is added (the online
guard), so that drift lowers the confidence and raises the bar before it does harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.confidence import NEVER, Calibrator, choose_threshold
from models.decision import decide
from models.ranker import Ranker, Replay
from models.safety import Limits

# The guard looks at this many of the latest decisions.
DECISIONS_KEPT = 1_500
# With this many decisions of its own a client's calibration counts as much as the others'.
OWN_DECISIONS = 300


@dataclass
class TrackRecord:
    """The latest decisions with known answers, oldest first.

    ``facts`` and ``answer`` hold all of them; ``confidence`` and ``hit`` only those that no safety
    rule would have stopped, with the confidence promised at the time.
    """

    facts: np.ndarray  # float (n, 5)
    answer: np.ndarray  # bool (n,)
    confidence: np.ndarray  # float (m,)
    hit: np.ndarray  # bool (m,)
    calibrator: Calibrator
    threshold: float
    target_precision: float

    @classmethod
    def empty(cls, target_precision: float) -> TrackRecord:
        """Nothing observed: nothing may be booked unasked."""
        no_facts, none = np.zeros((0, 5)), np.zeros(0, bool)
        calibrator = Calibrator().fit(no_facts, none)
        return cls(no_facts, none, np.zeros(0), none, calibrator, NEVER, target_precision)

    @classmethod
    def of_replays(
        cls, replays: list[Replay], ranker: Ranker, limits: Limits, target_precision: float
    ) -> TrackRecord:
        """Judge twins of ``ranker`` on replayed steps that came after what each learned from."""
        judged = []
        third = max(len(replays) // 3, 1)
        for cut in (len(replays) // 3, 2 * len(replays) // 3):
            past = ranker.untrained().fit(replays[:cut])
            for step in replays[cut : cut + third]:
                then = Limits(limits.large_log_amount, int(step.lines.day.max()), 1)
                judged.append((step, decide(step.lines, step.evidence, past, then)))
        if not judged:
            return cls.empty(target_precision)
        facts = np.concatenate([decisions.facts for _, decisions in judged])
        hit = np.concatenate([decisions.account == step.truth for step, decisions in judged])
        bookable = np.concatenate([decisions.rule < 0 for _, decisions in judged])
        # Six coefficients on hundreds of decisions: judging them by themselves flatters little,
        # while halves calibrated by each other would be ranked on two different scales.
        calibrator = Calibrator().fit(facts, hit)
        confidence = calibrator.confidence(facts)[bookable]
        record = cls(
            facts, hit, confidence, hit[bookable], calibrator, NEVER,
            target_precision,
        )  # fmt: skip
        return record.latest()

    def add(
        self, facts: np.ndarray, hit: np.ndarray, confidence: np.ndarray, bookable: np.ndarray
    ) -> TrackRecord:
        """The record with newer decisions, recalibrated."""
        facts, answer = np.r_[self.facts, facts], np.r_[self.answer, hit]
        facts, answer = facts[-DECISIONS_KEPT:], answer[-DECISIONS_KEPT:]
        return TrackRecord(
            facts, answer, np.r_[self.confidence, confidence[bookable]],
            np.r_[self.hit, hit[bookable]], Calibrator().fit(facts, answer), NEVER,
            self.target_precision,
        ).latest()  # fmt: skip

    def latest(self) -> TrackRecord:
        """The same, cut to the newest decisions, with the threshold that they prove."""
        self.facts, self.answer = self.facts[-DECISIONS_KEPT:], self.answer[-DECISIONS_KEPT:]
        self.confidence, self.hit = self.confidence[-DECISIONS_KEPT:], self.hit[-DECISIONS_KEPT:]
        self.threshold = self.threshold_for(self.target_precision)
        return self

    def threshold_for(self, precision: float) -> float:
        """The confidence from which ``precision`` was reached on the recorded decisions."""
        return choose_threshold(self.confidence, self.hit, precision)

    def calibrated(self, facts: np.ndarray, elsewhere: Calibrator | None) -> np.ndarray:
        """Confidence by this client's past, and by sharing clients' (``elsewhere``) meanwhile."""
        if elsewhere is None:
            return self.calibrator.confidence(facts)
        others = elsewhere.confidence(facts)
        if self.calibrator.model_ is None:
            return others
        own = self.calibrator.decision_count_ / (self.calibrator.decision_count_ + OWN_DECISIONS)
        return own * self.calibrator.confidence(facts) + (1 - own) * others
