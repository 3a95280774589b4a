"""When a client is due, for which lists, and when somebody should know that it is late.

BILL allows 20,000 requests an hour for all clients together, so a request is spent where the most
changes are expected by the client's own pattern (``poll_schedule``): a busy client's bills are
asked for every few minutes in its office hours, an inactive client's credit memos every six hours.
Pure functions of the registry's status and a clock; nothing here reads or writes.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from bill_pipeline.bill.lists import POLLED
from bill_pipeline.dagster.poll_schedule import REQUESTS_PER_LIST, PollSchedule
from bill_pipeline.registry.clients import ClientStatus, State

#: What polling a client costs besides: the sync of those clients, about a third, with news.
REQUESTS_PER_POLL = 2.0
REQUESTS_PER_WHOLE_SYNC = 27.0
#: A new day's books are made in the first hours after midnight (UTC), a few clients at a time: a
#: thousand whole syncs at once would take more than an hour's requests.
DAY_BEGINS_WITHIN = timedelta(hours=4)
#: Books built so long ago and not published were built by a run that was killed before it could.
PUBLISHED_WITHIN = timedelta(minutes=10)
#: Late by this much over its longest interval, a client's books are no longer the present.
STALE_AFTER = timedelta(hours=12)


@dataclass(frozen=True)
class Poll:
    """A client that is due now, and for what."""

    client: str
    lists: tuple[str, ...]  # to ask BILL for news of; none when all of the client is to be synced
    urgency: float  # how many times over asking is worth the request


def due_polls(
    statuses: Iterable[ClientStatus], now: datetime, requests_per_hour: float
) -> list[Poll]:
    """The clients that are due now, the most urgent first; never paused or refused ones."""
    syncable = [status for status in statuses if status.is_syncable]
    expected = PollSchedule.of(syncable, now, requests_per_hour)
    polls = [poll for status in syncable if (poll := poll_of(status, now, expected))]
    return sorted(polls, key=lambda poll: (-poll.urgency, poll.client))


def affordable(polls: Sequence[Poll], requests_left: int) -> list[Poll]:
    """The most urgent ``polls`` that what is left of the hour's requests pays for."""
    found = []
    for poll in polls:
        cost = (
            REQUESTS_PER_LIST * len(poll.lists) + REQUESTS_PER_POLL
            if poll.lists
            else REQUESTS_PER_WHOLE_SYNC
        )
        requests_left -= math.ceil(cost)
        if requests_left < 0:
            break
        found.append(poll)
    return found


def poll_of(status: ClientStatus, now: datetime, expected: PollSchedule) -> Poll | None:
    """For what one client is due now; None when nothing there is worth a request.

    A webhook or a person saying that there is news (``next_sync_at``) comes before the poll
    schedule. After a failure only the time counts at which ``client_sync`` said to try again.
    """
    if status.last_attempt_at is None:
        return Poll(status.client, (), math.inf)
    if status.failure_count:
        is_time = (status.next_sync_at or status.last_attempt_at) <= now
        return Poll(status.client, (), 1.0) if is_time else None
    if was_told_of_news(status, now):
        told = tuple(table for table in POLLED if status.looked_at.get(table) == "")
        return Poll(status.client, told or POLLED, math.inf)
    if needs_whole_sync(status, now):
        return Poll(status.client, (), 1.0)
    due = expected.due(status.client)
    return Poll(status.client, tuple(due), max(due.values())) if due else None


def was_told_of_news(status: ClientStatus, now: datetime) -> bool:
    """True when somebody said that there is news: a webhook, or a person."""
    poked, tried = status.next_sync_at, status.last_attempt_at
    return poked is not None and poked <= now and (tried is None or poked > tried)


def needs_whole_sync(status: ClientStatus, now: datetime) -> bool:
    """True when the client must be synced whatever BILL says: new, failing, left, or on a new day.

    Lists that are not polled, what BILL changed without a trace, and the aging of open documents
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
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begin = midnight + _into_the_day(client)
    return begin if begin <= now else begin - timedelta(days=1)


@lru_cache(maxsize=16_384)
def _into_the_day(client: str) -> timedelta:
    return DAY_BEGINS_WITHIN * (zlib.crc32(client.encode()) / 2**32)


def is_stale(status: ClientStatus, now: datetime) -> bool:
    """True when the client's published books are too old to be trusted as the present."""
    if status.state is State.PAUSED:
        return False
    return now - (status.last_success_at or status.connected_at) > STALE_AFTER
