"""What each kind of fault looks like on the wire. Which request it hits is ``faults.py``; what
it does to the rows of a good body, ``fault_rows.py``.
"""

from __future__ import annotations

import asyncio
import socket
import struct

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.errors import ApiError

_HTML = (
    "<html><head><title>{status} Server Error</title></head>"
    "<body><center><h1>{status} Server Error</h1></center></body></html>"
)
_DRIP_PIECES = 10


async def before(call: Call) -> None:
    """Faults that act before the answer is made."""
    fault = call.fault
    if fault is None:
        return
    if fault.kind == "latency":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "clock_skew":
        call.state.clock.step_ms(int(fault.seconds * 1_000))


def instead(call: Call) -> None:
    """Faults that are answered in BILL's own words; raises that ``ApiError``."""
    fault = call.fault
    if fault is None:
        return
    if fault.kind == "error":
        code = fault.code or "BDC_1322"
        status = fault.status or call.state.switches.limit_status
        category = "SERVER" if status >= 500 else "REQUEST"
        raise ApiError(status, code, errors.MESSAGES.get(code, "Error."), category)
    if fault.kind == "forbidden":
        raise errors.forbidden(call.state.switches.forbidden_code)
    if fault.kind == "session_loss":
        call.state.sessions.lose(call.signed_in().organization.id)
        raise errors.session_invalid()
    if fault.kind == "missing_row" and fault.row and fault.row in call.parts.values():
        raise errors.not_found(fault.row)
    if fault.kind == "filter_refused" and any(k in {"filters", "page"} for k, _ in call.parameters):
        raise errors.invalid("filters: the field cannot be filtered")


async def deliver(
    call: Call, response: Response, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send the answer, or what a fault leaves of it."""
    fault = call.fault
    kind = fault.kind if fault else ""
    if fault is None or kind not in {"html", "gateway_json", "truncated", "drip", "reset"}:
        await response(scope, receive, send)
        return
    if kind == "html":
        status = fault.status or 500
        page = Response(_HTML.format(status=status), status, media_type="text/html")
        await page(scope, receive, send)
    elif kind == "gateway_json":
        body = b'{"message":"Service Unavailable"}'
        gateway = Response(body, fault.status or 503, media_type="application/json")
        await gateway(scope, receive, send)
    elif kind == "reset":
        reset_connection(scope)
    else:
        await _in_pieces(response, send, scope, kind, fault.seconds)


async def _in_pieces(
    response: Response, send: Send, scope: Scope, kind: str, seconds: float
) -> None:
    """Send a body slowly ("drip"), or its first half and then nothing ("truncated")."""
    start = {"type": "http.response.start", "status": response.status_code}
    await send({**start, "headers": response.raw_headers})
    body = bytes(response.body)
    if kind == "truncated":
        half = body[: len(body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        transport = scope.get("sandbox.transport")
        if transport is not None:
            transport.close()
        return
    size = max(len(body) // _DRIP_PIECES, 1)
    for begin in range(0, len(body), size):
        await asyncio.sleep(seconds / _DRIP_PIECES)
        piece = body[begin : begin + size]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def reset_connection(scope: Scope) -> None:
    """Close the client's connection with a TCP reset instead of an answer."""
    transport = scope.get("sandbox.transport")
    if transport is None:
        raise RuntimeError("Connection resets need the sandbox's own server (SandboxServer)")
    connection = transport.get_extra_info("socket")
    if connection is not None:
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
