"""Rebuild the journal from the archive: take it back and post it again, batch after batch.

What is posted is SQL (``transforms/ledger``). Here is what SQL alone cannot do: choose a way of
posting again, compare what came of it, and refuse it when entries that were posted would change.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import duckdb

from bill_pipeline.errors import WarehouseError
from bill_pipeline.pipeline.batches import JOURNAL
from bill_pipeline.pipeline.replay import rebuild_journal
from bill_pipeline.pipeline.steps import POSTING_LAYERS, build_tables
from bill_pipeline.warehouse.transforms import with_ancestors
from bill_pipeline.warehouse.warehouse import Warehouse

_log = logging.getLogger(__name__)

#: Posts the given batches again, in order, on top of earlier ones; returns in how many steps.
Way = Callable[[Warehouse, Sequence[datetime]], int]


class ReplayDiffers(WarehouseError):
    """A rebuild would not give the entries that were posted; nothing was changed."""

    def __init__(self, client: str, documents: Sequence[str]) -> None:
        named = ", ".join(documents[:3]) + (", …" if len(documents) > 3 else "")
        super().__init__(
            f"{client}: a rebuild gives other entries than were posted, for {len(documents):,} "
            f"documents ({named}). The journal stays as it is, and syncs go on. The archived "
            "documents or the decisions were altered after they were posted: put the client's "
            "file back from a backup and sync again, or leave the books as they are."
        )


@dataclass(frozen=True)
class ReplayReport:
    """What a rebuild did."""

    batches: int
    steps: int  # in how many they were posted again
    entries: int
    seconds: float


def in_waves(warehouse: Warehouse, batches: Sequence[datetime]) -> int:
    """Post ``batches`` again, unconnected documents side by side; return the number of steps.

    Fast, and right only if ``transforms/replay`` names every document that a posting rule reads.
    """
    steps = rebuild_journal(warehouse, batches)
    for layer in POSTING_LAYERS:  # of all documents; it must find nothing to post
        build_tables(warehouse, layer, batches[-1], checked=False, only=_replayed(), is_replay=True)
    return steps


def batch_by_batch(warehouse: Warehouse, batches: Sequence[datetime]) -> int:
    """Post ``batches`` again as the syncs did, one whole build after the other."""
    for as_of in batches:
        for layer in POSTING_LAYERS:
            build_tables(warehouse, layer, as_of, checked=False, only=_replayed(), is_replay=True)
    return len(batches)


#: The ways to post batches again, the fastest first; the last one is the truth.
WAYS: tuple[Way, ...] = (in_waves, batch_by_batch)


def rebuild(warehouse: Warehouse, *, ways: Sequence[Way] = WAYS) -> ReplayReport:
    """Take back what was posted since the posting rules last changed, and post it again.

    In one transaction, from the archive and the decisions. What was posted under earlier rules, or
    before a wrong clock was put right, is kept as posted. The entries come out the same, ids,
    moments and causes included. If not so by the first of ``ways``, the next one is tried; by none,
    ReplayDiffers is raised and the journal stays as it was.
    """
    started = time.perf_counter()
    connection = warehouse.connection
    batches = _batches_to_replay(connection)
    if not batches:
        return ReplayReport(0, 0, 0, time.perf_counter() - started)
    with warehouse.transaction():
        for table in JOURNAL:
            connection.execute(
                f"create or replace temp table old_{table[7:]} as "
                f"from {table} where posted_at >= ?",
                batches[:1],
            )
        for way in ways:
            for table in JOURNAL:
                connection.execute(f"delete from {table} where posted_at >= ?", batches[:1])
            steps = way(warehouse, batches)
            if not (differing := _differences(connection, batches[0])):
                break
            _log.warning("%s: %s gives other entries.", warehouse.client, way.__name__)
        else:
            raise ReplayDiffers(warehouse.client, differing)
        row = connection.execute("select count(*) from old_journal_entries").fetchone()
        for table in JOURNAL:
            connection.execute(f"drop table old_{table[7:]}")
    return ReplayReport(len(batches), steps, row[0] if row else 0, time.perf_counter() - started)


def _batches_to_replay(connection: duckdb.DuckDBPyConnection) -> list[datetime]:
    """The moments of posting since the rules last changed or a wrong clock was put right."""
    rows = connection.execute(
        """
        select as_of from decisions.batches
        where as_of >= coalesce(
            (
                select max(as_of) from decisions.batches
                where is_change_of_rules or is_clock_put_right
            ),
            timestamp '0001-01-01'
        )
        order by as_of
        """
    ).fetchall()
    return [row[0] for row in rows]


@cache
def _replayed() -> frozenset[str]:
    """The tables that a batch needs to be posted again."""
    return frozenset(with_ancestors((*JOURNAL, "staging.standard_accounts")))


def _differences(connection: duckdb.DuckDBPyConnection, first: datetime) -> list[str]:
    """The documents of which other entries or lines came out, each named once."""
    differing: set[str] = set()
    for table in JOURNAL:
        posted, before = f"{table} where posted_at >= '{first}'", f"old_{table[7:]}"
        rows = connection.execute(
            f"select distinct document_type || ' ' || document_id from ("
            f"(from (from {posted}) except all from {before}) union all "
            f"(from {before} except all from (from {posted})))"
        ).fetchall()
        differing |= {row[0] for row in rows}
    return sorted(differing)
