"""Whether published books are the present: of each client, and of the firm in one table.

Dagster's own freshness policy looks at an asset's newest materialization by *any* client, so it
says whether the pipeline is alive. ``client_is_fresh`` says it of a client; ``no_client_is_stale``
of all, on an asset without partitions, so that it reads passed or failed.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

from datetime import datetime

import dagster as dg

from bill_pipeline.dagster.asset_events import plotted, table_value
from bill_pipeline.dagster.freshness import STALE_AFTER, is_stale
from bill_pipeline.dagster.partitions import CLIENT_PARTITIONS
from bill_pipeline.dagster.preview import partitioned_check
from bill_pipeline.dagster.raw_specs import ALL_CLIENTS, PUBLISHED
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.registry.clients import ClientStatus, utc_now

_HOURS = f"{STALE_AFTER.total_seconds() / 3600:.0f} hours"
NO_CLIENT_IS_STALE = dg.AssetCheckKey(ALL_CLIENTS, "no_client_is_stale")
CLIENT_IS_FRESH = "client_is_fresh"


def client_is_fresh_spec() -> dg.AssetCheckSpec:
    """The check of one client: passed by a publication, failed by ``watch_freshness``."""
    return partitioned_check(
        CLIENT_IS_FRESH,
        asset=PUBLISHED,
        description=f"The client was brought up to date within {_HOURS}, or is paused.",
        partitions=CLIENT_PARTITIONS,
        metadata={"severity": "warn"},
    )


def client_is_fresh(status: ClientStatus, now: datetime) -> dg.AssetCheckEvaluation:
    """What ``client_is_fresh`` says of a client at ``now``."""
    row = _row(status, now)
    return dg.AssetCheckEvaluation(
        asset_key=PUBLISHED,
        check_name=CLIENT_IS_FRESH,
        passed=not is_stale(status, now),
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{status.client}: {row['hours since last sync']} hours since the last sync.",
        metadata={name: text for name, text in row.items() if name != "client" and text},
        partition=status.client,
    )


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
