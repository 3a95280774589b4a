"""What happens by the calendar: nightly reconciliation, weekly training, monthly statements.

Times are UTC. All schedules run from the first start.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

from collections.abc import Sequence

import dagster as dg

from bill_pipeline.dagster.jobs import (
    MANY_CLIENTS,
    pool_firm_knowledge,
    reconcile_with_bill,
    train_and_promote,
    write_monthly_statements,
)
from bill_pipeline.dagster.partitions import CLIENT_PARTITIONS, CLIENTS_PER_RUN
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.registry.clients import ClientStatus

_RUNNING = dg.DefaultScheduleStatus.RUNNING


@dg.schedule(
    name="nightly_reconciliation",
    job=reconcile_with_bill,
    cron_schedule="30 2 * * *",
    default_status=_RUNNING,
    description="Compares every client's open documents with BILL, in a few requests each. Those "
    "that differ are read in full and repaired. All documents are compared once a week, a share of "
    "them by each sync.",
)
def nightly_reconciliation(
    context: dg.ScheduleEvaluationContext, sync: SyncResource
) -> dg.RunRequest | dg.SkipReason:
    night = context.scheduled_execution_time
    ready = [s.client for s in sync.registry.all() if s.is_syncable and s.last_success_at]
    if not ready:
        return dg.SkipReason("No client has books to compare with BILL yet.")
    return dg.RunRequest(
        run_key=f"reconciliation/{night:%Y-%m-%d}",
        run_config=dg.RunConfig(
            ops={"reconcile_many": {"config": {"clients": ready}}},
            resources={"sync": {"config": {"full": True}}},
        ),
        tags={"reason": "reconciliation"},
    )


@dg.schedule(
    name="weekly_pooling",
    job=pool_firm_knowledge,
    cron_schedule="0 3 * * 0",
    default_status=_RUNNING,
    description="Makes anew what the firm knows across the clients who share, an hour before the "
    "clients' models are trained with it.",
)
def weekly_pooling(
    context: dg.ScheduleEvaluationContext, sync: SyncResource
) -> dg.RunRequest | dg.SkipReason:
    if not any(s.last_success_at is not None for s in sync.registry.all()):
        return dg.SkipReason("No client has books to learn from yet.")
    return dg.RunRequest(
        run_key=f"pooling/{context.scheduled_execution_time:%Y-%m-%d}", tags={"reason": "pooling"}
    )


@dg.schedule(
    name="weekly_training",
    job=train_and_promote,
    cron_schedule="0 4 * * 0",
    default_status=_RUNNING,
    description="Trains each client's model anew every Sunday, judges it, and promotes it when it "
    "is better. Clients are trained in batches, one batch a run.",
)
def weekly_training(
    context: dg.ScheduleEvaluationContext, sync: SyncResource
) -> dg.SkipReason | list[dg.RunRequest]:
    return _batches(context, sync.registry.all(), "training") or dg.SkipReason(
        "No client has books to learn from yet."
    )


@dg.schedule(
    name="monthly_statements",
    job=write_monthly_statements,
    cron_schedule="0 6 5 * *",
    default_status=_RUNNING,
    description="Writes each client's statements of last month as a workbook, on the fifth: by "
    "then most of the month's bills have come.",
)
def monthly_statements(
    context: dg.ScheduleEvaluationContext, sync: SyncResource
) -> dg.SkipReason | list[dg.RunRequest]:
    return _batches(context, sync.registry.all(), "statements") or dg.SkipReason(
        "No client has books yet."
    )


def _batches(
    context: dg.ScheduleEvaluationContext, statuses: Sequence[ClientStatus], reason: str
) -> list[dg.RunRequest]:
    """One run for each stretch of ``CLIENTS_PER_RUN`` partitions that have books.

    A range run takes every partition between its first and last one, so stretches are cut from
    Dagster's own order of the partitions.
    """
    ready = {status.client for status in statuses if status.last_success_at is not None}
    partitions = context.instance.get_dynamic_partitions(CLIENT_PARTITIONS.name or "")
    stretches: list[list[str]] = [[]]
    for client in partitions:
        if client not in ready or len(stretches[-1]) == CLIENTS_PER_RUN:
            stretches.append([])
        if client in ready:
            stretches[-1].append(client)
    day = f"{context.scheduled_execution_time:%Y-%m-%d}"
    return [
        dg.RunRequest(
            run_key=f"{reason}/{day}/{stretch[0]}",
            tags={
                "dagster/asset_partition_range_start": stretch[0],
                "dagster/asset_partition_range_end": stretch[-1],
                "reason": reason,
                **MANY_CLIENTS,
            },
        )
        for stretch in stretches
        if stretch
    ]


SCHEDULES = [nightly_reconciliation, weekly_pooling, weekly_training, monthly_statements]
