"""Clients whose import was killed: they must not be said to be importing for ever.

Called wherever people look: the list of clients, the console, Dagster's sensor of dead runs.
"""

from __future__ import annotations

from bill_pipeline.registry.client_files import client_lock, is_syncing
from bill_pipeline.registry.clients import ClientStatus, Registry, State
from bill_pipeline.registry.failures import alone


def mend_interrupted(registry: Registry) -> list[str]:
    """Clients said to be importing although no process holds their lock: it was killed.

    They wait for their next sync, which continues behind the last page that was stored.
    """
    mended = []
    for status in registry.all():
        if _is_left_over(registry, status):
            registry.update(status.client, progress={})
        if status.state is not State.IMPORTING:
            continue
        # Busy: somebody imports it indeed.
        with alone(status.client, {}), client_lock(registry.home, status.client, "looked at"):
            if registry.status(status.client).state is State.IMPORTING:
                registry.update(
                    status.client,
                    state=State.CONNECTED,
                    progress={},
                    error="The import was interrupted.",
                    remedy="Sync again: it continues behind the last page that was stored.",
                )
                mended.append(status.client)
    return mended


def _is_left_over(registry: Registry, status: ClientStatus) -> bool:
    """Whether the progress is that of a sync which was killed."""
    began = status.progress and status.progress.get("doing") != "waiting to start"
    return bool(began) and not is_syncing(registry.home, status.client)
