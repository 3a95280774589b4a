"""The tables ``clients`` and ``sync_status``: who is in the ledger, and how fresh each one is.

They come from the registry of connected clients and hold nothing secret. ``clients`` is written
into the ledger's own file. ``sync_status`` must be true while nobody publishes, above all of the
clients that fail: who fails writes a small file beside the ledger, and its view reads that.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson

from bill_pipeline.publishing.tables import (
    PublishedColumn,
    PublishedTable,
    comments,
    create_table,
    insert,
    quoted,
)
from bill_pipeline.publishing.versions import Version
from bill_pipeline.registry.clients import ClientStatus, State
from bill_pipeline.warehouse.built import taken_at


def _table(name: str, summary: str, columns: list[tuple[str, str, str]]) -> PublishedTable:
    return PublishedTable(
        name=name,
        source="",
        summary=summary,
        grain="one row per client",
        key_columns=("client",),
        columns=tuple(PublishedColumn(*column) for column in columns),
    )


CLIENTS_TABLE = _table(
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
            "clock_alarm",
            "VARCHAR",
            "That the machine's clock is not BILL's, or closed a month too early.",
        ),
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
        (
            "unpublished_since",
            "TIMESTAMP",
            "When newer books than these were built (UTC); null: these are the newest.",
        ),
        (
            "refused_count",
            "BIGINT",
            "Documents that BILL no longer lists and refuses to show; as last known in the books.",
        ),
        (
            "compared_at",
            "TIMESTAMP",
            "Every list was compared whole with BILL then or later (UTC); null: not yet.",
        ),
        ("published_version", "VARCHAR", "Which version of the client's files the views read."),
        ("published_row_count", "BIGINT", "Rows of the client in all tables of this ledger."),
    ],
)
TABLES = (CLIENTS_TABLE, SYNC_STATUS)
#: Columns of ``sync_status`` that say what is published; the others are the registry's.
_OF_VERSION = {
    "books_as_of": "strptime(split_part(version, '-', 1), '%Y%m%dT%H%M%S.%fZ')",
    "published_version": "version",
    "published_row_count": "coalesce(row_count, 0)",
}


#: Columns of ``sync_status`` that a sync moves which found nothing.
_ASKED_AT = ("last_attempt_at", "last_success_at", "next_sync_at", "compared_at")


@dataclass(frozen=True)
class RegistryTables:
    """The rows of both tables, one per client in the ledger, as they are put into it."""

    statuses: tuple[ClientStatus, ...]
    current: Mapping[str, Version]

    @staticmethod
    def create(db: duckdb.DuckDBPyConnection, published: str) -> None:
        """Create ``clients`` and the view ``sync_status``, with their words, in a catalogue file;
        ``published`` is the SQL of the folder.
        """
        db.execute(create_table(CLIENTS_TABLE))
        db.execute(comments(CLIENTS_TABLE, "table"))
        db.execute(status_view(published))
        db.execute(comments(SYNC_STATUS, "view"))

    def fill(self, db: duckdb.DuckDBPyConnection, tables: Sequence[str] | None = None) -> None:
        """Write the rows of both ``tables``, or one, in the place of those that are there."""
        for table, rows in ((CLIENTS_TABLE, self._clients()), (SYNC_STATUS, self._sync_status())):
            if tables is None or table.name in tables:
                db.execute(f"delete from {table.name}")
                insert(db, table.name, ["VARCHAR", *(c.type for c in table.columns)], rows)

    def bring_up_to_date(self, db: duckdb.DuckDBPyConnection, *, behind: timedelta) -> None:
        """Write the rows of both tables if ``db`` has others.

        Of the times at which BILL was asked it may have older ones, up to ``behind`` these.
        """
        for table, rows in ((CLIENTS_TABLE, self._clients()), (SYNC_STATUS, self._sync_status())):
            names = ["client", *(column.name for column in table.columns)]
            asked = f"select {', '.join(names)} from {table.name} order by client"
            told = db.execute(asked).fetchall()
            if len(told) != len(rows) or not all(
                old == new or (name in _ASKED_AT and _is_within(behind, old, new))
                for olds, news in zip(told, rows, strict=True)
                for name, old, new in zip(names, olds, news, strict=True)
            ):
                self.fill(db)
                return

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
        for status in self.statuses:
            version = self.current.get(status.client)
            values = _told(status) | {
                "books_as_of": _utc(taken_at(version.number)) if version else None,
                "published_version": version.number if version else None,
                "published_row_count": version.row_count if version else 0,
            }
            rows.append([status.client, *(values[c.name] for c in SYNC_STATUS.columns)])
        return rows


def kept_statuses(db: duckdb.DuckDBPyConnection, clients: Collection[str]) -> list[ClientStatus]:
    """What the open ledger's ``clients`` says of ``clients`` that the registry does not know.

    Nobody disconnected them: their books stay as they were published last, and say so.
    """
    names = ["client", *(column.name for column in CLIENTS_TABLE.columns)]
    rows = db.execute(
        f"select {', '.join(names)} from {CLIENTS_TABLE.name} where list_contains(?, client)",
        [sorted(clients)],
    ).fetchall()
    known: dict[str, dict[str, Any]] = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    statuses = []
    for client in sorted(clients):
        told: dict[str, Any] = {"client": client, "organization_id": "", "environment": ""}
        told |= known.get(client, {})
        connected_at = told.get("connected_at") or datetime.fromtimestamp(0, UTC)
        told["connected_at"] = connected_at.replace(tzinfo=UTC)
        statuses.append(
            ClientStatus(
                **told,
                state=State.RECONNECT,
                error="The list of connected clients does not know it; its published books stay.",
                remedy=remedy_for_unknown(client),
            )
        )
    return statuses


def remedy_for_unknown(client: str) -> str:
    """What to do about a client that has books and that the registry does not know."""
    return (
        "Put a newer registry.sqlite back from a backup, or connect it again with `bill-pipeline "
        f"connect {client}`; `bill-pipeline disconnect {client}` takes it out of the ledger."
    )


def _told(s: ClientStatus) -> dict[str, object]:
    """What ``sync_status`` says of a client, but for what is published."""
    return {
        "state": str(s.state), "last_success_at": _utc(s.last_success_at),
        "last_change_at": _utc(s.last_change_at), "last_attempt_at": _utc(s.last_attempt_at),
        "next_sync_at": _utc(s.next_sync_at), "failure_count": s.failure_count,
        "error": s.error, "remedy": s.remedy, "model_alarm": s.model_alarm,
        "clock_alarm": s.clock_alarm,
        "quarantined_count": sum(s.quarantined.values()),
        "lists_missing": ", ".join(sorted(s.lists_missing)) or None,
        "lists_remedy": " ".join(why for _, why in sorted(s.lists_missing.items())) or None,
        "unpublished_since": _utc(s.unpublished_since),
        "refused_count": sum(s.refused_documents.values()), "compared_at": _utc(s.compared_at),
    }  # fmt: skip


def status_file(published: str) -> str:
    return f"{published}/.sync_status.json"


def write_status(published: Path, statuses: Sequence[ClientStatus]) -> None:
    """Put what the registry knows where ``status_view`` reads it, whole or not at all.

    Call it while nobody else changes the registry: the last writer must know the latest.
    """
    lines = (orjson.dumps({"client": s.client} | _told(s)) + b"\n" for s in statuses)
    path = Path(status_file(str(published)))
    draft = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with draft.open("wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def status_view(published: str) -> str:
    """SQL that makes ``sync_status`` in a catalogue; ``published`` is the SQL of the folder."""
    stored = {c.name: c.type for c in SYNC_STATUS.columns if c.name not in _OF_VERSION}
    types = ", ".join(
        f"{name}: '{type_}'" for name, type_ in {"client": "VARCHAR", **stored}.items()
    )
    selected = ", ".join(
        f"{_OF_VERSION.get(c.name, c.name)}::{c.type} as {c.name}" for c in SYNC_STATUS.columns
    )
    return (
        f"create view {SYNC_STATUS.name} as select client, {selected} from read_json("
        f"{published} || {quoted(status_file(''))}, columns = {{{types}}}, "
        "format = 'newline_delimited') left join catalogue.versions using (client)"
    )


def _is_within(length: timedelta, old: object, new: object) -> bool:
    return isinstance(old, datetime) and isinstance(new, datetime) and abs(new - old) < length


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None
