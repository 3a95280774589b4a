"""The address that BILL's webhooks call. No person signs in here: BILL's signature is the proof."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bill_pipeline.clients import utc_now
from bill_pipeline.webhooks import (
    LARGEST_BODY_BYTES,
    SIGNATURE_HEADER,
    WebhookRefused,
    Webhooks,
)

PATH = "/webhooks/bill"

_log = logging.getLogger(__name__)


async def receive(request: Request) -> Response:
    """200 also for a repetition, so that BILL stops repeating; 401 for what BILL did not sign."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY_BYTES:
            return PlainTextResponse("Too large.", 413)
    webhooks = Webhooks(request.app.state.console.registry)
    try:
        webhooks.receive(body, request.headers.get(SIGNATURE_HEADER, ""), utc_now())
    except WebhookRefused as refused:
        # Who is not BILL learns nothing about the firm's clients.
        _log.warning("%s", refused)
        return PlainTextResponse("Not accepted.", 401)
    return PlainTextResponse("Received.")


ROUTE = Route(PATH, receive, methods=["POST"])
