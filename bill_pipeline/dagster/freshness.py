"""When a client is due for a sync, and when it is so late that somebody should know.

BILL allows 20,000 requests an hour for all clients together, so requests are spent where changes
happen: a client that changed a moment ago is asked every two minutes, a sleeper every six hours.
Pure functions of the registry's status and a clock; nothing here reads or writes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from bill_pipeline.clients import ClientStatus, State

SHORTEST_INTERVAL = timedelta(minutes=2)
LONGEST_INTERVAL = timedelta(hours=6)
#: The interval is this share of the time since the last change: an hour after a payment run a
#: client is asked every six minutes, after a quiet weekend every six hours.
SHARE_OF_QUIET_TIME = 0.1
#: Late by this much over its longest interval, a client's books are no longer the present.
STALE_AFTER = timedelta(hours=12)


def interval(status: ClientStatus, now: datetime) -> timedelta:
    """How long after its last attempt a healthy client is asked again."""
    if status.last_success_at is None:
        return timedelta(0)
    quiet_since = status.last_change_at or status.connected_at
    quiet = max(now - quiet_since, timedelta(0))
    return min(max(quiet * SHARE_OF_QUIET_TIME, SHORTEST_INTERVAL), LONGEST_INTERVAL)


def due_at(status: ClientStatus, now: datetime) -> datetime:
    """When the client should be asked next; an early poke (``next_sync_at``) comes first.

    After a failure ``books`` has written down when to try again: that alone counts.
    """
    if status.last_attempt_at is None:
        return status.connected_at
    if status.failure_count:
        return status.next_sync_at or status.last_attempt_at
    regular = status.last_attempt_at + interval(status, now)
    if status.next_sync_at is not None and status.next_sync_at > status.last_attempt_at:
        return min(regular, status.next_sync_at)
    return regular


def due_clients(statuses: Iterable[ClientStatus], now: datetime) -> list[ClientStatus]:
    """The clients to ask now, the longest overdue first; never paused or refused ones."""
    due = [status for status in statuses if status.is_syncable and due_at(status, now) <= now]
    return sorted(due, key=lambda status: (due_at(status, now), status.client))


def affordable(clients: int, requests_left: int, requests_per_client: int) -> int:
    """How many of ``clients`` the rest of the hour's requests pay for."""
    return min(clients, max(0, math.floor(requests_left / requests_per_client)))


def is_stale(status: ClientStatus, now: datetime) -> bool:
    """True when the client's published books are too old to be trusted as the present."""
    if status.state is State.PAUSED:
        return False
    return now - (status.last_success_at or status.connected_at) > STALE_AFTER
