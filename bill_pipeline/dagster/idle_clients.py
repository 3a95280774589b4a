"""Tell clients with news from idle ones, in two or three requests each and without their files.

A sync of an idle client costs half a second and dozens of requests; a sweep of a thousand idle
clients can afford neither. What a probe is and what it proves is in ``bill_pipeline.probe``.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from bill_pipeline.bill.errors import BillError
from bill_pipeline.clients import ClientStatus, Registry, State
from bill_pipeline.errors import PipelineError
from bill_pipeline.imports import open_bill
from bill_pipeline.probe import PROBED, changed_lists
from bill_pipeline.settings import Home

#: Where most changes of most companies show: in every sweep, and in every second one.
ALWAYS_PROBED = "bills"
OFTEN_PROBED = "payments"
#: Requests wait for BILL far longer than they compute.
PROBES_AT_ONCE = 8


def with_news(home: Home, clients: Sequence[str], now: datetime, log: logging.Logger) -> list[str]:
    """Those of ``clients`` to sync, in their order; the others are noted as up to date ``now``.

    A client whose probe fails is synced: the sync says what is wrong, and keeps the status.
    """
    registry = Registry(home)
    statuses = {status.client: status for status in registry.all()}

    def has_news(client: str) -> bool:
        status = statuses.get(client)
        if status is None or not can_be_probed(status, now):
            return True
        try:
            with open_bill(home, client, registry.connection(client)) as bill:
                lists = PROBED if was_poked(status, now) else lists_of(client, now)
                return bool(changed_lists(bill, home.dlt_folder(client), lists))
        except (BillError, PipelineError):
            return True

    with ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="probe") as threads:
        news = dict(zip(clients, threads.map(has_news, clients), strict=True))
    idle = [client for client in clients if not news[client]]
    for client in idle:
        # A poke that came meanwhile is later than ``now`` and stays in force.
        registry.update(client, last_attempt_at=now, last_success_at=now)
    log.info(f"{len(idle):,} of {len(clients):,} clients have no news.")
    return [client for client in clients if news[client]]


def can_be_probed(status: ClientStatus, now: datetime) -> bool:
    """False when the client must be synced whatever BILL says: new, failing, or a new day."""
    return (
        status.state is State.UP_TO_DATE
        and status.last_success_at is not None
        and status.last_success_at.date() == now.date()
    )


def was_poked(status: ClientStatus, now: datetime) -> bool:
    """True when somebody said that there is news: a webhook, or a person."""
    poked, tried = status.next_sync_at, status.last_attempt_at
    return poked is not None and poked <= now and (tried is None or poked > tried)


def lists_of(client: str, now: datetime) -> tuple[str, ...]:
    """The lists to probe in the sweep at ``now``."""
    # The other lists take turns; every client is synced once a day in any case, because aging
    # moves with the day.
    others = [table for table in PROBED if table not in (ALWAYS_PROBED, OFTEN_PROBED)]
    turns = [table for other in others for table in (OFTEN_PROBED, other)]
    # Another turn for each client and each two minutes, the shortest interval between sweeps.
    turn = zlib.crc32(client.encode()) + int(now.timestamp()) // 120
    return ALWAYS_PROBED, turns[turn % len(turns)]
