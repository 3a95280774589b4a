"""The address that BILL's webhooks call. No person signs in here: BILL's signature is the proof."""

from __future__ import annotations

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bill_pipeline.console.parts.forms import read_body
from bill_pipeline.registry.clients import utc_now
from bill_pipeline.registry.webhooks import (
    LARGEST_BODY_BYTES,
    SIGNATURE_HEADER,
    WebhookRefused,
    Webhooks,
)

PATH = "/webhooks/bill"

_log = logging.getLogger(__name__)


async def receive(request: Request) -> Response:
    """200 also for a repetition, so that BILL stops repeating; 401 for what BILL did not sign."""
    turns = request.app.state.console.turns
    try:
        body = await read_body(request, LARGEST_BODY_BYTES, turns.strangers_large_bodies)
    except HTTPException as refused:
        return PlainTextResponse(refused.detail, refused.status_code)
    try:
        await turns.run(_receive, request, body)
    except WebhookRefused as refused:
        # Who is not BILL learns nothing about the firm's clients.
        _log.warning("%s", refused)
        return PlainTextResponse("Not accepted.", 401)
    return PlainTextResponse("Received.")


def _receive(request: Request, body: bytes) -> None:
    webhooks = Webhooks(request.app.state.console.registry)
    webhooks.receive(body, request.headers.get(SIGNATURE_HEADER, ""), utc_now())


ROUTE = Route(PATH, receive, methods=["POST"])
