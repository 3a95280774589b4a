"""How a decision is written, and which one counts: all tables of ``decisions`` work alike.

A row is added and never changed. Of the rows about one thing the last one counts: the one of the
latest ``decided_at``, and of one moment the one added last. SQL says the same by ``last_decided``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb


def append_decision(connection: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    """Add a row to ``decisions.<table>``; columns that are not given are null."""
    connection.execute(
        f"insert into decisions.{table} ({', '.join(values)}) "
        f"values ({', '.join('?' * len(values))})",
        list(values.values()),
    )


def append_decisions(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    rows: Sequence[Mapping[str, Any]],
    casts: Mapping[str, str] | None = None,
) -> int:
    """Add many rows of the same columns to ``decisions.<table>`` at once, and return how many.

    ``casts`` are SQL for columns whose type nulls alone do not tell.
    """
    if rows:
        import pyarrow as pa

        arrow = pa.table({name: [row[name] for row in rows] for name in rows[0]})
        connection.register("decisions_to_append", arrow)
        values = ", ".join(f"{(casts or {}).get(name, name)} as {name}" for name in rows[0])
        connection.execute(
            f"insert into decisions.{table} by name select {values} from decisions_to_append"
        )
        connection.unregister("decisions_to_append")
    return len(rows)


def last_decision(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    about: Mapping[str, Any] | None = None,
    *,
    at: datetime | None = None,
) -> dict[str, Any] | None:
    """The row of ``decisions.<table>`` that counts, or None.

    Only rows with the values in ``about`` are looked at, and none decided later than ``at``.
    """
    about = about or {}
    conditions = [*(f"{name} = ?" for name in about), "(? is null or decided_at <= ?)"]
    cursor = connection.execute(
        f"from decisions.{table} where {' and '.join(conditions)} "
        "order by decided_at desc, rowid desc limit 1",
        [*about.values(), at, at],
    )
    names = [column[0] for column in cursor.description]
    row = cursor.fetchone()
    return dict(zip(names, row, strict=True)) if row else None
