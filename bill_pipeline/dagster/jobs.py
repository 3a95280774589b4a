"""The named buttons. A job's name is its promise; what it does stands in the other modules."""

from __future__ import annotations

from typing import Any

import dagster as dg

from bill_pipeline.dagster.client_work import STEPS
from bill_pipeline.dagster.fleet import bring_many
from bill_pipeline.dagster.freshness_checks import NO_CLIENT_IS_STALE
from bill_pipeline.dagster.partitions import CLIENTS

#: Runs with this tag take many clients; dagster.yaml lets one of them run at a time.
MANY_CLIENTS = {"bill_pipeline/many_clients": "yes"}

_rooms = dg.AssetSelection.groups(*STEPS) - dg.AssetSelection.checks(NO_CLIENT_IS_STALE)

bring_books_up_to_date = dg.define_asset_job(
    "bring_books_up_to_date",
    selection=_rooms,
    partitions_def=CLIENTS,
    description="One client's books from BILL to the published ledger: import what changed, "
    "categorize, post, report, publish. Choose the client as the partition.",
)


@dg.job(
    description="Every client that is due, in one run: clients without changes cost one request, "
    "the others are brought up to date and published together. A failing client never stops the "
    "others.",
    tags=MANY_CLIENTS,
)
def sync_due_clients() -> None:
    bring_many()


@dg.job(
    description="Read everything of many clients from BILL again and compare: finds what BILL "
    "deleted or changed without telling. Corrections are posted like any other change.",
    tags=MANY_CLIENTS,
    config=dg.RunConfig(resources={"sync": {"config": {"full": True}}}),
)
def reconcile_with_bill() -> None:
    bring_many()


JOBS: list[Any] = [bring_books_up_to_date, sync_due_clients, reconcile_with_bill]
