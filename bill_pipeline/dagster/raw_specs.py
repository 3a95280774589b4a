"""The assets that no SQL file makes: BILL's lists, the archive, people's decisions, publication.

The lists come from ``bill/lists.py``, THE TABLE of what is read; a row there is an asset here.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

import dagster as dg

from bill_pipeline.bill import lists
from bill_pipeline.bill.lists import BillList
from bill_pipeline.dagster.partitions import CLIENT_PARTITIONS
from bill_pipeline.dagster.preview import code_link
from bill_pipeline.dagster.raw_columns import meaning, tables_without_sql
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.ingest import document_versions as archive
from bill_pipeline.publishing import publish, registry
from bill_pipeline.warehouse.transforms import load_transforms

OWNER = "team:accounting"
PUBLISHED = dg.AssetKey(["published", "ledger"])
ALL_CLIENTS = dg.AssetKey(["published", "sync_status"])
#: Every client is published at least once a day, so nothing for longer means that nothing runs.
#: Dagster looks at the newest client only; ``freshness_checks`` looks at each.
_ALIVE = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=26), fail_window=timedelta(hours=36)
)
#: table → (what it is, its grain, its key)
ARCHIVE = {
    "document_versions": (
        "Every version of every document ever seen; the books are a function of this table.",
        "one row per document and version",
        "list, id, version",
    ),
    "quarantine": (
        "Documents that cannot be read, with the reason; the books go on without them.",
        "one row per unreadable version",
        "list, id, content_hash",
    ),
    "schema_notes": (
        "Fields that BILL sends and its documentation does not name, each once.",
        "one row per list and field",
        "list, field",
    ),
    "list_refusals": (
        "When BILL refused a whole list, and when it could be read again.",
        "one row per list and change",
        "list, seen_at",
    ),
}

DECISIONS = {
    "categories": "Which account a line belongs to, and who or what decided it.",
    "rules": "The firm's rules: what matches goes to that account.",
    "account_roles": "Which account plays payables, receivables, clearing … for the client.",
    "closes": "Which periods are closed, and which were opened again.",
    "policies": "How this client keeps its books: home currency, fiscal year, entry or approval.",
    "party_links": "Which vendors and customers a person said are one party.",
    "party_splits": "Which ones a person said are not, however alike their names are.",
    "party_names": "What a person wants a party to be called.",
    "party_resolutions": "Which ones are one party, by all that people said and names tell.",
    "opening_balances": "What stood in the books before BILL.",
    "write_offs": "Invoices that a person gave up on, or that were paid short on purpose.",
    "processing_fees": "What BILL kept back of customers' payments, by deposits and people.",
    "reclassifications": "What stood under an old type of its account: moved, or let stand.",
    "batches": "The times of all syncs that posted, in their order.",
}


def list_spec(row: BillList) -> dg.AssetSpec:
    """The asset of one BILL list."""
    where = f"`GET {row.path}`" if row.path else f"v2 `List/{row.entity}`"
    notes = [f"**From BILL:** {where}", "**Grain:** one row per document, its latest state"]
    notes.append("**Key:** `id`")
    if row.follows:
        notes.append(f"**Read when** `raw.{row.follows}` changed, and in every full read.")
    if row.setting != "always":
        notes.append(f"**Read only if** the setting `read_{row.setting}` is on.")
    title = row.table.replace("_", " ").capitalize()
    return _spec(
        "raw",
        row.table,
        f"{title} as BILL sent them, whole JSON documents.\n\n" + "  \n".join(notes),
        kinds={"dlt", "duckdb"},
        source=lists.__file__,
        line=_line_of(lists.__file__, f'"{row.table}"'),
        deps=[["raw", row.parent]] if row.parent else [],
    )


def archive_specs() -> list[dg.AssetSpec]:
    """The archive of every document version, what could not be read, and what was unusual."""
    return [
        _spec(
            "raw",
            name,
            f"{summary}\n\n**Grain:** {grain}  \n**Key:** `{key}`  \n"
            "**Append-only:** rows are added, never changed.",
            kinds={"python", "duckdb"},
            source=archive.__file__,
            deps=[["raw", table] for table in lists.LISTS],
        )
        for name, (summary, grain, key) in ARCHIVE.items()
    ]


def decision_specs() -> list[dg.AssetSpec]:
    """What people, rules and the model decided; written from outside, so nothing runs here."""
    return [
        _spec(
            "decisions",
            name,
            f"{summary}\n\n**Append-only:** the last row that is not withdrawn counts.",
            kinds={"person", "duckdb"},
            source=decisions.__file__,
        )
        for name, summary in DECISIONS.items()
    ]


def published_spec() -> dg.AssetSpec:
    """The client's part of the published ledger."""
    tables = [t for t in load_transforms().values() if t.is_published]
    return _spec(
        "published",
        "ledger",
        "The client's books where analysts read them: read-only, never locked, one version at a "
        "time.\n\n**Grain:** one set of Parquet files per client  \n**Key:** `client`  \n"
        '**Read it:** `bill-pipeline query "from trial_balance"`\n\n'
        + "\n".join(f"- `{t.schema}.{t.name}`: {t.summary}" for t in tables),
        kinds={"parquet", "duckdb"},
        source=publish.__file__,
        deps=[[t.schema, t.name] for t in tables],
        freshness_policy=_ALIVE,
    )


def sync_status_spec() -> dg.AssetSpec:
    """The firm's one table of all clients; whoever syncs or publishes writes it."""
    return dg.AssetSpec(
        ALL_CLIENTS,
        description="How every client's books are: fresh, failing or waiting, with what to do.\n\n"
        "**Grain:** one row per client  \n**Key:** `client`  \n"
        '**Read it:** `bill-pipeline query "from sync_status"`',
        owners=[OWNER],
        kinds={"parquet", "duckdb"},
        group_name="published",
        deps=[PUBLISHED],
        metadata={
            "dagster/table_name": "sync_status",
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(
                        name=column.name,
                        type=column.type.lower(),
                        description=f"{column.description} ← the registry of clients",
                    )
                    for column in registry.SYNC_STATUS.columns
                ]
            ),
            "dagster/code_references": code_link(registry.__file__),
        },
    )


def _spec(
    schema: str,
    name: str,
    description: str,
    *,
    kinds: set[str],
    source: str,
    line: int = 1,
    deps: list[list[str]] | None = None,
    freshness_policy: dg.FreshnessPolicy | None = None,
) -> dg.AssetSpec:
    return dg.AssetSpec(
        [schema, name],
        description=description,
        deps=[dg.AssetKey(dep) for dep in deps or []],
        owners=[OWNER],
        kinds=kinds,
        group_name=schema,
        partitions_def=CLIENT_PARTITIONS,
        skippable=True,
        freshness_policy=freshness_policy,
        metadata={
            "dagster/table_name": f"{schema}.{name}",
            "dagster/column_schema": dg.TableSchema(
                columns=[
                    dg.TableColumn(name=column, type=type_, description=meaning(column))
                    for column, type_ in _columns(schema, name).items()
                ]
            ),
            "dagster/code_references": code_link(source, line),
        },
    )


def _columns(schema: str, name: str) -> dict[str, str]:
    if schema == "published":
        return {"client": "varchar"}
    return tables_without_sql()[f"{schema}.{name}"]


@cache
def _lines(path: str) -> tuple[str, ...]:
    return tuple(Path(path).read_text(encoding="utf-8").splitlines())


def _line_of(path: str, text: str) -> int:
    """The line on which ``text`` stands first, else 1."""
    return next((n for n, line in enumerate(_lines(path), start=1) if text in line), 1)
