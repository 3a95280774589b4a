"""Many clients in one run: each client's books one after the other, one publication per batch.

A failing client is reported and the next one goes on. Which clients are due is ``freshness``'s
decision; when a sweep starts is the sensor's.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

import logging
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from bill_pipeline.dagster.asset_events import (
    AssetEvent,
    check_evaluations,
    import_events,
    layer_events,
    publication_events,
    table_value,
)
from bill_pipeline.dagster.freshness import due_polls, was_left_unpublished
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.dagster.workers import Outcome, Task, outcomes
from bill_pipeline.pipeline.steps import PUBLISH, STEP_NAMES, step_of
from bill_pipeline.publishing import CLIENTS_PER_PUBLICATION
from bill_pipeline.registry.clients import ClientStatus, State, utc_now
from bill_pipeline.registry.failures import ClientError, alone
from bill_pipeline.settings import Settings

if TYPE_CHECKING:
    from bill_pipeline.pipeline.sync_report import SyncReport
    from bill_pipeline.publishing.versions import Version

#: Who fails, beside the clients, when nothing can be published.
_LEDGER = "the published ledger"


def bring_clients(
    sync: SyncResource,
    clients: Sequence[str],
    layers: Sequence[str],
    failures: dict[str, ClientError],
    log: logging.Logger,
    *,
    brief: Collection[str] = (),
    lists: Mapping[str, tuple[str, ...] | None] | None = None,
) -> Iterator[AssetEvent]:
    """``layers`` of every client; what failed is added to ``failures``.

    Of those in ``brief`` only tables that would come out differently are built, and only what
    changed of what analysts see is reported: nothing when nothing did. ``lists`` names, by client,
    the lists to read where not all are.
    """
    books = tuple(layer for layer in layers if layer != PUBLISH.name)
    task = Task(
        sync.books,
        sync.options(),
        books,
        brief=frozenset(brief),
        lists=lists or {},
        publishes=PUBLISH.name in layers,
    )
    done = outcomes(task, clients) if books else map(Outcome, clients)
    unpublished: list[Outcome] = []
    for position, outcome in enumerate(done, start=1):
        client = outcome.client
        if outcome.client_error:
            failures[client] = outcome.client_error
            log.error(f"{client} failed, its last good books stay: {outcome.client_error}")
            yield from check_evaluations(outcome.client_error.checks, client)
        elif outcome.report is None or outcome.report.layers or client not in brief:
            if outcome.report:
                yield from _evidence_of(outcome.report, brief=client in brief)
            unpublished.append(outcome)
            log.info(f"{client} is up to date ({position:,} of {len(clients):,}).")
        # The last ones, too, before their writers end.
        if len(unpublished) >= CLIENTS_PER_PUBLICATION or position == len(clients):
            yield from _publish(sync, layers, unpublished, failures)
            unpublished = []


def _evidence_of(report: "SyncReport", *, brief: bool) -> Iterator[AssetEvent]:
    if report.imported:
        yield from import_events(report.imported, report.client, brief=brief)
    for name, layer in report.layers.items():
        decided = report.categorized if step_of(name).decides_after else None
        yield from layer_events(layer, report.client, decided=decided, brief=brief)


def raise_failures(failures: Mapping[str, ClientError], client_count: int) -> None:
    """Raise dg.Failure with one row per failed client, if any failed."""
    if failures:
        failed = len(failures.keys() - {_LEDGER})
        done = f"{failed:,} of {client_count:,} clients failed; the others are done. "
        raise dg.Failure(
            description=f"{done if failed else ''}{next(iter(failures.values()))}",
            metadata={"failed clients": failures_table(failures)},
            allow_retries=False,
        )


def failures_table(failures: Mapping[str, ClientError]) -> dg.TableMetadataValue:
    """One row per failed client: what happened, and what to do."""
    return table_value(
        [
            {"client": client, "error": client_error.message, "what to do": client_error.remedy}
            for client, client_error in failures.items()
        ]
    )


def _publish(
    sync: SyncResource,
    layers: Sequence[str],
    done: Sequence[Outcome],
    failures: dict[str, ClientError],
) -> Iterator[AssetEvent]:
    if done and PUBLISH.name in layers:
        clients = [outcome.client for outcome in done]
        written = [outcome.written for outcome in done if outcome.written]
        yield from publication_of(sync, clients, failures, written)


def publication_of(
    sync: SyncResource,
    clients: Sequence[str],
    failures: dict[str, ClientError],
    written: "Sequence[Version]" = (),
) -> Iterator[AssetEvent]:
    """Publish ``clients`` and who was left behind, and report each; ``failures`` gets the rest.

    Those are ours: no client fails of it, so but for a red run nobody would learn that analysts
    are not shown what was built. The next publication takes it in.
    """
    from bill_pipeline.publishing.publish import PublishReport, publish

    publication, client_errors = PublishReport(), dict[str, ClientError]()
    with alone(_LEDGER, client_errors):
        publication = publish(sync.registry, clients, written=written)
    for client, why in publication.not_published.items():
        client_errors[client] = ClientError(
            f"{client}: built, not published. {why}", "", is_internal=True
        )
    failures.update({name: replace(each, is_internal=True) for name, each in client_errors.items()})
    # Who was left behind was built by somebody else: ``built_elsewhere`` tells what is in it.
    built = {client: publication.builds.get(client) for client in clients}
    built |= {version.client: version.build for version in written}
    for client in sorted(publication.published):
        yield from publication_events(publication, client, built.get(client))


class ManyClients(dg.Config):
    """Which clients a run over many takes."""

    clients: list[str] = Field(
        default=[],
        description="Names of the clients. Leave empty to take every client that is due now.",
    )


def sweep_config(clients: Sequence[str]) -> dg.RunConfig:
    """The run config of a run over many clients."""
    return dg.RunConfig(
        ops={"bring_many": {"config": {"clients": list(clients)}}},
        resources={"sync": {"config": {}}},
    )


@dg.op(
    out=dg.Out(dg.Nothing, is_required=False),
    description="Bring many clients up to date and publish them in batches.",
)
def bring_many(
    context: dg.OpExecutionContext, config: ManyClients, sync: SyncResource
) -> Iterator[AssetEvent]:
    """Succeeds although BILL refused clients: each one's status says so, and it is tried again by
    itself; a red run would say that the sweep did not happen. An error of ours makes it red, and
    so do books that were built and could not be published."""
    from bill_pipeline.publishing.publish import left_behind

    now = utc_now()
    clients = config.clients or [
        poll.client
        for poll in due_polls(sync.registry.all(), now, Settings.now().requests_per_hour)
    ]
    lists = {}
    if not (sync.full or sync.since or sync.rebuild):
        from bill_pipeline.dagster.idle_clients import with_news

        lists = with_news(sync.registry, clients, now, context.log)
        clients = list(lists)
    now = utc_now()
    brief = {s.client for s in sync.registry.all() if not reports_everything(s, now)}
    failures: dict[str, ClientError] = {}
    yield from bring_clients(
        sync, clients, STEP_NAMES, failures, context.log, brief=brief, lists=lists
    )
    if left_behind(sync.registry):
        yield from publication_of(sync, (), failures)
    ours = {
        client: client_error
        for client, client_error in failures.items()
        if client_error.is_internal
    }
    raise_failures(ours, len(clients))


def reports_everything(status: ClientStatus, now: datetime) -> bool:
    """Whether a sweep reports every table and check of the client, not only what has changed.

    So for a client that is new, was failing or left by a killed run, and once a month: what Dagster
    shows of a client is never older than that, and events older than ``retention`` keeps are not
    missed.
    """
    last = status.last_success_at
    if last is None or status.failure_count or status.state is not State.UP_TO_DATE:
        return True
    if was_left_unpublished(status, now):
        return True
    is_first_today = last.date() != now.date()
    return is_first_today and zlib.crc32(status.client.encode()) % 28 + 1 == now.day
