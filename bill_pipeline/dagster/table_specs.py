"""Each SQL file and each BILL list as an asset that explains itself, without running anything.

Everything shown is read from the SQL file's own comments or from the table of BILL lists; nothing
is typed twice. What a run reports about its tables is in ``asset_events``.
"""

from __future__ import annotations

import dagster as dg

from bill_pipeline.dagster.partitions import CLIENT_PARTITIONS
from bill_pipeline.dagster.preview import code_link, partitioned_check
from bill_pipeline.warehouse.transforms import Check, Transform

#: A table that DuckDB builds; the type is known only once it was built.
_TYPE_AS_BUILT = "as built"


def key_of(table: str) -> dg.AssetKey:
    """The asset key of ``"schema.table"``."""
    return dg.AssetKey(table.split("."))


def transform_spec(transform: Transform, sources: dict[str, str]) -> dg.AssetSpec:
    """The asset of one SQL file; ``sources`` maps a column to what it is made of."""
    return dg.AssetSpec(
        [transform.schema, transform.name],
        deps=[key_of(table) for table in upstream_of(transform)],
        description=_description(transform),
        owners=[transform.owner],
        kinds={"duckdb", "sql"},
        group_name=transform.schema,
        code_version=transform.code_version,
        partitions_def=CLIENT_PARTITIONS,
        metadata={
            "dagster/column_schema": column_schema(transform, {}, sources),
            "dagster/table_name": transform.key,
            "dagster/code_references": code_link(transform.path),
        },
        skippable=True,
    )


def upstream_of(transform: Transform) -> tuple[str, ...]:
    """The tables the asset depends on; never itself, although the journal reads its own past."""
    return tuple(table for table in transform.upstream if table != transform.key)


def column_schema(
    transform: Transform, types: dict[str, str], sources: dict[str, str]
) -> dg.TableSchema:
    """The columns with their meaning; ``types`` as DuckDB built them, empty before the first run.

    The open-source UI does not draw column lineage, so each description ends in its sources.
    """
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=types.get(column.name, _TYPE_AS_BUILT),
                description=_with_source(column.description, sources.get(column.name)),
                constraints=dg.TableColumnConstraints(
                    nullable=column.name not in transform.key_columns,
                    unique=transform.key_columns == (column.name,),
                ),
            )
            for column in transform.columns
        ],
        constraints=dg.TableConstraints(other=[f"key: {', '.join(transform.key_columns)}"]),
    )


def check_spec(check: Check) -> dg.AssetCheckSpec:
    """A check bound to its table, recorded per client."""
    return partitioned_check(
        check.name,
        asset=key_of(check.table),
        description=f"{check.summary}\n\n```sql\n{check.sql.strip()}\n```",
        partitions=CLIENT_PARTITIONS,
        metadata={"severity": check.severity},
    )


def _description(transform: Transform) -> str:
    facts = [
        f"**Grain:** {transform.grain}",
        f"**Key:** `{', '.join(transform.key_columns)}`",
    ]
    if transform.materialize == "append":
        facts.append("**Append-only:** rows are added, never changed.")
    if transform.macro is not None:
        call = f"{transform.macro.name}({', '.join(('client', *transform.macro.parameters))})"
        facts.append(f"**As of any day:** `from {call}` in the published ledger.")
    body = "  \n".join(facts)
    return f"{transform.summary}\n\n{body}\n\n```sql\n{transform.sql.strip()}\n```"


def _with_source(description: str, source: str | None) -> str:
    return f"{description} ← {source}" if source else description
