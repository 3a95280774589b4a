"""One client's monthly statement as a workbook: profit and loss, balance sheet, aging, cash flow.

Written from the published ledger's macros, so it is what analysts would find by SQL for the same
days. The whole books as a workbook are ``bill-pipeline export --format xlsx``.
"""
# Dagster reads these annotations as types: no `from __future__ import annotations` here.

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_duckdb import DuckDBResource

from bill_pipeline.dagster.asset_events import plotted
from bill_pipeline.dagster.fleet import raise_failures
from bill_pipeline.dagster.ledger_resource import PublishedLedger
from bill_pipeline.dagster.partitions import BACKFILL, CLIENT_PARTITIONS
from bill_pipeline.dagster.preview import asset_in_backfills, code_link
from bill_pipeline.dagster.raw_specs import OWNER
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.registry.clients import utc_now
from bill_pipeline.registry.failures import ClientError, alone
from bill_pipeline.settings import Home

_MONTH = "period_start := $first, period_end := $last"
#: (sheet, SQL on the published ledger); $first and $last are the month's days.
STATEMENT_SHEETS = (
    ("Profit and loss", f"profit_and_loss_between($client, {_MONTH})"),
    ("Balance sheet", "balance_sheet_at($client, report_date := $last)"),
    ("Cash flow", f"cash_flow_between($client, {_MONTH})"),
    ("Trial balance", "trial_balance_at($client, report_date := $last)"),
    ("Payables aging", "payables_aging_at($client, report_date := $last)"),
    ("Receivables aging", "receivables_aging_at($client, report_date := $last)"),
)
STATEMENT = dg.AssetKey(["published", "monthly_statement"])


def month_before(day: date) -> tuple[date, date]:
    """First and last day of the month that was finished on ``day``."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


def statement_path(home: Home, client: str, month: date) -> Path:
    """Where the statement of ``client`` for ``month`` is kept."""
    return home.statements / client / f"{client}-{month:%Y-%m}.xlsx"


def write_statement(
    books: DuckDBResource, home: Home, client: str, first: date, last: date
) -> tuple[Path, int]:
    """Write the statement of the days ``first`` to ``last``; returns its path and its rows.

    ``books`` is the published ledger. Raises NothingPublished when the firm has none yet.
    """
    from bill_pipeline.exports.xlsx import fixed_workbook, new_sheet, saved_without_times

    book = fixed_workbook()
    rows = 0
    with books.get_connection() as ledger:
        for title, source in STATEMENT_SHEETS:
            values = {"client": client, "first": first, "last": last}
            used = {name: value for name, value in values.items() if f"${name}" in source}
            answer = ledger.execute(f"from {source}", used)
            sheet = new_sheet(book, title)
            sheet.append([f"{client}, {first} to {last}, home currency"])
            sheet.append([c[0].replace("_", " ").capitalize() for c in answer.description or []])
            for row in answer.fetchall():
                sheet.append(row)
                rows += 1
    path = statement_path(home, client, first)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_bytes(saved_without_times(book))
    draft.replace(path)
    return path, rows


@asset_in_backfills(
    BACKFILL,
    key=STATEMENT,
    partitions_def=CLIENT_PARTITIONS,
    deps=[["published", "ledger"]],
    group_name="published",
    owners=[OWNER],
    kinds={"excel", "python"},
    output_required=False,
    description="The client's statements of the last finished month as a workbook: profit and "
    "loss, balance sheet, cash flow, trial balance, aging.\n\n**Grain:** one file per client and "
    "month  \n**Key:** `client`, month  \n**Where:** `<home>/statements/<client>/`",
    metadata={
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(title, "sheet", f"Rows as published. ← {source.partition('(')[0]}")
                for title, source in STATEMENT_SHEETS
            ]
        ),
        "dagster/code_references": code_link(__file__),
    },
)
def monthly_statement(
    context: dg.AssetExecutionContext, sync: SyncResource, ledger: PublishedLedger
) -> Iterator[Any]:
    clients = context.partition_keys
    first, last = month_before(utc_now().date())
    failed: dict[str, ClientError] = {}
    for client in clients:
        with alone(client, failed):
            path, rows = write_statement(ledger, sync.books, client, first, last)
        if client in failed:
            continue
        metadata: dict[str, Any] = {
            "file": dg.MetadataValue.path(str(path)), "month": f"{first:%Y-%m}",
            "rows": plotted(rows),
        }  # fmt: skip
        if len(clients) == 1:
            yield dg.MaterializeResult(asset_key=STATEMENT, metadata=metadata)
        else:
            yield dg.AssetMaterialization(STATEMENT, partition=client, metadata=metadata)
    raise_failures(failed, len(clients))
