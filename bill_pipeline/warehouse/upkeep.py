"""When each layer of a client's file was built, and whether it would come out differently now.

A sync that found nothing new must write nothing: neither tables nor journal entries. The layers are
built anew only for new documents, new decisions, changed SQL, or a new day (aging moves by itself).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bill_pipeline.warehouse.builds import BUILDS, layer_version
from bill_pipeline.warehouse.unchanged import MEMORY_DDL, latest_knowledge
from bill_pipeline.warehouse.warehouse import Warehouse

#: Books with more document versions than this gain by using every core.
VERSIONS_WORTH_THREADS = 50_000
#: Books with more document versions than this gain by compression: of smaller ones DuckDB spends
#: more on choosing how to compress each column than the few megabytes are worth.
VERSIONS_WORTH_COMPRESSION = 5_000
#: Stands beside the layers for all of them, built as a whole.
_EVERYTHING = "everything"


def next_batch_time(warehouse: Warehouse, now: datetime) -> datetime:
    """``now``, or a microsecond after the latest thing the file knows, whichever is later (UTC)."""
    latest = latest_knowledge(warehouse.connection)
    if latest is None:
        return now
    return max(now, latest.replace(tzinfo=UTC) + timedelta(microseconds=1))


def record_build(warehouse: Warehouse, layer: str, as_of: datetime) -> None:
    """Remember that ``layer`` shows what was known at ``as_of``; in the transaction that builds it.

    Otherwise a sync that is killed in between leaves a layer that looks older than it is.
    """
    record_version(warehouse, layer, as_of, layer_version(layer))


def record_version(warehouse: Warehouse, what: str, as_of: datetime, version: str) -> None:
    """Remember from what ``what`` was made at ``as_of``."""
    warehouse.connection.execute(BUILDS)
    warehouse.connection.execute(
        "insert or replace into upkeep.builds values (?, ?, ?)",
        [what, as_of.replace(tzinfo=None), version],
    )


def built_version(warehouse: Warehouse, what: str) -> str | None:
    """From what ``what`` was made last; None: never."""
    warehouse.connection.execute(BUILDS)
    row = warehouse.connection.execute(
        "select code_version from upkeep.builds where room = ?", [what]
    ).fetchone()
    return row[0] if row else None


def is_whole_build_due(warehouse: Warehouse, as_of: datetime) -> bool:
    """Whether it is another day than that of the last whole build, and more is known since."""
    warehouse.connection.execute(BUILDS)
    row = warehouse.connection.execute(
        "select as_of from upkeep.builds where room = ?", [_EVERYTHING]
    ).fetchone()
    if row is None:
        return True
    learnt_at = latest_knowledge(warehouse.connection)
    return row[0].date() < as_of.date() and learnt_at is not None and learnt_at > row[0]


def record_whole_build(warehouse: Warehouse, as_of: datetime) -> None:
    """Remember that every table was built as a whole, and every check run, at ``as_of``."""
    record_version(warehouse, _EVERYTHING, as_of, "")


def forget_builds(warehouse: Warehouse) -> None:
    """Have every table built anew; in the transaction that changes what they are built from."""
    warehouse.connection.execute("drop schema if exists upkeep cascade")
    warehouse.connection.execute(BUILDS + MEMORY_DDL)


def would_come_out_the_same(warehouse: Warehouse, layers: tuple[str, ...], as_of: datetime) -> bool:
    """Whether building ``layers`` at ``as_of`` would give the tables that are there already."""
    warehouse.connection.execute(BUILDS)
    built = {
        layer: (at, version)
        for layer, at, version in warehouse.connection.execute("from upkeep.builds").fetchall()
    }
    latest = latest_knowledge(warehouse.connection)
    for layer in layers:
        if layer not in built:
            return False
        at, version = built[layer]
        if version != layer_version(layer) or at.date() != as_of.date():
            return False
        if latest is not None and latest > at:
            return False
    return len({built[layer][0] for layer in layers}) == 1  # else a sync was killed between two


def suit_to_size(warehouse: Warehouse) -> None:
    """Small books are built on one thread and stored as they are: more costs more than it saves.

    Measured on a client of 4,400 documents: 3.2 s of CPU on one thread, 4.2 s on two. On one of a
    few hundred, closing the file after a sync: 0.13 s of CPU uncompressed, 0.28 s compressed.
    """
    row = warehouse.connection.execute("select count(*) from raw.document_versions").fetchone()
    versions = row[0] if row else 0
    is_small = versions < VERSIONS_WORTH_THREADS
    warehouse.connection.execute("set threads = 1" if is_small else "reset threads")
    compression = "uncompressed" if versions < VERSIONS_WORTH_COMPRESSION else "auto"
    warehouse.connection.execute(f"set force_compression = '{compression}'")
