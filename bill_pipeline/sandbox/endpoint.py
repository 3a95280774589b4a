"""One request from arrival to the last byte: dev key, limits, session, faults, error bodies.

The handlers behind it are plain functions from a ``Call`` to a body.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bill_pipeline.sandbox import errors, fault_delivery, fault_rows
from bill_pipeline.sandbox.call import Call, Handler
from bill_pipeline.sandbox.clock import timestamp
from bill_pipeline.sandbox.errors import ApiError
from bill_pipeline.sandbox.state import SandboxState

logger = logging.getLogger(__name__)


class Endpoint:
    """An ASGI app for one v3 or events route.

    ``needs`` is what the request must carry: "session", "dev_key" (in the body: login) or "".
    """

    def __init__(self, state: SandboxState, handler: Handler, needs: str = "session") -> None:
        self._state = state
        self._handler = handler
        self._needs = needs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        call = Call(
            state=self._state,
            path=request.url.path,
            route=scope["route"].path if "route" in scope else request.url.path,
            parts=dict(request.path_params),
            parameters=request.query_params.multi_items(),
            headers=dict(request.headers),
            body=await request.body(),
        )
        dev_key = call.headers.get("devkey", "")
        try:
            if self._needs == "session":
                self._admit(call, dev_key)
            else:
                call.fault = self._state.faults.next_without_session(call.path)
        except ApiError as error:
            await self._error(call, error)(scope, receive, send)
            return
        place = (
            self._state.limits.in_flight(dev_key, call.session.organization.id)
            if call.session
            else nullcontext(True)
        )
        with place as allowed:
            # Requests that arrived together must be seen together: let the others in first.
            await asyncio.sleep(self._state.switches.service_ms / 1_000)
            await fault_delivery.before(call)
            response = self._answer(call) if allowed else self._too_many(call)
            await fault_delivery.deliver(call, response, scope, receive, send)

    def _admit(self, call: Call, dev_key: str) -> None:
        """Check the dev key, the hourly limit and the session, and choose the fault."""
        state = self._state
        if dev_key != state.dev_key:
            raise errors.wrong_dev_key(state.switches.login_error_status)
        state.limits.count_request(dev_key, call.route)
        state.advance()
        session_id = call.headers.get("sessionid", "")
        call.session = state.sessions.find(session_id, dev_key)
        call.fault = state.faults.next(call.path, call.session.organization.id)

    def _answer(self, call: Call) -> Response:
        try:
            fault_delivery.instead(call)
            body = self._handler(call)
        except ApiError as error:
            return self._error(call, error)
        except Exception:
            logger.exception("the sandbox failed on %s", call.path)
            return self._error(call, errors.system_error())
        if body is None:
            return Response(status_code=call.status)
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        content = fault_rows.altered(call, content)
        return Response(content, call.status, media_type=call.media_type)

    def _too_many(self, call: Call) -> Response:
        return self._error(call, errors.concurrency_limit(self._state.switches.limit_status))

    def _error(self, call: Call, error: ApiError) -> Response:
        switches = self._state.switches
        body = error.v3_body(timestamp(self._state.clock.now_ms()), switches.error_params)
        status = error.status
        if error.code == switches.forbidden_code and not switches.refusals_are_403:
            status = 422
        if error.code == "BDC_1205" and not switches.missing_documents_are_404:
            status = 400
        return Response(body, status, media_type="application/json")
