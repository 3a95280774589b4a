"""One client's assets: what Dagster built of its books, when, and what the checks found.

For people who see some clients only; who sees them all has Dagster's own page as well.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.dagster_proxy.client_assets import (
    ClientAsset,
    DagsterSilent,
    client_assets,
)
from bill_pipeline.console.request_context import RequestContext


def assets(context: RequestContext) -> Response:
    """All assets with a partition for the client, by group."""
    found = _assets(context)
    groups: dict[str, list[ClientAsset]] = {}
    for asset in found.values():
        groups.setdefault(asset.group, []).append(asset)
    return context.render("assets.html", client=context.client, groups=groups)


def asset(context: RequestContext) -> Response:
    """One asset: what it is, where it comes from, its newest build and its checks."""
    found = _assets(context)
    shown = found.get(context.path("asset"))
    if shown is None:
        raise HTTPException(404)
    return context.render("asset.html", client=context.client, asset=shown, known=found)


def _assets(context: RequestContext) -> dict[str, ClientAsset]:
    dagster = context.console.dagster
    if dagster is None:
        raise HTTPException(404, "Dagster is served here by bill-pipeline ui.")
    try:
        return client_assets(dagster.socket, context.client)
    except DagsterSilent as silent:
        raise HTTPException(503, str(silent)) from None
