"""What happens by the calendar: nightly reconciliation, weekly training, monthly statements.

Times are UTC. All schedules run from the first start.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

import zlib
from collections.abc import Sequence
from datetime import datetime

import dagster as dg

from bill_pipeline.clients import ClientStatus, Registry
from bill_pipeline.dagster.jobs import reconcile_with_bill
from bill_pipeline.dagster.sensors import sweep_config
from bill_pipeline.dagster.syncs import SyncResource

#: A full read of this many clients fits into a night's requests; a larger firm takes a week.
CLIENTS_EVERY_NIGHT = 100
_RUNNING = dg.DefaultScheduleStatus.RUNNING


@dg.schedule(
    name="nightly_reconciliation",
    job=reconcile_with_bill,
    cron_schedule="30 2 * * *",
    default_status=_RUNNING,
    description="Reads everything again and compares: every client each night, or in a firm of "
    f"more than {CLIENTS_EVERY_NIGHT} clients a seventh of them, so that each comes once a week.",
)
def nightly_reconciliation(
    context: dg.ScheduleEvaluationContext, sync: SyncResource
) -> dg.RunRequest | dg.SkipReason:
    night = context.scheduled_execution_time
    clients = clients_of_the_night(Registry(sync.books).all(), night)
    if not clients:
        return dg.SkipReason("No client is to be reconciled tonight.")
    return dg.RunRequest(
        run_key=f"reconciliation/{night:%Y-%m-%d}",
        run_config=sweep_config(clients, full=True),
        tags={"reason": "reconciliation"},
    )


def clients_of_the_night(statuses: Sequence[ClientStatus], night: datetime) -> list[str]:
    """Who is reconciled in the night of ``night``; over a week, everybody."""
    ready = [s.client for s in statuses if s.is_syncable and s.last_success_at is not None]
    if len(ready) <= CLIENTS_EVERY_NIGHT:
        return ready
    return [client for client in ready if zlib.crc32(client.encode()) % 7 == night.weekday()]


SCHEDULES = [nightly_reconciliation]
