"""Connect a client with a sync token, or give a connected one a new token."""

from __future__ import annotations

from starlette.responses import Response

from bill_pipeline.console.connecting import (
    NotConnected,
    Request,
    client_name_of,
    connect_client,
    has_developer_key,
)
from bill_pipeline.console.pages.connections import status_of
from bill_pipeline.console.request_context import RequestContext
from bill_pipeline.registry.client_errors import ClientAlreadyConnected, UnknownClient
from bill_pipeline.registry.clients import ClientStatus
from bill_pipeline.settings import SettingsError


def connect_page(context: RequestContext) -> Response:
    return _connect_form(context)


def connect(context: RequestContext) -> Response:
    request = _request(context, client_name_of(context.form.text("client")))
    if _is_taken(context, request.client):
        message = f"There is a client named {request.client} already: open it to reconnect it."
        return _connect_form(context, errors={"client": message}, status=422)
    return _connected(context, request, is_new=True)


def reconnect_page(context: RequestContext) -> Response:
    return _connect_form(context, status_of_client=status_of(context))


def reconnect(context: RequestContext) -> Response:
    """A new token for the same organization; the books stay and go on."""
    status_of(context)
    return _connected(context, _request(context, context.client), is_new=False)


def _connected(context: RequestContext, request: Request, *, is_new: bool) -> Response:
    before = None if is_new else status_of(context)
    try:
        refused = connect_client(context.console.registry, request)
    except NotConnected as error:
        context.record("connection refused", request.client, why=str(error))
        return _connect_form(
            context, status_of_client=before, errors={error.field: str(error)}, status=422
        )
    except (ClientAlreadyConnected, SettingsError) as error:
        field = "environment" if "environment" in str(error) else "client"
        return _connect_form(
            context, status_of_client=before, errors={field: str(error)}, status=422
        )
    context.record(
        "connected" if is_new else "reconnected",
        request.client,
        organization_id=request.organization_id,
        refused_lists=sorted(refused),
    )
    context.notify(f"BILL accepted the token of {request.client}. The import has started.")
    context.console.work.start(request.client)
    return context.redirect(f"/clients/{request.client}")


def _connect_form(
    context: RequestContext,
    *,
    status_of_client: ClientStatus | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    known = status_of_client
    environment = context.form.text("environment") or (known.environment if known else "production")
    is_listed = environment in ("production", "sandbox", "other")
    typed = {
        "client": known.client if known else context.form.text("client"),
        "organization_id": known.organization_id if known else context.form.text("organization_id"),
        "token_name": context.form.text("token_name"),
        "environment": environment if is_listed else "other",
        "address": context.form.text("address") or ("" if is_listed else environment),
    }
    return context.render(
        "connect.html",
        status=status,
        known=known,
        typed=typed,
        errors=errors or {},
        asks_developer_key=not has_developer_key() or "developer_key" in (errors or {}),
    )


def _request(context: RequestContext, client: str) -> Request:
    form = context.form
    environment = form.text("environment") or "production"
    if environment == "other":
        environment = form.text("address")
    return Request(
        client=client,
        organization_id=form.text("organization_id"),
        token_name=form.text("token_name"),
        token_password=form.secret("token_password"),
        environment=environment,
        developer_key=form.secret("developer_key"),
    )


def _is_taken(context: RequestContext, client: str) -> bool:
    try:
        context.console.registry.status(client)
    except UnknownClient:
        return False
    return True
