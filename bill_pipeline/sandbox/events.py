"""The webhook plane ``/connect-events/v3``: catalog, subscriptions, keys, events, resend."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.routing import BaseRoute, Route

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.call import Call, Handler
from bill_pipeline.sandbox.clock import timestamp
from bill_pipeline.sandbox.endpoint import Endpoint
from bill_pipeline.sandbox.queries import MAX_ROWS
from bill_pipeline.sandbox.state import SandboxState
from bill_pipeline.sandbox.webhooks import (
    EVENT_TYPES,
    HISTORY_MS,
    MAX_SUBSCRIPTIONS,
    Subscription,
)

PREFIX = "/connect-events/v3/"


def routes(state: SandboxState) -> list[BaseRoute]:
    def route(path: str, handler: Handler, method: str = "GET") -> Route:
        return Route(PREFIX + path, Endpoint(state, handler), methods=[method])

    one = "subscriptions/{subscription_id}"

    def nowhere(call: Call) -> None:
        raise errors.unsupported()

    every_method = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [
        route("events/catalog", catalog),
        route("subscriptions", list_subscriptions),
        route("subscriptions", subscribe, "POST"),
        route(one, show),
        route(one, edit, "PUT"),
        route(one, edit, "PATCH"),
        route(one, delete, "DELETE"),
        # BILL's pages write the path both ways.
        route(one + "/security_key", new_key, "POST"),
        route(one + "/security-key", new_key, "POST"),
        route(one + "/test", send_test, "POST"),
        route("events/subscription/{subscription_id}", list_events),
        route("events/{event_id}/resend", resend, "POST"),
        Route(PREFIX + "{rest:path}", Endpoint(state, nowhere, needs=""), methods=every_method),
    ]


def _allowed(call: Call) -> None:
    is_token = call.signed_in().credential.kind == "token"
    if is_token and not call.state.switches.token_webhooks:
        raise errors.forbidden(call.state.switches.forbidden_code)


def _find(call: Call) -> Subscription:
    _allowed(call)
    found = call.state.webhooks.subscriptions.get(call.parts["subscription_id"])
    if found is None or found.organization_id != call.signed_in().organization.id:
        raise errors.not_found(call.parts["subscription_id"])
    return found


def catalog(call: Call) -> list[Any]:
    return [{"type": kind, "versions": ["1"]} for kind in EVENT_TYPES]


def list_subscriptions(call: Call) -> dict[str, Any]:
    _allowed(call)
    mine = call.state.webhooks.of(call.signed_in().organization.id)
    return _page(call, [subscription.document() for subscription in mine])


def _page(call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One page of either list; these two page forward only, so there is no ``prevPage``."""
    parameters = dict(call.parameters)
    count, page = parameters.get("max", "20"), parameters.get("page") or "0"
    if not count.isdecimal() or not 1 <= int(count) <= MAX_ROWS:
        raise errors.invalid(f"max: must be between 1 and {MAX_ROWS}")
    if not page.isdecimal():
        raise errors.invalid(f"page: {page!r} is not a valid page token")
    end = int(page) + int(count)
    answer: dict[str, Any] = {"results": rows[int(page) : end]}
    return {**answer, "nextPage": str(end)} if end < len(rows) else answer


def _is_known(event_type: str) -> bool:
    # Spend & Expense has events of its own, of which nothing happens here.
    return event_type in EVENT_TYPES or event_type.startswith("spend.")


def _checked(call: Call, body: dict[str, Any]) -> tuple[str, list[dict[str, str]]]:
    """(URL, events) of a request; raises ``ApiError`` 400."""
    url, events = str(body.get("notificationUrl") or ""), body.get("events") or []
    parts = urlsplit(url)
    is_local = parts.hostname in {"127.0.0.1", "localhost"}
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise errors.invalid("notificationUrl: must be an https URL")
    for event in events:
        if not isinstance(event, dict) or not _is_known(str(event.get("type"))):
            raise errors.invalid(f"events: unknown event {event!r}")
    if not events:
        raise errors.invalid("events: The events field is required")
    return url, [{"type": e["type"], "version": str(e.get("version", "1"))} for e in events]


def subscribe(call: Call) -> dict[str, Any]:
    """A new subscription; the same idempotency key gives the same one again."""
    _allowed(call)
    webhooks, organization = call.state.webhooks, call.signed_in().organization
    key = call.headers.get("x-idempotent-key", "")
    if not key:
        raise errors.invalid("X-Idempotent-Key: The header is required")
    call.status = 201
    known = call.state.idempotent_subscriptions.get((organization.id, key))
    if known is not None and known in webhooks.subscriptions:
        return webhooks.subscriptions[known].document()
    body = call.json()
    url, events = _checked(call, body)
    mine = webhooks.of(organization.id)
    wanted = {event["type"] for event in events}
    if any(s.url == url and {e["type"] for e in s.events} == wanted for s in mine):
        raise errors.invalid("A subscription for the same events and URL exists")
    if len(mine) >= MAX_SUBSCRIPTIONS:
        raise errors.invalid(f"An organization has at most {MAX_SUBSCRIPTIONS} subscriptions")
    made = webhooks.subscribe(organization.id, str(body.get("name") or ""), url, events)
    made.is_enabled = bool((body.get("status") or {}).get("enabled", True))
    call.state.idempotent_subscriptions[organization.id, key] = made.subscription_id
    return made.document(with_key=True)


def show(call: Call) -> dict[str, Any]:
    return _find(call).document()


def edit(call: Call) -> dict[str, Any]:
    subscription, body = _find(call), call.json()
    if "events" in body or "notificationUrl" in body:
        merged = {"notificationUrl": subscription.url, "events": subscription.events, **body}
        subscription.url, subscription.events = _checked(call, merged)
    subscription.name = str(body.get("name", subscription.name))
    if "status" in body:
        subscription.is_enabled = bool(body["status"].get("enabled"))
    return subscription.document()


def delete(call: Call) -> dict[str, Any]:
    subscription = _find(call)
    del call.state.webhooks.subscriptions[subscription.subscription_id]
    return subscription.document()


def new_key(call: Call) -> dict[str, Any]:
    subscription = _find(call)
    subscription.security_key = call.state.webhooks.new_id()
    return {"securityKey": subscription.security_key}


def send_test(call: Call) -> dict[str, Any]:
    subscription = _find(call)
    books = call.signed_in().organization
    vendor = books["vendors"].at(0) if len(books["vendors"]) else {"id": "test"}
    call.state.webhooks.send(subscription, "vendor.updated", vendor)
    return {"status": "SENT"}


def list_events(call: Call) -> dict[str, Any]:
    """The last 180 days of a subscription, oldest first; pages forward only."""
    subscription = _find(call)
    parameters = dict(call.parameters)
    oldest_ms = call.state.clock.now_ms() - HISTORY_MS
    entity = parameters.get("entityId")
    events = [
        {
            **row["event"]["metadata"],
            "eventTime": timestamp(row["time_ms"]),
            "payload": row["event"],
        }
        for row in subscription.history
        if row["time_ms"] >= oldest_ms and entity in {None, row["entityId"]}
    ]
    return _page(call, events)


def resend(call: Call) -> dict[str, Any]:
    _allowed(call)
    for subscription in call.state.webhooks.of(call.signed_in().organization.id):
        for row in subscription.history:
            if row["event"]["metadata"]["eventId"] == call.parts["event_id"]:
                call.state.webhooks.send_again(subscription, row["event"])
                return {"status": "SENT"}
    raise errors.not_found(call.parts["event_id"])
