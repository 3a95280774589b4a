"""Train a challenger, judge it against the champion on the client's recent past, promote or keep.

Both are judged on the same newest lines, which neither has seen: each is refitted for the judging
on what it knew before. What is promoted is the challenger fitted on everything.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.baselines import VendorMajority
from models.categorizer import Categorizer
from models.confidence import calibration_error
from models.fingerprint import code_version, frame_fingerprint
from models.knowledge import GlobalKnowledge

JUDGED_SHARE = 0.15
JUDGED_MAX = 2_000
# Fewer judged lines decide nothing: the challenger knows more lines and is taken.
JUDGED_MIN = 30


@dataclass(frozen=True)
class Scores:
    """Figures on the judged lines; shares 0–1."""

    lines: int
    top1: float
    coverage: float
    precision: float
    calibration_error: float

    @classmethod
    def of(cls, outcomes: pd.DataFrame) -> Scores:
        """Figures of ``judged`` lines."""
        hit = (outcomes["account_id"] == outcomes["truth"]).to_numpy(bool)
        booked = ~outcomes["needs_review"].to_numpy(bool)
        return cls(
            lines=len(outcomes),
            top1=float(hit.mean()),
            coverage=float(booked.mean()),
            precision=float(hit[booked].mean()) if booked.any() else float("nan"),
            calibration_error=calibration_error(outcomes["confidence"].to_numpy(float), hit),
        )

    @property
    def worth(self) -> float:
        """What decides: right suggestions, less the dishonesty of the confidence."""
        return self.top1 - self.calibration_error


@dataclass(frozen=True)
class Training:
    """The outcome of one training: ``model`` is the one to use from now on.

    ``outcomes``: what the challenger said of the judged lines, as ``judged`` gives it.
    """

    model: Categorizer
    is_promoted: bool
    reason: str
    challenger: Scores | None
    champion: Scores | None
    vendor_majority_top1: float | None
    data_hash: str
    code_version: str
    outcomes: pd.DataFrame

    def metadata(self) -> dict[str, Any]:
        """What belongs beside the saved model, as plain values."""
        return {
            "is_promoted": self.is_promoted,
            "reason": self.reason,
            "challenger": asdict(self.challenger) if self.challenger else None,
            "champion": asdict(self.champion) if self.champion else None,
            "vendor_majority_top1": self.vendor_majority_top1,
            "data_hash": self.data_hash,
            "code_version": self.code_version,
            "line_count": self.model.line_count_,
        }


def train(
    lines: pd.DataFrame,
    chart: pd.DataFrame,
    knowledge: GlobalKnowledge | None = None,
    *,
    champion: Categorizer | None = None,
    **parameters: Any,
) -> Training:
    """Fit a challenger on all coded ``lines``; keep the ``champion`` unless it is beaten.

    ``parameters`` go to ``Categorizer``. A challenger that is exactly as good is promoted, since it
    has seen more. Raises what ``Categorizer.fit`` raises.
    """
    coded = lines[lines["account_id"].notna()].sort_values("date", kind="stable")
    challenger = Categorizer(knowledge=knowledge, **parameters)
    past, recent = split_by_time(coded)
    ours = theirs = vendor = None
    outcomes = judged(None, recent)
    if len(recent) >= JUDGED_MIN and len(past):
        outcomes = judged(clone_with_knowledge(challenger).fit(past, chart), recent)
        ours = Scores.of(outcomes)
        guessed, _ = VendorMajority().fit(past).guess(recent)
        vendor = float(np.mean(guessed[:, 0] == recent["account_id"].to_numpy(object)))
        if champion is not None:
            theirs = Scores.of(judged(_as_it_was(champion, past, chart), recent))
    is_beaten = theirs is None or ours is None or ours.worth >= theirs.worth
    model = challenger.fit(coded, chart) if is_beaten else champion
    return Training(
        model=model if model is not None else challenger,
        is_promoted=is_beaten,
        reason=_reason(ours, theirs),
        challenger=ours,
        champion=theirs,
        vendor_majority_top1=vendor,
        data_hash=frame_fingerprint(coded),
        code_version=code_version(),
        outcomes=outcomes,
    )


def split_by_time(coded: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Earlier lines and the newest ones to judge by, oldest first; a day is never split."""
    if not len(coded):
        return coded, coded
    count = min(int(len(coded) * JUDGED_SHARE), JUDGED_MAX)
    first_day = pd.to_datetime(coded["date"].iloc[max(len(coded) - count, 0) - (count == 0)])
    is_recent = pd.to_datetime(coded["date"]) >= first_day
    return coded[~is_recent], coded[is_recent]


def judged(model: Categorizer | None, lines: pd.DataFrame) -> pd.DataFrame:
    """What a fitted model says of lines whose accounts are known, beside the ``truth``.

    Columns: account_id, confidence, needs_review, truth. Empty without a model.
    """
    if model is None:
        empty = pd.DataFrame({"account_id": [], "confidence": [], "needs_review": [], "truth": []})
        return empty.astype({"confidence": float, "needs_review": bool})
    found = model.suggest(lines)[["account_id", "confidence", "needs_review"]]
    return found.assign(truth=lines["account_id"].astype(str))


def clone_with_knowledge(model: Categorizer) -> Categorizer:
    """An unfitted twin; the knowledge, being fitted, is shared and not cloned."""
    parameters = model.get_params(deep=False)
    return type(model)(**parameters)


def _as_it_was(champion: Categorizer, past: pd.DataFrame, chart: pd.DataFrame) -> Categorizer:
    """The champion with what it had been fitted on, and then remembered, of the judged past."""
    fitted_through = pd.Timestamp(champion.fitted_through_, unit="D")
    is_known = pd.to_datetime(past["date"]) <= fitted_through
    twin = clone_with_knowledge(champion).fit(past[is_known], chart)
    return twin.learn(past[~is_known].assign(is_correction=False))


def _reason(challenger: Scores | None, champion: Scores | None) -> str:
    if challenger is None:
        return "too few coded lines to judge by; trained on all of them"
    figures = f"{challenger.top1:.3f} of the newest {challenger.lines} lines right"
    if champion is None:
        return f"first model: {figures}"
    verb = "promoted" if challenger.worth >= champion.worth else "kept the champion"
    return (
        f"{verb}: challenger {figures} with a calibration error of "
        f"{challenger.calibration_error:.3f}, champion {champion.top1:.3f} with "
        f"{champion.calibration_error:.3f}; as good is promoted, for it has seen more"
    )
