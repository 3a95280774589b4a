"""Small invented books: two tables that agree within a batch, and differ between batches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import duckdb
from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.publishing.tables import (
    PublishedColumn,
    PublishedMacro,
    PublishedSchema,
    PublishedTable,
)
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.built import mark_built

LINES = PublishedTable(
    name="journal_lines",
    source="ledger.journal_lines",
    summary="Every line of the invented journal.",
    grain="one row per line",
    key_columns=("client", "line_id"),
    columns=(
        PublishedColumn("line_id", "INTEGER", "The line's number."),
        PublishedColumn("batch", "INTEGER", "Which writing of the books this is."),
        PublishedColumn("date", "DATE", "When it counts."),
        PublishedColumn("amount", "DECIMAL(18,2)", "Debit +, credit -."),
    ),
)
TOTALS = PublishedTable(
    name="totals",
    source="reports.totals",
    summary="The sum of each client's journal.",
    grain="one row per batch",
    key_columns=("client", "batch"),
    columns=(
        PublishedColumn("batch", "INTEGER", "Which writing of the books this is."),
        PublishedColumn("line_count", "BIGINT", "How many lines the journal has."),
        PublishedColumn("amount", "DECIMAL(38,2)", "Their sum."),
    ),
)
LINES_AT = PublishedMacro(
    name="lines_at",
    parameters=("as_of",),
    summary="The journal up to a date.",
    sql="create or replace macro lines_at(of_client, as_of := null) as table "
    "(select * from journal_lines where client = of_client and (as_of is null or date <= as_of))",
)
SCHEMA = PublishedSchema((LINES, TOTALS), (LINES_AT,))


def write_books(home: Home, client: str, batch: int, *, lines: int = 20) -> None:
    """The client's file as its ``batch``-th sync leaves it."""
    with duckdb.connect(str(home.client_file(client))) as db:
        db.execute("begin transaction")
        fill_books(db, batch, lines)
        mark_built(db)
        db.execute("commit")


def fill_books(db: duckdb.DuckDBPyConnection, batch: int, lines: int) -> None:
    db.execute("create schema if not exists ledger; create schema if not exists reports")
    db.execute(
        f"create or replace table ledger.journal_lines as select line_id::integer as line_id, "
        f"{batch}::integer as batch, date '2026-01-01' + line_id::integer as date, "
        f"(line_id * 1.01 + {batch})::decimal(18, 2) as amount from range({lines}) as t(line_id)"
    )
    db.execute(
        "create or replace table reports.totals as select batch, count(*) as line_count, "
        "sum(amount) as amount from ledger.journal_lines group by batch"
    )


def connect_clients(home: Home, clients: Iterable[str]) -> None:
    """Register ``clients``; nothing listens at their address."""
    registry = Registry(home)
    for number, client in enumerate(clients):
        connection = Connection(
            organization_id=f"00801INVENTED{number:08d}",
            token_name="books",
            token_password=SecretStr("not-a-real-token"),
            dev_key=SecretStr("not-a-real-key"),
            base_url="http://127.0.0.1:1/connect",
            v2_url="http://127.0.0.1:1/api/v2",
        )
        registry.connect(client, connection, environment="sandbox")


def older(schema: PublishedSchema) -> PublishedSchema:
    """The schema as code of another version has it: a column more, one less, one of other type."""
    columns = (
        PublishedColumn("line_id", "BIGINT", "The line's number."),
        PublishedColumn("batch", "INTEGER", "Which writing of the books this is."),
        PublishedColumn("date", "DATE", "When it counts."),
        PublishedColumn("currency", "VARCHAR", "ISO code."),
    )
    return PublishedSchema((replace(LINES, columns=columns), *schema.tables[1:]), schema.macros)
