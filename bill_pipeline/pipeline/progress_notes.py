"""What a sync is doing, noted beside the client in the registry for people who look on.

Written here and nowhere else; it is taken away with the update that says how the sync ended.
"""

from __future__ import annotations

import threading
import time

from bill_pipeline.ingest.progress import Progress
from bill_pipeline.registry.clients import Registry
from bill_pipeline.registry.registry_values import SyncProgress

#: Writing every page down would keep the registry busier than the import.
_SECONDS_BETWEEN_NOTES = 0.5


class ProgressNotes:
    """Notes what the sync of one client is doing; may be called by several threads."""

    def __init__(self, registry: Registry, client: str) -> None:
        self._registry = registry
        self._client = client
        self._lists: dict[str, int] = {}
        self._noted_at = 0.0
        self._lock = threading.Lock()

    def waiting(self) -> None:
        """Somebody asked for the sync; a process for it is not free yet."""
        self._note("waiting to start")

    def reading(self, step: Progress) -> None:
        """A page of a list was read; not every page is noted."""
        with self._lock:
            self._lists[step.table] = max(step.documents, self._lists.get(step.table, 0))
            if time.monotonic() - self._noted_at < _SECONDS_BETWEEN_NOTES:
                return
            self._note(step.table)

    def building(self, layer: str) -> None:
        """The tables of ``layer`` are being built."""
        self._note(f"building {layer}")

    def _note(self, doing: str) -> None:
        self._noted_at = time.monotonic()
        progress: SyncProgress = {
            "doing": doing,
            "documents": sum(self._lists.values()),
            "lists": self._lists,
        }
        self._registry.update(self._client, progress=progress)
