"""Many clients' syncs one after the other, published in batches; no failure stops the others.

One client's sync is in ``client_sync``. Dagster, which has several processes, does this in its
``fleet``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bill_pipeline.ingest.progress import Watcher
from bill_pipeline.pipeline.client_sync import (
    ShowProgress,
    SyncOptions,
    bring_up_to_date,
)
from bill_pipeline.pipeline.sync_report import SyncReport
from bill_pipeline.publishing import CLIENTS_PER_PUBLICATION
from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.client_errors import SyncUnderWay
from bill_pipeline.registry.clients import Registry, utc_now
from bill_pipeline.registry.failures import ClientError, alone


@dataclass(frozen=True)
class SyncFailure:
    """A client whose books stayed as they were, and why."""

    client: str
    client_error: ClientError
    is_under_way: bool = False  # another sync is at work on it; what is newer it does not bring


def sync_clients(
    registry: Registry,
    clients: Iterable[str],
    options: SyncOptions | None = None,
    progress: ShowProgress | None = None,
    watch: Watcher | None = None,
) -> Iterator[SyncReport | SyncFailure]:
    """Bring clients up to date one after the other and publish them in batches.

    A client that fails, whatever the reason, is reported and the next one goes on; what a person
    must know is in its status. Raises PublishError at the end when what was built is not published.
    """
    waiting: list[str] = []
    client_errors: dict[str, ClientError] = {}
    unpublished: dict[str, str] = {}
    for client in clients:
        report, is_under_way = None, False
        with alone(client, client_errors):
            try:
                report = bring_up_to_date(registry, client, options, progress, watch)
            except SyncUnderWay:
                is_under_way = True
                registry.update(client, next_sync_at=utc_now())  # a sweep asks for what is newer
                raise
        if report and report.layers:
            waiting.append(client)
        if len(waiting) >= CLIENTS_PER_PUBLICATION:
            with alone("the published ledger", client_errors):  # else it is tried again at the end
                unpublished |= publish(registry, _connected(registry, waiting)).not_published
                waiting = []
        yield report or SyncFailure(client, client_errors[client], is_under_way)
    # Which takes in who was left behind.
    last = publish(registry, _connected(registry, waiting))
    last.not_published |= {c: why for c, why in unpublished.items() if c not in last.published}
    last.require_all()


def _connected(registry: Registry, clients: list[str]) -> list[str]:
    """``clients`` without those whom somebody disconnected since they were synced."""
    names = registry.names()
    return [client for client in clients if client in names]
