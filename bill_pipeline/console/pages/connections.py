"""The firm's clients: how each one is doing; sync, pause, resume, disconnect.

Connecting one, and giving it a new token, is in ``connect``.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.request_context import Visit
from bill_pipeline.publishing.publish import as_published
from bill_pipeline.registry.clients import NEEDS_ATTENTION, ClientStatus, State, UnknownClient
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


def start_page(visit: Visit) -> Response:
    return visit.redirect("/clients")


def connections(visit: Visit) -> Response:
    seen = _seen(visit)
    words, only = visit.query("search").lower(), visit.query("state")
    found = [s for s in seen if words in f"{s.client} {s.organization_name or ''}".lower()]
    belongs = next((belongs for key, _label, belongs in _GROUPS if key == only), _GROUPS[0][2])
    shown = [s for s in found if belongs(s)]
    shown.sort(key=lambda s: (_URGENCY.index(s.state), s.client))
    page = visit.number("page") or 1
    start = (page - 1) * CLIENTS_SHOWN
    return visit.render(
        "connections.html",
        statuses=as_published(visit.console.home, shown[start : start + CLIENTS_SHOWN]),
        total=len(shown),
        start=start,
        earlier=_address(words, only, page - 1) if page > 1 else "",
        later=_address(words, only, page + 1) if start + CLIENTS_SHOWN < len(shown) else "",
        groups=[(key, label, sum(map(belongs, found))) for key, label, belongs in _GROUPS],
        only=only,
        search=visit.query("search"),
        has_clients=bool(seen),
        is_working=any(_is_working(visit, s) for s in shown[start : start + CLIENTS_SHOWN]),
    )


def _seen(visit: Visit) -> list[ClientStatus]:
    """The clients this person may see; an import that was killed is not shown as running."""
    statuses = visit.console.registry.all()
    if any(status.state is State.IMPORTING for status in statuses):
        from bill_pipeline.pipeline.interrupted import (
            mend_interrupted,  # slow to load, and seldom needed
        )

        if mend_interrupted(visit.console.home):
            statuses = visit.console.registry.all()
    return [status for status in statuses if visit.user.may_see(status.client)]


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


def _is_working(visit: Visit, status: ClientStatus) -> bool:
    return (
        status.state is State.IMPORTING
        or bool(status.progress)
        or visit.console.work.is_running(status.client)
    )


def client_page(visit: Visit) -> Response:
    """One client's connection: its state, what may be done, what was done."""
    status = status_of(visit)
    return visit.render(
        "client.html",
        client=visit.client,
        connection=status,
        is_working=_is_working(visit, status),
        entries=[entry for _n, entry in visit.console.audit.latest(client=visit.client, limit=8)],
    )


def progress(visit: Visit) -> Response:
    """The part of the client's page that our script asks for while work goes on."""
    status = status_of(visit)
    return visit.render(
        "progress.html",
        client=visit.client,
        connection=status,
        is_working=_is_working(visit, status),
    )


def sync_now(visit: Visit) -> Response:
    status = status_of(visit)
    if not status.is_syncable:
        raise SettingsError(
            f"{visit.client} is not synced now: it is {status.state.value}. {status.remedy or ''}"
        )
    full = visit.form.text("full") == "yes"
    if visit.console.work.start(visit.client, full=full):
        visit.record("started a sync", visit.client, full=full)
    else:
        visit.notify(f"{visit.client} is being synced already.", "warning")
    return visit.redirect(f"/clients/{visit.client}")


def pause(visit: Visit) -> Response:
    from bill_pipeline.publishing.publish import show_status

    status_of(visit)
    visit.console.registry.update(visit.client, state=State.PAUSED)
    show_status(visit.console.home)
    visit.record("paused", visit.client)
    visit.notify(f"{visit.client} is paused: nothing is read from BILL until it is resumed.")
    return visit.redirect(f"/clients/{visit.client}")


def resume(visit: Visit) -> Response:
    status = status_of(visit)
    if status.state is not State.PAUSED:
        raise SettingsError(f"{visit.client} is not paused.")
    visit.console.registry.resume(visit.client)
    visit.record("resumed", visit.client)
    visit.console.work.start(visit.client)
    return visit.redirect(f"/clients/{visit.client}")


def disconnect_page(visit: Visit) -> Response:
    return _disconnect_form(visit, status_of(visit))


def disconnect(visit: Visit) -> Response:
    """Forget the token; with ``purge`` the books too, if the client's name was typed."""
    from bill_pipeline.console import leaving
    from bill_pipeline.errors import NotForgotten

    status = status_of(visit)
    if visit.form.text("keep") not in ("keep", "purge"):
        message = "Say what becomes of the books."
        return _disconnect_form(visit, status, http_status=422, message=message)
    purge = visit.form.text("keep") == "purge"
    if purge and visit.form.text("typed_name") != visit.client:
        message = f"To delete the books, type the client's name: {visit.client}"
        return _disconnect_form(visit, status, http_status=422, message=message)
    try:
        leaving.disconnect(visit.console.home, visit.client, purge=purge)
    except NotForgotten as error:  # all else is done
        visit.notify(str(error), "warning")
    visit.record("disconnected", visit.client, books="deleted" if purge else "kept")
    kept = "its books stay on this machine"
    if purge:
        kept = "its books here were deleted; backups and copies of them stay"
    visit.notify(f"{visit.client} is disconnected; {kept}.")
    return visit.redirect("/clients")


def status_of(visit: Visit) -> ClientStatus:
    """404 for a client whose books are kept but which is no longer connected."""
    try:
        status = visit.console.registry.status(visit.client)
    except UnknownClient:
        raise HTTPException(404, f"{visit.client} is not connected.") from None
    return as_published(visit.console.home, [status])[0]


def _disconnect_form(
    visit: Visit, status: ClientStatus, *, http_status: int = 200, message: str = ""
) -> Response:
    return visit.render(
        "disconnect.html",
        status=http_status,
        client=visit.client,
        connection=status,
        message=message,
    )
