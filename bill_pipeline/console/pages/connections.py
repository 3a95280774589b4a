"""The firm's clients: how each one is doing; sync, pause, resume, disconnect.

Connecting one, and giving it a new token, is in ``connect``.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.request_context import RequestContext
from bill_pipeline.publishing.publish import as_published
from bill_pipeline.registry.client_errors import UnknownClient
from bill_pipeline.registry.clients import NEEDS_ATTENTION, ClientStatus, State
from bill_pipeline.settings import SettingsError

#: Rows of clients on one page; a firm of a thousand turns pages or searches.
CLIENTS_SHOWN = 50
#: Worst first: what needs a person is at the top.
_URGENCY = (
    State.RECONNECT,
    State.FAILING,
    State.IMPORTING,
    State.CONNECTED,
    State.PAUSED,
    State.UP_TO_DATE,
)


def start_page(context: RequestContext) -> Response:
    return context.redirect("/clients")


def connections(context: RequestContext) -> Response:
    seen = _seen(context)
    words, only = context.query("search").lower(), context.query("state")
    found = [s for s in seen if words in f"{s.client} {s.organization_name or ''}".lower()]
    belongs = next((belongs for key, _label, belongs in _GROUPS if key == only), _GROUPS[0][2])
    shown = [s for s in found if belongs(s)]
    shown.sort(key=lambda s: (_URGENCY.index(s.state), s.client))
    page = context.number("page") or 1
    start = (page - 1) * CLIENTS_SHOWN
    return context.render(
        "connections.html",
        statuses=as_published(context.console.home, shown[start : start + CLIENTS_SHOWN]),
        total=len(shown),
        start=start,
        earlier=_address(words, only, page - 1) if page > 1 else "",
        later=_address(words, only, page + 1) if start + CLIENTS_SHOWN < len(shown) else "",
        groups=[(key, label, sum(map(belongs, found))) for key, label, belongs in _GROUPS],
        only=only,
        search=context.query("search"),
        has_clients=bool(seen),
        is_working=any(_is_working(context, s) for s in shown[start : start + CLIENTS_SHOWN]),
    )


def _seen(context: RequestContext) -> list[ClientStatus]:
    """The clients this person may see; an import that was killed is not shown as running."""
    statuses = context.console.registry.all()
    if any(status.state is State.IMPORTING for status in statuses):
        from bill_pipeline.pipeline.interrupted import (
            mend_interrupted,  # slow to load, and seldom needed
        )

        if mend_interrupted(context.console.registry):
            statuses = context.console.registry.all()
    return [status for status in statuses if context.user.may_see(status.client)]


#: (key, what people read, which clients belong to it)
_GROUPS: tuple[tuple[str, str, Callable[[ClientStatus], bool]], ...] = (
    ("", "All", lambda status: True),
    ("attention", "Need attention", lambda status: status.state in NEEDS_ATTENTION),
    (
        "working",
        "Importing",
        lambda status: status.state is State.IMPORTING or bool(status.progress),
    ),
    ("review", "To review", lambda status: status.review_count > 0),
    ("paused", "Paused", lambda status: status.state is State.PAUSED),
)


def _address(search: str, state: str, page: int) -> str:
    given = {"search": search, "state": state, "page": page if page > 1 else ""}
    return "/clients?" + urlencode({name: value for name, value in given.items() if value})


def _is_working(context: RequestContext, status: ClientStatus) -> bool:
    return (
        status.state is State.IMPORTING
        or bool(status.progress)
        or context.console.work.is_running(status.client)
    )


def client_page(context: RequestContext) -> Response:
    """One client's connection: its state, what may be done, what was done."""
    status = status_of(context)
    return context.render(
        "client.html",
        client=context.client,
        connection=status,
        is_working=_is_working(context, status),
        entries=[
            entry for _n, entry in context.console.audit.latest(client=context.client, limit=8)
        ],
    )


def progress(context: RequestContext) -> Response:
    """The part of the client's page that our script asks for while work goes on."""
    status = status_of(context)
    return context.render(
        "progress.html",
        client=context.client,
        connection=status,
        is_working=_is_working(context, status),
    )


def sync_now(context: RequestContext) -> Response:
    status = status_of(context)
    if not status.is_syncable:
        raise SettingsError(
            f"{context.client} is not synced now: it is {status.state.value}. {status.remedy or ''}"
        )
    full = context.form.text("full") == "yes"
    if context.console.work.start(context.client, full=full):
        context.record("started a sync", context.client, full=full)
    else:
        context.notify(f"{context.client} is being synced already.", "warning")
    return context.redirect(f"/clients/{context.client}")


def pause(context: RequestContext) -> Response:
    from bill_pipeline.console import leaving

    status_of(context)
    leaving.pause(context.console.registry, context.client)
    context.record("paused", context.client)
    context.notify(f"{context.client} is paused: nothing is read from BILL until it is resumed.")
    return context.redirect(f"/clients/{context.client}")


def resume(context: RequestContext) -> Response:
    from bill_pipeline.console import leaving

    status_of(context)
    leaving.resume(context.console.registry, context.client)
    context.record("resumed", context.client)
    context.console.work.start(context.client)
    return context.redirect(f"/clients/{context.client}")


def disconnect_page(context: RequestContext) -> Response:
    return _disconnect_form(context, status_of(context))


def disconnect(context: RequestContext) -> Response:
    """Forget the token; with ``purge`` the books too, if the client's name was typed."""
    from bill_pipeline.console import leaving
    from bill_pipeline.errors import NotForgotten, PipelineError

    status = status_of(context)
    if context.form.text("keep") not in ("keep", "purge"):
        message = "Say what becomes of the books."
        return _disconnect_form(context, status, http_status=422, message=message)
    purge = context.form.text("keep") == "purge"
    if purge and context.form.text("typed_name") != context.client:
        message = f"To delete the books, type the client's name: {context.client}"
        return _disconnect_form(context, status, http_status=422, message=message)
    try:
        leaving.disconnect(context.console.registry, context.client, purge=purge)
    except NotForgotten as error:  # all else is done
        context.notify(str(error), "warning")
    except PipelineError as error:
        context.record("disconnecting broke off", context.client, why=str(error))
        raise
    context.record("disconnected", context.client, books="deleted" if purge else "kept")
    kept = "its books stay on this machine"
    if purge:
        kept = "its books here were deleted; backups and copies of them stay"
    context.notify(f"{context.client} is disconnected; {kept}.")
    return context.redirect("/clients")


def status_of(context: RequestContext) -> ClientStatus:
    """404 for a client whose books are kept but which is no longer connected."""
    try:
        status = context.console.registry.status(context.client)
    except UnknownClient:
        raise HTTPException(404, f"{context.client} is not connected.") from None
    return as_published(context.console.home, [status])[0]


def _disconnect_form(
    context: RequestContext, status: ClientStatus, *, http_status: int = 200, message: str = ""
) -> Response:
    return context.render(
        "disconnect.html",
        status=http_status,
        client=context.client,
        connection=status,
        message=message,
    )
