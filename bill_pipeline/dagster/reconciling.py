"""The night's work: compare what is open with BILL, read in full only where that is worth it.

What a comparison is stands in ``ingest.open_documents``; a full read is an ordinary sync.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import dagster as dg
from pydantic import Field

from bill_pipeline.dagster.asset_events import AssetEvent
from bill_pipeline.dagster.fleet import bring_clients, publication_of, raise_failures
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.pipeline.steps import STEP_NAMES
from bill_pipeline.registry.clients import Registry
from bill_pipeline.registry.failures import ClientError, alone

#: Comparing waits for BILL most of the time.
COMPARED_AT_ONCE = 4


class Night(dg.Config):
    """Whom a reconciliation takes."""

    clients: list[str] = Field(
        default=[],
        description="Clients whose open documents are compared with BILL. Leave empty for all.",
    )


@dg.op(
    out=dg.Out(dg.Nothing, is_required=False),
    description="Compare open documents with BILL; read in full the clients that differ.",
)
def reconcile_many(
    context: dg.OpExecutionContext, config: Night, sync: SyncResource
) -> Iterator[AssetEvent]:
    clients = config.clients or sync.registry.syncable()
    drifted = differing_clients(sync.registry, clients, context.log)
    context.log.info(
        f"{len(drifted):,} of {len(clients):,} clients differ from BILL and are read in full."
    )
    failures: dict[str, ClientError] = {}
    yield from bring_clients(sync, drifted, STEP_NAMES, failures, context.log, brief=drifted)
    # A night looks at everybody's published files, also when nobody's books changed.
    yield from publication_of(sync, (), failures)
    raise_failures({c: t for c, t in failures.items() if t.is_internal}, len(drifted))


def differing_clients(registry: Registry, clients: Sequence[str], log: logging.Logger) -> list[str]:
    """Those of ``clients`` whose open documents BILL has otherwise; an unsure one is among them."""
    from bill_pipeline.ingest.client_import import open_documents_differ
    from bill_pipeline.registry.client_errors import ClientBusy
    from bill_pipeline.registry.client_files import client_lock

    def differs(client: str) -> bool:
        client_errors: dict[str, ClientError] = {}
        with alone(client, client_errors):
            try:
                with client_lock(registry.home, client, "compared with BILL"):
                    return open_documents_differ(registry, client, registry.connection(client))
            except ClientBusy:
                return False  # it is being synced at this moment
        log.warning(f"{client} could not be compared and is read in full: {client_errors[client]}")
        return True

    with ThreadPoolExecutor(COMPARED_AT_ONCE, thread_name_prefix="compare") as threads:
        found = list(threads.map(differs, clients))
    return [client for client, is_other in zip(clients, found, strict=True) if is_other]
