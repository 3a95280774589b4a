"""Which lists BILL does not let us read, and since when: kept beside the documents, append-only.

What is missing must be said where the numbers are, so it is in the client's file, where SQL reads
it: ``ledger.lists_missing``. The registry shows the same to people who look at the connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from bill_pipeline.bill.lists import BESIDE_THE_BOOKS

if TYPE_CHECKING:
    import duckdb

_STANDING = """
select list
from raw.list_refusals
qualify row_number() over (partition by list order by seen_at desc, rowid desc) = 1 and is_refused
"""


def note_refusals(
    connection: duckdb.DuckDBPyConnection,
    as_of: datetime,
    asked: Iterable[str],
    refused: Mapping[str, str],
) -> bool:
    """Note which of the lists ``asked`` for BILL refused; return whether that is news.

    ``refused``: list → what BILL said and what to do. Lists that the books do without are left out.
    """
    before = {table for (table,) in connection.execute(_STANDING).fetchall()}
    news = [
        (table, as_of.replace(tzinfo=None), table in refused, refused.get(table))
        for table in sorted({*asked, *refused} - BESIDE_THE_BOOKS)
        if (table in refused) != (table in before)
    ]
    if news:
        connection.executemany("insert into raw.list_refusals values (?, ?, ?, ?)", news)
    return bool(news)
