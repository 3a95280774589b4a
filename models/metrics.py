"""Figures about decisions: how often right, how much booked, how honest, how many questions.

Every function takes a table of outcomes, one row per line, with the columns ``truth``,
``account_id``, ``top3`` (tuple of account ids), ``confidence``, ``booked95``, ``booked98``,
``is_seen`` (vendor seen before) and ``question`` (the group a question would be asked for).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from models.confidence import calibration_error, calibration_noise

#: Bands of the confidence of booked lines; each from one number up to the next.
BANDS = (0.0, 0.8, 0.9, 0.95, np.inf)


def summary(outcomes: pd.DataFrame) -> dict[str, float]:
    """All figures of one model on one client. Shares are 0–1, NaN where nothing was counted."""
    hit = (outcomes["account_id"] == outcomes["truth"]).to_numpy(bool)
    seen = outcomes["is_seen"].to_numpy(bool)
    in_top3 = [truth in top for truth, top in zip(outcomes["truth"], outcomes["top3"], strict=True)]
    asked = outcomes[~outcomes["booked95"]]
    return by_band(outcomes) | {
        "lines": len(outcomes),
        "top1": share(hit),
        "top3": share(np.array(in_top3, bool)),
        "macro_f1": macro_f1(outcomes["truth"], outcomes["account_id"]),
        "top1_seen": share(hit[seen]),
        "top1_unseen": share(hit[~seen]),
        "unseen_share": share(~seen),
        "coverage95": share(outcomes["booked95"].to_numpy(bool)),
        "precision95": share(hit[outcomes["booked95"].to_numpy(bool)]),
        "coverage98": share(outcomes["booked98"].to_numpy(bool)),
        "precision98": share(hit[outcomes["booked98"].to_numpy(bool)]),
        "calibration_error": calibration_error(outcomes["confidence"].to_numpy(float), hit),
        "calibration_noise": calibration_noise(outcomes["confidence"].to_numpy(float)),
        "questions_per_1000": 1000 * asked["question"].nunique() / max(len(outcomes), 1),
    }


def by_band(outcomes: pd.DataFrame) -> dict[str, float]:
    """Booked lines and those of them that are right, by band of confidence."""
    booked = outcomes[outcomes["booked95"]]
    hit = (booked["account_id"] == booked["truth"]).to_numpy(bool)
    confidence = booked["confidence"].to_numpy(float)
    result: dict[str, float] = {}
    for low, high in pairwise(BANDS):
        own = (confidence >= low) & (confidence < high)
        result |= {f"booked_from_{low}": int(own.sum()), f"right_from_{low}": int(hit[own].sum())}
    return result


def is_missed(right: int, count: int, promise: float, *, at_least: int) -> bool:
    """Whether luck does not explain that ``right`` of ``count`` is less than promised (p < .05).

    By a binomial test; of fewer than ``at_least`` lines nothing is said.
    """
    from scipy.stats import binom

    return count >= at_least and bool(binom.cdf(right, count, promise) < 0.05)


def share(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def macro_f1(truth: pd.Series, guess: pd.Series) -> float:
    """Mean F1 over the accounts that occur in the truth."""
    if not len(truth):
        return float("nan")
    from sklearn.metrics import f1_score

    labels = pd.unique(truth)
    guessed = guess.astype(object).where(guess.notna(), "")
    return float(
        f1_score(truth.astype(str), guessed.astype(str), labels=[str(v) for v in labels],
                 average="macro", zero_division=0)
    )  # fmt: skip


def self_agreement(lines: pd.DataFrame) -> dict[str, float]:
    """How often people agree with themselves on lines that look the same.

    Same vendor, text, department and amount bucket: ``repeated_share`` of lines have such a twin;
    ``agreement`` is how often the majority of the *other* twins names the account. No model can be
    right more often on these lines.
    """
    from models.lines import Lines
    from models.normalize import combine

    prepared = Lines.read(lines)
    key = combine(
        prepared.party, prepared.text, prepared.department,
        prepared.amount_bucket.view(np.uint64),
    )  # fmt: skip
    frame = pd.DataFrame({"key": key, "account": lines["account_id"].astype(str).to_numpy()})
    pair = frame.groupby(["key", "account"]).size().rename("own").reset_index()
    total = pair.groupby("key")["own"].transform("sum")
    pair = pair[total > 1].sort_values(["key", "own"], ascending=[True, False], kind="stable")
    rank = pair.groupby("key").cumcount()
    first = pair["key"].map(pair[rank == 0].set_index("key")["own"])
    second = pair["key"].map(pair[rank == 1].set_index("key")["own"]).fillna(0)
    # Leaving a line out, its account must still lead; a tie is a coin's toss.
    rival = np.where(rank == 0, second, first)
    wins = np.where(pair["own"] - 1 > rival, 1.0, np.where(pair["own"] - 1 == rival, 0.5, 0.0))
    repeated = float(pair["own"].sum())
    return {
        "repeated_share": repeated / max(len(lines), 1),
        "agreement": float((wins * pair["own"]).sum() / repeated) if repeated else float("nan"),
    }


def coverage_curve(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Share booked and precision reached for every confidence threshold; for plotting."""
    ordered = outcomes.sort_values("confidence", ascending=False, kind="stable")
    hit = (ordered["account_id"] == ordered["truth"]).to_numpy(float)
    count = np.arange(1, len(hit) + 1)
    return pd.DataFrame(
        {
            "threshold": ordered["confidence"].to_numpy(float),
            "coverage": count / max(len(hit), 1),
            "precision": np.cumsum(hit) / count,
        }
    )


def calibration_bins(outcomes: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Promised and reached precision in bins of equal size; for plotting."""
    ordered = outcomes.sort_values("confidence", kind="stable")
    hit = (ordered["account_id"] == ordered["truth"]).to_numpy(float)
    confidence = ordered["confidence"].to_numpy(float)
    parts = [part for part in np.array_split(np.arange(len(hit)), bins) if len(part)]
    return pd.DataFrame(
        {
            "promised": [confidence[part].mean() for part in parts],
            "reached": [hit[part].mean() for part in parts],
            "lines": [len(part) for part in parts],
        }
    )


def confusion(outcomes: pd.DataFrame, accounts: int = 15) -> pd.DataFrame:
    """Counts of truth (rows) against suggestion (columns) for the most frequent accounts."""
    common = outcomes["truth"].value_counts().index[:accounts]
    guess = outcomes["account_id"].where(outcomes["account_id"].isin(common), "other")
    kept = outcomes["truth"].isin(common)
    return pd.crosstab(outcomes["truth"][kept], guess[kept])


def errors_by_account(outcomes: pd.DataFrame, accounts: int = 15) -> pd.DataFrame:
    """The accounts with most wrong suggestions: index the true account, lines and wrong."""
    wrong = outcomes["account_id"] != outcomes["truth"]
    table = wrong.groupby(outcomes["truth"]).agg(lines="size", wrong="sum")
    return table.sort_values(["wrong", "lines"], ascending=False, kind="stable").head(accounts)
