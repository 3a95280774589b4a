"""One room's work for one client, and the evidence of it; the same for one client and for many.

What the work is stands in ``books``; how a run reports it to Dagster, in ``rooms`` and ``fleet``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bill_pipeline.dagster.evidence import (
    Evidence,
    check_evidence,
    import_evidence,
    publication_evidence,
    room_evidence,
)
from bill_pipeline.dagster.syncs import SyncResource

#: The steps, in the order in which data flows.
STEPS = ("raw", "staging", "categorized", "ledger", "reports", "published")


def do_room(
    room: str,
    chosen: Sequence[str],
    sync: SyncResource,
    client: str,
    *,
    looks: bool = True,
    brief: bool = False,
) -> Iterator[Evidence]:
    """Do one room's work for ``client`` and report it; after the last room the sync is finished.

    ``looks`` adds samples and column types; ``brief`` leaves out what no analyst reads. A failure
    is recorded in the client's status and raised; the evidence of failed checks comes before.
    """
    from bill_pipeline.warehouse import ChecksFailed

    open_sync = sync.of(client)
    try:
        yield from _work(room, sync, client, looks, brief)
        if room == chosen[-1] and room != "published":
            open_sync.finish()
    except ChecksFailed as failed:
        yield from check_evidence(failed.report.checks, client)
        sync.fail(client, failed)
        raise
    except Exception as error:
        sync.fail(client, error)
        raise


def _work(
    room: str, sync: SyncResource, client: str, looks: bool, brief: bool
) -> Iterator[Evidence]:
    from bill_pipeline.publish import publish
    from bill_pipeline.warehouse import Warehouse

    open_sync = sync.of(client)
    if room == "raw":
        if not sync.rebuild:
            yield from import_evidence(open_sync.import_lists(), client, brief=brief)
    elif room == "published":
        open_sync.finish()
        sync.close()
        yield from publication_evidence(publish(sync.books, [client]), client)
    else:
        report = open_sync.build(room)
        decided = open_sync.report.categorized if room == "categorized" else None
        if not looks:
            yield from room_evidence(report, client, decided=decided, brief=brief)
            return
        with Warehouse.open(sync.books, client) as warehouse:
            yield from room_evidence(
                report, client, decided=decided, connection=warehouse.connection
            )
