"""Bring one client's books up to date, by the steps of ``steps``: import, build layer by layer.

The command line, the console and Dagster all use ``Sync``, so there is one way in which books are
made.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from bill_pipeline.bill.errors import ConnectionRefused
from bill_pipeline.bill.lists import POLLED, with_companions
from bill_pipeline.errors import PipelineError
from bill_pipeline.ingest.client_import import ImportReport, import_client
from bill_pipeline.ingest.progress import Progress, Watcher
from bill_pipeline.ingest.quarantine import quarantined_counts
from bill_pipeline.ingest.raw import lift_limits
from bill_pipeline.ingest.references import unknown_lists
from bill_pipeline.pipeline.books import open_books
from bill_pipeline.pipeline.posting_rules import NewRules, begin, preview
from bill_pipeline.pipeline.progress_notes import ProgressNotes
from bill_pipeline.pipeline.rebuild import ReplayDiffers, rebuild
from bill_pipeline.pipeline.steps import LAYERS, build_layer, step_of
from bill_pipeline.pipeline.sync_report import (
    SyncReport,
    count_documents_and_reviews,
    model_alarm,
)
from bill_pipeline.pipeline.wrong_clock import alarm_of_close, put_right
from bill_pipeline.publishing.publish import show_status
from bill_pipeline.registry.change_rates import activity_of
from bill_pipeline.registry.client_errors import ClientBusy
from bill_pipeline.registry.client_files import client_lock, sync_lock
from bill_pipeline.registry.clients import ClientStatus, Registry, State, utc_now
from bill_pipeline.registry.failures import what_and_remedy
from bill_pipeline.runtime.signals import interruption_in
from bill_pipeline.warehouse.layer_report import LayerReport
from bill_pipeline.warehouse.upkeep import (
    is_whole_build_due,
    next_batch_time,
    record_whole_build,
    suit_to_size,
    would_come_out_the_same,
)
from bill_pipeline.warehouse.warehouse import Warehouse

#: After the n-th failure in a row a client waits this many minutes, the last one for good.
BACKOFF_MINUTES = (2, 5, 15, 60, 180, 360)
#: Who looks at a client, or publishes what was just built, is done in a moment.
_PATIENCE_SECONDS = 5.0

_log = logging.getLogger(__name__)

#: Called with (client, what is being done, number done); must not raise.
ShowProgress = Callable[[str, str, int], None]


class ClientPaused(PipelineError):
    """A person must act before this client can be synced."""

    def __init__(self, status: ClientStatus) -> None:
        remedy = f"Run `bill-pipeline resume {status.client}`."
        if status.state is State.RECONNECT:
            remedy = status.remedy or f"Run `bill-pipeline connect {status.client}` again."
        super().__init__(f"{status.client} is not synced: its state is {status.state}. {remedy}")


@dataclass(frozen=True)
class SyncOptions:
    """How much to do. The default reads what changed since the last sync."""

    full: bool = False  # read every list from its beginning and compare
    since: date | None = None  # read what BILL changed on or after this day
    rebuild: bool = False  # no import: replay the journal from the archive
    new_file: bool = False  # where the client's file was lost: read everything into a new one
    lists: tuple[str, ...] | None = None  # those that have news; None reads them all


class Sync:
    """One client's sync, layer by layer, under the client's lock; see ``open_sync``."""

    def __init__(
        self,
        registry: Registry,
        warehouse: Warehouse,
        options: SyncOptions,
        as_of: datetime,
        new_rules: NewRules | None = None,
    ) -> None:
        self.registry = registry
        self.home = registry.home
        self.client = warehouse.client
        self.warehouse = warehouse
        self.options = options
        self.notes = ProgressNotes(self.registry, self.client)
        self._before: ClientStatus | None = None  # this sync changed the client's state
        self.report = SyncReport(warehouse.client, as_of, new_rules)
        self._is_whole = self.options.lists is None  # all lists are read
        self._started = time.perf_counter()
        self._began_at = utc_now()  # by this machine's clock, as everything beside the books

    @property
    def as_of(self) -> datetime:
        return self.report.as_of

    def import_lists(
        self, progress: ShowProgress | None = None, watch: Watcher | None = None
    ) -> ImportReport:
        """BILL → raw, and every new version into the archive. Raises BillError."""
        self._before = self.registry.status(self.client)
        if self._before.last_success_at is None:
            self.registry.update(self.client, state=State.IMPORTING)
        self.warehouse.end_reading()
        try:
            imported = self._import(self.options.lists, progress, watch)
            if self.options.lists is not None and unknown_lists(
                self.warehouse.connection, self.as_of
            ):
                imported.add(self._import(None, progress, watch))
                self._is_whole = True
        finally:
            lift_limits(self.warehouse.connection)
            suit_to_size(self.warehouse)
        self.report.imported = imported
        self.report.put_right = put_right(self.warehouse, utc_now(), imported.clock_ahead)
        if self.report.put_right is not None:
            self.report.as_of = next_batch_time(self.warehouse, utc_now())
        return imported

    def _import(
        self, lists: Iterable[str] | None, progress: ShowProgress | None, watch: Watcher | None
    ) -> ImportReport:
        return import_client(
            self.registry,
            self.client,
            self.registry.connection(self.client),
            as_of=self.as_of,
            full=self.options.full,
            since=self._since(),
            tables=None if lists is None else with_companions(lists),
            progress=self._show_import(progress, watch),
        )

    def _since(self) -> date | None:
        since = self.options.since
        if since and self._before and self._before.last_success_at is None:
            # From the middle of a history books would begin without a word of what was before.
            _log.warning("%s has no books yet: all is read, not what is new since.", self.client)
            return None
        return since

    @property
    def must_build(self) -> bool:
        """Whether any layer would come out differently: new documents, decisions, code or day."""
        imported = self.report.imported
        if self.options.rebuild or imported is None or self.report.new_rules:
            return True
        if imported.changed or imported.refuses_others:
            return True
        return not would_come_out_the_same(self.warehouse, LAYERS, self.as_of)

    def build(self, layer: str, *, reuse: bool = True) -> LayerReport:
        """Build one layer of SQL tables, and decide what its step decides.

        Tables that would come out the same are left as they are, unless not to ``reuse`` them.
        Raises ChecksFailed after rolling back, with the last good tables kept.
        """
        step, warehouse = step_of(layer), self.warehouse
        if step.posts and self.options.rebuild:
            rebuild(warehouse)
            for earlier in LAYERS[: LAYERS.index(layer)]:
                build_layer(warehouse, earlier, self.as_of)
        if step.decides_before:
            step.decides_before(warehouse, self.home, self.as_of)
        # When all is compared with BILL, all is built and checked as a whole, too.
        reuse = reuse and not self.options.full and not self._is_whole_build_due
        report = build_layer(warehouse, layer, self.as_of, reuse=reuse)
        if step.decides_after:
            decided = step.decides_after(warehouse, self.home, self.as_of)
            self.report.categorized = decided
            if decided.count:
                # Only what reads the decisions comes out differently now.
                report.add(build_layer(warehouse, layer, self.as_of, reuse=True))
        self.report.layers[layer] = report
        return report

    @cached_property
    def _is_whole_build_due(self) -> bool:
        """Once a day, when something was learnt since: no row lasts that only a scope made."""
        return is_whole_build_due(self.warehouse, self.as_of)

    def finish(self) -> SyncReport:
        """Record the success: what is in the books and when the next sync is due."""
        is_whole = self.options.full or self._is_whole_build_due
        if is_whole and self.report.layers.keys() >= {*LAYERS}:
            record_whole_build(self.warehouse, self.as_of)
        self.report.seconds = time.perf_counter() - self._started
        documents, to_review = count_documents_and_reviews(self.warehouse)
        changes: dict[str, Any] = {"model_alarm": model_alarm(self.warehouse)}
        status = self.registry.status(self.client)
        if self.report.imported:
            changes |= self._what_was_read(self.report.imported, status)
        changes |= {"unpublished_since": self._began_at} if self.report.layers else {}
        self.report.alarm = alarm_of_close(self.warehouse, self._began_at.date())
        if self.report.imported:
            self.report.alarm = self.report.imported.clock_alarm or self.report.alarm
        self.registry.update(
            self.client,
            progress={},
            document_count=documents,
            review_count=to_review,
            clock_alarm=self.report.alarm,
            **changes,
        )
        show_status(self.registry)  # a publication may follow, or the process be killed before it
        return self.report

    def _what_was_read(self, imported: ImportReport, status: ClientStatus) -> dict[str, Any]:
        """How fresh the books are by now; what asks BILL nothing changes nothing of it."""
        changes: dict[str, Any] = {
            "state": State.UP_TO_DATE,
            "last_attempt_at": self._began_at,
            "last_success_at": self._began_at,
            "failure_count": 0,
            "error": None,
            "remedy": None,
        }
        if imported.changed:
            changes["last_change_at"] = self._began_at
            changes["activity"] = activity_of(self.warehouse.connection, self._began_at).as_dict()
        lists = POLLED if self._is_whole else self.options.lists or ()
        looked_at = dict.fromkeys(lists, self._began_at.isoformat())
        changes["looked_at"] = {**status.looked_at, **looked_at}
        skipped = imported.skipped_lists
        if self._is_whole:
            changes["last_whole_sync_at"] = self._began_at
        else:
            read = with_companions(lists)
            skipped |= {name: why for name, why in status.skipped_lists.items() if name not in read}
        changes["skipped_lists"] = skipped
        changes["refused_documents"] = imported.refused_documents
        changes["compared_at"] = imported.compared_at
        changes["quarantined"] = quarantined_counts(self.warehouse.connection)
        return changes

    def fail(self, error: BaseException) -> None:
        """Say beside the client why it failed; ``open_sync`` does so for what is raised in it."""
        _record_end(self.registry, self._before or self.registry.status(self.client), error)

    def _show_import(self, progress: ShowProgress | None, watch: Watcher | None) -> Watcher:
        def show(step: Progress) -> None:
            if progress:
                progress(self.client, step.table, step.documents)
            if watch:
                watch(step)
            self.notes.reading(step)

        return show


@contextlib.contextmanager
def open_sync(
    registry: Registry, client: str, options: SyncOptions | None = None
) -> Iterator[Sync]:
    """Hold the client's lock and file and run its layers; any exception is recorded as its failure.

    The file stays open throughout: a checkpoint is written once, not after thirty questions.
    Raises UnknownClient, ClientBusy, ClientPaused before anything is touched. An interruption is
    no failure: it is raised as such, whatever it was wrapped in, and the client's state is as
    before.
    """
    status = registry.status(client)
    if not status.is_syncable:
        raise ClientPaused(status)
    # Held also while the end is recorded: the next sync says its own.
    with contextlib.ExitStack() as held:
        try:
            doing = "rebuilt" if options and options.rebuild else "synced"
            if doing == "synced":
                held.enter_context(sync_lock(registry.home, client))
            held.enter_context(
                client_lock(registry.home, client, doing, patience_seconds=_PATIENCE_SECONDS)
            )
            new_file = options is not None and options.new_file
            with open_books(registry, client, new_file=new_file) as warehouse:
                suit_to_size(warehouse)
                as_of, new_rules = begin(warehouse)
                sync = Sync(registry, warehouse, options or SyncOptions(), as_of, new_rules)
                yield sync
        except ClientBusy:
            raise
        except BaseException as error:
            _record_end(registry, status, error)
            if interruption := interruption_in(error):
                raise interruption from None
            raise


def would_post(registry: Registry, client: str) -> list[dict[str, Any]]:
    """The journal lines that a sync would post from what is known already; nothing is kept.

    BILL is not asked; see ``posting_rules.preview``. Raises UnknownClient, ClientBusy,
    ChecksFailed.
    """
    registry.status(client)
    with (
        client_lock(registry.home, client, "read for a dry run"),
        open_books(registry, client) as warehouse,
    ):
        suit_to_size(warehouse)
        return preview(warehouse)


def _record_end(registry: Registry, before: ClientStatus, error: BaseException) -> None:
    """Say beside the client why its sync failed, or that none is running where it was interrupted.

    A refused token stops all further tries until a person acts.
    """
    client = before.client
    if isinstance(error, ReplayDiffers):  # the books are as sound as they were
        return
    refused = isinstance(error, ConnectionRefused)
    what, remedy = what_and_remedy(error)
    try:
        if interruption_in(error):
            was_new = before.state is State.IMPORTING  # and left so by a process that was killed
            state = State.CONNECTED if was_new else before.state
            registry.update(client, state=state, progress={})
            return
        count = registry.status(client).failure_count + 1
        wait = BACKOFF_MINUTES[min(count, len(BACKOFF_MINUTES)) - 1]
        registry.update(
            client,
            state=State.RECONNECT if refused else State.FAILING,
            last_attempt_at=utc_now(),
            next_sync_at=None if refused else utc_now() + timedelta(minutes=wait),
            failure_count=count,
            error=what,
            remedy=remedy,
            progress={},
        )
        show_status(registry)
    except (sqlite3.Error, OSError) as unwritten:
        # The disk is full for the registry, too: the first error is the one to be told.
        _log.warning("%s: its failure could not be noted: %s", client, unwritten)


def bring_up_to_date(
    registry: Registry,
    client: str,
    options: SyncOptions | None = None,
    progress: ShowProgress | None = None,
    watch: Watcher | None = None,
) -> SyncReport:
    """All layers of one client, in order, without publishing."""
    with open_sync(registry, client, options) as sync:
        if not sync.options.rebuild:
            sync.import_lists(progress, watch)
        if sync.must_build:
            for layer in LAYERS:
                sync.notes.building(layer)
                if progress:
                    progress(client, f"building {layer}", 0)
                sync.build(layer)
        return sync.finish()
