"""Long work in the background: first imports, syncs and rebuilds, in processes of their own.

The console answers pages while books are brought up to date; a worker that dies takes nothing with
it. How far a client has come is in the registry, where every process can see it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from bill_pipeline.pipeline.progress_notes import ProgressNotes
from bill_pipeline.registry.client_errors import UnknownClient
from bill_pipeline.registry.clients import NEEDS_ATTENTION, Registry, State
from bill_pipeline.registry.failures import what_and_remedy
from bill_pipeline.runtime.worker_processes import WorkerProcesses
from bill_pipeline.settings import Home

#: At once; each is one process with one client's books in memory.
WORKERS = 2
_KILLED = (
    "The sync was killed before it was done.",
    "Nothing is lost: sync again, it continues where it stopped.",
)
_log = logging.getLogger(__name__)


class Work:
    """Brings clients' books up to date, one after another, each client at most once at a time."""

    def __init__(
        self, registry: Registry, make_executor: Callable[[], Executor] | None = None
    ) -> None:
        self._registry = registry
        self._make_executor = make_executor or _new_processes
        self._executor: Executor | None = None
        self._is_closed = False
        self._lock = threading.Lock()
        self._running: dict[str, Future[str | None]] = {}

    def start(self, client: str, *, full: bool = False) -> bool:
        """Begin to sync ``client``; False when this console is on it already."""
        with self._lock:
            if client in self._running:
                return False
            ProgressNotes(self._registry, client).waiting()
            future = self._submit(client, full)
            self._running[client] = future
        future.add_done_callback(lambda done: self._finish(client, done))
        return True

    def is_running(self, client: str) -> bool:
        with self._lock:
            return client in self._running

    def close(self) -> None:
        """Begin nothing more and interrupt what is being done: the next sync goes on with it."""
        with self._lock:
            executor, self._executor = self._executor, None
            self._is_closed = True
        if isinstance(executor, WorkerProcesses):
            executor.stop()
        elif executor is not None:
            executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, client: str, full: bool) -> Future[str | None]:
        if self._executor is None:
            self._executor = self._make_executor()
        try:
            return self._executor.submit(sync_client, self._registry.home.path, client, full)
        except BrokenProcessPool:  # a worker was killed: its successors are not its heirs
            self._executor = self._make_executor()
            return self._executor.submit(sync_client, self._registry.home.path, client, full)

    def _finish(self, client: str, done: Future[str | None]) -> None:
        with self._lock:
            self._running.pop(client, None)
        error = None if done.cancelled() else done.exception()
        try:
            changes: dict[str, object] = {"progress": {}}
            registry = self._registry
            if error is not None and not self._is_closed:
                _log.error("%s: the sync's process ended: %s", client, type(error).__name__)
                # What a sync fails of it records itself; not that it was killed, and not what goes
                # wrong after it: publishing.
                is_killed = isinstance(error, BrokenProcessPool)
                if is_killed or registry.status(client).state not in NEEDS_ATTENTION:
                    what, remedy = _KILLED if is_killed else what_and_remedy(error)
                    changes |= {"error": what, "remedy": remedy, "state": State.FAILING}
            registry.update(client, **changes)
        except UnknownClient:
            _log.info("%s was disconnected while it was synced", client)


def sync_client(home_path: Path, client: str, full: bool) -> str | None:
    """Runs in the worker: returns the error's text, or None when the books are up to date."""
    from bill_pipeline.pipeline.client_sync import SyncOptions
    from bill_pipeline.pipeline.sync_many import SyncFailure, sync_clients

    registry = Registry(Home(home_path))
    failure = None
    for outcome in sync_clients(registry, [client], SyncOptions(full=full)):
        if isinstance(outcome, SyncFailure):
            failure = str(outcome.client_error)
    return failure


def _new_processes() -> Executor:
    return WorkerProcesses(WORKERS)
