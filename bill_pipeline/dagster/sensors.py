"""What happens by itself: first imports, syncs of due clients, alerts, mending of dead runs.

Every tick that does nothing says why, in a sentence. All sensors run from the first start.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

import json
from collections.abc import Sequence

import dagster as dg

from bill_pipeline.dagster.alerts import send_alert, worth_an_alert
from bill_pipeline.dagster.built_elsewhere import built_elsewhere
from bill_pipeline.dagster.first_imports import UNFINISHED, first_imports
from bill_pipeline.dagster.fleet import sweep_config
from bill_pipeline.dagster.freshness import affordable, due_polls
from bill_pipeline.dagster.freshness_checks import staleness
from bill_pipeline.dagster.jobs import bring_books_up_to_date, sync_due_clients
from bill_pipeline.dagster.partitions import CLIENT_PARTITIONS
from bill_pipeline.dagster.poll_schedule import pace
from bill_pipeline.dagster.retention import forget_old_runs
from bill_pipeline.dagster.run_locks import is_alive
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.ingest.client_import import requests_left
from bill_pipeline.pipeline.interrupted import mend_interrupted
from bill_pipeline.registry.clients import ClientStatus, utc_now
from bill_pipeline.settings import Settings

#: Clients in one sweep; a sweep of idle clients takes seconds, and the next one takes the rest.
CLIENTS_PER_SWEEP = 500
_RUNNING = dg.DefaultSensorStatus.RUNNING


@dg.sensor(
    name="add_new_clients",
    jobs=[bring_books_up_to_date, sync_due_clients],
    minimum_interval_seconds=30,
    default_status=_RUNNING,
    description="A newly connected client becomes a partition and its full history is imported. "
    "A client that was disconnected and purged loses its partition.",
)
def add_new_clients(context: dg.SensorEvaluationContext, sync: SyncResource) -> dg.SensorResult:
    statuses = sync.registry.all()
    connected = {status.client for status in statuses}
    partitions = set(context.instance.get_dynamic_partitions(CLIENT_PARTITIONS.name or ""))
    known = set(json.loads(context.cursor)) if context.cursor else set()
    # Only partitions this sensor saw connected: one added by hand may be connected in a minute.
    purged = sorted(
        client
        for client in (partitions & known) - connected
        if not sync.books.client_file(client).exists()
    )
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if missing := sorted(connected - partitions):
        requests.append(CLIENT_PARTITIONS.build_add_request(missing))
    if purged:
        requests.append(CLIENT_PARTITIONS.build_delete_request(purged))
    new = [status for status in statuses if status.last_attempt_at is None and status.is_syncable]
    runs = first_imports(context.instance, sync.books, new)
    reason = f"All {len(connected):,} connected clients are partitions and had a first import."
    if unconnected := sorted(partitions - connected - set(purged)):
        reason += f" Not connected: {', '.join(unconnected[:5])}; run `bill-pipeline connect`."
    return dg.SensorResult(
        run_requests=runs,
        dynamic_partitions_requests=requests,
        skip_reason=None
        if runs or requests
        else f"The first import of {_clients(len(new))} under way or waits for its next try."
        if new
        else reason
        if connected or partitions
        else "No client is connected yet. `bill-pipeline connect --help` says how to begin.",
        cursor=json.dumps(sorted(connected | (known & partitions) - set(purged))),
    )


@dg.sensor(
    name="sync_due_clients",
    job=sync_due_clients,
    minimum_interval_seconds=30,
    default_status=_RUNNING,
    description="BILL's requests are spent where the most changes are expected, by each client's "
    "own pattern: every two minutes to six hours. One sweep at a time.",
)
def sync_due_clients_sensor(
    context: dg.SensorEvaluationContext, sync: SyncResource
) -> dg.RunRequest | dg.SkipReason:
    now = utc_now()
    # A client that was never tried is add_new_clients' business.
    statuses = [s for s in sync.registry.all() if s.last_attempt_at is not None]
    requests_per_hour = Settings.now().requests_per_hour
    left = requests_left(sync.books)
    due = due_polls(statuses, now, pace(left, requests_per_hour, now))
    if not due:
        return dg.SkipReason(_why_nobody_is_due(statuses))
    running = context.instance.get_runs(
        filters=dg.RunsFilter(job_name=sync_due_clients.name, statuses=UNFINISHED), limit=1
    )
    if running:
        return dg.SkipReason(
            f"{_clients(len(due))} due, but a sweep is still running (run {running[0].run_id[:8]})."
        )
    polls = affordable(due[:CLIENTS_PER_SWEEP], left)
    if not polls:
        return dg.SkipReason(
            f"{_clients(len(due))} due, but the hour's {requests_per_hour:,} requests "
            "to BILL are spent. The next ones come at the full hour."
        )
    clients = [poll.client for poll in polls]
    return dg.RunRequest(
        run_key=f"sweep/{now.isoformat()}",
        run_config=sweep_config(clients),
        tags={"reason": "sync", "bill_pipeline/clients": str(len(clients))},
    )


def _why_nobody_is_due(statuses: Sequence[ClientStatus]) -> str:
    waiting = [status for status in statuses if status.is_syncable]
    if not waiting:
        resting = f" {_clients(len(statuses))} paused or refused by BILL." if statuses else ""
        return f"No client can be synced.{resting}"
    return (
        f"BILL was asked for the news of {_clients(len(waiting), be=False)} a short while ago, or "
        "little happens there at this hour: nothing is expected to be worth a request yet."
    )


def _clients(count: int, *, be: bool = True) -> str:
    noun, verb = ("1 client", " is") if count == 1 else (f"{count:,} clients", " are")
    return noun + (verb if be else "")


@dg.sensor(
    name="alert_on_failures",
    minimum_interval_seconds=60,
    default_status=_RUNNING,
    description="Sends an alert when BILL refuses a client's token, or a client failed three "
    "times in a row; once when it begins, and once when it is over.",
)
def alert_on_failures(context: dg.SensorEvaluationContext, sync: SyncResource) -> dg.SensorResult:
    statuses = sync.registry.all()
    told: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
    troubled = {status.client: status for status in statuses if worth_an_alert(status)}
    fresh = [s for s in troubled.values() if told.get(s.client) != s.state.value]
    # One that was disconnected since is in no trouble, and not synced again either.
    recovered = sorted(told.keys() & {status.client for status in statuses} - troubled.keys())
    if fresh or recovered:
        send_alert(fresh, recovered)
    reason = "No client is failing."
    if troubled:
        reason = f"Already told about {', '.join(sorted(troubled)[:5])}."
    if fresh or recovered:
        reason = f"Told about {len(fresh):,} failing and {len(recovered):,} recovered clients."
    return dg.SensorResult(
        skip_reason=reason,
        cursor=json.dumps({client: status.state.value for client, status in troubled.items()}),
    )


@dg.sensor(
    name="watch_freshness",
    minimum_interval_seconds=900,
    default_status=_RUNNING,
    description="Evaluates the check `no_client_is_stale` every quarter of an hour, without a run.",
)
def watch_freshness(sync: SyncResource) -> dg.SensorResult:
    statuses = sync.registry.all()
    if not statuses:
        return dg.SensorResult(skip_reason="No client is connected yet.")
    return dg.SensorResult(asset_events=[staleness(statuses, utc_now())])


@dg.sensor(
    name="show_what_others_built",
    minimum_interval_seconds=30,
    default_status=_RUNNING,
    description="What the command line or the console built and published is shown here as well: "
    "each of the client's tables as an event without a run.",
)
def show_what_others_built(
    context: dg.SensorEvaluationContext, sync: SyncResource
) -> dg.SensorResult:
    before: dict[str, str] = json.loads(context.cursor) if context.cursor else {}
    known, events = built_elsewhere(context.instance, sync.registry, before)
    return dg.SensorResult(
        asset_events=events,
        skip_reason=None if events else "All published books were built in runs, or are shown.",
        cursor=json.dumps(known),
    )


@dg.sensor(
    name="mend_dead_runs",
    minimum_interval_seconds=60,
    default_status=_RUNNING,
    description="A run whose process was killed is marked as failed, so that it is tried again "
    "and nothing waits for it; a client whose import was killed is no longer said to be importing.",
)
def mend_dead_runs(context: dg.SensorEvaluationContext, sync: SyncResource) -> dg.SkipReason:
    started = context.instance.get_run_records(
        filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    )
    dead = [r for r in started if not is_alive(sync.books, r.dagster_run.run_id, r.start_time)]
    for record in dead:
        context.instance.report_run_failed(
            record.dagster_run,
            "The run's process ended without a word; it was killed or the machine stopped.",
        )
    interrupted = mend_interrupted(sync.registry)
    alive = len(started) - len(dead)
    return dg.SkipReason(
        f"{len(dead)} dead runs marked as failed; {alive} runs are alive; "
        f"{len(interrupted)} interrupted imports wait for their next sync."
    )


SENSORS = [
    add_new_clients,
    sync_due_clients_sensor,
    alert_on_failures,
    watch_freshness,
    show_what_others_built,
    mend_dead_runs,
    forget_old_runs,
]
