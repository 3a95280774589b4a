"""Put the console together: its pages, its error pages, what Dagster serves.

``console_app(Console.at(home))`` is a complete ASGI application; serving it is
``cli/console.py``'s work.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator

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
    OneHost,
    SecurityHeaders,
    guarded,
    strict_headers,
)
from bill_pipeline.console.console import FOLDER, Console
from bill_pipeline.console.dagster_proxy import proxy as dagster_door
from bill_pipeline.console.routes import PAGES

_TITLES = {
    401: "Signed out",
    403: "Not allowed",
    404: "Not found",
    405: "Not found",
    429: "Wait a while",
    503: "Busy",
}


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
            Middleware(OneHost),
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
