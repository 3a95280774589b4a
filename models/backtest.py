"""Replay a client's past: what would have been known about each line on the day it came?

The history is rolled forward in steps, the text model is refitted at each fold's start, and the
lines of a step see only what was coded before it. The ranker, the calibration and the threshold are
learned from these replays, so nothing of the future is in them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from models.evidence import Evidence, gather
from models.history import History
from models.lines import Lines
from models.ranker import Replay
from models.sources import Sources
from models.text_model import TextModel

STEPS_PER_FOLD = 3
# Lines × accounts cells of one batch: 3M floats = 12 MB per source.
CELLS_MAX = 1_500_000


def fold_starts(day: np.ndarray, folds: int, lines_max: int) -> list[int]:
    """Positions where folds begin, in lines sorted by day; a day is never split.

    The folds cover the newest lines: at most ``lines_max`` and at most three quarters of all.
    """
    if len(day) < folds:
        return []
    first = len(day) - min(lines_max, len(day) * 3 // 4)
    marks = np.linspace(first, len(day), folds + 1)[:-1].astype(int).clip(0, len(day) - 1)
    starts = sorted({int(np.searchsorted(day, day[mark], side="left")) for mark in marks})
    return [start for start in starts if start > 0]


def backtest(
    lines: Lines,
    account: np.ndarray,
    sources_at: Callable[[History, TextModel | None], Sources],
    *,
    folds: int,
    lines_max: int,
    text_rows_max: int,
    random_state: int,
) -> list[Replay]:
    """The newest lines as they looked on their day, fold by fold, oldest first.

    ``lines`` sorted by day, ``account`` their codes (-1 = an account that is no candidate).
    """
    starts = fold_starts(lines.day, folds, lines_max)
    if not starts:
        return []
    ends = [*starts[1:], len(lines)]
    history = History.empty().learn(lines.take(slice(0, starts[0])), account[: starts[0]])
    result: list[Replay] = []
    for start, end in zip(starts, ends, strict=True):
        past = np.flatnonzero(account[:start] >= 0)
        model = None
        if len(past) >= 20:
            model = TextModel(rows_max=text_rows_max, random_state=random_state)
            sources = sources_at(history, None)
            model.fit(lines.take(past), account[past], sources.account_count)
        for part in _steps(lines.day, start, end):
            sources = sources_at(history, model)
            result.append(_one_step(lines.take(part), account[part], sources))
            history = history.learn(lines.take(part), account[part])
    return result


def _steps(day: np.ndarray, start: int, end: int) -> list[slice]:
    marks = np.linspace(start, end, STEPS_PER_FOLD + 1)[1:-1].astype(int)
    inner = {int(np.searchsorted(day, day[mark], side="left")) for mark in marks}
    edges = sorted({start, end, *(mark for mark in inner if start < mark < end)})
    return [slice(a, b) for a, b in pairwise(edges)]


def _one_step(lines: Lines, account: np.ndarray, sources: Sources) -> Replay:
    size = max(CELLS_MAX // max(sources.account_count, 1), 200)
    parts = [slice(a, a + size) for a in range(0, len(lines), size)]
    evidence = [gather(lines.take(part), sources) for part in parts]
    return Replay(lines, Evidence.joined(evidence), account)
