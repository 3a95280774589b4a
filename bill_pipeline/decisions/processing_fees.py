"""What processors kept back of deposits, decided for the receipts that a deposit shows it of."""

from __future__ import annotations

from datetime import datetime

import duckdb

#: Who decides a processing fee that a deposit shows; anybody else is a person.
FEE_FINDER = "deposits"


def decide_processing_fees(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> int:
    """Decide the fees that deposits show, and return how many receipts got a new decision.

    What a person decided stays. A fee whose deposit no longer shows it is taken back.
    """
    before = _count_fees_decided(connection)
    connection.execute(
        """
        insert into decisions.processing_fees
        with decided as (
            select
                received_payment_id,
                arg_max(amount, (decided_at, rowid)) as amount,
                bool_or(decided_by <> $by) as is_a_persons
            from decisions.processing_fees where decided_at <= $as_of group by received_payment_id
        )
        select
            received_payment_id, coalesce(found.amount, 0), found.money_movement_id, $as_of, $by,
            coalesce(found.reason, 'no deposit shows it any more')
        from staging.processing_fees_found as found
        full join decided using (received_payment_id)
        where coalesce(found.amount, 0) <> coalesce(decided.amount, 0)
            and not coalesce(decided.is_a_persons, false)
        order by received_payment_id
        """,
        {"as_of": as_of, "by": FEE_FINDER},
    )
    return _count_fees_decided(connection) - before


def _count_fees_decided(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("select count(*) from decisions.processing_fees").fetchone()
    return row[0] if row else 0
