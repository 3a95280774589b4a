"""Put the console together: its stores, its pages, its error pages.

``console_app(Console.at(home))`` is a complete ASGI application; serving it is
``cli/console.py``'s work.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jinja2
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bill_pipeline.console import webhook_endpoint as webhook_door
from bill_pipeline.console.auth.access import (
    SESSION_COOKIE,
    SecurityHeaders,
    guarded,
    strict_headers,
)
from bill_pipeline.console.auth.audit import AuditLog
from bill_pipeline.console.auth.sign_ins import SignIns
from bill_pipeline.console.auth.turns import Turns
from bill_pipeline.console.auth.users import Users
from bill_pipeline.console.dagster_proxy import proxy as dagster_door
from bill_pipeline.console.dagster_proxy.proxy import DagsterDoor
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.console.many_clients import ManyClients
from bill_pipeline.console.parts.formats import FILTERS
from bill_pipeline.console.postponed import ReviewMemory
from bill_pipeline.console.queries.ledger import Ledger
from bill_pipeline.console.routes import PAGES
from bill_pipeline.console.work import Work
from bill_pipeline.registry.clients import Registry, UnknownClient
from bill_pipeline.settings import Home

FOLDER = Path(__file__).parent
_TITLES = {
    401: "Signed out",
    403: "Not allowed",
    404: "Not found",
    405: "Not found",
    429: "Wait a while",
    503: "Busy",
}
#: Names under which a browser on this machine reaches the console.
LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")


@dataclass
class Console:
    """Everything the pages use; one per home."""

    home: Home
    database: ConsoleDatabase
    users: Users
    sign_ins: SignIns
    audit: AuditLog
    review_memory: ReviewMemory
    registry: Registry
    ledger: Ledger
    work: Work
    many_clients: ManyClients
    is_https: bool = False
    allowed_hosts: tuple[str, ...] = LOCAL_HOSTS
    dagster: DagsterDoor | None = None

    @classmethod
    def at(
        cls,
        home: Home,
        *,
        work: Work | None = None,
        is_https: bool = False,
        allowed_hosts: tuple[str, ...] = (),
        dagster_socket: Path | None = None,
    ) -> Console:
        """The console of ``home``. ``allowed_hosts``: further names it is reached under.

        ``dagster_socket``: where Dagster's web page listens, to be served with it.
        """
        database = ConsoleDatabase(home.console)
        users = Users(database)
        return cls(
            home=home,
            database=database,
            users=users,
            sign_ins=SignIns(database, users),
            audit=AuditLog(database),
            review_memory=ReviewMemory(database),
            registry=Registry(home),
            ledger=Ledger(home),
            work=work or Work(home),
            many_clients=ManyClients(home),
            is_https=is_https,
            allowed_hosts=(*LOCAL_HOSTS, *allowed_hosts),
            dagster=DagsterDoor(dagster_socket) if dagster_socket else None,
        )

    @cached_property
    def turns(self) -> Turns:
        """Who waits for whom; made by the first request, where an event loop runs."""
        return Turns()

    def has_client(self, client: str) -> bool:
        """Whether the client is connected; only then are its books published."""
        try:
            self.registry.status(client)
        except UnknownClient:
            return False
        return True

    def warm(self) -> None:
        """Read the catalogue and the templates before the first page asks for them."""
        self.ledger.warm()
        for name in self.templates.list_templates():
            self.templates.get_template(name)

    @cached_property
    def templates(self) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        environment.filters.update(FILTERS)
        environment.globals["static"] = _static_addresses()
        return environment


def console_app(console: Console) -> Starlette:
    """The application that serves ``console``."""
    routes: list[BaseRoute] = [
        Route(page.path, guarded(page), methods=[page.method]) for page in PAGES
    ]
    routes += [webhook_door.ROUTE, *dagster_door.ROUTES]
    routes.append(Mount("/static", StaticFiles(directory=FOLDER / "static")))
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders, is_https=console.is_https),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(console.allowed_hosts)),
        ],
        exception_handlers={HTTPException: _refused, 500: _broken},
        lifespan=_lifespan(console),
    )
    app.state.console = console
    return app


def _lifespan(console: Console):  # type: ignore[no-untyped-def]
    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            # Beside the first requests: whoever needs the ledger waits for it, nobody else does.
            threading.Thread(target=console.warm, name="warm", daemon=True).start()
            yield
        finally:
            if console.dagster is not None:
                await console.dagster.close()
            console.many_clients.close()
            console.work.close()
            console.ledger.close()

    return lifespan


def _static_addresses() -> dict[str, str]:
    """File name → address that changes with the content, so that browsers may keep it."""
    return {
        path.name: f"/static/{path.name}?{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
        for path in (FOLDER / "static").iterdir()
    }


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's table says so
    console: Console = request.app.state.console
    message = error.detail if error.status_code != 404 or error.detail != "Not Found" else ""
    return await console.turns.run(
        _plain_page,
        request,
        error.status_code,
        _TITLES.get(error.status_code, "Not accepted"),
        message or "There is nothing at this address, or you may not see it.",
        is_known=console.sign_ins.is_regular(request.cookies.get(SESSION_COOKIE)),
    )


async def _broken(request: Request, _error: Exception) -> Response:
    page = _plain_page(
        request,
        500,
        "Something broke",
        "The console could not show this page; its log says why. Books and connections are "
        "untouched. Try again, or open another page.",
    )
    # Starlette makes this answer outside of all middleware.
    console: Console = request.app.state.console
    page.headers.update({"cache-control": "no-store", **strict_headers(is_https=console.is_https)})
    return page


def _plain_page(request: Request, status: int, title: str, message: str) -> Response:
    console: Console = request.app.state.console
    template = "fragment_error.html" if request.headers.get("x-fragment") else "error.html"
    page = console.templates.get_template(template).render(
        user=None, notices=[], title=title, message=message, path=request.url.path, csrf_token=""
    )
    return HTMLResponse(page, status)
