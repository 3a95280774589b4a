"""Judge one client: walk through its months, or meet it for the first time.

Every function yields one table of outcomes per model (columns: see ``metrics``). The model is used
through its public contract only, as a product would.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from models.baselines import BASELINES, REFITTED_ONLY, ROWS_MAX, Judged
from models.categorizer import Categorizer
from models.knowledge import GlobalKnowledge
from models.published_ledgers import chart_of

FEW = (50, 100, 200, 300, 1_000)
JUDGED_LINES = 2_000
FIRST_JUDGED_MONTH = 7
# Fewer earlier lines are no past to learn from.
PAST_LINES_MIN = 20
NEVER_LATE = 100_000  # published ledgers have gaps that a client's books do not have


def walk(
    lines: pd.DataFrame, protocol: str, knowledge: GlobalKnowledge | None, refit_months: int,
    random_state: int,
) -> Iterator[pd.DataFrame]:  # fmt: skip
    """Ours and every baseline on the same lines, oldest first; nothing if there is no past."""
    windows = windows_of(lines, protocol, refit_months)
    if not windows:
        return
    for name in ("ours", *BASELINES):
        judged, fitting, answering = [], 0.0, 0.0
        for window in windows:
            began = time.perf_counter()
            past = lines.iloc[: window[0].start]
            step: _Ours | _Baseline
            if name == "ours":
                step = _Ours.fit(past, knowledge, random_state)
            else:
                step = _Baseline(name, Judged.fit(name, past))
            fitting += time.perf_counter() - began
            for part in window:
                month = lines.iloc[part]
                began = time.perf_counter()
                found = step.answer(month)
                answering += time.perf_counter() - began
                judged.append(with_facts(found, month, lines.iloc[: part.start]))
                step.remember(month, lines.iloc[: part.stop])
        result = pd.concat(judged)
        speed = len(result) / max(answering, 1e-9)
        yield result.assign(
            model=name, coded_lines=-1, fit_seconds=fitting / len(windows), lines_per_second=speed
        )


def windows_of(lines: pd.DataFrame, protocol: str, refit_months: int) -> list[list[slice]]:
    """Positions of the judged months, grouped by the refit before them; days are never split.

    ``static``: one window of one part, the newest 30 % of lines. ``lines`` sorted by date.
    """
    month = lines["date"].dt.to_period("M").to_numpy()
    if protocol == "static":
        day = lines["date"].to_numpy()
        start = int(np.searchsorted(day, day[int(len(day) * 0.7)])) if len(day) else 0
        return [[slice(start, len(lines))]] if start >= PAST_LINES_MIN else []
    starts = np.flatnonzero(np.r_[True, month[1:] != month[:-1]])
    edges = [*starts, len(lines)]
    first = FIRST_JUDGED_MONTH - 1
    if len(starts) <= first:  # a short life: judge the last third of it
        first = max(len(starts) * 2 // 3, 1)
    parts = [slice(int(edges[i]), int(edges[i + 1])) for i in range(first, len(starts))]
    parts = [part for part in parts if part.start >= PAST_LINES_MIN]
    return [parts[i : i + refit_months] for i in range(0, len(parts), refit_months)]


class _Ours:
    """Our model between two refits."""

    def __init__(self, model: Categorizer) -> None:
        self.model = model

    @classmethod
    def fit(cls, past: pd.DataFrame, knowledge: GlobalKnowledge | None, random_state: int) -> _Ours:
        # The chart of the day: accounts first used later were not in it yet as far as anybody can
        # tell from a published ledger.
        model = Categorizer(knowledge=knowledge, random_state=random_state, gap_days_max=NEVER_LATE)
        return cls(model.fit(past, chart_of(past["account_id"])))

    def answer(self, lines: pd.DataFrame) -> pd.DataFrame:
        return outcomes_of(self.model, lines)

    def remember(self, lines: pd.DataFrame, past: pd.DataFrame) -> None:
        self.model.learn(lines.assign(is_correction=False))


class _Baseline:
    """A baseline between two refits."""

    def __init__(self, name: str, judged: Judged) -> None:
        self.name = name
        self.judged = judged

    def answer(self, lines: pd.DataFrame) -> pd.DataFrame:
        return self.judged.outcomes(lines)

    def remember(self, lines: pd.DataFrame, past: pd.DataFrame) -> None:
        if self.name not in REFITTED_ONLY:
            self.judged.guesser = BASELINES[self.name]().fit(past)


def outcomes_of(model: Categorizer, lines: pd.DataFrame) -> pd.DataFrame:
    """What our model says: the columns of ``metrics`` that do not need the truth."""
    found = model.suggest(lines)
    top3 = [
        (account, *(other for other, _ in others[:2]))
        for account, others in zip(found["account_id"], found["alternatives"], strict=True)
    ]
    booked = ~found["needs_review"]
    sure = found["confidence"] >= model.threshold_for(0.98)
    return pd.DataFrame(
        {
            "account_id": found["account_id"], "top3": top3, "confidence": found["confidence"],
            "booked95": booked, "booked98": booked & sure,
        },
        index=lines.index,
    )  # fmt: skip


def with_facts(found: pd.DataFrame, lines: pd.DataFrame, past: pd.DataFrame) -> pd.DataFrame:
    """The outcomes with truth, whether the vendor was seen before, and the question's group."""
    question = lines["party_name"] + "|" + lines["description"]
    return found.assign(
        truth=lines["account_id"],
        is_seen=lines["party_name"].isin(set(past["party_name"])),
        question=question + "|" + lines["department_id"].fillna("").astype(str),
        date=lines["date"],
    )


def taught_by_others(shared: pd.DataFrame) -> dict[str, Judged]:
    """Every baseline as the other clients' lines teach it, for a client without a past."""
    # Text models read the newest lines only: what is drawn by lot serves them better.
    drawn = shared.sample(min(len(shared), ROWS_MAX), random_state=0).sort_index()
    return {
        name: Judged.fit(name, drawn if name in REFITTED_ONLY else shared) for name in BASELINES
    }


def new_client(
    own: pd.DataFrame, knowledge: GlobalKnowledge, others: dict[str, Judged], protocol: str
) -> Iterator[pd.DataFrame]:
    """A client that nobody has seen, in canonical accounts, after its first coded lines.

    ``others``: the baselines for a client without any, see ``taught_by_others``.
    """
    own = own[own["canonical"].notna()].assign(account_id=lambda f: f["canonical"])
    chart = knowledge.accounts_.frame()
    for count in (0,) if protocol == "unseen" else FEW:
        if len(own) <= count:
            continue
        past, following = own.iloc[:count], own.iloc[count:]
        if protocol == "few":
            following = following.iloc[:JUDGED_LINES]
        yield from _judge_new(past, following, chart, knowledge, others)


def _judge_new(
    past: pd.DataFrame, following: pd.DataFrame, chart: pd.DataFrame,
    knowledge: GlobalKnowledge, others: dict[str, Judged],
) -> Iterator[pd.DataFrame]:  # fmt: skip
    def timed(name: str, fit: Callable[[], Callable[[pd.DataFrame], pd.DataFrame]]) -> pd.DataFrame:
        began = time.perf_counter()
        answer = fit()
        fitted = time.perf_counter()
        found = with_facts(answer(following), following, past)
        spent = time.perf_counter() - fitted
        return found.assign(
            model=name, coded_lines=len(past), fit_seconds=fitted - began,
            lines_per_second=len(following) / max(spent, 1e-9),
        )  # fmt: skip

    def ours() -> Callable[[pd.DataFrame], pd.DataFrame]:
        model = Categorizer(knowledge=knowledge, gap_days_max=NEVER_LATE).fit(past, chart)
        return partial(outcomes_of, model)

    def baseline(name: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
        return (Judged.fit(name, past) if len(past) else others[name]).outcomes

    yield timed("ours", ours)
    for name in BASELINES:
        yield timed(name, partial(baseline, name))
