"""How one client's model has done lately: its calibration and its thresholds come from here.

Starts with decisions replayed from the past; every answer a person gives is added (the online
guard), so that drift lowers the confidence and raises the bar before it does harm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.confidence import FACTS, NEVER, Calibrator, choose_threshold
from models.decision import decide
from models.ranker import Ranker, Replay
from models.safety import Limits, risk_class

# Decisions that the calibration looks at, and those of one risk class that prove its threshold.
DECISIONS_KEPT = 4_000
DECISIONS_CALIBRATED = 1_500
DECISIONS_PROVING = 1_000
RISK_CLASSES = 3
# No line is booked unasked at a confidence lower than the promised precision by more than this:
# without it the sure lines of a client made up for others at half right (docs/model-figures.md).
PRECISION_MARGIN = 0.05


@dataclass
class TrackRecord:
    """The latest decisions with known answers, oldest first."""

    facts: np.ndarray  # float (n, FACTS)
    answer: np.ndarray  # bool (n,): whether the first candidate was right
    bookable: np.ndarray  # bool (n,): no safety rule would have stopped it
    calibrator: Calibrator
    thresholds: np.ndarray  # float (risk classes,)
    target_precision: float
    elsewhere: Calibrator | None  # how scores were corrected at clients who share

    @classmethod
    def of(
        cls, facts: np.ndarray, answer: np.ndarray, bookable: np.ndarray, target_precision: float,
        elsewhere: Calibrator | None,
    ) -> TrackRecord:  # fmt: skip
        """Calibrate on these decisions, and find the thresholds that they prove."""
        facts, answer, bookable = (a[-DECISIONS_KEPT:] for a in (facts, answer, bookable))
        calibrator = Calibrator().fit(
            facts[-DECISIONS_CALIBRATED:], answer[-DECISIONS_CALIBRATED:], elsewhere
        )
        record = cls(facts, answer, bookable, calibrator, np.zeros(0), target_precision, elsewhere)
        record.thresholds = record.thresholds_for(target_precision)
        return record

    @classmethod
    def of_replays(
        cls, replays: list[Replay], ranker: Ranker, limits: Limits, target_precision: float,
        elsewhere: Calibrator | None = None,
    ) -> TrackRecord:  # fmt: skip
        """Judge twins of ``ranker`` on replayed steps that came after what each learned from."""
        facts, answer, bookable = [np.zeros((0, FACTS))], [np.zeros(0, bool)], [np.zeros(0, bool)]
        third = max(len(replays) // 3, 1)
        for cut in (len(replays) // 3, 2 * len(replays) // 3):
            past = ranker.untrained().fit(replays[:cut])
            for step in replays[cut : cut + third]:
                then = Limits(limits.large_log_amount, int(step.lines.day.max()), 1)
                decisions = decide(step.lines, step.evidence, past, then)
                facts.append(decisions.facts)
                answer.append(decisions.account == step.truth)
                bookable.append(decisions.rule < 0)
        return cls.of(
            np.concatenate(facts), np.concatenate(answer), np.concatenate(bookable),
            target_precision, elsewhere,
        )  # fmt: skip

    def add(self, facts: np.ndarray, hit: np.ndarray, bookable: np.ndarray) -> TrackRecord:
        """The record with newer decisions, recalibrated."""
        return TrackRecord.of(
            np.r_[self.facts, facts], np.r_[self.answer, hit], np.r_[self.bookable, bookable],
            self.target_precision, self.elsewhere,
        )  # fmt: skip

    def thresholds_for(self, precision: float) -> np.ndarray:
        """Per risk class the confidence from which ``precision`` was reached on the record.

        A class of its own is judged by its own decisions: that known vendors are booked rightly
        proves nothing about vendors never seen. The promise is each line's: sure ones do not make
        up for others.
        """
        confidence, kind = self.calibrator.confidence(self.facts), risk_class(self.facts)
        result = np.full(RISK_CLASSES, NEVER)
        for code in range(RISK_CLASSES):
            own = np.flatnonzero((kind == code) & self.bookable)[-DECISIONS_PROVING:]
            result[code] = choose_threshold(confidence[own], self.answer[own], precision)
        return np.maximum(result, precision - PRECISION_MARGIN)

    def threshold_for(self, precision: float) -> float:
        """The threshold of ordinary lines: a known vendor and an account it had before."""
        return float(self.thresholds_for(precision)[0])

    def calibrated(self, facts: np.ndarray) -> np.ndarray:
        """Confidence of decisions with these facts."""
        return self.calibrator.confidence(facts)
