"""Connect many clients from a CSV: the form, and the rows as they are worked off."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.connecting import (
    CSV_COLUMNS,
    MOST_CLIENTS,
    NotConnected,
    Request,
    has_developer_key,
    read_csv,
)
from bill_pipeline.console.parts.forms import MOST_BYTES
from bill_pipeline.console.request_context import RequestContext


def connect_many_page(context: RequestContext) -> Response:
    return _form(context)


def connect_many(context: RequestContext) -> Response:
    form = context.form
    environment = form.text("environment") or "production"
    try:
        requests = list(
            read_csv(
                form.secret("csv", most=MOST_BYTES).get_secret_value(),
                environment,
                form.secret("developer_key"),
            )
        )
        context.record("connects many clients", rows=len(requests))
        batch = context.console.many_clients.start(
            requests, context.user.name, lambda request: _note_connected(context, request)
        )
    except NotConnected as error:
        return _form(context, message=str(error), status=422)
    return context.redirect(f"/connect/many/{batch.number}")


def batch_page(context: RequestContext) -> Response:
    """Rows carry no secret, yet only the administrator who sent the file sees them."""
    batch = context.console.many_clients.get(context.path("batch"))
    if batch is None or batch.user_name != context.user.name:
        raise HTTPException(404, "The results of this file are no longer kept.")
    template = "batch_rows.html" if context.is_fragment else "batch.html"
    return context.render(template, batch=batch)


def _note_connected(context: RequestContext, request: Request) -> None:
    context.record(
        "connected",
        request.client,
        organization_id=request.organization_id,
    )
    context.console.work.start(request.client)


def _form(context: RequestContext, *, message: str = "", status: int = 200) -> Response:
    # The text holds passwords, so it is never sent back to the browser.
    return context.render(
        "connect_many.html",
        status=status,
        message=message,
        columns=CSV_COLUMNS,
        most_rows=MOST_CLIENTS,
        environment=context.form.text("environment") or "production",
        asks_developer_key=not has_developer_key(),
    )
