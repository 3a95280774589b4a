"""BILL as a dlt source: one resource per list, merged on ``id``, into any destination.

Documents are stored whole, as JSON: a field BILL leaves out never makes a column come and go, a
line that vanished from a bill vanishes here, and a field BILL adds later is stored already.

``bill_source`` reads BILL by itself; ``source_of`` takes what an import has read, which also finds
what BILL deleted and what it changed without saying so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource, DltSource
from pydantic import SecretStr

from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.budget import SharedBudget
from bill_pipeline.bill.connection import PRODUCTION_URL, PRODUCTION_V2_URL, Connection
from bill_pipeline.bill.cursor import Cursor
from bill_pipeline.bill.documents import Document, arrow_table
from bill_pipeline.bill.errors import BillError, refuses_list
from bill_pipeline.bill.list_reader import ListReader
from bill_pipeline.bill.lists import LISTS, BillList
from bill_pipeline.bill.sessions import MemorySessions

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


_log = logging.getLogger(__name__)


@dlt.source(name=SOURCE_NAME, section=SOURCE_NAME)
def bill_source(
    organization_id: str = dlt.config.value,
    token_name: str = dlt.secrets.value,
    token_password: TSecretStrValue = dlt.secrets.value,
    dev_key: TSecretStrValue = dlt.secrets.value,
    base_url: str = PRODUCTION_URL,
    v2_url: str = PRODUCTION_V2_URL,
) -> Iterable[DltResource]:
    """BILL's lists, each whole in the first run and what changed since in the later ones.

    Arguments not given come from dlt's configuration (``sources.bill.token_password``, …). Lists
    that need v2 or a request for each document are not selected: name them in ``with_resources``.
    Lists that belong to each document of another one are not among these. Raises a ``BillError``;
    a list that the token may not read is left out with a warning.
    """
    connection = Connection(
        organization_id=organization_id,
        token_name=token_name,
        token_password=SecretStr(token_password),
        dev_key=SecretStr(dev_key),
        base_url=base_url,
        v2_url=v2_url,
    )
    budget, sessions = SharedBudget(), MemorySessions()

    def read(row: BillList) -> Iterator[pa.Table]:
        # Of dlt's own ``incremental`` the newest time counts: one document from the future would
        # hide all that comes until then. The cursor is capped by BILL's clock and ours.
        state = dlt.current.resource_state()
        cursor = Cursor.stored(state.get("cursor"))
        with BillApi(connection, client=organization_id, budget=budget, sessions=sessions) as api:
            reader = ListReader(api, row, cursor, now=datetime.now(UTC))
            documents: list[Document] = []
            try:
                while not reader.is_done:
                    documents += reader.next_page()[0]
                    if len(documents) >= ROWS_PER_BATCH:
                        yield arrow_table(documents)
                        documents = []
            except BillError as error:
                if not refuses_list(error):
                    raise
                _log.warning("%s is left out: %s", row.table, error)
                return
            if documents:
                yield arrow_table(documents)
        state["cursor"] = cursor.as_dict()

    for row in LISTS.values():
        if not row.parent:
            is_plain = row.setting == "always"
            yield _resource(row.table, read, selected=is_plain)(row)


def source_of(documents: dict[str, list[Document]]) -> DltSource:
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


def _resource(table: str, batches: Any, *, selected: bool = True) -> DltResource:
    resource: DltResource = dlt.resource(
        batches,
        name=table,
        selected=selected,
        write_disposition="merge",
        primary_key="id",
        columns=_COLUMNS,
        schema_contract={"columns": "freeze", "data_type": "freeze"},
    )
    return resource
