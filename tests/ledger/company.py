"""A company whose BILL documents a test hands over directly: no network, no sandbox.

Here is what stories and laws share: archive a document, decide something, build the layers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from bill_pipeline.errors import CheckResult
from bill_pipeline.pipeline.steps import LAYERS, POSTING_LAYERS, build_layer, build_tables
from bill_pipeline.warehouse.layer_report import LayerReport
from bill_pipeline.warehouse.macros import macro_sql
from bill_pipeline.warehouse.transforms import (
    in_build_order,
    load_transforms,
    with_ancestors,
)
from bill_pipeline.warehouse.warehouse import Warehouse

#: What the journal is made of.
_POSTING = with_ancestors(
    (
        "ledger.journal_lines",
        "ledger.journal_entries",
        "ledger.accounts",
        "staging.standard_accounts",
        "staging.processing_fees_found",
    )
)
_POSTING_AND_CASH = _POSTING | with_ancestors(("ledger.cash_basis_lines",))


class Company:
    """One company's books in memory."""

    #: Whether a sync leaves tables as they are that would come out the same.
    reuse = False

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self.connection = warehouse.connection
        self.reports: dict[str, LayerReport] = {}

    def put(
        self, list_name: str, document: dict[str, Any], at: datetime, *, gone: bool = False
    ) -> None:
        """Archive ``document`` as its next version, unless nothing of it changed."""
        text = json.dumps(document, sort_keys=True)
        content_hash = hashlib.md5(f"{text}{gone}".encode(), usedforsecurity=False).hexdigest()
        row = self.connection.execute(
            "select max(version), arg_max(content_hash, version) from raw.document_versions "
            "where list = ? and id = ?",
            [list_name, document["id"]],
        ).fetchone()
        version, last_hash = row or (None, None)
        if last_hash == content_hash:
            return
        self.connection.execute(
            "insert into raw.document_versions values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                list_name, document["id"], (version or 0) + 1, at, document.get("updatedTime", at),
                bool(document.get("archived", False)), gone, content_hash, text,
            ],
        )  # fmt: skip

    def remove(self, list_name: str, document_id: str, at: datetime) -> None:
        """BILL no longer has the document."""
        row = self.connection.execute(
            "select arg_max(document, version) from raw.document_versions "
            "where list = ? and id = ?",
            [list_name, document_id],
        ).fetchone()
        assert row is not None
        self.put(list_name, json.loads(row[0]), at, gone=True)

    def sync(self, at: datetime) -> None:
        """Build every layer as of ``at``."""
        self.reports = {
            layer: build_layer(self.warehouse, layer, at, reuse=self.reuse) for layer in LAYERS
        }

    def post(self, at: datetime, *, cash_basis: bool = False) -> None:
        """Post the journal as of ``at`` as a sync does, without checks and reports."""
        only = _POSTING_AND_CASH if cash_basis else _POSTING
        with self.warehouse.transaction():
            for layer in POSTING_LAYERS:
                build_tables(self.warehouse, layer, at, checked=False, only=only)

    def make_macros(self) -> None:
        """Make the macros of the reports, which read this company's tables."""
        for statement in _macros():
            self.connection.execute(statement)

    def warnings(self) -> list[CheckResult]:
        """Warn-level checks that found something in the last sync."""
        return [c for r in self.reports.values() for c in r.checks if not c.passed]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()


@cache
def _macros() -> tuple[str, ...]:
    transforms = in_build_order(load_transforms().values())
    return tuple(macro_sql(t, table_reference=lambda key: key) for t in transforms if t.macro)


@contextlib.contextmanager
def new_company() -> Iterator[Company]:
    with Warehouse.at(":memory:", "acme") as warehouse:
        # Books of a few rows: threads and the catalogue's comments would be half of the work.
        warehouse.connection.execute("set threads = 1")
        warehouse._comment = lambda transform: None  # type: ignore[method-assign]
        yield Company(warehouse)
