"""Dagster's page under the console's address: who may open it, and what is handed on to it.

Dagster knows no users and shows every client of the firm, so it opens for signed-in people who may
see all clients; only administrators change anything in it. What is handed on is made here from what
was understood: the page itself, its files, logs, and GraphQL. Nothing else that Dagster serves can
be reached, and of a request's headers only those named below go on.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
from anyio import CancelScope
from graphql import OperationType
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketState

from bill_pipeline.console.auth.access import SESSION_COOKIE, is_foreign, sign_in_of, to_sign_in
from bill_pipeline.console.auth.sign_ins import SignIn
from bill_pipeline.console.console import Console
from bill_pipeline.console.dagster_proxy.door import DagsterDoor
from bill_pipeline.console.dagster_proxy.errors import without_traces
from bill_pipeline.console.dagster_proxy.graphql_requests import (
    GraphqlRequest,
    NotGraphql,
    read_json,
    read_request,
)
from bill_pipeline.console.dagster_proxy.updates import POLICY_VIOLATION, PROTOCOL, follow
from bill_pipeline.console.parts.forms import MOST_BYTES, read_body
from bill_pipeline.dagster.address import MAY_CHANGE, PREFIX

#: Of a request and of an answer, what the other side needs to read it.
_ASKED = ("accept", "accept-encoding", "if-none-match", "if-modified-since")
#: Not the length: without it, what ends the answer is sent when Dagster's is closed, and no sooner.
_ANSWERED = (
    "content-type", "content-encoding", "content-disposition", "etag",
    "last-modified", "content-security-policy",
)  # fmt: skip
#: Files of Dagster's page beside its script, by their names.
_ICONS = frozenset(
    {"favicon.ico", "favicon.png", "favicon.svg", "favicon-run-failed.svg",
     "favicon-run-pending.svg", "favicon-run-success.svg", "manifest.json", "robots.txt"}
)  # fmt: skip
#: Beside Dagster's own rules, which say what its scripts and styles may be.
_CONTENT_POLICY = (
    "object-src 'none'; base-uri 'none'; frame-src 'none'; frame-ancestors 'none'; "
    "form-action 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "media-src 'self'; manifest-src 'self'; worker-src 'self' blob:"
)
_log = logging.getLogger(__name__)


async def page(request: Request) -> Response:
    """Answer a GET below ``PREFIX``: a file of Dagster's page, a log, or the page itself."""
    path = str(request.path_params.get("path", ""))
    is_file = path.startswith("_next/") or path in _ICONS
    sign_in = await sign_in_of(request, is_visit=not is_file)
    if sign_in is None:
        return to_sign_in(request)
    door = _require_open(request, sign_in)
    if path == "graphql":
        raise HTTPException(405, "Queries are sent by POST.", {"allow": "POST"})
    if path.startswith("download_debug/") and not sign_in.user.may_change_dagster:
        raise HTTPException(403, "Only an administrator may download all that a run recorded.")
    is_download = path.startswith(("logs/", "download_debug/"))
    if is_download and is_foreign(request, is_https=request.app.state.console.is_https):
        raise HTTPException(403, "Another site asked for this file. Open it from Dagster's page.")
    if not (is_file or is_download):
        path = ""  # whatever the address, it is the same page, which reads the address itself
    elif any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in path.split("/")):
        raise HTTPException(404)
    headers = {name: value for name in _ASKED if (value := request.headers.get(name))}
    try:
        answer = await door.ask(request.method, path, headers)
    except httpx.TransportError as error:
        _log.info("Dagster does not answer: %r", error)
        return _starting(request)
    if answer.status_code == 500 and is_download:
        await answer.aclose()  # Dagster breaks on names that are none of a run's
        raise HTTPException(404)
    return _handed_back(answer, keep=path.startswith("_next/static/"))


async def graphql(request: Request) -> Response:
    """Answer a GraphQL request: a query of whoever may look, a change of an administrator."""
    try:
        return await _answer_graphql(request)
    except HTTPException as refused:
        return _graphql_error(refused.status_code, refused.detail)


async def _answer_graphql(request: Request) -> Response:
    sign_in = await sign_in_of(request, is_visit=False)
    if sign_in is None:
        raise HTTPException(401, "You are signed out. Open the page anew to sign in.")
    door = _require_open(request, sign_in)
    _require_own_page(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != (
        "application/json"
    ):
        raise HTTPException(415, "Queries are sent as application/json.")
    console: Console = request.app.state.console
    body = await read_body(request, MOST_BYTES, console.turns.large_bodies)
    try:
        asked = await console.turns.show(_read, body, user_name=sign_in.user.name)
    except NotGraphql as refused:
        raise HTTPException(400, str(refused)) from None
    if OperationType.SUBSCRIPTION in asked.operations:
        raise HTTPException(400, "Subscriptions are sent over a websocket.")
    headers = {"content-type": "application/json"}
    if sign_in.user.may_change_dagster:
        headers[MAY_CHANGE] = "yes"
    if OperationType.MUTATION in asked.operations or asked.changes:
        await console.turns.run(_admit_change, request, sign_in, asked, is_known=True)
    try:
        answer = await door.ask("POST", "graphql", headers, asked.body)
    except httpx.ReadTimeout:
        raise HTTPException(504, "Dagster has not answered within a minute.") from None
    except httpx.TransportError as error:
        _log.info("Dagster does not answer: %r", error)
        raise HTTPException(503, "Dagster is starting. Try again in a moment.") from None
    if answer.status_code != 200 and not sign_in.user.may_change_dagster:
        return await console.turns.show(
            _untraced, await _whole(answer), answer.status_code, user_name=sign_in.user.name
        )
    return _handed_back(answer)


async def live_updates(browser: WebSocket) -> None:
    """Hand Dagster's subscriptions on, until either side ends or the session does."""
    with contextlib.ExitStack() as place:
        try:
            sign_in = await sign_in_of(browser, is_visit=False)
            if sign_in is None:
                raise HTTPException(401)
            door = _require_open(browser, sign_in)
            _require_own_page(browser)
            if PROTOCOL not in browser.scope["subprotocols"]:
                raise HTTPException(400)
            place.enter_context(door.places.websocket(sign_in.user.name))
        except HTTPException:
            await browser.close(POLICY_VIOLATION)  # before it is accepted: the answer is a 403
            return
        address = f"ws://dagster{PREFIX}/graphql"
        code = await follow(browser, door.socket, address, door.places, sign_in.user.name)
        if WebSocketState.DISCONNECTED not in (browser.client_state, browser.application_state):
            await browser.close(code)


def _read(body: bytes) -> GraphqlRequest:
    return read_request(read_json(body))


def _require_open(asked: HTTPConnection, sign_in: SignIn) -> DagsterDoor:
    console: Console = asked.app.state.console
    if not sign_in.user.may_open_dagster:
        raise HTTPException(
            403,
            "Dagster shows what concerns every client of the firm, so it opens only for people who "
            "may see all clients. The books of yours are here in the console.",
        )
    if console.dagster is None:
        raise HTTPException(404, "Dagster is served here by bill-pipeline ui.")
    return console.dagster


def _require_own_page(asked: HTTPConnection) -> None:
    """Raises HTTPException 403 unless the browser says that a page of this address asks."""
    console: Console = asked.app.state.console
    if "origin" not in asked.headers or is_foreign(asked, is_https=console.is_https):
        raise HTTPException(403, "This was sent by another site.")


def _admit_change(request: Request, sign_in: SignIn, asked: GraphqlRequest) -> None:
    """Write the change down. Raises HTTPException 403 for people who may only look."""
    console: Console = request.app.state.console
    user = sign_in.user
    if not user.may_change_dagster:
        raise HTTPException(
            403,
            f"A {user.role} may look at Dagster. Only an administrator changes anything in it, or "
            "runs its code.",
        )
    console.sign_ins.of(request.cookies.get(SESSION_COOKIE))  # a person did it: a visit
    address = request.client.host if request.client else "unknown"
    console.audit.record(user.name, address, "changed in Dagster", changes=list(asked.changes))


def _handed_back(answer: httpx.Response, *, keep: bool = False) -> Response:
    """Dagster's answer with the headers that a browser needs; ``keep``: its name has its hash."""
    response = StreamingResponse(_pieces(answer), answer.status_code)
    for name in _ANSWERED:
        if name in answer.headers:
            response.headers[name] = answer.headers[name]
    if "content-security-policy" in answer.headers:
        # A second policy: both must allow.
        response.headers.append("content-security-policy", _CONTENT_POLICY)
    if keep and answer.status_code in (200, 304):
        response.headers["cache-control"] = "private, max-age=31536000, immutable"
    return response


async def _whole(answer: httpx.Response) -> bytes:
    """The body. Raises HTTPException 502 when Dagster does not send all of it."""
    try:
        return await answer.aread()
    except httpx.TransportError as error:
        _log.info("Dagster's answer ends early: %r", error)
        raise HTTPException(502, "Dagster did not answer.") from None
    finally:
        with CancelScope(shield=True):
            await answer.aclose()


def _untraced(body: bytes, status: int) -> Response:
    """The answer of a query that failed, without what it tells of this server."""
    try:
        return JSONResponse(without_traces(orjson.loads(body)), status)
    except orjson.JSONDecodeError:
        return _graphql_error(status, "Dagster could not answer.")


async def _pieces(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        with CancelScope(shield=True):
            await answer.aclose()


def _starting(request: Request) -> Response:
    console: Console = request.app.state.console
    page = console.templates.get_template("dagster_starting.html").render(
        user=None, notices=[], path=request.url.path, csrf_token=""
    )
    return HTMLResponse(page, 503, {"retry-after": "5"})


def _graphql_error(status: int, message: str) -> Response:
    body: dict[str, Any] = {"data": None, "errors": [{"message": message}]}
    return JSONResponse(body, status)


ROUTES: tuple[Route | WebSocketRoute, ...] = (
    Route(f"{PREFIX}/graphql", graphql, methods=["POST"]),
    WebSocketRoute(f"{PREFIX}/graphql", live_updates),
    Route(PREFIX, page, methods=["GET"]),
    Route(PREFIX + "/{path:path}", page, methods=["GET"]),
)
