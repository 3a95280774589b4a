"""The v2 plane: form-encoded calls, HTTP 200 always, lists with ``start`` and ``max``.

What the entities look like is ``v2_entities``; writes are ``v2_writing``.
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

from bill_pipeline.sandbox import errors, fault_delivery, v2_writing
from bill_pipeline.sandbox.endpoint import Call
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
        form |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        call = Call(self._state, path, operation, {}, list(form.items()), {}, body)
        call.notes["form"] = form
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
        if dev_key != state.dev_key:
            raise errors.wrong_dev_key(200)
        state.limits.count_request(dev_key, f"v2/{operation}")
        if operation in _WITHOUT_SESSION:
            state.limits.count_login(dev_key)
            call.fault = state.faults.next_without_session(call.path)
            return _WITHOUT_SESSION[operation]
        state.advance()
        call.session = state.sessions.find(form.get("sessionId", ""), dev_key)
        call.fault = state.faults.next(call.path, call.session.organization.id)
        if operation in _OPERATIONS:
            return _OPERATIONS[operation]
        kind, _, entity = operation.rpartition("/")
        if kind == "List" and entity in ENTITIES:
            return lambda c: list_entity(c, entity)
        if kind in v2_writing.CRUD and entity in ENTITIES:
            return lambda c: v2_writing.CRUD[kind](c, entity)
        raise errors.unsupported(call.path)

    def _answer(self, call: Call, handler: Callable[[Call], Any]) -> Response:
        try:
            fault_delivery.instead(call)
            data = handler(call)
        except ApiError as error:
            return _error(error)
        except Exception:
            logger.exception("the sandbox failed on %s", call.path)
            return _error(ApiError(200, "BDC_1001", "System error."))
        body = {"response_status": 0, "response_message": "Success", "response_data": data}
        content = orjson.dumps(body)
        if call.fault is not None and call.fault.kind == "invalid_json":
            content = content[:-1] + b",}"
        return Response(content, media_type="application/json")


def _error(error: ApiError) -> Response:
    data = {"error_code": error.code, "error_message": error.message}
    body = {"response_status": 1, "response_message": "Error", "response_data": data}
    return Response(orjson.dumps(body), media_type="application/json")


def routes(state: SandboxState) -> list[BaseRoute]:
    return [Route(PREFIX + "{rest:path}", _V2Endpoint(state), methods=["GET", "POST"])]


def data_of(call: Call) -> dict[str, Any]:
    """The JSON text in the form field ``data``."""
    return v2_writing.data_of(call)


def _log_in(call: Call) -> dict[str, Any]:
    state, form = call.state, call.notes["form"]
    session = state.sessions.log_in(
        state.organizations.get(form.get("orgId", "")),
        form.get("userName", ""),
        form.get("password", ""),
        form["devKey"],
    )
    if session.credential.kind == "token" and not state.switches.token_login_v2:
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


def _get_documents(call: Call) -> dict[str, Any]:
    data = data_of(call)
    documents = list(call.signed_in().organization.below("documents", str(data.get("id", ""))))
    rows = [
        {"id": d["id"], "fileName": d["name"], "numPages": str(d.get("numOfPages", 1))}
        for d in documents
    ]
    start, rows_wanted = int(data.get("start", 0)), int(data.get("max", 999))
    return {"documents": rows[start : start + rows_wanted]}


def _get_disbursement(call: Call) -> dict[str, Any]:
    sent_pay_id = str(data_of(call).get("sentPayId", ""))
    payment = call.signed_in().organization["payments"].get(sent_pay_id)
    if payment is None:
        raise errors.not_found(sent_pay_id)
    statuses = {"SCHEDULED": "0", "DONE": "3", "FAILED": "4", "VOID": "5"}
    return {
        "sentPayId": sent_pay_id,
        "paymentType": {"CHECK": "0", "ACH": "2", "RPPS": "3"}.get(
            payment["disbursementType"], "0"
        ),
        "status": statuses.get(payment["disbursementStatus"], "0"),
        "amount": payment["amount"],
    }


def _send_invoice(call: Call) -> dict[str, Any]:
    """No mail leaves the sandbox; emailing is what a sync token may not do with invoices."""
    if call.signed_in().credential.kind == "token":
        raise errors.forbidden(call.state.switches.forbidden_code)
    return v2_writing.written(call, "Invoice", str(data_of(call).get("invoiceId", "")))


_WITHOUT_SESSION: dict[str, Callable[[Call], Any]] = {
    "Login": _log_in,
    "ListOrgs": _list_organizations,
}
_OPERATIONS: dict[str, Callable[[Call], Any]] = {
    "GetSessionInfo": _session_info,
    "Logout": _log_out,
    "GetDocuments": _get_documents,
    "SendInvoice": _send_invoice,
    "GetDisbursementData": _get_disbursement,
}
