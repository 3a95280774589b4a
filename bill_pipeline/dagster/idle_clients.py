"""Tell clients with news from idle ones, in a few requests each and without their files.

A sync of an idle client costs half a second and dozens of requests; a sweep of a thousand idle
clients can afford neither. What a change check asks and proves is in ``ingest.change_check``; which
lists are due, in ``poll_schedule``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from bill_pipeline.bill.lists import POLLED
from bill_pipeline.dagster.freshness import needs_whole_sync, poll_of
from bill_pipeline.dagster.poll_schedule import PollSchedule, pace
from bill_pipeline.ingest.client_import import lists_with_news, requests_left
from bill_pipeline.publishing.publish import show_status
from bill_pipeline.registry.clients import ClientStatus, Registry
from bill_pipeline.registry.failures import alone
from bill_pipeline.settings import Settings

#: Requests wait for BILL far longer than they compute.
CHANGE_CHECKS_AT_ONCE = 8

#: The lists with news; None when everything is to be read.
News = tuple[str, ...] | None


def with_news(
    registry: Registry, clients: Sequence[str], now: datetime, log: logging.Logger
) -> dict[str, News]:
    """Those of ``clients`` to sync, in their order, with the lists that have news.

    The others are noted as up to date ``now``. A client whose check fails is synced: the sync says
    what is wrong, and keeps the status.
    """
    statuses = {status.client: status for status in registry.all()}
    allowed = pace(requests_left(registry.home), Settings.now().requests_per_hour, now)
    expected = PollSchedule.of(statuses.values(), now, allowed)

    def news_of(client: str) -> News:
        status = statuses.get(client)
        lists = lists_to_ask(status, now, expected) if status else None
        if status is None or lists is None:
            return None
        with alone(client, {}):
            changed = lists_with_news(registry, client, registry.connection(client), lists)
            if changed is None:
                return None
            looked = {**status.looked_at, **dict.fromkeys(lists, now.isoformat())}
            # A notification that came meanwhile is later than ``now`` and still counts.
            found = {} if changed else {"last_attempt_at": now, "last_success_at": now}
            registry.update(client, looked_at=looked, **found)
            return tuple(changed)
        return None

    with ThreadPoolExecutor(CHANGE_CHECKS_AT_ONCE, thread_name_prefix="probe") as threads:
        news = dict(zip(clients, threads.map(news_of, clients), strict=True))
    show_status(registry)
    found = {client: lists for client, lists in news.items() if lists != ()}
    log.info(f"{len(clients) - len(found):,} of {len(clients):,} clients have no news.")
    return found


def lists_to_ask(status: ClientStatus, now: datetime, expected: PollSchedule) -> News:
    """The lists to ask for; None when the client is to be synced without asking.

    What was due when the sweep was planned may be nearly due now, when a new hour has begun. All
    lists for a client of which nothing is: somebody named it.
    """
    if needs_whole_sync(status, now):
        return None
    poll = poll_of(status, now, expected)
    if poll is None:
        return expected.nearly_due(status.client) or POLLED
    return poll.lists or None
