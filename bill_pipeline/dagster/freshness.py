"""When a client is due for a sync, and when it is so late that somebody should know.

BILL allows 20,000 requests an hour for all clients together, so requests are spent where changes
happen: a client that changed a moment ago is asked every two minutes, a sleeper every six hours.
Pure functions of the registry's status and a clock; nothing here reads or writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bill_pipeline.clients import ClientStatus, State

SHORTEST_INTERVAL = timedelta(minutes=2)
LONGEST_INTERVAL = timedelta(hours=6)
#: The interval is this share of the time since the last change: an hour after a payment run a
#: client is asked every six minutes, after a quiet weekend every six hours.
SHARE_OF_QUIET_TIME = 0.1
#: Measured: 2,348 requests for 1,000 idle clients (benchmarks/fleet_sweep.py).
REQUESTS_PER_PROBE = 2.5
#: The other half of the hour's requests is for imports, reconciliation and people.
SHARE_FOR_PROBES = 0.5
#: Late by this much over its longest interval, a client's books are no longer the present.
STALE_AFTER = timedelta(hours=12)


def interval(status: ClientStatus, now: datetime) -> timedelta:
    """How long after its last attempt a healthy client is asked again."""
    if status.last_success_at is None:
        return timedelta(0)
    quiet_since = status.last_change_at or status.connected_at
    quiet = max(now - quiet_since, timedelta(0))
    return min(max(quiet * SHARE_OF_QUIET_TIME, SHORTEST_INTERVAL), LONGEST_INTERVAL)


def due_at(status: ClientStatus, now: datetime, factor: float = 1.0) -> datetime:
    """When the client should be asked next; an early poke (``next_sync_at``) comes first.

    After a failure ``books`` has written down when to try again: that alone counts.
    """
    if status.last_attempt_at is None:
        return status.connected_at
    if status.failure_count:
        return status.next_sync_at or status.last_attempt_at
    regular = status.last_attempt_at + interval(status, now) * factor
    if status.next_sync_at is not None and status.next_sync_at > status.last_attempt_at:
        return min(regular, status.next_sync_at)
    return regular


def due_clients(
    statuses: Iterable[ClientStatus], now: datetime, requests_per_hour: int
) -> list[ClientStatus]:
    """The clients to ask now, the longest overdue first; never paused or refused ones.

    When everybody's intervals together would cost more than the hour's requests, all of them are
    stretched alike.
    """
    syncable = [status for status in statuses if status.is_syncable]
    factor = stretch(syncable, now, requests_per_hour)
    due = [status for status in syncable if due_at(status, now, factor) <= now]
    return sorted(due, key=lambda status: (due_at(status, now, factor), status.client))


def stretch(statuses: Iterable[ClientStatus], now: datetime, requests_per_hour: int) -> float:
    """By how much intervals must grow so that probes leave room for the syncs themselves."""
    asks = sum(
        timedelta(hours=1) / max(interval(status, now), SHORTEST_INTERVAL) for status in statuses
    )
    return max(1.0, asks * REQUESTS_PER_PROBE / (requests_per_hour * SHARE_FOR_PROBES))


def is_stale(status: ClientStatus, now: datetime) -> bool:
    """True when the client's published books are too old to be trusted as the present."""
    if status.state is State.PAUSED:
        return False
    return now - (status.last_success_at or status.connected_at) > STALE_AFTER
