"""What is expected to have changed in each client's lists: which of them to ask BILL for now.

All clients' lists at once, as arrays of (clients, lists): the sensor works this out every half
minute, for a thousand clients. What else makes a client due is in ``freshness``.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from bill_pipeline.clients import ClientStatus
from bill_pipeline.probe import PROBED

SHORTEST_INTERVAL = timedelta(minutes=2)
LONGEST_INTERVAL = timedelta(hours=6)
#: Expected waiting (changes × hours) that is worth a request when there are requests to spare: a
#: list that changes once an hour is asked for every eleven minutes.
WORTH_ASKING = 1 / 60
#: A list in which so many changes are expected within this time is not left alone for longer: it
#: keeps the mean of all waiting a little longer, and few wait for much longer than the others.
LONGEST_WAIT = timedelta(minutes=25)
EXPECTED_TO_CHANGE = 1 / 40
#: Measured: 2,458 requests for two lists of each of 1,000 clients (benchmarks/fleet_sweep.py).
REQUESTS_PER_LIST = 1.2
#: The rest of the hour's requests is for syncs, imports, reconciliation and people.
SHARE_FOR_PROBES = 0.66
_HOUR = timedelta(hours=1)

Lists = NDArray[np.float64]


@dataclass(frozen=True)
class Expected:
    """``due``: by client, the lists to ask for now, each with how many times over it is worth the
    request; clients with none are left out. ``worth``: the waiting that is worth one."""

    due: Mapping[str, Mapping[str, float]]
    worth: float

    @classmethod
    def of(
        cls, statuses: Iterable[ClientStatus], now: datetime, requests_per_hour: int
    ) -> Expected:
        """Of all clients that can be synced."""
        syncable = [status for status in statuses if status.is_syncable]
        if not syncable:
            return cls({}, WORTH_ASKING)
        firm = _Firm(syncable, now)
        worth = worth_asking(firm.rates_soon(), requests_per_hour)
        urgency = firm.urgency(worth)
        due: dict[str, dict[str, float]] = {}
        for row, column in np.argwhere(urgency > 0).tolist():
            lists = due.setdefault(syncable[row].client, {})
            lists[PROBED[column]] = float(urgency[row, column])
        return cls(due, worth)


class _Firm:
    """The patterns of some clients and how long ago each list was asked for, in hours."""

    def __init__(self, statuses: list[ClientStatus], now: datetime) -> None:
        self._now = now
        numbers = np.array([status.pattern.numbers for status in statuses])
        self._per_hour = numbers[:, :-25] / 24
        self._hours, self._weekend = numbers[:, -25:-1], numbers[:, -1:]
        asked = np.array([status.asked_at for status in statuses])
        self._ago = (now.timestamp() - asked) / 3600

    def rates_soon(self) -> Lists:
        """Changes an hour to expect now, or soon: the busier of this hour and the next."""
        weights = np.maximum(self._weight(self._now), self._weight(self._now + _HOUR))
        return self._per_hour * weights

    def urgency(self, worth: float) -> Lists:
        """How many times over each list is worth its request; 0 for what is not to be asked for."""
        value = self._per_hour * self._waited() / worth
        longest = LONGEST_WAIT / _HOUR
        is_expected = self._per_hour * self._weight(self._now) * longest >= EXPECTED_TO_CHANGE
        is_due = (
            (value >= 1)
            | ((self._ago >= longest) & is_expected)
            | (self._ago >= LONGEST_INTERVAL / _HOUR)
        ) & (self._ago >= SHORTEST_INTERVAL / _HOUR)
        return np.where(is_due, np.maximum(value, 1.0), 0.0)

    def _waited(self) -> Lists:
        """Expected waiting since a list was asked for, if one change came in a weekday's mean hour.

        What changed at the beginning of the time has waited for all of it, what changed a minute
        ago for a minute: half the square of the time, hour by hour by its weight.
        """
        since = np.minimum(self._ago, LONGEST_INTERVAL / _HOUR)
        waited = np.zeros_like(since)
        end, begin = self._now, _whole_hour(self._now)
        while (ago := (self._now - end) / _HOUR) < LONGEST_INTERVAL / _HOUR:
            longest = np.clip(since, ago, (self._now - begin) / _HOUR)
            waited += self._weight(begin) * (longest**2 - ago**2) / 2
            end, begin = begin, begin - _HOUR
        return waited

    def _weight(self, moment: datetime) -> Lists:
        """How many times as much happens in that hour as in a weekday's mean hour."""
        weights = self._hours[:, moment.hour, None]
        return weights * self._weekend if moment.weekday() >= 5 else weights


def worth_asking(rates: Lists, requests_per_hour: int) -> float:
    """The expected waiting (changes × hours) at which a list is asked for.

    At a steady rate r of changes an hour, a list is asked for whenever r·t²/2 reaches this value
    w: √(r/2w) times an hour, and once in ``LONGEST_WAIT`` when that is more and something is
    expected. w grows until the questions of all clients fit the hour's requests.
    """
    ordered = np.sort(rates, axis=None).tolist()
    roots = [0.0, *accumulate(map(math.sqrt, ordered))]
    asks = requests_per_hour * SHARE_FOR_PROBES / REQUESTS_PER_LIST
    longest = LONGEST_WAIT / _HOUR
    first = bisect_left(ordered, EXPECTED_TO_CHANGE / longest)
    worth = WORTH_ASKING
    while True:
        # The lists of ``first`` to ``last`` are asked once in the longest wait, whatever w is.
        last = max(first, bisect_right(ordered, 2 * worth / longest**2))
        left = max(asks - (last - first) / longest, 1.0)
        needed = ((roots[-1] - roots[last] + roots[first]) / left) ** 2 / 2
        if needed <= worth:
            return worth
        worth = needed


def _whole_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
