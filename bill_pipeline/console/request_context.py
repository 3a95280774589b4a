"""One request as the pages see it: who asks, for which client, with which form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bill_pipeline.console.auth.sign_ins import SignIn
from bill_pipeline.console.auth.users import LONGEST_NAME, Permission, User
from bill_pipeline.console.console import Console
from bill_pipeline.console.database import Written
from bill_pipeline.console.parts.forms import Form
from bill_pipeline.settings import LONGEST_TEXT

#: Nothing here is counted in billions, and a longer number fits into no database.
MOST_DIGITS = 9


@dataclass
class RequestContext:
    """A request that is signed in and allowed. ``client`` is one that the user may see."""

    request: Request
    console: Console
    sign_in: SignIn | None = None
    form: Form = field(default_factory=lambda: Form([]))

    @property
    def user(self) -> User:
        assert self.sign_in is not None, "this page is open to anyone"  # noqa: S101
        return self.sign_in.user

    @property
    def client(self) -> str:
        """The client in the page's address."""
        return str(self.request.path_params["client"])

    @property
    def address(self) -> str:
        return self.request.client.host if self.request.client else "unknown"

    @property
    def user_name(self) -> str:
        """The name that a sign-in form gives; longer is nobody's, and is not kept."""
        return self.form.text("name")[:LONGEST_NAME]

    @property
    def is_fragment(self) -> bool:
        """Whether our script asks for a part of a page, not a browser for a page."""
        return self.request.headers.get("x-fragment") == "1"

    def path(self, name: str) -> str:
        """A part of the page's address, such as a document's id."""
        return str(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """A value in the address; 414 when it is longer than anybody types."""
        value = self.request.query_params.get(name, default)
        if len(value) > LONGEST_TEXT:
            raise HTTPException(414, "The address is too long.")
        return value.strip()

    def number(self, name: str) -> int | None:
        """A whole number in the address, such as a page's; None for anything else."""
        return _number(self.query(name))

    def may(self, permission: str) -> bool:
        return self.user.may(Permission[permission])

    @property
    def may_open_dagster(self) -> bool:
        """Whether Dagster's page is served here and opens for this user."""
        return self.console.dagster is not None and self.user.may_open_dagster

    def lists_missing(self, client: str) -> dict[str, str]:
        """List → what BILL said, of those without which the books of ``client`` are incomplete."""
        return self.console.registry.status(client).lists_missing

    def render(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page made from ``templates/<template>``; notices waiting for this browser are shown."""
        notices = []
        if self.sign_in and not self.is_fragment:
            notices = self.console.sign_ins.take_notices(self.sign_in)
        page = self.console.templates.get_template(template).render(
            context=self,
            user=self.sign_in.user if self.sign_in else None,
            csrf_token=self.sign_in.csrf_token if self.sign_in else "",
            notices=notices,
            path=self.request.url.path,
            **values,
        )
        return HTMLResponse(page, status)

    def redirect(self, path: str) -> Response:
        """After a form was accepted: show ``path``, so that reloading does not submit again."""
        return RedirectResponse(path, 303)

    def notify(self, text: str, kind: str = "done", **links: str) -> None:
        if self.sign_in:
            self.console.sign_ins.notify(self.sign_in, kind, text, **links)

    def record(self, action: str, client: str | None = None, **details: Any) -> None:
        """Write what the user did into the audit log."""
        self.console.audit.record(self.user.name, self.address, action, client, **details)

    def line(self, action: str, client: str | None = None, **details: Any) -> Written:
        """The same line, for the transaction that does what it tells."""
        return self.console.audit.line(self.user.name, self.address, action, client, **details)

    def own_path(self, given: str, otherwise: str) -> str:
        """``given`` when it is a page of this console, so that a form cannot send users away."""
        is_own = given.startswith("/") and not given.startswith("//") and "\\" not in given
        return quote(given, safe="/?&=%#:,+~-._") if is_own else otherwise


def _number(text: str) -> int | None:
    is_one = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if is_one else None
