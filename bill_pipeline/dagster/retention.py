"""Forget old runs and their events, so that Dagster's storage stops growing.

Each run's events are one row or more per table and client: a firm of a thousand clients would
write some ten million a year. What a client's page shows is never that old, because a sweep reports
every table of each client anew once a month (``fleet.reports_everything``).
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

from datetime import timedelta

import dagster as dg

from bill_pipeline.registry.clients import utc_now

#: Twice the longest time between two full reports of a client.
RUNS_KEPT = timedelta(days=62)
#: Deleting a run takes a moment, and a tick must not hold up the other sensors.
RUNS_PER_TICK = 200
FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


@dg.sensor(
    name="forget_old_runs",
    minimum_interval_seconds=3600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Deletes runs that ended more than {RUNS_KEPT.days} days ago, with their events "
    "and logs in Dagster's storage. Books are never touched.",
)
def forget_old_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    old = context.instance.get_run_records(
        filters=dg.RunsFilter(statuses=FINISHED, created_before=utc_now() - RUNS_KEPT),
        limit=RUNS_PER_TICK,
        ascending=True,
    )
    for record in old:
        context.instance.delete_run(record.dagster_run.run_id)
    if not old:
        return dg.SkipReason(f"No run is older than {RUNS_KEPT.days} days.")
    return dg.SkipReason(f"{len(old):,} runs older than {RUNS_KEPT.days} days were deleted.")
