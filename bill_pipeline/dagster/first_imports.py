"""Which new clients are to be imported now: each until it succeeds, however often a run is killed.

An import that BILL refuses or that finds bad documents is recorded in the client's status, and the
sweeps try it again. Here are the clients of which nothing is recorded yet: never tried, or the run
that tried was killed.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from bill_pipeline.dagster.fleet import sweep_config
from bill_pipeline.dagster.partitions import CLIENTS_PER_RUN
from bill_pipeline.registry.clients import ClientStatus, utc_now
from bill_pipeline.registry.failures import alone
from bill_pipeline.settings import Home

#: More new clients than this at once are imported in batches, not each in a process of its own.
FIRST_IMPORTS_IN_OWN_RUN = 5
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
#: Names the first client of a first import, so that its tries can be counted.
FIRST_CLIENT = "bill_pipeline/first_import_of"


def first_imports(
    instance: dg.DagsterInstance, home: Home, new: Sequence[ClientStatus]
) -> list[dg.RunRequest]:
    """The runs that import those of ``new`` that no run and no other process has in hand."""
    if not new:
        return []
    taken = clients_in_hand(instance)
    waiting = [s for s in new if s.client not in taken and not _is_held(home, s.client)]
    if len(waiting) <= FIRST_IMPORTS_IN_OWN_RUN:
        batches = [[status] for status in waiting]
    else:
        steps = range(0, len(waiting), CLIENTS_PER_RUN)
        batches = [list(waiting[at : at + CLIENTS_PER_RUN]) for at in steps]
    requests = (_request(instance, batch) for batch in batches)
    return [request for request in requests if request is not None]


def _request(instance: dg.DagsterInstance, batch: Sequence[ClientStatus]) -> dg.RunRequest | None:
    """The run for ``batch``; None while its last try is too fresh."""
    from bill_pipeline.pipeline.client_sync import BACKOFF_MINUTES

    first = batch[0]
    # Tries before the client was purged and connected again say nothing of this connection.
    tries = instance.get_run_records(
        filters=dg.RunsFilter(tags={FIRST_CLIENT: first.client}, created_after=first.connected_at)
    )
    # Connecting again after a refused token is a new connection: its time makes the key unique.
    key = f"first-import/{first.client}/{first.connected_at.isoformat()}/{len(tries)}"
    tags = {"reason": "first import", FIRST_CLIENT: first.client}
    if tries:
        wait = timedelta(minutes=BACKOFF_MINUTES[min(len(tries), len(BACKOFF_MINUTES)) - 1])
        if timedelta() <= utc_now() - _utc(tries[0].update_timestamp) < wait:
            return None
    if len(batch) == 1:
        return dg.RunRequest(
            run_key=key,
            job_name="bring_books_up_to_date",
            partition_key=first.client,
            tags=tags,
        )
    clients = [status.client for status in batch]
    return dg.RunRequest(
        run_key=key, job_name="sync_due_clients", run_config=sweep_config(clients), tags=tags
    )


def clients_in_hand(instance: dg.DagsterInstance) -> set[str]:
    """Clients that an unfinished run works on, or will."""
    found: set[str] = set()
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED)):
        if partition := run.tags.get("dagster/partition"):
            found.add(partition)
        ops: Any = run.run_config.get("ops", {})
        found.update(ops.get("bring_many", {}).get("config", {}).get("clients", []))
    return found


def _is_held(home: Home, client: str) -> bool:
    """Whether a process works on the client: from the command line, say."""
    from bill_pipeline.registry.client_errors import ClientBusy
    from bill_pipeline.registry.client_files import client_lock

    if not home.client_file(client).exists():
        return False
    with alone(client, {}):  # a lock that cannot be opened is for the import to report
        try:
            with client_lock(home, client, "looked at"):
                return False
        except ClientBusy:
            return True
    return False


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
