"""The v2 plane: form-encoded calls, HTTP 200 always, lists with ``start`` and ``max``.

What the entities look like is ``v2_entities``; writes are ``v2_writing``, the operations with a
name of their own ``v2_operations`` and ``v2_files``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from bill_pipeline.sandbox import (
    errors,
    fault_delivery,
    fault_rows,
    v2_files,
    v2_operations,
    v2_writing,
)
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.errors import ApiError
from bill_pipeline.sandbox.sessions import organizations_of
from bill_pipeline.sandbox.state import SandboxState
from bill_pipeline.sandbox.v2_entities import ENTITIES
from bill_pipeline.sandbox.v2_lists import list_entity

logger = logging.getLogger(__name__)
PREFIX = "/api/v2/"


class _V2Endpoint:
    """An ASGI app for all of v2: BILL chooses the operation by the path's last parts."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path
        operation = path.removeprefix(PREFIX).strip("/").removesuffix(".json")
        body = await request.body()
        form = dict(request.query_params)
        content_type = request.headers.get("content-type", "")
        file = b""
        if content_type.startswith("multipart/"):
            fields, file = v2_files.form_parts(body, content_type)
            form |= fields
        else:
            form |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        # The session may come as v3's headers do: clients that speak both planes send it so.
        for name in ("devKey", "sessionId"):
            form.setdefault(name, request.headers.get(name, ""))
        call = Call(self._state, path, operation, {}, list(form.items()), {}, body)
        call.notes |= {"form": form, "file": file}
        try:
            handler = self._admit(call, operation, form)
        except ApiError as error:
            await _error(error)(scope, receive, send)
            return
        organization_id = call.session.organization.id if call.session else ""
        dev_key = form.get("devKey", "")
        with self._state.limits.in_flight(dev_key, organization_id) as allowed:
            await asyncio.sleep(self._state.switches.service_ms / 1_000)
            await fault_delivery.before(call)
            if allowed or not call.session:
                response = self._answer(call, handler)
            else:
                response = _error(errors.concurrency_limit(200))
            await fault_delivery.deliver(call, response, scope, receive, send)

    def _admit(self, call: Call, operation: str, form: dict[str, str]) -> Callable[[Call], Any]:
        """Check key, limits and session; the function that answers the operation."""
        state, dev_key = self._state, form.get("devKey", "")
        if operation == "Errors":
            return v2_operations.all_errors
        if dev_key != state.dev_key:
            raise errors.wrong_dev_key(200)
        state.limits.count_request(dev_key, f"v2/{operation}")
        if operation in _WITHOUT_SESSION:
            state.limits.count_login(dev_key)
            call.fault = state.faults.next_without_session(call.path)
            return _WITHOUT_SESSION[operation]
        state.advance()
        call.session = state.sessions.find(form.get("sessionId", ""), dev_key, "v2")
        call.fault = state.faults.next(call.path, call.session.organization.id)
        if operation in _OPERATIONS:
            return _OPERATIONS[operation]
        kind, _, entity = operation.rpartition("/")
        if kind == "List" and entity in ENTITIES:
            return lambda c: list_entity(c, entity)
        crud = v2_writing.operation(kind, entity)
        if crud is not None:
            return crud
        raise errors.unsupported()

    def _answer(self, call: Call, handler: Callable[[Call], Any]) -> Response:
        try:
            fault_delivery.instead(call)
            data = handler(call)
        except ApiError as error:
            return _error(error)
        except Exception:
            logger.exception("the sandbox failed on %s", call.path)
            return _error(errors.system_error())
        content = fault_rows.altered(call, orjson.dumps(v2_writing.envelope(data)))
        return Response(content, media_type="application/json")


def _error(error: ApiError) -> Response:
    body = orjson.dumps(v2_writing.error_envelope(error))
    return Response(body, media_type="application/json")


def routes(state: SandboxState) -> list[BaseRoute]:
    return [Route(PREFIX + "{rest:path}", _V2Endpoint(state), methods=["GET", "POST"])]


def _log_in(call: Call) -> dict[str, Any]:
    state, form = call.state, call.notes["form"]
    session = state.sessions.log_in(
        state.organizations.get(form.get("orgId", "")),
        form.get("userName", ""),
        form.get("password", ""),
        form["devKey"],
    )
    session.plane = "v2"
    if form.get("mfaId"):
        state.trust.step_up(session, form["mfaId"], form.get("deviceId", ""))
    if session.credential.kind == "token" and not state.switches.tokens_log_in_at_v2:
        state.sessions.log_out(session.session_id)
        raise errors.wrong_password(200)
    return {
        "sessionId": session.session_id,
        "orgId": session.organization.id,
        "apiEndPoint": state.base_url.removesuffix("/connect") + "/api/v2",
        "usersId": session.credential.user_id,
    }


def _list_organizations(call: Call) -> list[dict[str, str]]:
    form = call.notes["form"]
    found = organizations_of(
        call.state.organizations.values(), form.get("userName", ""), form.get("password", "")
    )
    if not found:
        raise errors.wrong_password(200)
    return [{"orgId": one.id, "orgName": one.name} for one in found]


def _session_info(call: Call) -> dict[str, str]:
    session = call.signed_in()
    return {"organizationId": session.organization.id, "userId": session.credential.user_id}


def _log_out(call: Call) -> dict[str, Any]:
    call.state.sessions.log_out(call.signed_in().session_id)
    return {}


def _send_invoice(call: Call) -> dict[str, Any]:
    """No mail leaves the sandbox; emailing is what a sync token may not do with invoices."""
    call.signed_in_person()
    invoice_id = str(v2_writing.data_of(call).get("invoiceId", ""))
    return v2_writing.written(call, "Invoice", invoice_id)


_WITHOUT_SESSION: dict[str, Callable[[Call], Any]] = {
    "Login": _log_in,
    "ListOrgs": _list_organizations,
}
_OPERATIONS: dict[str, Callable[[Call], Any]] = {
    "GetSessionInfo": _session_info,
    "Logout": _log_out,
    "SendInvoice": _send_invoice,
    **v2_operations.OPERATIONS,
    **v2_files.OPERATIONS,
}
