"""The code location, as an explicit list: what Dagster loads, and nothing that runs.

Importing this needs no environment variable, no network and no home.
"""

from __future__ import annotations

import dagster as dg

from bill_pipeline.bill.lists import LISTS
from bill_pipeline.dagster import raw_specs
from bill_pipeline.dagster.column_sources import column_sources
from bill_pipeline.dagster.freshness_checks import no_client_is_stale
from bill_pipeline.dagster.jobs import JOBS
from bill_pipeline.dagster.layers import layer_step
from bill_pipeline.dagster.ledger_resource import PublishedLedger
from bill_pipeline.dagster.model_assets import firm_knowledge, train_models
from bill_pipeline.dagster.raw_columns import tables_without_sql
from bill_pipeline.dagster.schedules import SCHEDULES
from bill_pipeline.dagster.sensors import SENSORS
from bill_pipeline.dagster.statements import monthly_statement
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.dagster.table_specs import check_spec, transform_spec
from bill_pipeline.pipeline.steps import IMPORT, PUBLISH, STEPS
from bill_pipeline.warehouse.transforms import load_checks, load_transforms


def specs_of(layer: str) -> list[dg.AssetSpec]:
    """The assets of one layer."""
    if layer == IMPORT.name:
        return [*map(raw_specs.list_spec, LISTS.values()), *raw_specs.archive_specs()]
    if layer == PUBLISH.name:
        return [raw_specs.published_spec()]
    transforms = load_transforms()
    sources = column_sources(transforms, tables_without_sql())
    return [
        transform_spec(transform, sources[key])
        for key, transform in transforms.items()
        if transform.schema == layer
    ]


def checks_of(layer: str) -> list[dg.AssetCheckSpec]:
    """The checks on one layer's tables."""
    return [
        check_spec(check) for check in load_checks().values() if check.table.split(".")[0] == layer
    ]


defs = dg.Definitions(
    assets=[
        *(layer_step(step.name, specs_of(step.name), checks_of(step.name)) for step in STEPS),
        monthly_statement,
        train_models,
        firm_knowledge,
        *raw_specs.decision_specs(),
        raw_specs.sync_status_spec(),
    ],
    asset_checks=[no_client_is_stale],
    jobs=JOBS,
    sensors=SENSORS,
    schedules=SCHEDULES,
    resources={"sync": SyncResource(), "ledger": PublishedLedger()},
    # One process per run: another one per step would spend seconds on imports.
    executor=dg.in_process_executor,
)
