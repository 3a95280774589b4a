"""Bring one client's books up to date: import, archive, stage, categorize, post, report.

This is the order of the rooms and nothing else; each room's work is in its own module. The command
line and Dagster both call these functions, so there is one way in which books are made.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import filelock

from bill_pipeline.categorize import CategorizeReport, categorize_lines
from bill_pipeline.clients import ClientStatus, Registry, State
from bill_pipeline.errors import PipelineError
from bill_pipeline.imports import ImportReport, Progress, import_client
from bill_pipeline.settings import Home
from bill_pipeline.warehouse import RoomReport, Warehouse

#: The rooms that SQL builds, in order; ``categorized`` is built after the model decided.
ROOMS = ("staging", "categorized", "ledger", "reports")


class ClientBusy(PipelineError):
    """Another process is working on this client's books."""

    def __init__(self, client: str) -> None:
        super().__init__(
            f"Another process is bringing {client}'s books up to date. Wait until it is done; "
            "`bill-pipeline clients` shows its progress."
        )


class ClientPaused(PipelineError):
    """A person must act before this client can be synced."""

    def __init__(self, status: ClientStatus) -> None:
        remedy = status.remedy or f"Run `bill-pipeline resume {status.client}`."
        super().__init__(f"{status.client} is not synced: its state is {status.state}. {remedy}")


@dataclass(frozen=True)
class SyncOptions:
    """How much to do. The default reads what changed since the last sync."""

    full: bool = False  # read every list from its beginning and compare
    since: date | None = None  # read what BILL changed on or after this day
    rebuild: bool = False  # no import: replay the journal from the archive


@dataclass
class SyncReport:
    """What one sync did, room by room."""

    client: str
    as_of: datetime
    imported: ImportReport | None = None
    categorized: CategorizeReport | None = None
    rooms: dict[str, RoomReport] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def has_changes(self) -> bool:
        return bool(self.rooms)


@contextlib.contextmanager
def client_lock(home: Home, client: str) -> Iterator[None]:
    """Hold ``client`` for this process. Raises ClientBusy at once when another one has it."""
    lock = filelock.FileLock(home.client_file(client).with_suffix(".lock"), timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise ClientBusy(client) from None
    try:
        yield
    finally:
        lock.release()
