"""Who did what in the console, when and from where. Rows are added, never edited or deleted."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bill_pipeline.console.database import ConsoleDatabase, Written
from bill_pipeline.registry.clients import utc_now


@dataclass(frozen=True)
class AuditEntry:
    """One action, as it is shown; ``details`` never holds a secret."""

    happened_at: datetime
    user_name: str
    address: str
    action: str
    client: str | None
    details: dict[str, Any]


#: Characters of one line's details: more than any form of a person's holds.
LONGEST_DETAILS = 20_000


def _bounded(details: str) -> str:
    """JSON of no more than ``LONGEST_DETAILS``; of what was longer, its beginning."""
    if len(details) <= LONGEST_DETAILS:
        return details
    return json.dumps({"beginning": details[: LONGEST_DETAILS // 3]})


class AuditLog:
    """The console's record of actions; the database itself refuses to change a row."""

    def __init__(self, database: ConsoleDatabase) -> None:
        self._database = database

    def record(
        self, user_name: str, address: str, action: str, client: str | None = None, **details: Any
    ) -> None:
        with self._database.transaction() as db:
            self.line(user_name, address, action, client, **details)(db)

    def line(
        self, user_name: str, address: str, action: str, client: str | None = None, **details: Any
    ) -> Written:
        """The line to be written in the transaction of what it tells: both, or neither."""
        row = [
            utc_now().isoformat(),
            user_name,
            address,
            action,
            client,
            _bounded(json.dumps(details, default=str)),
        ]

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "insert into audit_log (happened_at, user_name, address, action, client, details) "
                "values (?, ?, ?, ?, ?, ?)",
                row,
            )

        return write

    def latest(
        self, *, client: str | None = None, limit: int = 200, before: int | None = None
    ) -> list[tuple[int, AuditEntry]]:
        """The newest entries first, each with its number; ``before`` pages further back."""
        with self._database.transaction() as db:
            rows = db.execute(
                """
                select * from audit_log
                where (:client is null or client = :client) and (:before is null or id < :before)
                order by id desc limit :limit
                """,
                {"client": client, "before": before, "limit": limit},
            ).fetchall()
        return [
            (
                row["id"],
                AuditEntry(
                    happened_at=datetime.fromisoformat(row["happened_at"]),
                    user_name=row["user_name"],
                    address=row["address"],
                    action=row["action"],
                    client=row["client"],
                    details=json.loads(row["details"]),
                ),
            )
            for row in rows
        ]
