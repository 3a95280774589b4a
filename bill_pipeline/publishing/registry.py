"""The tables ``clients`` and ``sync_status``: who is in the ledger, and how fresh each one is.

They come from the registry of connected clients and hold nothing secret. They are written into the
ledger's own file, because they are about all clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from bill_pipeline.clients import ClientStatus
from bill_pipeline.publishing.tables import (
    PublishedColumn,
    PublishedTable,
    comments,
    create_table,
    insert,
)
from bill_pipeline.publishing.versions import Version, taken_at


def _table(name: str, summary: str, columns: list[tuple[str, str, str]]) -> PublishedTable:
    return PublishedTable(
        name=name,
        source="",
        summary=summary,
        grain="one row per client",
        key_columns=("client",),
        columns=tuple(PublishedColumn(*column) for column in columns),
    )


CLIENTS = _table(
    "clients",
    "The companies whose books are in this ledger.",
    [
        ("organization_id", "VARCHAR", "BILL's id of the company."),
        ("organization_name", "VARCHAR", "The company's name in BILL, as of its last sync."),
        ("environment", "VARCHAR", "production, sandbox, or the address of another server."),
        ("connected_at", "TIMESTAMP", "When the firm connected the company (UTC)."),
        ("document_count", "BIGINT", "Documents known of the company, archived ones included."),
        ("review_count", "BIGINT", "Lines whose category waits for a person."),
    ],
)
SYNC_STATUS = _table(
    "sync_status",
    "How fresh each client's books are, and what stands in the way of fresher ones.",
    [
        ("state", "VARCHAR", "connected, importing, up_to_date, reconnect, failing or paused."),
        (
            "books_as_of",
            "TIMESTAMP",
            "When these tables were written (UTC); not when BILL was read.",
        ),
        (
            "last_success_at",
            "TIMESTAMP",
            "Last time BILL was read to the end (UTC): how fresh the books are.",
        ),
        ("last_change_at", "TIMESTAMP", "Last time BILL had something new (UTC)."),
        ("last_attempt_at", "TIMESTAMP", "Last time BILL was asked (UTC)."),
        ("next_sync_at", "TIMESTAMP", "When BILL is asked again (UTC)."),
        ("failure_count", "BIGINT", "Attempts that failed since the last success."),
        ("error", "VARCHAR", "What went wrong at the last attempt; null when nothing did."),
        ("remedy", "VARCHAR", "What a person can do about it."),
        ("model_alarm", "VARCHAR", "What a person should know of the client's model, if anything."),
        (
            "quarantined_count",
            "BIGINT",
            "Documents of BILL set aside as unreadable, until BILL sends a good version.",
        ),
        (
            "lists_missing",
            "VARCHAR",
            "Lists of BILL that the books are made without: they are incomplete; null: complete.",
        ),
        ("lists_remedy", "VARCHAR", "What BILL said of each such list, and what to do."),
        ("published_version", "VARCHAR", "Which version of the client's files the views read."),
        ("published_row_count", "BIGINT", "Rows of the client in all tables of this ledger."),
    ],
)
TABLES = (CLIENTS, SYNC_STATUS)


@dataclass(frozen=True)
class RegistryTables:
    """The rows of both tables, one per connected client."""

    statuses: tuple[ClientStatus, ...]
    current: Mapping[str, Version]

    @staticmethod
    def create(db: duckdb.DuckDBPyConnection) -> None:
        """Create both tables, with their words, in the open ledger."""
        for table in TABLES:
            db.execute(create_table(table))
            db.execute(comments(table, "table"))

    def fill(self, db: duckdb.DuckDBPyConnection) -> None:
        """Write the rows of both tables, in the place of those that are there."""
        for table, rows in ((CLIENTS, self._clients()), (SYNC_STATUS, self._sync_status())):
            db.execute(f"delete from {table.name}")
            insert(db, table.name, ["VARCHAR", *(c.type for c in table.columns)], rows)

    def _clients(self) -> list[list[object]]:
        return [
            [
                s.client, s.organization_id, s.organization_name, s.environment,
                _utc(s.connected_at), s.document_count, s.review_count,
            ]
            for s in self.statuses
        ]  # fmt: skip

    def _sync_status(self) -> list[list[object]]:
        rows: list[list[object]] = []
        for s in self.statuses:
            version = self.current.get(s.client)
            rows.append(
                [
                    s.client, str(s.state), _utc(taken_at(version.number)) if version else None,
                    _utc(s.last_success_at), _utc(s.last_change_at), _utc(s.last_attempt_at),
                    _utc(s.next_sync_at), s.failure_count, s.error, s.remedy, s.model_alarm,
                    sum(s.quarantined.values()),
                    ", ".join(sorted(s.lists_missing)) or None,
                    " ".join(why for _, why in sorted(s.lists_missing.items())) or None,
                    version.number if version else None, version.row_count if version else 0,
                ]
            )  # fmt: skip
        return rows


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None
