"""The poll schedule: which lists of which clients to ask BILL for now, by what is expected there.

A list is asked for when enough changes are expected in it: twice as often when twice as much
changes. Of all ways to spend the same requests this one has the least geometric mean of the
waiting, so the typical change waits briefly. (The least arithmetic mean would come from the root of
that: rare lists would wait less, and most changes longer.) How many changes are enough follows from
what the hour has left.

All clients' lists at once, as arrays of (clients, lists): the sensor works this out every half
minute, for a thousand clients. What else makes a client due is in ``freshness``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from bill_pipeline.bill.lists import POLLED
from bill_pipeline.registry.clients import ClientStatus

SHORTEST_INTERVAL = timedelta(minutes=2)
LONGEST_INTERVAL = timedelta(hours=6)
#: Expected changes that are worth a request when there are requests to spare: a list that changes
#: once an hour is asked for every three minutes.
WORTH_ASKING = 1 / 20
#: The lists where most is expected are not left alone for longer than this: the busy ones are
#: asked a little less often, and few changes wait much longer than the others.
LONGEST_WAIT = timedelta(minutes=27)
#: As many lists as this share of the questions is enough for, at any hour of any day, ...
SHARE_FOR_LONGEST_WAIT = 0.58
#: but none where fewer changes than this are expected in that time.
EXPECTED_TO_CHANGE = 1 / 400
#: A firm of a few clients need not go by what is expected: while this share of the questions is
#: enough to ask for every list within ``LONGEST_WAIT``, it is spent on that, ...
SHARE_FOR_ALL_LISTS = 0.05
#: but where nothing is expected nobody asks more often than this.
UNEXPECTED_INTERVAL = timedelta(minutes=10)
#: A list at this share of what is worth a request still is when a sweep that was planned for it
#: begins in the next hour, which has other requests to spend.
NEARLY = 0.5
#: More changes than this are not waited for, whatever the hour's requests allow.
MOST_WORTH = 100.0
#: Measured: 8,000 requests for eight lists of 1,000 clients each (benchmarks/fleet_sweep.py); the
#: tenth is for log-ins, and for organizations in which nothing was ever archived.
REQUESTS_PER_LIST = 1.1
#: The rest of the hour's requests is for syncs, imports, reconciliation and people.
SHARE_FOR_CHANGE_CHECKS = 0.75
#: An hour's last minutes are not spent faster than this allows, in hours and times the even pace.
SHORTEST_REST = 0.05
MOST_HASTE = 1.25
_HOUR = timedelta(hours=1)

Lists = NDArray[np.float64]


@dataclass(frozen=True)
class PollSchedule:
    """What to ask for now.

    ``urgency``: by client and list, how many times over asking is worth the request; what is not
    even ``NEARLY`` worth it is left out. ``worth``: the expected changes that are worth a request.
    """

    urgency: Mapping[str, Mapping[str, float]]
    worth: float

    @classmethod
    def of(
        cls, statuses: Iterable[ClientStatus], now: datetime, requests_per_hour: float
    ) -> PollSchedule:
        """Of all clients that can be synced, when so many requests an hour may be spent."""
        syncable = [status for status in statuses if status.is_syncable]
        if not syncable:
            return cls({}, WORTH_ASKING)
        firm = _Firm(syncable, now)
        rates = firm.rates_soon()
        asks = requests_per_hour * SHARE_FOR_CHANGE_CHECKS / REQUESTS_PER_LIST
        longest = longest_waits(rates, asks)
        worth = worth_asking(rates, longest, asks)
        urgency = {
            status.client: {
                table: value for table, value in zip(POLLED, row, strict=True) if value >= NEARLY
            }
            for status, row in zip(syncable, firm.urgency(worth, longest).tolist(), strict=True)
            if max(row) >= NEARLY
        }
        return cls(urgency, worth)

    def due(self, client: str) -> dict[str, float]:
        """The lists to ask for, each with its urgency; none when nothing is worth a request."""
        lists = self.urgency.get(client, {})
        return {table: value for table, value in lists.items() if value >= 1}

    def nearly_due(self, client: str) -> tuple[str, ...]:
        """The due lists and those that will be soon."""
        return tuple(self.urgency.get(client, ()))


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

    def urgency(self, worth: float, longest: Lists) -> Lists:
        """How many times over each list is worth its request: from 1 on it is to be asked for."""
        value = self._per_hour * self._expected() / worth
        value = np.where(self._ago >= longest, np.maximum(value, 1.0), value)
        return np.where(self._ago >= SHORTEST_INTERVAL / _HOUR, value, 0.0)

    def _expected(self) -> Lists:
        """Changes expected since a list was asked for, if one came in a weekday's mean hour."""
        since = np.minimum(self._ago, LONGEST_INTERVAL / _HOUR)
        expected = np.zeros_like(since)
        end, begin = self._now, _whole_hour(self._now)
        while (ago := (self._now - end) / _HOUR) < LONGEST_INTERVAL / _HOUR:
            hours = np.clip(since, ago, (self._now - begin) / _HOUR) - ago
            expected += self._weight(begin) * hours
            end, begin = begin, begin - _HOUR
        return expected

    def _weight(self, moment: datetime) -> Lists:
        """How many times as much happens in that hour as in a weekday's mean hour."""
        weights = self._hours[:, moment.hour, None]
        return weights * self._weekend if moment.weekday() >= 5 else weights


def longest_waits(rates: Lists, asks: float) -> Lists:
    """For how many hours each list is left alone at most.

    The lists are those at ``rates`` changes an hour, when ``asks`` questions an hour may be asked.
    """
    longest = LONGEST_WAIT / _HOUR
    few = max(asks * SHARE_FOR_ALL_LISTS, 1.0)
    all_lists = max(rates.size / few, UNEXPECTED_INTERVAL / _HOUR)
    if all_lists <= longest:
        return np.full(rates.shape, all_lists)
    most = int(asks * SHARE_FOR_LONGEST_WAIT * longest)
    # Of lists with the same rate all may wait, or none: too many would take the others' questions.
    too_few = np.sort(rates, axis=None)[-most - 1] if most < rates.size else 0.0
    is_kept = (rates > too_few) & (rates * longest >= EXPECTED_TO_CHANGE)
    return np.where(is_kept, longest, LONGEST_INTERVAL / _HOUR)


def worth_asking(rates: Lists, longest: Lists, asks: float) -> float:
    """The expected changes at which a list is asked for.

    At a steady rate of r changes an hour, a list is asked for r / w times an hour, and once in its
    ``longest`` wait when that is more. w grows until the questions of all clients are no more than
    ``asks`` an hour.
    """
    at_least = 1 / longest
    at_most = _HOUR / SHORTEST_INTERVAL

    def fits(worth: float) -> bool:
        return bool(np.clip(rates / worth, at_least, at_most).sum() <= asks)

    low, high = WORTH_ASKING, WORTH_ASKING
    while not fits(high) and high < MOST_WORTH:
        low, high = high, high * 2
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def pace(requests_left: float, requests_per_hour: int, now: datetime) -> float:
    """Requests an hour from ``now`` on that this hour's rest allows, at most a quarter more."""
    rest = (_whole_hour(now) + _HOUR - now) / _HOUR
    return min(requests_left / max(rest, SHORTEST_REST), requests_per_hour * MOST_HASTE)


def _whole_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
