"""What the command line and the console built, told to Dagster as events without a run.

Nobody who builds books writes anything for it, and none of it can be lost: each build of a client's
books has a number (``warehouse.built``), and the publication of a run reports its number. Books
published under a number that Dagster has no event of were built elsewhere. What is in them is read
from the client's file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from bill_pipeline.bill.lists import LISTS
from bill_pipeline.dagster.asset_events import BUILD, plotted, publication_event
from bill_pipeline.dagster.first_imports import clients_in_hand
from bill_pipeline.dagster.raw_specs import ARCHIVE, DECISIONS, PUBLISHED
from bill_pipeline.dagster.table_specs import key_of
from bill_pipeline.registry.clients import Registry
from bill_pipeline.registry.failures import alone
from bill_pipeline.warehouse.transforms import in_build_order, load_checks, load_transforms

if TYPE_CHECKING:
    import duckdb

#: Clients told of at once: each has some three hundred events, a second's work for Dagster.
CLIENTS_AT_ONCE = 10


def built_elsewhere(
    instance: dg.DagsterInstance, registry: Registry, known: Mapping[str, str]
) -> tuple[dict[str, str], list[dg.AssetMaterialization]]:
    """Client → build that Dagster knows, and the events of those it did not.

    ``known``: what was returned the last time. The books of a client on which somebody works, or
    which do not hold the build that is published, are told of the next time.
    """
    from bill_pipeline.publishing.stores import store_of

    shown = {client: build for client, build in store_of(registry.home).builds().items() if build}
    now_known = {client: build for client, build in known.items() if client in shown}
    events: list[dg.AssetMaterialization] = []
    told = 0
    news = sorted(client for client, build in shown.items() if known.get(client) != build)
    in_hand = clients_in_hand(instance) if news else set()
    for client in news:
        if client in in_hand:
            continue
        if _is_reported(instance, client, shown[client]):
            now_known[client] = shown[client]
        elif told < CLIENTS_AT_ONCE:
            with alone(client, {}):
                found = _events_of(registry, client, shown[client])
                if found:
                    events += found
                    now_known[client] = shown[client]
                    told += 1
    return now_known, events


def _is_reported(instance: dg.DagsterInstance, client: str, build: str) -> bool:
    """Whether the newest event of the client's publication is that of this build."""
    of_client = dg.AssetRecordsFilter(asset_key=PUBLISHED, asset_partitions=[client])
    records = instance.fetch_materializations(of_client, limit=1).records
    newest = records[0].asset_materialization if records else None
    told = newest.metadata.get(BUILD) if newest else None
    return told is not None and told.value == build


def _events_of(registry: Registry, client: str, build: str) -> list[dg.AssetMaterialization]:
    """Every table of the client's file; nothing when it holds another build by now."""
    from bill_pipeline.warehouse.built import left_alone, open_for_reading, read_build

    home = registry.home
    with (
        left_alone(home, client, "shown in Dagster"),
        open_for_reading(home.client_file(client)) as connection,
    ):
        if read_build(connection) != build:
            return []
        # Not the checks: of a partition Dagster keeps one evaluation without a run, no second one.
        return [*_tables(connection, client), publication_event(client, build)]


def _tables(
    connection: duckdb.DuckDBPyConnection, client: str
) -> Iterator[dg.AssetMaterialization]:
    transforms = load_transforms()
    made = [
        *(f"raw.{table}" for table in (*LISTS, *ARCHIVE)),
        *(f"decisions.{table}" for table in DECISIONS),
        *(transform.key for transform in in_build_order(transforms.values())),
    ]
    there = {
        f"{schema}.{name}"
        for schema, name in connection.execute(
            "select table_schema, table_name from information_schema.tables"
        ).fetchall()
    }
    found = [table for table in made if table in there]
    counting = " union all ".join(f"select '{table}', count(*) from {table}" for table in found)
    rows = dict(connection.execute(counting).fetchall()) if found else {}
    found_by_checks = _found_by_checks(connection)
    # These are made in each build and gone when it ends.
    temporary = {key for key, each in transforms.items() if each.materialize == "temporary"}
    for table in made:
        if table in rows or table in temporary:
            metadata: dict[str, Any] = {}
            if table in rows:
                metadata["dagster/partition_row_count"] = plotted(rows[table])
            if table in found_by_checks:
                metadata["found by checks"] = "; ".join(found_by_checks[table])
            yield dg.AssetMaterialization(key_of(table), partition=client, metadata=metadata)


def _found_by_checks(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Table → what its checks found last, as the file remembers it; passed ones are left out."""
    found = dict(connection.execute("select name, row_count from upkeep.checks").fetchall())
    words: dict[str, list[str]] = {}
    for check in load_checks().values():
        if count := found.get(check.name):
            words.setdefault(check.table, []).append(f"{check.name}: {count:,}")
    return words
