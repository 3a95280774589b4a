"""Many clients in one run: each client's books one after the other, one publication per batch.

A failing client is reported and the next one goes on. Which clients are due is ``freshness``'s
decision; when a sweep starts is the sensor's.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence

import dagster as dg
from pydantic import Field

from bill_pipeline.bill.errors import BillError
from bill_pipeline.clients import Registry, utc_now
from bill_pipeline.dagster.client_work import STEPS, do_room
from bill_pipeline.dagster.evidence import Evidence, publication_evidence, table_value
from bill_pipeline.dagster.freshness import due_clients
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.errors import PipelineError
from bill_pipeline.settings import Settings

#: A publication costs a fraction of a second whatever its size, and readers wait for it: more
#: clients at once would be cheaper, fewer would be fresher.
CLIENTS_PER_PUBLICATION = 20


def bring_clients(
    sync: SyncResource,
    clients: Sequence[str],
    rooms: Sequence[str],
    failures: dict[str, Exception],
    log: logging.Logger,
    *,
    brief: Collection[str] = (),
) -> Iterator[Evidence]:
    """``rooms`` of every client in turn; what failed is added to ``failures``.

    Clients of which nothing changed are not rebuilt and report nothing; those in ``brief`` report
    only the tables that analysts see, and every check.
    """
    books = [room for room in rooms if room != "published"]
    unpublished: list[str] = []
    for position, client in enumerate(clients, start=1):
        try:
            for room in books:
                if room != "raw" and "raw" in rooms and not sync.of(client).must_build:
                    sync.of(client).finish()
                    break
                yield from do_room(room, books, sync, client, looks=False, brief=client in brief)
            else:
                unpublished.append(client)
                log.info(f"{client} is up to date ({position:,} of {len(clients):,}).")
        except (PipelineError, BillError) as error:
            failures[client] = error
            log.error(f"{client} failed, its last good books stay: {error}")
        except Exception as error:
            # Our own mistake, met in this client's documents: it must not stop the others.
            failures[client] = error
            log.exception(f"{client} failed unexpectedly, its last good books stay.")
        finally:
            sync.close()
        if len(unpublished) >= CLIENTS_PER_PUBLICATION:
            yield from _publish(sync, rooms, unpublished)
            unpublished = []
    yield from _publish(sync, rooms, unpublished)


def raise_failures(failures: Mapping[str, Exception], client_count: int) -> None:
    """Raise dg.Failure with one row per failed client, if any failed."""
    if failures:
        raise dg.Failure(
            description=f"{len(failures):,} of {client_count:,} clients failed; the others are up "
            f"to date. {next(iter(failures.values()))}",
            metadata={"failed clients": failures_table(failures)},
            allow_retries=False,
        )


def failures_table(failures: Mapping[str, Exception]) -> dg.TableMetadataValue:
    """One row per failed client: what happened, and what to do."""
    return table_value(
        [
            {"client": client, "error": str(error), "what to do": getattr(error, "remedy", "")}
            for client, error in failures.items()
        ]
    )


def _publish(sync: SyncResource, rooms: Sequence[str], clients: list[str]) -> Iterator[Evidence]:
    from bill_pipeline.publish import publish

    if clients and "published" in rooms:
        publication = publish(sync.books, clients)
        for client in clients:
            yield from publication_evidence(publication, client)


class ManyClients(dg.Config):
    """Which clients a run over many takes."""

    clients: list[str] = Field(
        default=[],
        description="Names of the clients. Leave empty to take every client that is due now.",
    )


@dg.op(
    out=dg.Out(dg.Nothing, is_required=False),
    description="Bring many clients up to date and publish them in batches.",
)
def bring_many(
    context: dg.OpExecutionContext, config: ManyClients, sync: SyncResource
) -> Iterator[Evidence]:
    """Succeeds although BILL refused clients: each one's status says so, and it is tried again by
    itself; a red run would say that the sweep did not happen. An error of ours makes it red."""
    clients = config.clients or [
        status.client
        for status in due_clients(
            Registry(sync.books).all(), utc_now(), Settings().requests_per_hour
        )
    ]
    if not (sync.full or sync.since or sync.rebuild):
        from bill_pipeline.dagster.idle_clients import with_news

        clients = with_news(sync.books, clients, utc_now(), context.log)
    # Every table of a new client is reported; later sweeps report what analysts look at.
    known = {s.client for s in Registry(sync.books).all() if s.last_success_at is not None}
    failures: dict[str, Exception] = {}
    yield from bring_clients(sync, clients, STEPS, failures, context.log, brief=known)
    raise_failures(
        {
            client: error
            for client, error in failures.items()
            if not isinstance(error, PipelineError | BillError)
        },
        len(clients),
    )
