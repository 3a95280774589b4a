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
from bill_pipeline.console.request_context import Visit
from bill_pipeline.registry.clients import ClientAlreadyConnected, ClientStatus, UnknownClient
from bill_pipeline.settings import SettingsError


def connect_page(visit: Visit) -> Response:
    return _connect_form(visit)


def connect(visit: Visit) -> Response:
    request = _request(visit, client_name_of(visit.form.text("client")))
    if _is_taken(visit, request.client):
        message = f"There is a client named {request.client} already: open it to reconnect it."
        return _connect_form(visit, errors={"client": message}, status=422)
    return _connected(visit, request, is_new=True)


def reconnect_page(visit: Visit) -> Response:
    return _connect_form(visit, status_of_client=status_of(visit))


def reconnect(visit: Visit) -> Response:
    """A new token for the same organization; the books stay and go on."""
    status_of(visit)
    return _connected(visit, _request(visit, visit.client), is_new=False)


def _connected(visit: Visit, request: Request, *, is_new: bool) -> Response:
    before = None if is_new else status_of(visit)
    try:
        refused = connect_client(visit.console.home, request)
    except NotConnected as error:
        visit.record("connection refused", request.client, why=str(error))
        return _connect_form(
            visit, status_of_client=before, errors={error.field: str(error)}, status=422
        )
    except (ClientAlreadyConnected, SettingsError) as error:
        field = "environment" if "environment" in str(error) else "client"
        return _connect_form(visit, status_of_client=before, errors={field: str(error)}, status=422)
    visit.record(
        "connected" if is_new else "reconnected",
        request.client,
        organization_id=request.organization_id,
        refused_lists=sorted(refused),
    )
    visit.notify(f"BILL accepted the token of {request.client}. The import has started.")
    visit.console.work.start(request.client)
    return visit.redirect(f"/clients/{request.client}")


def _connect_form(
    visit: Visit,
    *,
    status_of_client: ClientStatus | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    known = status_of_client
    environment = visit.form.text("environment") or (known.environment if known else "production")
    is_listed = environment in ("production", "sandbox", "other")
    typed = {
        "client": known.client if known else visit.form.text("client"),
        "organization_id": known.organization_id if known else visit.form.text("organization_id"),
        "token_name": visit.form.text("token_name"),
        "environment": environment if is_listed else "other",
        "address": visit.form.text("address") or ("" if is_listed else environment),
    }
    return visit.render(
        "connect.html",
        status=status,
        known=known,
        typed=typed,
        errors=errors or {},
        asks_developer_key=not has_developer_key() or "developer_key" in (errors or {}),
    )


def _request(visit: Visit, client: str) -> Request:
    form = visit.form
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


def _is_taken(visit: Visit, client: str) -> bool:
    try:
        visit.console.registry.status(client)
    except UnknownClient:
        return False
    return True
