"""The control plane ``/sandbox/*``: what a test may do to the sandbox that no client can.

Plain JSON without dev key or session. Errors are ``{"error": text}`` with status 400 or 404.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bill_pipeline.sandbox.clock import parse_moment, parse_step, timestamp
from bill_pipeline.sandbox.edits import EDITS, Edit
from bill_pipeline.sandbox.faults import read_fault
from bill_pipeline.sandbox.state import SandboxState
from bill_pipeline.sandbox.truth import true_accounts, variety_of

Answer = dict[str, Any] | list[Any] | bytes


def routes(state: SandboxState) -> list[BaseRoute]:
    """Every control route."""

    def route(path: str, handler: Callable[..., Answer], method: str = "GET") -> Route:
        async def answer(request: Request) -> Response:
            body = await request.body()
            try:
                values = orjson.loads(body) if body else {}
                content = handler(state, **request.path_params, values=values)
            except (ValueError, TypeError) as problem:
                return _json({"error": str(problem)}, 400)
            except KeyError as problem:
                return _json({"error": str(problem.args[0])}, 404)
            return _json(content, 200)

        return Route("/sandbox/" + path, answer, methods=[method])

    return [
        route("companies", companies),
        route("clock", read_clock),
        route("clock", change_clock, "POST"),
        route("switches", read_switches),
        route("switches", change_switches, "POST"),
        route("faults", read_faults),
        route("faults", set_faults, "POST"),
        route("statistics", statistics),
        route("statistics/reset", reset_statistics, "POST"),
        route("sessions/lose", lose_sessions, "POST"),
        route("live", set_live, "POST"),
        route("organizations/{client}/books", books),
        route("organizations/{client}/truth", truth),
        route("organizations/{client}/variety", variety),
        *(
            route(f"organizations/{{client}}/{name}", partial(edit, EDITS[name]), "POST")
            for name in EDITS
        ),
        route("organizations/{client}/token/{action}", change_token, "POST"),
    ]


def _json(content: Answer, status: int) -> Response:
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    return Response(body, status, media_type="application/json")


def companies(state: SandboxState, values: Any) -> Answer:
    return {
        "dev_key": state.dev_key,
        "base_url": state.base_url,
        "companies": [asdict(company) for company in state.companies()],
    }


def read_clock(state: SandboxState, values: Any) -> Answer:
    return {"now": timestamp(state.clock.now_ms()), "speed": state.clock.speed}


def change_clock(state: SandboxState, values: dict[str, Any]) -> Answer:
    """``{"set": "2026-07-01"}``, ``{"step": "1 day"}``, ``{"speed": 60}``, or several."""
    if not values or set(values) - {"set", "step", "speed"}:
        raise ValueError('The clock takes {"set": …}, {"step": …} or {"speed": …}')
    if "set" in values:
        state.clock.set(parse_moment(values["set"]))
    if "step" in values:
        state.clock.step_ms(parse_step(values["step"]))
    if "speed" in values:
        state.clock.set_speed(float(values["speed"]))
    state.advance()
    return read_clock(state, values)


def set_live(state: SandboxState, values: dict[str, Any]) -> Answer:
    """``{"live": true}`` lets the invented companies go on living from now."""
    state.set_live(bool(values["live"]))
    return {"live": state.is_live}


def edit(change: Edit, state: SandboxState, client: str, values: dict[str, Any]) -> Answer:
    """One of the edits of ``edits.py``."""
    return change(state, state.organization(client), values)


def truth(state: SandboxState, client: str, values: Any) -> Answer:
    """The accounts of the lines an invented company left uncoded."""
    organization_id = state.organization(client).id
    return [asdict(row) for row in true_accounts(state) if row.organization_id == organization_id]


def variety(state: SandboxState, client: str, values: Any) -> Answer:
    """How an invented company's books differ from tidy ones."""
    return variety_of(state, state.organization(client).id)


def read_switches(state: SandboxState, values: Any) -> Answer:
    return state.switches.as_dict()


def change_switches(state: SandboxState, values: dict[str, Any]) -> Answer:
    state.switches.change(values)
    return state.switches.as_dict()


def read_faults(state: SandboxState, values: Any) -> Answer:
    return [asdict(fault) for fault in state.faults.active]


def set_faults(state: SandboxState, values: dict[str, Any]) -> Answer:
    """``{"faults": [{"kind": …}, …], "seed": 7}`` replaces the active faults."""
    state.faults.set([read_fault(item) for item in values["faults"]], values.get("seed"))
    return read_faults(state, values)


def statistics(state: SandboxState, values: Any) -> Answer:
    return state.limits.statistics()


def reset_statistics(state: SandboxState, values: Any) -> Answer:
    state.limits.reset()
    return {}


def lose_sessions(state: SandboxState, values: dict[str, Any]) -> Answer:
    return {"lost": state.sessions.lose(values.get("organization_id"))}


def books(state: SandboxState, client: str, values: Any) -> Answer:
    """Every list of one organization in full: the truth a client's copy is compared with."""
    organization = state.organization(client)
    parts = []
    for name, documents in organization.lists.items():
        rows = b",".join(documents.encoded(position) for position in range(len(documents)))
        parts.append(orjson.dumps(name) + b":[" + rows + b"]")
    return b"{" + b",".join(parts) + b"}"


def change_token(state: SandboxState, client: str, action: str, values: Any) -> Answer:
    """``revoke`` ends the sync token and its sessions, ``restore`` lets it log in again."""
    credential = state.organization(client).token()
    if action == "revoke":
        state.sessions.revoke(credential)
    elif action == "restore":
        state.sessions.restore(credential)
    else:
        raise ValueError(f"A token can be revoked or restored, not {action!r}")
    return {"token_name": credential.name, "action": action}
