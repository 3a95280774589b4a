"""What the review queue remembers beside the books: lines put off, and how to undo an action.

A line put off is not decided: it is only not shown for a week. Undo does not erase a decision, it
writes another one; here is what it has to put back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.registry.clients import utc_now

POSTPONED_FOR = timedelta(days=7)


@dataclass(frozen=True)
class ReviewAction:
    """One thing a person did in the queue. ``content`` is what undo needs."""

    number: int
    client: str
    user_name: str
    kind: str
    content: dict[str, Any]
    summary: str
    is_undone: bool


class ReviewMemory:
    """Put-off lines and undoable actions of one console."""

    def __init__(self, database: ConsoleDatabase) -> None:
        self._database = database

    def postpone(self, client: str, transaction_ids: Iterable[str], user_name: str) -> None:
        until = (utc_now() + POSTPONED_FOR).isoformat()
        with self._database.transaction() as db:
            db.executemany(
                "insert or replace into postponed_lines values (?, ?, ?, ?)",
                [(client, transaction_id, until, user_name) for transaction_id in transaction_ids],
            )

    def bring_back(self, client: str, transaction_ids: Iterable[str]) -> None:
        with self._database.transaction() as db:
            db.executemany(
                "delete from postponed_lines where client = ? and transaction_id = ?",
                [(client, transaction_id) for transaction_id in transaction_ids],
            )

    def postponed(self) -> set[tuple[str, str]]:
        """(client, transaction_id) of every line that is put off now."""
        with self._database.transaction() as db:
            rows = db.execute(
                "select client, transaction_id from postponed_lines where until_at > ?",
                [utc_now().isoformat()],
            ).fetchall()
        return {(row["client"], row["transaction_id"]) for row in rows}

    def remember(
        self, client: str, user_name: str, kind: str, content: dict[str, Any], summary: str
    ) -> int:
        """Note an action and return the number to undo it by; amounts are kept as text."""
        text = json.dumps(content, default=str)
        with self._database.transaction() as db:
            cursor = db.execute(
                "insert into review_actions "
                "(client, user_name, happened_at, kind, transactions, summary) "
                "values (?, ?, ?, ?, ?, ?)",
                [client, user_name, utc_now().isoformat(), kind, text, summary],
            )
            return int(cursor.lastrowid or 0)

    def action(self, client: str, number: int) -> ReviewAction | None:
        """The action, if it was one on ``client``'s lines."""
        with self._database.transaction() as db:
            row = db.execute(
                "select * from review_actions where id = ? and client = ?", [number, client]
            ).fetchone()
        if row is None:
            return None
        return ReviewAction(
            number=row["id"],
            client=row["client"],
            user_name=row["user_name"],
            kind=row["kind"],
            content=json.loads(row["transactions"]),
            summary=row["summary"],
            is_undone=row["undone_at"] is not None,
        )

    def mark_undone(self, number: int) -> None:
        with self._database.transaction() as db:
            db.execute(
                "update review_actions set undone_at = ? where id = ?",
                [utc_now().isoformat(), number],
            )
