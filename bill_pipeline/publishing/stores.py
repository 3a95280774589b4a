"""Which store keeps the published books of a home: two implementations, one setting.

``FilesLedger`` is the default: Parquet files and a catalogue file, on one machine. ``LakeLedger``
keeps them in DuckLake, with its catalogue in PostgreSQL and its files in a folder or an object
store, for firms whose syncs and analysts are on several machines. Both pass the same tests.
"""

from __future__ import annotations

import contextlib

import duckdb

from bill_pipeline.errors import PipelineError
from bill_pipeline.publishing.files import FilesLedger
from bill_pipeline.publishing.lake import LakeLedger
from bill_pipeline.publishing.ledger_store import LedgerStore
from bill_pipeline.registry.client_errors import BooksMissing
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home, Settings


def store_of(home: Home) -> LedgerStore:
    """The store that the settings choose for ``home``."""
    settings = Settings.now()
    if settings.ducklake_catalogue:
        return LakeLedger(home, settings.ducklake_catalogue, settings.ducklake_data)
    return FilesLedger(home)


def require_books(registry: Registry, client: str) -> None:
    """Raises BooksMissing when ``client``'s file is not there and the registry or the published
    ledger knows that it has had books; one whose first import never ended may begin again.
    """
    registry.require_file(client)
    path = registry.home.client_file(client)
    if not path.exists() and _is_published(registry.home, client):
        raise BooksMissing(client, path)


def _is_published(home: Home, client: str) -> bool:
    """Whether the ledger shows books of ``client``, who may be unknown to a registry of another
    day. One that cannot be read is for its publication to report.
    """
    with contextlib.suppress(PipelineError, duckdb.Error, OSError):
        return client in store_of(home).builds()
    return False
