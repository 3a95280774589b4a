"""Honest figures: the model beside its baselines, split by time, client by client.

Protocols:

    walk-forward   the last 30 % of dates in windows; everything earlier is known, refitted at each
                   window; within it the model remembers each finished month (as in production)
    static         trained once on the first 70 % of lines, judged on the rest
    unseen         a new client's first day: canonical accounts, learned from the other clients
    few            a new client after its first 50, 100, 200, 300 and 1,000 coded lines

Nothing of the future enters features, thresholds or calibration.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd

from models.baselines import BASELINES, Judged
from models.categorizer import Categorizer
from models.knowledge import GlobalKnowledge
from models.metrics import self_agreement, summary
from models.published_ledgers import EvaluationDataMissing, chart_of, read_ledger

PROTOCOLS = ("walk-forward", "static", "unseen", "few")
FEW = (50, 100, 200, 300, 1_000)
# Other clients' lines that make the knowledge of a new one; more changes little and costs minutes.
SHARED_LINES = 2_000
JUDGED_LINES = 2_000
NEVER_LATE = 100_000  # published ledgers have gaps that a client's books do not have


def evaluate(
    data: pd.DataFrame,
    protocol: str = "walk-forward",
    organizations: list[str] | None = None,
    max_lines: int | None = None,
    *,
    windows: int = 4,
    knowledge: GlobalKnowledge | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """One row of figures per organization and model (ours and every baseline).

    ``max_lines`` keeps each organization's newest lines. Raises ``EvaluationDataMissing``.
    """
    outcomes = decisions(
        data, protocol, organizations, max_lines, windows=windows, knowledge=knowledge,
        random_state=random_state,
    )  # fmt: skip
    rows = []
    groups = ["protocol", "organization", "coded_lines", "model"]
    for key, part in outcomes.groupby(groups, sort=False):
        costs = {name: part[name].iloc[0] for name in ("fit_seconds", "lines_per_second")}
        agreement = {name: part[name].iloc[0] for name in ("agreement", "repeated_share")}
        rows.append(dict(zip(groups, key, strict=True)) | summary(part) | costs | agreement)
    return pd.DataFrame(rows)


def decisions(
    data: pd.DataFrame,
    protocol: str = "walk-forward",
    organizations: list[str] | None = None,
    max_lines: int | None = None,
    *,
    windows: int = 4,
    knowledge: GlobalKnowledge | None = None,
    random_state: int = 0,
) -> pd.DataFrame:
    """Every decision behind ``evaluate``: the input of the plots in ``models.metrics``."""
    if protocol not in PROTOCOLS:
        raise EvaluationDataMissing(f"no protocol {protocol!r}; one of {', '.join(PROTOCOLS)}")
    ledger = read_ledger(data)
    chosen = organizations or sorted(ledger["organization"].unique())
    if absent := sorted(set(chosen) - set(ledger["organization"])):
        raise EvaluationDataMissing(f"no lines of {', '.join(absent)}")
    parts = []
    for organization in chosen:
        own = ledger[ledger["organization"] == organization]
        own = own.iloc[-max_lines:] if max_lines else own
        if protocol in ("walk-forward", "static"):
            count = windows if protocol == "walk-forward" else 1
            is_monthly = protocol == "walk-forward"
            judged = _walk(own, count, knowledge, random_state, is_monthly=is_monthly)
        else:
            others = ledger[ledger["organization"] != organization]
            judged = _new_client(own, others, protocol, random_state)
        part = pd.concat(judged, ignore_index=True)
        part = part.assign(protocol=protocol, organization=organization)
        parts.append(part.assign(**self_agreement(own)))
    return pd.concat(parts, ignore_index=True)


def window_edges(day: np.ndarray, windows: int) -> list[tuple[int, int]]:
    """Positions of the windows over the last 30 % of lines; days are never split."""
    marks = np.linspace(int(len(day) * 0.7), len(day), windows + 1).astype(int)[:-1]
    starts = sorted({int(np.searchsorted(day, day[mark], side="left")) for mark in marks})
    starts = [start for start in starts if start > 0]
    return list(zip(starts, [*starts[1:], len(day)], strict=True))


def _walk(
    lines: pd.DataFrame, windows: int, knowledge: GlobalKnowledge | None, random_state: int,
    *, is_monthly: bool,
) -> Iterator[pd.DataFrame]:  # fmt: skip
    day = lines["date"].to_numpy("datetime64[D]").astype(np.int64)
    edges = window_edges(day, windows)
    for name in ("ours", *BASELINES):
        judged, fitting, answering = [], 0.0, 0.0
        for start, end in edges:
            past, window = lines.iloc[:start], lines.iloc[start:end]
            began = time.perf_counter()
            if name == "ours":
                # The chart of the day: accounts first used in the window were not in it yet
                # as far as anybody can tell from a published ledger.
                model = Categorizer(
                    knowledge=knowledge, random_state=random_state, gap_days_max=NEVER_LATE
                ).fit(past, chart_of(past["account_id"]))
            else:
                baseline = Judged.fit(name, past)
            fitting += time.perf_counter() - began
            for month in _months(window) if is_monthly else [window]:
                began = time.perf_counter()
                found = _ours(model, month) if name == "ours" else baseline.outcomes(month)
                answering += time.perf_counter() - began
                judged.append(_with_facts(found, month, lines))
                if not is_monthly:
                    continue
                if name == "ours":
                    model.learn(month.assign(is_correction=False))
                elif name != "linear text":
                    earlier = lines.loc[: month.index[-1]]
                    baseline.guesser = BASELINES[name]().fit(earlier)
        result = pd.concat(judged)
        speed = len(result) / max(answering, 1e-9)
        yield result.assign(
            model=name, coded_lines=-1, fit_seconds=fitting / len(edges), lines_per_second=speed
        )


def _months(window: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for _, month in window.groupby(window["date"].dt.to_period("M"), sort=True):
        yield month


def _ours(model: Categorizer, lines: pd.DataFrame) -> pd.DataFrame:
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


def _with_facts(found: pd.DataFrame, lines: pd.DataFrame, all_lines: pd.DataFrame) -> pd.DataFrame:
    """The outcomes with truth, whether the vendor was seen before, and the question's group."""
    earlier = all_lines["party_name"][all_lines.index < lines.index[0]]
    question = lines["party_name"] + "|" + lines["description"]
    return found.assign(
        truth=lines["account_id"],
        is_seen=lines["party_name"].isin(set(earlier)),
        question=question + "|" + lines["department_id"].fillna("").astype(str),
        date=lines["date"],
    )


def _new_client(
    own: pd.DataFrame, others: pd.DataFrame, protocol: str, random_state: int
) -> Iterator[pd.DataFrame]:
    """A client that nobody has seen, in canonical accounts."""
    own = own[own["canonical"].notna()].assign(account_id=lambda f: f["canonical"])
    others = others[others["canonical"].notna()].assign(account_id=lambda f: f["canonical"])
    shared = _sample_each(others, random_state)
    chart = chart_of(others["account_id"])
    began = time.perf_counter()
    knowledge = GlobalKnowledge(chart=chart, random_state=random_state).fit(shared)
    seconds = time.perf_counter() - began
    counts = (0,) if protocol == "unseen" else FEW
    for count in counts:
        if len(own) <= count:
            continue
        past, following = own.iloc[:count], own.iloc[count:]
        if protocol == "unseen":
            size = min(len(own), JUDGED_LINES)
            following = own.sample(size, random_state=random_state).sort_index()
        else:
            following = following.iloc[:JUDGED_LINES]
        yield from _judge_new(past, following, shared, chart, knowledge, count, seconds)


def _sample_each(lines: pd.DataFrame, random_state: int) -> pd.DataFrame:
    """At most ``SHARED_LINES`` of every organization, oldest first."""
    parts = [
        part.sample(min(len(part), SHARED_LINES), random_state=random_state)
        for _, part in lines.groupby("organization")
    ]
    return pd.concat(parts).sort_values("date", kind="stable")


def _fitted(name: str, lines: pd.DataFrame) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return Judged.fit(name, lines).outcomes


def _judge_new(
    past: pd.DataFrame, following: pd.DataFrame, shared: pd.DataFrame, chart: pd.DataFrame,
    knowledge: GlobalKnowledge, count: int, seconds: float,
) -> Iterator[pd.DataFrame]:  # fmt: skip
    def timed(name: str, fit: Callable[[], Callable[[pd.DataFrame], pd.DataFrame]]) -> pd.DataFrame:
        began = time.perf_counter()
        answer = fit()
        fitted = time.perf_counter()
        found = _with_facts(answer(following), following, past)
        spent = time.perf_counter() - fitted
        return found.assign(
            model=name, coded_lines=count, fit_seconds=fitted - began,
            lines_per_second=len(following) / max(spent, 1e-9),
        )  # fmt: skip

    def ours() -> Callable[[pd.DataFrame], pd.DataFrame]:
        model = Categorizer(knowledge=knowledge, gap_days_max=NEVER_LATE).fit(past, chart)
        return lambda lines: _ours(model, lines)

    yield timed("ours", ours).assign(fit_seconds=lambda f: f["fit_seconds"] + seconds)
    if count == 0:
        for name in ("majority", "vendor majority", "linear text"):
            yield timed(name, partial(_fitted, name, shared))
        return
    for name in BASELINES:
        yield timed(name, partial(_fitted, name, past))
