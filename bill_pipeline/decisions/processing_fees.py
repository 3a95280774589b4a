"""What processors kept back of deposits, decided for the receipts that a deposit shows it of."""

from __future__ import annotations

from datetime import datetime

import duckdb

from bill_pipeline.decisions.rows import append_decisions

#: Who decides a processing fee that a deposit shows; anybody else is a person.
FEE_FINDER = "deposits"


def decide_processing_fees(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> int:
    """Decide the fees that deposits show, and return how many receipts got a new decision.

    What a person decided stays. A fee whose deposit no longer shows it is taken back.
    """
    found = connection.execute(
        """
        with decided as (
            select
                received_payment_id,
                arg_max(amount, (decided_at, rowid)) as amount,
                bool_or(decided_by <> $by) as is_a_persons
            from decisions.processing_fees where decided_at <= $as_of group by received_payment_id
        )
        select
            received_payment_id, coalesce(found.amount, 0) as amount, found.money_movement_id,
            $as_of::timestamp as decided_at, $by as decided_by,
            coalesce(found.reason, 'no deposit shows it any more') as reason
        from staging.processing_fees_found as found
        full join decided using (received_payment_id)
        where coalesce(found.amount, 0) <> coalesce(decided.amount, 0)
            and not coalesce(decided.is_a_persons, false)
        order by received_payment_id
        """,
        {"as_of": as_of, "by": FEE_FINDER},
    )
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return append_decisions(connection, "processing_fees", rows)
