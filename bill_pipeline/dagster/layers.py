"""One step per layer: all its tables in one transaction, every table still an asset.

A run for one client goes through the layers step by step. A run for many clients (a backfill, see
``partitions.BACKFILL``) does all its layers client by client in its first step, because a client's
layers share one lock and one point in time, and one client's failure must not stop the others.
"""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from bill_pipeline.bill.errors import BillError
from bill_pipeline.dagster.asset_events import AssetEvent
from bill_pipeline.dagster.client_work import do_layer
from bill_pipeline.dagster.fleet import bring_clients, raise_failures
from bill_pipeline.dagster.partitions import BACKFILL, CLIENT_PARTITIONS
from bill_pipeline.dagster.syncs import SyncResource, failure_of
from bill_pipeline.errors import PipelineError
from bill_pipeline.pipeline.steps import IMPORT, STEPS, step_of
from bill_pipeline.registry.failures import ClientError


def layer_step(
    layer: str, specs: Sequence[dg.AssetSpec], checks: Sequence[dg.AssetCheckSpec]
) -> dg.AssetsDefinition:
    """The step that builds ``layer``'s assets and evaluates their checks."""

    @dg.multi_asset(
        name=layer,
        description=f"Brings {step_of(layer).brings}.",
        specs=specs,
        check_specs=checks,
        partitions_def=CLIENT_PARTITIONS,
        backfill_policy=BACKFILL,
        # Any table of a layer may be chosen in the UI; the layer is built as a whole all the same.
        can_subset=True,
    )
    def step(context: dg.AssetExecutionContext, sync: SyncResource) -> Iterator[Any]:
        chosen = chosen_layers(context)
        clients = context.partition_keys
        if layer == chosen[0]:
            refuse_idle_options(sync, chosen)
        if len(clients) == 1:
            # A rebuild imports nothing, and Dagster skips what follows a step without results.
            layers = chosen if sync.rebuild and layer == chosen[0] == IMPORT.name else (layer,)
            try:
                for each in layers:
                    for event in do_layer(each, chosen, sync, clients[0]):
                        yield _as_result(event, context)
            except (PipelineError, BillError) as error:
                raise failure_of(error) from error
        elif layer == chosen[0]:
            failures: dict[str, ClientError] = {}
            yield from bring_clients(sync, clients, chosen, failures, context.log)
            raise_failures(failures, len(clients))

    return step


def refuse_idle_options(sync: SyncResource, chosen: Sequence[str]) -> None:
    """Raise dg.Failure for an option that none of the chosen layers would heed."""
    posting = next(step.name for step in STEPS if step.posts)
    for option, is_set, layer in (
        ("full", sync.full, IMPORT.name),
        ("since", sync.since, IMPORT.name),
        ("rebuild", sync.rebuild, posting),
    ):
        if is_set and layer not in chosen:
            raise dg.Failure(
                f"Nothing was done: the option `{option}` is for the assets of the group {layer}, "
                f"and none of them is chosen. Choose them as well, or leave `{option}` out.",
                allow_retries=False,
            )


def chosen_layers(context: dg.AssetExecutionContext) -> tuple[str, ...]:
    """The layers this run goes through, in order."""
    steps = {node.name for node in context.job_def.nodes}
    return tuple(step.name for step in STEPS if step.name in steps)


def _as_result(
    event: AssetEvent, context: dg.AssetExecutionContext
) -> dg.MaterializeResult[Any] | dg.AssetCheckResult | AssetEvent:
    """``event`` as the step's result when the run asked for it; else as something seen on the way.

    A layer is built as a whole, so a run that asked for one of its tables reports them all.
    """
    if isinstance(event, dg.AssetMaterialization):
        if event.asset_key in context.selected_asset_keys:
            return dg.MaterializeResult(asset_key=event.asset_key, metadata=event.metadata)
        return event
    if event.asset_check_key in context.selected_asset_check_keys:
        return dg.AssetCheckResult(
            asset_key=event.asset_key,
            check_name=event.check_name,
            passed=event.passed,
            severity=event.severity,
            description=event.description,
            metadata=event.metadata,
        )
    return event
