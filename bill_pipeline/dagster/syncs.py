"""The open sync that the steps of one run share, and the words for its failures.

The run's options stand in the launchpad under ``resources › sync › config``. A sync opens when
the first step needs it and ends with the run: one lock and one point in time for all layers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field, PrivateAttr

from bill_pipeline.dagster.run_locks import hold_run_lock
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home, SettingsError

if TYPE_CHECKING:
    from bill_pipeline.pipeline.client_sync import Sync, SyncOptions

#: How often and how long a step waits while another process works on the client: 10 minutes.
BUSY_TRIES = 40
BUSY_PAUSE_SECONDS = 15


class SyncResource(dg.ConfigurableResource[object]):
    """How much this run does. The default reads what changed in BILL since the last sync."""

    full: bool = Field(
        default=False,
        description="Read every list from its beginning and compare with what is stored. Finds "
        "what BILL deleted without a trace. Costs many requests; each sync does a share of it.",
    )
    since: str | None = Field(
        default=None,
        description="Read what BILL changed on or after this day, written 2026-01-31. Use it to "
        "repair a stretch of time without reading everything.",
    )
    rebuild: bool = Field(
        default=False,
        description="Rebuild the ledger only: ask BILL nothing, take back what was posted since "
        "the posting rules last changed and post it again from the archived documents. The "
        "entries come out the same, ids included.",
    )
    home: str | None = Field(
        default=None,
        description="Folder of the books. Leave empty: BILL_PIPELINE_HOME, else ./data.",
    )

    _stack: contextlib.ExitStack = PrivateAttr(default_factory=contextlib.ExitStack)
    _open: dict[str, Sync] = PrivateAttr(default_factory=dict)

    @contextlib.contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[SyncResource]:
        with contextlib.ExitStack() as stack:
            # Sensors use this resource too; only runs have a process that may die.
            if context.run is not None:
                stack.enter_context(hold_run_lock(self.books, context.run.run_id))
            stack.callback(self.close)
            yield self

    @property
    def books(self) -> Home:
        """The home this run works on."""
        return Home.at(self.home)

    @cached_property
    def registry(self) -> Registry:
        """The clients of ``books``, for the whole run."""
        return Registry(self.books)

    def options(self) -> SyncOptions:
        """Raises SettingsError when ``since`` is not a day."""
        from bill_pipeline.pipeline.client_sync import SyncOptions

        try:
            since = date.fromisoformat(self.since) if self.since else None
        except ValueError:
            raise SettingsError(
                f"{self.since!r} is not a day: write it as 2026-01-31 in the launchpad."
            ) from None
        return SyncOptions(full=self.full, since=since, rebuild=self.rebuild)

    def of(self, client: str) -> Sync:
        """The run's sync of ``client``; opened once. Raises UnknownClient, ClientBusy, …"""
        from bill_pipeline.pipeline.client_sync import open_sync

        if client not in self._open:
            self._open[client] = self._stack.enter_context(
                open_sync(self.registry, client, self.options())
            )
        return self._open[client]

    def fail(self, client: str, error: BaseException) -> None:
        """Record ``error`` in the client's status and end its sync."""
        if client in self._open:
            self._open[client].fail(error)
        self.close()

    def close(self) -> None:
        """End the open sync: its lock and its file are free for others."""
        self._open.clear()
        self._stack.close()


def failure_of(error: Exception) -> dg.Failure | dg.RetryRequested:
    """``error`` for the person who must act; only a busy client is worth another try here.

    BILL's client has already retried whatever the network did, and a refused password must never
    be tried again: BILL may lock it.
    """
    from bill_pipeline.registry.client_errors import ClientBusy

    if isinstance(error, ClientBusy):
        return dg.RetryRequested(max_retries=BUSY_TRIES, seconds_to_wait=BUSY_PAUSE_SECONDS)
    remedy = getattr(error, "remedy", None)
    metadata = {"what to do": dg.MetadataValue.md(remedy)} if remedy else {}
    return dg.Failure(description=str(error), metadata=metadata, allow_retries=False)
