"""A chunk of BILL's documents as a dlt source: one resource per list, merged on ``id``.

Documents are stored whole, as JSON: a field BILL leaves out never makes a column come and go, a
line that vanished from a bill vanishes here, and a field BILL adds later is stored already.
The reading's state travels in the same load package as the documents it counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dlt
import pyarrow as pa
from dlt.extract import DltResource, DltSource

from bill_pipeline.bill.documents import Document, arrow_table
from bill_pipeline.bill.lists import LISTS
from bill_pipeline.bill.reading import Chunk, State

SOURCE_NAME = "bill"
_STATE_KEY = "reading"
ROWS_PER_BATCH = 5_000

_COLUMNS: Any = {
    "id": {"data_type": "text", "nullable": False, "primary_key": True},
    "updated_at": {"data_type": "timestamp", "precision": 6, "timezone": False},
    "is_archived": {"data_type": "bool", "nullable": False},
    "is_deleted": {"data_type": "bool", "nullable": False},
    "content_hash": {"data_type": "text", "nullable": False},
    "document": {"data_type": "json", "nullable": False},
}


def bill_source(chunk: Chunk) -> DltSource:
    """The documents of ``chunk`` as resources named like their lists, and its state."""
    schema = dlt.Schema(SOURCE_NAME)
    lists = [
        _resource(table, _batches(chunk.documents[table]))
        for table in LISTS
        if chunk.documents.get(table)
    ]
    source = DltSource(schema, SOURCE_NAME, [_reading_state(chunk.state), *lists])
    # Whole documents have no nested tables whose rows would have to name their root. Left to
    # itself, dlt works that out for every list again and again: a quarter of a small load's time.
    source.root_key = False
    return source


def reading_state(pipeline_state: Any) -> State:
    """The state that the last stored chunk carried; ``{}`` before the first."""
    sources = pipeline_state.get("sources", {})
    state: State = sources.get(SOURCE_NAME, {}).get(_STATE_KEY, {})
    return state


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


def _reading_state(state: State) -> DltResource:
    def remember() -> Iterator[list[Any]]:
        dlt.current.source_state()[_STATE_KEY] = state
        yield []

    return dlt.resource(remember, name="reading_state")
