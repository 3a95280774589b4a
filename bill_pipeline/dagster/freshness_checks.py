"""One table of every client whose published books are no longer the present.

Dagster's own freshness policy looks at an asset's newest materialization by *any* client, so it
says whether the pipeline is alive; this check says it of each client. It is on an asset without
partitions, so that it reads passed or failed, and can be evaluated without a run again and again:
of a partition Dagster keeps one such evaluation and refuses the next.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

from datetime import datetime

import dagster as dg

from bill_pipeline.dagster.asset_events import plotted, table_value
from bill_pipeline.dagster.freshness import STALE_AFTER, is_stale
from bill_pipeline.dagster.raw_specs import ALL_CLIENTS
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.registry.clients import ClientStatus, utc_now

_HOURS = f"{STALE_AFTER.total_seconds() / 3600:.0f} hours"
NO_CLIENT_IS_STALE = dg.AssetCheckKey(ALL_CLIENTS, "no_client_is_stale")


@dg.asset_check(
    asset=ALL_CLIENTS,
    name=NO_CLIENT_IS_STALE.name,
    description=f"Every client that is not paused was brought up to date within {_HOURS}. Lists "
    "those that were not, and those that failed, with what to do.",
)
def no_client_is_stale(sync: SyncResource) -> dg.AssetCheckResult:
    result = staleness(sync.registry.all(), utc_now())
    return dg.AssetCheckResult(passed=result.passed, metadata=result.metadata,
                               description=result.description)  # fmt: skip


def staleness(statuses: list[ClientStatus], now: datetime) -> dg.AssetCheckEvaluation:
    """What ``no_client_is_stale`` says of ``statuses`` at ``now``."""
    stale = [status for status in statuses if is_stale(status, now)]
    troubled = [status for status in statuses if status in stale or status.error]
    metadata: dict[str, dg.MetadataValue] = {
        "client_count": plotted(len(statuses)),
        "stale_client_count": plotted(len(stale)),
        "failing_client_count": plotted(sum(1 for status in statuses if status.error)),
    }
    if troubled:
        metadata["clients to look at"] = table_value([_row(status, now) for status in troubled])
    return dg.AssetCheckEvaluation(
        asset_key=ALL_CLIENTS,
        check_name=NO_CLIENT_IS_STALE.name,
        passed=not stale,
        description=f"{len(stale):,} of {len(statuses):,} clients are stale.",
        metadata=metadata,
    )


def _row(status: ClientStatus, now: datetime) -> dict[str, str]:
    last = status.last_success_at
    return {
        "client": status.client,
        "state": status.state.value.replace("_", " "),
        "hours since last sync": f"{(now - last).total_seconds() / 3600:.1f}" if last else "never",
        "failures in a row": str(status.failure_count),
        "error": status.error or "",
        "what to do": status.remedy or "",
    }
