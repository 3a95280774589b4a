"""Connect many clients from a CSV: the form, and the rows as they are worked off."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.connecting import (
    CSV_COLUMNS,
    NotConnected,
    Request,
    has_developer_key,
    read_csv,
)
from bill_pipeline.console.many_clients import MOST_ROWS
from bill_pipeline.console.parts.forms import MOST_BYTES
from bill_pipeline.console.request_context import Visit


def connect_many_page(visit: Visit) -> Response:
    return _form(visit)


def connect_many(visit: Visit) -> Response:
    form = visit.form
    environment = form.text("environment") or "production"
    try:
        requests = list(
            read_csv(
                form.secret("csv", most=MOST_BYTES).get_secret_value(),
                environment,
                form.secret("developer_key"),
            )
        )
        visit.record("connects many clients", rows=len(requests))
        batch = visit.console.many_clients.start(
            requests, visit.user.name, lambda request: _note_connected(visit, request)
        )
    except NotConnected as error:
        return _form(visit, message=str(error), status=422)
    return visit.redirect(f"/connect/many/{batch.number}")


def batch_page(visit: Visit) -> Response:
    """Rows carry no secret, yet only the administrator who sent the file sees them."""
    batch = visit.console.many_clients.get(visit.path("batch"))
    if batch is None or batch.user_name != visit.user.name:
        raise HTTPException(404, "The results of this file are no longer kept.")
    template = "batch_rows.html" if visit.is_fragment else "batch.html"
    return visit.render(template, batch=batch)


def _note_connected(visit: Visit, request: Request) -> None:
    visit.record(
        "connected",
        request.client,
        organization_id=request.organization_id,
    )
    visit.console.work.start(request.client)


def _form(visit: Visit, *, message: str = "", status: int = 200) -> Response:
    # The text holds passwords, so it is never sent back to the browser.
    return visit.render(
        "connect_many.html",
        status=status,
        message=message,
        columns=CSV_COLUMNS,
        most_rows=MOST_ROWS,
        environment=visit.form.text("environment") or "production",
        asks_developer_key=not has_developer_key(),
    )
