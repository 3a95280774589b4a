"""When a client is due, in which lists to look, and when somebody should know that it is late.

BILL allows 20,000 requests an hour for all clients together, so a request is spent where the most
has been waiting for the longest, as the client's own pattern of changes (``activity``) lets expect:
a busy client's bills are asked for every few minutes in its office hours, a sleeper's credit memos
every six hours. Pure functions of the registry's status and a clock; nothing here reads or writes.
"""

from __future__ import annotations

import math
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from bill_pipeline.activity import Activity
from bill_pipeline.clients import ClientStatus, State
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
#: What a look at some lists costs besides: the sync of those clients, about a third, with news.
REQUESTS_PER_LOOK = 2.0
REQUESTS_PER_WHOLE_SYNC = 27.0
#: The rest of the hour's requests is for syncs, imports, reconciliation and people.
SHARE_FOR_PROBES = 0.66
#: A new day's books are made in the first hours after midnight (UTC), a few clients at a time: a
#: thousand whole syncs at once would take more than an hour's requests.
DAY_BEGINS_WITHIN = timedelta(hours=4)
#: Books built so long ago and not published were built by a run that was killed before it could.
PUBLISHED_WITHIN = timedelta(minutes=10)
#: Late by this much over its longest interval, a client's books are no longer the present.
STALE_AFTER = timedelta(hours=12)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Look:
    """A client to look at now, and for what."""

    client: str
    lists: tuple[str, ...]  # to ask BILL for news of; none when all of the client is to be synced
    urgency: float  # how many times over the look is worth its request


@dataclass(frozen=True)
class Expected:
    """What is expected of the clients: each one's pattern, and the waiting worth a request."""

    patterns: Mapping[str, Activity]
    worth: float

    @classmethod
    def of(
        cls, statuses: Iterable[ClientStatus], now: datetime, requests_per_hour: int
    ) -> Expected:
        """Of all clients that can be synced; each stored pattern is read once."""
        patterns = {
            status.client: Activity.stored(status.activity)
            for status in statuses
            if status.is_syncable
        }
        return cls(patterns, worth_asking(patterns.values(), now, requests_per_hour))


def due_looks(
    statuses: Iterable[ClientStatus], now: datetime, requests_per_hour: int
) -> list[Look]:
    """What to look at now, the most urgent first; never at paused or refused clients."""
    syncable = [status for status in statuses if status.is_syncable]
    expected = Expected.of(syncable, now, requests_per_hour)
    looks = [look for status in syncable if (look := look_at(status, now, expected))]
    return sorted(looks, key=lambda look: (-look.urgency, look.client))


def affordable(looks: Sequence[Look], requests_left: int) -> list[Look]:
    """The most urgent ``looks`` that what is left of the hour's requests pays for."""
    found = []
    for look in looks:
        cost = (
            REQUESTS_PER_LIST * len(look.lists) + REQUESTS_PER_LOOK
            if look.lists
            else REQUESTS_PER_WHOLE_SYNC
        )
        requests_left -= math.ceil(cost)
        if requests_left < 0:
            break
        found.append(look)
    return found


def look_at(status: ClientStatus, now: datetime, expected: Expected) -> Look | None:
    """What to look at in one client now; None when nothing there is worth a request.

    Somebody's word that there is news (``next_sync_at``: a webhook, a person) comes before all
    expectations. After a failure ``books`` has written down when to try again: that alone counts.
    """
    if status.last_attempt_at is None:
        return Look(status.client, (), math.inf)
    if status.failure_count:
        is_time = (status.next_sync_at or status.last_attempt_at) <= now
        return Look(status.client, (), 1.0) if is_time else None
    if was_poked(status, now):
        told = tuple(table for table in PROBED if status.looked_at.get(table) == "")
        return Look(status.client, told or PROBED, math.inf)
    if needs_whole_sync(status, now):
        return Look(status.client, (), 1.0)
    due = lists_due(status, now, expected)
    return Look(status.client, tuple(due), max(due.values())) if due else None


def was_poked(status: ClientStatus, now: datetime) -> bool:
    """True when somebody said that there is news: a webhook, or a person."""
    poked, tried = status.next_sync_at, status.last_attempt_at
    return poked is not None and poked <= now and (tried is None or poked > tried)


def needs_whole_sync(status: ClientStatus, now: datetime) -> bool:
    """True when the client must be synced whatever BILL says: new, failing, left, or on a new day.

    Lists that are not probed, what BILL changed without a trace, and the aging of open documents
    all come with the day's whole sync.
    """
    if status.state is not State.UP_TO_DATE or status.last_success_at is None:
        return True
    if was_left_unpublished(status, now):
        return True
    return (status.last_whole_sync_at or status.connected_at) < begin_of_day(status.client, now)


def was_left_unpublished(status: ClientStatus, now: datetime) -> bool:
    """True when the run that built the client's books was killed before it published them."""
    built = status.unpublished_since
    return built is not None and now - built > PUBLISHED_WITHIN


def begin_of_day(client: str, now: datetime) -> datetime:
    """The last moment, up to ``now``, at which a new day began for the client."""
    share = zlib.crc32(client.encode()) / 2**32
    begin = datetime(now.year, now.month, now.day, tzinfo=UTC) + DAY_BEGINS_WITHIN * share
    return begin if begin <= now else begin - timedelta(days=1)


def lists_due(status: ClientStatus, now: datetime, expected: Expected) -> dict[str, float]:
    """The lists to ask for now, each with how many times over it is worth the request."""
    activity = expected.patterns[status.client]
    per_hour_now = activity.weight(now) / 24
    busiest = max(activity.hours) / 24
    due: dict[str, float] = {}
    for table in PROBED:
        looked = looked_at(status, table)
        ago = now - looked
        if ago < SHORTEST_INTERVAL:
            continue
        per_day = activity.per_day[table]
        value = 0.0
        # What cannot be worth it at the client's busiest hour need not be worked out by the hour.
        if per_day * busiest * (ago / _HOUR) ** 2 / 2 >= expected.worth:
            waited = activity.waited(max(looked, now - LONGEST_INTERVAL), now)
            value = per_day / 24 * waited / expected.worth
        is_left_alone = ago >= LONGEST_WAIT and is_expected_to_change(per_day * per_hour_now)
        if value >= 1 or is_left_alone or ago >= LONGEST_INTERVAL:
            due[table] = max(value, 1.0)
    return due


def is_expected_to_change(per_hour: float) -> bool:
    """Whether a list with that many changes an hour may not be left alone for ``LONGEST_WAIT``."""
    return per_hour * (LONGEST_WAIT / _HOUR) >= EXPECTED_TO_CHANGE


def looked_at(status: ClientStatus, table: str) -> datetime:
    """When BILL was last asked for news of the list; long ago when it said that there are."""
    stored = status.looked_at.get(table)
    if stored:
        return datetime.fromisoformat(stored)
    if stored == "":
        return status.connected_at
    return status.last_success_at or status.connected_at


def worth_asking(patterns: Iterable[Activity], now: datetime, requests_per_hour: int) -> float:
    """The expected waiting (changes × hours) at which a list is asked for.

    At a steady rate r of changes an hour, a list is asked for whenever r·t²/2 reaches this value
    w: √(r/2w) times an hour, and once in ``LONGEST_WAIT`` when that is more and something is
    expected. w grows until the questions of all clients fit the hour's requests.
    """
    rates = sorted(rate for pattern in patterns for rate in _rates(pattern, now))
    roots = [0.0, *accumulate(map(math.sqrt, rates))]
    asks = requests_per_hour * SHARE_FOR_PROBES / REQUESTS_PER_LIST
    longest = LONGEST_WAIT / _HOUR
    first = bisect_left(rates, EXPECTED_TO_CHANGE / longest)
    worth = WORTH_ASKING
    while True:
        # The lists of ``first`` to ``last`` are asked once in the longest wait, whatever w is.
        last = max(first, bisect_right(rates, 2 * worth / longest**2))
        left = max(asks - (last - first) / longest, 1.0)
        needed = ((roots[-1] - roots[last] + roots[first]) / left) ** 2 / 2
        if needed <= worth:
            return worth
        worth = needed


def _rates(pattern: Activity, now: datetime) -> Iterable[float]:
    """Changes an hour to expect in each list now, or soon: the busier of this hour and the next."""
    weight = max(pattern.weight(now), pattern.weight(now + _HOUR))
    return (weight * rate / 24 for rate in pattern.per_day.values())


def is_stale(status: ClientStatus, now: datetime) -> bool:
    """True when the client's published books are too old to be trusted as the present."""
    if status.state is State.PAUSED:
        return False
    return now - (status.last_success_at or status.connected_at) > STALE_AFTER
