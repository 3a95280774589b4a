"""Who is asking, may they, and is the request really theirs.

Every page is declared in ``routes.py`` with the permission it needs, and reaches its view only
through ``guarded``: signed in, allowed, allowed to see the client in the address, and, for a form,
sent by our own page (a token in the form, and where the browser says it came from). A client one
may not see answers exactly as one that does not exist.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bill_pipeline.bill.errors import BillError
from bill_pipeline.console.auth.sign_ins import SignIn, TooManyFailures, network_of
from bill_pipeline.console.auth.users import Permission
from bill_pipeline.console.console import Console
from bill_pipeline.console.parts.forms import Form, read_form
from bill_pipeline.console.request_context import RequestContext
from bill_pipeline.errors import PipelineError

SESSION_COOKIE = "bill_pipeline_session"
#: Before anybody is signed in there is no session to bind the form to: a cookie is.
SIGN_IN_COOKIE = "bill_pipeline_sign_in"

_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    """One row of the table of routes."""

    method: str
    path: str
    view: Callable[[RequestContext], Response]
    needs: Permission
    hashes: bool = False  # it makes or checks a password: few at a time

    @property
    def hands_over_files(self) -> bool:
        """Whether it writes books into files, and the audit log names who asked."""
        return "/download/" in self.path


def guarded(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of ``page``: its view, behind every check that the page's row asks for."""

    async def endpoint(request: Request) -> Response:
        console: Console = request.app.state.console
        turns, sign_in = console.turns, await sign_in_of(request)
        is_known = sign_in is not None
        if page.needs > Permission.ANYONE and sign_in is None:
            return to_sign_in(request)
        if page.hands_over_files and is_foreign(request, is_https=console.is_https):
            raise HTTPException(403, "Another site asked for this file. Download it from its page.")
        form = Form([])
        if page.method == "POST":
            large = turns.large_bodies if page.needs else None
            form = await read_form(request, large)
            _require_own_form(request, form, sign_in if page.needs else None)
        if sign_in is not None:
            _require_permission(page, sign_in)
        if "client" in request.path_params:
            await turns.run(_require_client, console, request, sign_in, is_known=is_known)
        context = RequestContext(request, console, sign_in, form)
        if not page.hashes:
            user_name = sign_in.user.name if sign_in else None
            return await turns.show(_answer, page, context, user_name=user_name)
        if not page.needs:
            is_known = await turns.run(_is_known_there, context)
        network = network_of(context.address)
        return await turns.hash(_answer, page, context, is_known=is_known, network=network)

    return endpoint


async def sign_in_of(asked: HTTPConnection, *, is_visit: bool = True) -> SignIn | None:
    """Who asks; ``is_visit`` as in ``SignIns.of``."""
    console: Console = asked.app.state.console
    token = asked.cookies.get(SESSION_COOKIE)
    if not token:
        return None
    of = partial(console.sign_ins.of, token, is_visit=is_visit)
    return await console.turns.run(of, is_known=console.sign_ins.is_regular(token))


def _answer(page: Page, context: RequestContext) -> Response:
    """Errors that a person must act on become a page that says so."""
    try:
        return page.view(context)
    except (PipelineError, BillError) as error:
        _log.info("%s %s: %s", page.method, page.path, error)
        if context.is_fragment:
            return context.render("fragment_error.html", status=409, message=str(error))
        return context.render("error.html", status=409, title="Not done", message=str(error))


def _is_known_there(context: RequestContext) -> bool:
    """Whether this name signed in from there before; asked before a password has its turn.

    Raises HTTPException 429 when there were too many failures.
    """
    name = context.user_name
    try:
        return context.console.sign_ins.is_known(name, address=context.address)
    except TooManyFailures as error:
        if error.is_news:
            context.console.audit.record(
                name, context.address, "sign-in refused: too many failures"
            )
        raise HTTPException(429, str(error)) from None


def _require_permission(page: Page, sign_in: SignIn) -> None:
    if page.needs > Permission.ANYONE and not sign_in.user.may(page.needs):
        raise HTTPException(
            403, f"A {sign_in.user.role} may not do this. Ask an administrator of the console."
        )


def _require_client(console: Console, request: Request, sign_in: SignIn | None) -> None:
    client = request.path_params["client"]
    may_see = sign_in is not None and sign_in.user.may_see(client)
    if not may_see or not console.has_client(client):
        raise HTTPException(404, "There is no such client.")


def is_foreign(asked: HTTPConnection, *, is_https: bool) -> bool:
    """Whether the browser says that a page of another address sent this."""
    host, origin = asked.headers.get("host"), asked.headers.get("origin")
    own = {f"https://{host}"} if is_https else {f"http://{host}", f"https://{host}"}
    is_elsewhere = origin is not None and origin not in own
    return is_elsewhere or asked.headers.get("sec-fetch-site") in ("cross-site", "same-site")


def _require_own_form(request: Request, form: Form, sign_in: SignIn | None) -> None:
    """Raises HTTPException 403 unless one of our own pages, in this browser, sent the form."""
    if is_foreign(request, is_https=request.app.state.console.is_https):
        raise HTTPException(403, "This form was sent by another site.")
    expected = sign_in.csrf_token if sign_in else request.cookies.get(SIGN_IN_COOKIE, "")
    given = form.text("csrf_token")
    if not expected or not hmac.compare_digest(expected.encode(), given.encode()):
        raise HTTPException(403, "This form is too old. Open the page again and send it anew.")


def to_sign_in(request: Request) -> Response:
    """To the sign-in page, and back afterwards; a form that came too late is not kept."""
    if request.method != "GET" or request.headers.get("x-fragment"):
        raise HTTPException(401, "You are signed out. Sign in and try again.")
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", 303)


def sign_in_token(request: Request) -> str:
    """The token that ties a sign-in form to this browser."""
    return request.cookies.get(SIGN_IN_COOKIE) or secrets.token_urlsafe(32)


def strict_headers(*, is_https: bool) -> dict[str, str]:
    """What tells browsers to be strict with an answer."""
    headers = {
        "content-security-policy": _CONTENT_POLICY,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }
    if is_https:
        headers["strict-transport-security"] = "max-age=31536000"
    return headers


class OneHost:
    """Refuses a request that names several hosts: who reads it might believe another one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = [name for name, _value in scope.get("headers", ()) if name.lower() == b"host"]
        if len(names) > 1:
            refusal = PlainTextResponse("A request names one host.", 400)
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class SecurityHeaders:
    """Adds ``strict_headers`` to every answer but that of a page that broke: see ``app``."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = strict_headers(is_https=is_https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _value in message["headers"]}
                extra = dict(self._headers)
                if not scope["path"].startswith("/static/"):
                    extra["cache-control"] = "no-store"
                message["headers"] = [
                    *message["headers"],
                    *(
                        (name.encode(), value.encode())
                        for name, value in extra.items()
                        if name.encode() not in present
                    ),
                ]
            await send(message)

        await self._app(scope, receive, send_strictly)
