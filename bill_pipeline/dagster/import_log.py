"""Say in a run's log how far the import of each list is."""

from __future__ import annotations

import threading
import time

import dagster as dg

from bill_pipeline.ingest.progress import Progress

#: A list says so this often at most; a log line costs an event of the run.
SECONDS_BETWEEN_LINES = 10.0


class ImportLog:
    """Called after each page, from several threads: logs a list's first page and then seldom."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._log = dg.get_dagster_logger()
        self._lock = threading.Lock()
        self._said_at: dict[str, float] = {}

    def __call__(self, step: Progress) -> None:
        now = time.monotonic()
        with self._lock:
            said_at = self._said_at.get(step.table)
            if said_at is not None and now - said_at < SECONDS_BETWEEN_LINES:
                return
            self._said_at[step.table] = now
        self._log.info(f"{self._client}: {step.table}: {step.sentence()}")
