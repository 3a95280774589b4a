"""BILL's documents as a dlt source: one resource per list, merged on ``id``.

Documents are stored whole, as JSON: a field BILL leaves out never makes a column come and go, a
line that vanished from a bill vanishes here, and a field BILL adds later is stored already.
"""

from __future__ import annotations

from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource, DltSource

from bill_pipeline.bill.documents import Document, arrow_table
from bill_pipeline.bill.lists import LISTS

SOURCE_NAME = "bill"
ROWS_PER_BATCH = 5_000

_COLUMNS: Any = {
    "id": {"data_type": "text", "nullable": False, "primary_key": True},
    "updated_at": {"data_type": "timestamp", "precision": 6, "timezone": False},
    "is_archived": {"data_type": "bool", "nullable": False},
    "is_deleted": {"data_type": "bool", "nullable": False},
    "content_hash": {"data_type": "text", "nullable": False},
    "document": {"data_type": "json", "nullable": False},
}


def bill_source(documents: dict[str, list[Document]]) -> DltSource:
    """``documents`` by list, as resources named like their lists."""
    schema = dlt.Schema(SOURCE_NAME)
    lists = [
        _resource(table, _batches(documents[table])) for table in LISTS if documents.get(table)
    ]
    source = DltSource(schema, SOURCE_NAME, lists)
    # Whole documents have no nested tables whose rows would have to name their root. Left to
    # itself, dlt works that out for every list again and again: a quarter of a small load's time.
    source.root_key = False
    return source


def _batches(documents: list[Document]) -> list[pa.Table]:
    return [
        arrow_table(documents[start : start + ROWS_PER_BATCH])
        for start in range(0, len(documents), ROWS_PER_BATCH)
    ]


def _resource(table: str, batches: list[pa.Table]) -> DltResource:
    return dlt.resource(
        batches,
        name=table,
        write_disposition="merge",
        primary_key="id",
        columns=_COLUMNS,
        schema_contract={"columns": "freeze", "data_type": "freeze"},
    )
