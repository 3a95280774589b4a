"""Clients' books in several processes at once: each client whole, in one of them.

A sync computes more than it waits, so two clients at once need two processes. A client is handed to
a process by name and comes back as figures; its lock and its file belong to that process alone.
What the figures mean to Dagster is in ``asset_events``; nothing here knows about it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bill_pipeline.registry.failures import ClientError, alone
from bill_pipeline.settings import Home, Settings

if TYPE_CHECKING:
    from bill_pipeline.pipeline.client_sync import SyncOptions
    from bill_pipeline.pipeline.sync_report import SyncReport
    from bill_pipeline.publishing.versions import Version

#: Starting a process costs the CPU of one or two clients' syncs.
FEWEST_CLIENTS_FOR_PROCESSES = 8
_KILLED = "Give the machine more memory if it had too little, then sync again: nothing is lost."


@dataclass
class Outcome:
    """What became of one client: its report, or its error."""

    client: str
    report: SyncReport | None = None
    client_error: ClientError | None = None
    written: Version | None = None  # its tables, for the publication


@dataclass(frozen=True)
class Task:
    """What to do with each client: ``layers`` of the pipeline, without the publication."""

    home: Home
    options: SyncOptions
    layers: tuple[str, ...]
    #: Of these, tables that would come out the same are left as they are; of others none is.
    brief: frozenset[str] = frozenset()
    #: The lists to read, of clients of which not all are to be read.
    lists: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    #: Whether what was built is to be published: then it is written while the file is open.
    publishes: bool = False

    def of(self, client: str) -> Outcome:
        """Do it for ``client``. Whatever goes wrong is its error and stops no other client."""
        from bill_pipeline.pipeline.client_sync import open_sync
        from bill_pipeline.pipeline.steps import IMPORT, LAYERS
        from bill_pipeline.publishing.publish import stage_version
        from bill_pipeline.registry.clients import Registry

        client_errors: dict[str, ClientError] = {}
        with alone(client, client_errors):
            options = replace(self.options, lists=self.lists.get(client))
            with open_sync(Registry(self.home), client, options) as sync:
                if IMPORT.name in self.layers and not self.options.rebuild:
                    sync.import_lists()
                is_brief = client in self.brief
                if not is_brief or sync.must_build:
                    for layer in LAYERS:
                        if layer in self.layers:
                            sync.build(layer, reuse=is_brief)
                report = sync.finish()
                written = None
                if self.publishes and report.layers:
                    written = stage_version(self.home, client, sync.warehouse.connection)
                return Outcome(client, report, written=written)
        return Outcome(client, client_error=client_errors[client])


def outcomes(task: Task, clients: Sequence[str]) -> Iterator[Outcome]:
    """The outcome of every client, as each is done.

    The processes live until the next one is asked for after the last: what they have written for a
    publication is kept until then.
    """
    count = Settings.now().workers or min(os.cpu_count() or 1, 4)
    if count == 1 or len(clients) < FEWEST_CLIENTS_FOR_PROCESSES:
        yield from map(task.of, clients)
    else:
        yield from _in_processes(task, clients, count)


def _in_processes(task: Task, clients: Iterable[str], count: int) -> Iterator[Outcome]:
    from concurrent.futures import as_completed
    from concurrent.futures.process import BrokenProcessPool

    from bill_pipeline.runtime.worker_processes import WorkerProcesses

    left: list[str] = []
    with WorkerProcesses(count, prepare=_load_libraries) as processes:
        running = {processes.submit(task.of, client): client for client in clients}
        for future in as_completed(running):
            try:
                yield future.result()
            except BrokenProcessPool:  # one client's process was killed, and all end with it
                left.append(running[future])
    yield from _one_by_one(task, left)


def _one_by_one(task: Task, clients: Sequence[str]) -> Iterator[Outcome]:
    """What a killed process left, one client at a time: whose process dies again is the one."""
    from concurrent.futures.process import BrokenProcessPool

    from bill_pipeline.runtime.worker_processes import WorkerProcesses

    left = list(clients)
    while left:
        with WorkerProcesses(1, prepare=_load_libraries) as process:
            try:
                while left:
                    outcome = process.submit(task.of, left[0]).result()
                    del left[0]
                    yield outcome
            except BrokenProcessPool:
                client = left.pop(0)
                message = f"{client}: the process that worked on it was killed. {_KILLED}"
                yield Outcome(client, client_error=ClientError(message, _KILLED, is_internal=True))


def _load_libraries() -> None:
    """Load what every sync needs, and have it left out of each search for unreachable objects.

    Those searches, through scikit-learn's and dlt's hundred thousands of objects, took a tenth of
    a small client's sync.
    """
    import gc

    import dlt  # noqa: F401

    import bill_pipeline.categorization.categorize  # noqa: F401

    gc.collect()
    gc.freeze()
