"""The moments at which the journal was posted, each with the version of the rules it was posted by.

The posting rules are the SQL files that the journal is derived from.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cache

import duckdb

from bill_pipeline.errors import WarehouseError
from bill_pipeline.warehouse.transforms import load_transforms, shared_code, with_ancestors

JOURNAL = ("ledger.journal_lines", "ledger.journal_entries")


class PostedLater(WarehouseError):
    """The journal already holds a later batch; history is never posted backwards."""


@cache
def rules_version() -> str:
    """Changes when a SQL file changes from which the journal is derived; not with its comments.

    It changes with any word of ``functions.sql`` and of the other files in ``shared_code``.
    """
    rules = [f"{key} {load_transforms()[key].rule}" for key in sorted(with_ancestors(JOURNAL))]
    return hashlib.sha256("\n".join([*rules, shared_code()]).encode()).hexdigest()[:16]


def have_changed(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the journal's last batch was posted under other rules than these."""
    last = connection.execute(
        "select posting_rules from decisions.batches order by as_of desc limit 1"
    ).fetchone()
    return last is not None and last[0] != rules_version()


def record_batch(
    connection: duckdb.DuckDBPyConnection,
    as_of: datetime,
    *,
    is_change_of_rules: bool = False,
    is_clock_put_right: bool = False,
) -> None:
    """Remember ``as_of`` (UTC) as a moment at which entries were posted, and under which rules."""
    connection.execute(
        "insert or ignore into decisions.batches "
        "(as_of, posting_rules, is_change_of_rules, is_clock_put_right) values (?, ?, ?, ?)",
        [as_of.replace(tzinfo=None), rules_version(), is_change_of_rules, is_clock_put_right],
    )


def require_order(connection: duckdb.DuckDBPyConnection, client: str, as_of: datetime) -> None:
    """Raise PostedLater when the journal holds a batch later than ``as_of``."""
    row = connection.execute("select max(as_of) from decisions.batches").fetchone()
    if row and row[0] is not None and as_of.replace(tzinfo=None) < row[0]:
        raise PostedLater(
            f"{client}: the journal was posted as of {row[0]}, later than {as_of}. Sync again with "
            "the present time; to look at the past use the known_at argument of the reports."
        )
