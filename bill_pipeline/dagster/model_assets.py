"""The models group: training set → challenger → evaluation → promotion, for each client.

A model is promoted only when it is better on the client's recent past; what it says about a line
becomes a decision only at the client's next sync. Statistics live in ``models/``; champions are
kept in ``model_registry``.
"""
# Dagster reads these annotations as types: no `from __future__ import annotations` here.

from collections.abc import Iterator
from typing import Any

import dagster as dg

from bill_pipeline.dagster import trials
from bill_pipeline.dagster.asset_events import plotted
from bill_pipeline.dagster.fleet import raise_failures
from bill_pipeline.dagster.partitions import BACKFILL, CLIENT_PARTITIONS, FIRM_KNOWLEDGE
from bill_pipeline.dagster.preview import code_link
from bill_pipeline.dagster.raw_specs import OWNER
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.registry.failures import ClientError, alone

#: name → (what it is, what it is made of, its figures by name and meaning)
_STEPS: dict[str, tuple[str, str, dict[str, str]]] = {
    "training_set": (
        "The client's lines whose account a person knows to be right.",
        "categorized/training_lines",
        {"lines": "Lines coded in BILL, corrected or ruled. ← categorized.training_lines"},
    ),
    "challenger": (
        "A model fitted to all of them, not yet in use.",
        "models/training_set",
        {"code_version": "Hash of the models' code. ← models.training_set"},
    ),
    "evaluation": (
        "The challenger's method against the champion's on the client's recent past.",
        "models/challenger",
        {"share_right": "Share of lines whose suggestion was right. ← models.challenger"},
    ),
    "promotion": (
        "Which model decides from the next sync on, and why.",
        "models/evaluation",
        {"champion": "Version of the model in use. ← models.evaluation"},
    ),
}


def _spec(name: str) -> dg.AssetSpec:
    summary, upstream, figures = _STEPS[name]
    return dg.AssetSpec(
        ["models", name],
        deps=[
            dg.AssetKey(upstream.split("/")),
            *([FIRM_KNOWLEDGE] if name == "challenger" else []),
        ],
        description=f"{summary}\n\n**Grain:** one per client  \n**Key:** `client`",
        owners=[OWNER],
        kinds={"scikitlearn", "python"},
        group_name="models",
        partitions_def=CLIENT_PARTITIONS,
        skippable=True,
        metadata={
            "dagster/column_schema": dg.TableSchema(
                columns=[dg.TableColumn(n, "number", text) for n, text in figures.items()]
            ),
            "dagster/code_references": code_link(trials.__file__),
        },
    )


@dg.multi_asset(
    name="models",
    specs=[_spec(name) for name in _STEPS],
    partitions_def=CLIENT_PARTITIONS,
    backfill_policy=BACKFILL,
    can_subset=True,
)
def train_models(context: dg.AssetExecutionContext, sync: SyncResource) -> Iterator[Any]:
    """Train, judge and perhaps promote each client's model; one client's failure stops no other."""
    clients = context.partition_keys
    failed: dict[str, ClientError] = {}
    for client in clients:
        events: list[dg.AssetMaterialization] = []
        with alone(client, failed):
            events = list(train_step(sync, client))
        for event in events:
            if len(clients) == 1 and event.asset_key in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=event.asset_key, metadata=event.metadata)
            else:
                yield event
    raise_failures(failed, len(clients))


@dg.asset(
    key=FIRM_KNOWLEDGE,
    deps=[dg.AssetKey(["categorized", "training_lines"])],
    description="What holds across clients: which account a vendor and a text usually mean, how "
    "far that can be trusted, and which names are one party. From clients who share, as hashes and "
    "coefficients; a private client's lines are in none of it.\n\n**Grain:** one for the firm",
    owners=[OWNER],
    kinds={"scikitlearn", "python"},
    group_name="models",
    metadata={
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn("line_count", "number", "Lines pooled. ← categorized.training_lines")
            ]
        ),
        "dagster/code_references": code_link(__file__),
    },
)
def firm_knowledge(context: dg.AssetExecutionContext, sync: SyncResource) -> dg.MaterializeResult:
    """Pool the lines of the clients who share; a busy one is left out until the next time."""
    from bill_pipeline.actions import sharing

    pooled = sharing.pool(sync.books)
    for client_error in pooled.left_out.values():
        context.log.warning(f"Left out until the next time. {client_error}")
    return dg.MaterializeResult(
        metadata={
            "sharing_clients": plotted(len(pooled.contributors)),
            "line_count": plotted(pooled.line_count),
            "party_count": plotted(pooled.party_count),
            "has_skill": dg.MetadataValue.bool(pooled.has_skill),
            "version": pooled.version,
        }
    )


def train_step(sync: SyncResource, client: str) -> Iterator[dg.AssetMaterialization]:
    """One client's training, in four materializations. Raises UnknownClient, ClientBusy."""
    from bill_pipeline.pipeline import training

    sync.registry.status(client)
    done = training.train_client(sync.registry, client)
    trained = done.trained
    yield _event("training_set", client, trials.facts_of_lines(done))
    yield _event("challenger", client, {
        "lines": plotted(len(done.lines)), "code_version": trained.code_version,
        "seconds": plotted(done.seconds),
    })  # fmt: skip
    yield _event("evaluation", client, trials.figures(done) | trials.pictures(done))
    yield _event("promotion", client, {
        "is_promoted": dg.MetadataValue.bool(trained.is_promoted), "because": trained.reason,
        "champion": done.version,
    })  # fmt: skip


def _event(name: str, client: str, metadata: dict[str, Any]) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(["models", name], partition=client, metadata=metadata)
