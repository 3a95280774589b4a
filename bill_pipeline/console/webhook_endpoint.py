"""The address that BILL's webhooks call. No person signs in here: BILL's signature is the proof."""

from __future__ import annotations

import logging
import threading
import time

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

#: Anybody may send what is refused: the log says so once in so long, and how often it was.
SECONDS_BETWEEN_WORDS = 60.0
_log = logging.getLogger(__name__)


class Refusals:
    """Says the first refusal at once and counts the others until it may speak again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unsaid = 0
        self._speaks_at = 0.0

    def say(self, refused: WebhookRefused) -> None:
        now = time.monotonic()
        with self._lock:
            if now < self._speaks_at:
                self._unsaid += 1
                return
            unsaid, self._unsaid = self._unsaid, 0
            self._speaks_at = now + SECONDS_BETWEEN_WORDS
        more = f" {unsaid:,} more were refused since the last such line." if unsaid else ""
        _log.warning("%s%s", refused, more)


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
        request.app.state.console.webhook_refusals.say(refused)
        return PlainTextResponse("Not accepted.", 401)
    return PlainTextResponse("Received.")


def _receive(request: Request, body: bytes) -> None:
    webhooks = Webhooks(request.app.state.console.registry)
    webhooks.receive(body, request.headers.get(SIGNATURE_HEADER, ""), utc_now())


ROUTE = Route(PATH, receive, methods=["POST"])
