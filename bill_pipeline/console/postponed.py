"""What the review queue remembers beside the books: lines put off.

A line put off is not decided: it is only not shown for a week.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bill_pipeline.bill.clock import CLOCKS_DIFFER
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.registry.clients import utc_now

POSTPONED_FOR = timedelta(days=7)


class ReviewMemory:
    """Put-off lines of one console."""

    def __init__(self, database: ConsoleDatabase) -> None:
        self._database = database

    def postpone(self, client: str, transaction_ids: Iterable[str], user_name: str) -> datetime:
        """Put lines off; they are brought back by the moment returned."""
        until = utc_now() + POSTPONED_FOR
        with self._database.transaction() as db:
            db.executemany(
                "insert or replace into postponed_lines values (?, ?, ?, ?)",
                [(client, each, until.isoformat(), user_name) for each in transaction_ids],
            )
        return until

    def bring_back(self, client: str, until: datetime, user_name: str | None) -> int:
        """Show lines again that were put off ``until`` then, by that user or, None, by anybody."""
        with self._database.transaction() as db:
            return db.execute(
                "delete from postponed_lines where client = ? and until_at = ? "
                "and postponed_by = coalesce(?, postponed_by)",
                [client, until.isoformat(), user_name],
            ).rowcount

    def postponed(self) -> set[tuple[str, str]]:
        """(client, transaction_id) of every line that is put off now."""
        now = utc_now()
        with self._database.transaction() as db:
            rows = db.execute(
                "select client, transaction_id from postponed_lines where until_at between ? and ?",
                [now.isoformat(), (now + POSTPONED_FOR + CLOCKS_DIFFER).isoformat()],
            ).fetchall()
        return {(row["client"], row["transaction_id"]) for row in rows}
