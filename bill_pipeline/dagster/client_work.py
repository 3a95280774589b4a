"""One layer's work for one client and its asset events, for a run of that client alone.

What the work is stands in ``client_sync``; runs over many clients are in ``fleet``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bill_pipeline.dagster.asset_events import (
    AssetEvent,
    check_evaluations,
    import_events,
    layer_events,
    publication_events,
)
from bill_pipeline.dagster.import_log import ImportLog
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.pipeline.steps import IMPORT, PUBLISH, step_of
from bill_pipeline.runtime.signals import interruption_in


def do_layer(
    layer: str,
    chosen: Sequence[str],
    sync: SyncResource,
    client: str,
) -> Iterator[AssetEvent]:
    """Do one layer's work for ``client`` and report it; after the last layer the sync is finished.

    A failure is recorded in the client's status and raised; the events of failed checks come
    before.
    """
    from bill_pipeline.errors import ChecksFailed

    open_sync = sync.of(client)
    try:
        yield from _work(layer, sync, client)
        if layer == chosen[-1] and layer != PUBLISH.name:
            open_sync.finish()
    except ChecksFailed as failed:
        yield from check_evaluations(failed.checks, client)
        sync.fail(client, failed)
        raise
    except BaseException as error:
        sync.fail(client, error)
        if interruption := interruption_in(error):
            raise interruption from None  # Dagster's own: the run is canceled, not failed
        raise


def _work(layer: str, sync: SyncResource, client: str) -> Iterator[AssetEvent]:
    from bill_pipeline.publishing.publish import publish
    from bill_pipeline.warehouse.built import read_build

    open_sync = sync.of(client)
    if layer == IMPORT.name:
        if not sync.rebuild:
            imported = open_sync.import_lists(watch=ImportLog(client))
            yield from import_events(imported, client)
    elif layer == PUBLISH.name:
        open_sync.finish()
        built = read_build(open_sync.warehouse.connection)
        sync.close()
        publication = publish(sync.registry, [client])
        publication.require_all()
        yield from publication_events(publication, client, built)
    else:
        # Who asks for one client's layer by hand wants to see all of it built.
        report = open_sync.build(layer, reuse=False)
        decided = open_sync.report.categorized if step_of(layer).decides_after else None
        yield from layer_events(
            report, client, decided=decided, connection=open_sync.warehouse.connection
        )
