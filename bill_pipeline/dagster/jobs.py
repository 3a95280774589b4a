"""The named buttons. A job's name is its promise; what it does stands in the other modules."""

from __future__ import annotations

from typing import Any

import dagster as dg

from bill_pipeline.dagster.fleet import bring_many
from bill_pipeline.dagster.partitions import FIRM_KNOWLEDGE
from bill_pipeline.dagster.raw_specs import ALL_CLIENTS
from bill_pipeline.dagster.reconciling import reconcile_many
from bill_pipeline.dagster.statements import STATEMENT
from bill_pipeline.pipeline.steps import STEP_NAMES

#: Runs with this tag take many clients; dagster.yaml lets one of them run at a time.
MANY_CLIENTS = {"bill_pipeline/many_clients": "yes"}

_layers = (
    dg.AssetSelection.groups(*STEP_NAMES)
    - dg.AssetSelection.assets(STATEMENT)
    - dg.AssetSelection.assets(ALL_CLIENTS)
)

bring_books_up_to_date = dg.define_asset_job(
    "bring_books_up_to_date",
    selection=_layers,
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
    description="Compare many clients' open documents with BILL, and read in full those that "
    "differ: finds what BILL deleted or changed without telling. Corrections are posted like any "
    "other change.",
    tags=MANY_CLIENTS,
    config=dg.RunConfig(resources={"sync": {"config": {"full": True}}}),
)
def reconcile_with_bill() -> None:
    reconcile_many()


write_monthly_statements = dg.define_asset_job(
    "write_monthly_statements",
    selection=[STATEMENT],
    description="Write each client's statements of the last finished month as a workbook: profit "
    "and loss, balance sheet, aging and journal.",
)

train_and_promote = dg.define_asset_job(
    "train_and_promote",
    selection=dg.AssetSelection.groups("models") - dg.AssetSelection.assets(FIRM_KNOWLEDGE),
    description="Train each client's model anew, judge it on the client's recent past, and promote "
    "it only when it is better than the one in use.",
)

pool_firm_knowledge = dg.define_asset_job(
    "pool_firm_knowledge",
    selection=[FIRM_KNOWLEDGE],
    description="Make anew what the firm knows across the clients who share; a private client's "
    "lines are in none of it.",
)


JOBS: list[Any] = [
    bring_books_up_to_date,
    sync_due_clients,
    reconcile_with_bill,
    pool_firm_knowledge,
    train_and_promote,
    write_monthly_statements,
]
