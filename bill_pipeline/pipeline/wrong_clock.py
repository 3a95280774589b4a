"""What a clock that was ahead noted as known later than now, put right: the order stays, as of now.

What the books know carries the moment at which they learnt it, and nothing is learnt before what
is known already. So a clock that was ahead for a while would keep everything learnt afterwards in
its future. That it was ahead takes two witnesses: this machine's clock as it is now, and BILL's.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb

from bill_pipeline.bill.clock import CLOCKS_DIFFER
from bill_pipeline.pipeline.batches import record_batch
from bill_pipeline.pipeline.steps import post_everything
from bill_pipeline.warehouse.transforms import load_transforms
from bill_pipeline.warehouse.unchanged import latest_knowledge
from bill_pipeline.warehouse.upkeep import forget_builds, next_batch_time
from bill_pipeline.warehouse.warehouse import Warehouse

#: BILL's own times, in the tables of documents.
_NOT_OURS = "updated_at"


def put_right(warehouse: Warehouse, now: datetime, clock_ahead: timedelta | None) -> int | None:
    """Have the books know by ``now`` (UTC) what they say they learnt later; None: nothing is so.

    ``now`` is this machine's, ``clock_ahead`` by how much that is ahead of BILL's; where BILL did
    not say its time nothing is done. What counts otherwise then, as the day of a document that has
    none, is posted as a batch of its own; returns how many entries. Raises ChecksFailed.
    """
    connection = warehouse.connection
    if clock_ahead is None:
        return None
    present = max(now, now - clock_ahead).replace(tzinfo=None)
    latest = latest_knowledge(connection)
    if latest is None or latest <= present + CLOCKS_DIFFER:
        return None
    with warehouse.transaction():
        _move(connection, present + CLOCKS_DIFFER, now.replace(tzinfo=None))
        forget_builds(warehouse)
        as_of = next_batch_time(warehouse, now)
        record_batch(connection, as_of, is_clock_put_right=True)
        post_everything(warehouse, as_of)
    row = connection.execute(
        "select count(*) from ledger.journal_entries where posted_at = ?",
        [as_of.replace(tzinfo=None)],
    ).fetchone()
    return row[0] if row else 0


def alarm_of_close(warehouse: Warehouse, today: date) -> str | None:
    """What to say when the books are closed through a day that is not over; None: they are not.

    Closing such a day is refused, unless the clock is ahead. What is new is then posted on a day to
    come. The month named is the first that has to be opened for all of it to come back.
    """
    run = warehouse.connection.execute
    (closed_through,) = run("select closed_through from staging.policies").fetchone() or (None,)
    if closed_through is None or closed_through < today:
        return None
    (first,) = run(
        "select min(original_date) from ledger.journal_entries "
        "where entry_kind = 'late_adjustment' and date > ?",
        [closed_through],
    ).fetchone() or (None,)
    month = min(first or today, today)
    return (
        f"The books are closed through {closed_through}, which is yet to come, by a clock that "
        "was ahead: what is new is posted on the day after. To open them, and close what is over: "
        f"`bill-pipeline reopen {warehouse.client} {month:%Y-%m} --reason 'the clock was ahead'`."
    )


def _move(connection: duckdb.DuckDBPyConnection, latest: datetime, now: datetime) -> None:
    """Put every moment after ``latest`` a microsecond after the one before it, from ``now`` on."""
    columns = _moments_of_ours(connection)
    every = " union ".join(f"select {column} as moment from {table}" for table, column in columns)
    connection.execute(
        f"""
        create or replace temp table moments_put_right as
        with moments as ({every})
        select
            moment,
            greatest($1::timestamp, (select max(moment) from moments where moment <= $2))
            + to_microseconds(row_number() over (order by moment)) as put_right
        from moments
        where moment > $2
        """,
        [now, latest],
    )
    for table, column in columns:
        connection.execute(
            f"update {table} set {column} = put_right from moments_put_right "
            f"where {column} = moment"
        )
    connection.execute("drop table moments_put_right")


def _moments_of_ours(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """(table, column) of every moment that we noted: of the archive, decisions and the journal."""
    appended = [t.key for t in load_transforms().values() if t.materialize == "append"]
    return connection.execute(
        """
        select schema_name || '.' || table_name, column_name
        from duckdb_columns()
        inner join duckdb_tables() using (database_name, schema_name, table_name)
        where data_type = 'TIMESTAMP' and column_name <> $not_ours and not temporary
            and (
                schema_name in ('raw', 'decisions')
                or list_contains($appended, schema_name || '.' || table_name)
            )
        order by all
        """,
        {"not_ours": _NOT_OURS, "appended": appended},
    ).fetchall()
