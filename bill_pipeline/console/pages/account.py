"""Signing in and out, one's own password, and for administrators the users and the audit log."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.auth.access import SESSION_COOKIE, SIGN_IN_COOKIE, sign_in_token
from bill_pipeline.console.auth.passwords import WeakPassword
from bill_pipeline.console.auth.sign_ins import LONGEST, TooManyFailures
from bill_pipeline.console.auth.users import ALL_CLIENTS, Clients, Role, User, UserRefused
from bill_pipeline.console.database import Written
from bill_pipeline.console.parts.forms import MOST_BYTES
from bill_pipeline.console.request_context import RequestContext

_AUDIT_ROWS = 100


def sign_in_page(context: RequestContext) -> Response:
    if context.sign_in is not None:
        return context.redirect(context.own_path(context.query("next"), "/"))
    return _sign_in_form(context, status=200, message="")


def sign_in(context: RequestContext) -> Response:
    name = context.user_name
    try:
        token = context.console.sign_ins.sign_in(
            name, context.form.secret("password"), address=context.address
        )
    except TooManyFailures as error:
        if error.is_news:
            context.console.audit.record(
                name, context.address, "sign-in refused: too many failures"
            )
        raise HTTPException(429, str(error)) from None  # the very page that the check shows
    if token is None:
        context.console.audit.record(name, context.address, "sign-in failed")
        return _sign_in_form(context, status=401, message="Name or password is wrong.")
    context.console.audit.record(name, context.address, "signed in")
    answer = context.redirect(context.own_path(context.form.text("next"), "/"))
    answer.set_cookie(
        SESSION_COOKIE,
        token.get_secret_value(),
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        secure=context.console.is_https,
        samesite="lax",
    )
    answer.delete_cookie(SIGN_IN_COOKIE)
    return answer


def sign_out(context: RequestContext) -> Response:
    assert context.sign_in is not None  # noqa: S101 - the route asks for a signed-in user
    context.record("signed out")
    context.console.sign_ins.sign_out(context.sign_in)
    answer = context.redirect("/sign-in")
    answer.delete_cookie(SESSION_COOKIE)
    return answer


def account_page(context: RequestContext) -> Response:
    return context.render("account.html", message="")


def change_own_password(context: RequestContext) -> Response:
    """Asks for the present password: an unlocked screen must not be enough."""
    users = context.console.users
    try:
        verified = context.console.sign_ins.checked(
            context.user.name, context.form.secret("present"), address=context.address
        )
    except TooManyFailures as error:
        if error.is_news:
            context.record("password change refused: too many failures")
        return context.render("account.html", status=429, message=str(error))
    if verified is None:
        context.record("present password was wrong")
        message = "The present password is wrong."
    elif context.form.secret("new") != context.form.secret("again"):
        message = "The new password was not typed the same twice."
    else:
        try:
            users.set_password(
                context.user.name,
                context.form.secret("new"),
                verified=verified,
                told=context.line("changed own password"),
            )
        except (UserRefused, WeakPassword) as error:
            message = str(error)
        else:
            return context.redirect("/sign-in")
    return context.render("account.html", status=422, message=message)


def users_page(context: RequestContext) -> Response:
    return _users(context)


def add_user(context: RequestContext) -> Response:
    name = context.form.text("name")
    try:
        role, clients = _role(context), _clients(context)
        user = context.console.users.create(
            name,
            context.form.secret("password"),
            role,
            clients=clients,
            created_by=context.user.name,
            told=context.line("added user", user=name, role=role, clients=_listed(clients)),
        )
    except (UserRefused, WeakPassword) as error:
        return _users(context, status=422, message=str(error))
    context.notify(f"{user.name} can sign in now. Hand over the password in person or by phone.")
    return context.redirect("/users")


def change_user(context: RequestContext) -> Response:
    """All that the form says, or nothing of it: what was refused is not half done."""
    name = context.path("name")
    users = context.console.users
    try:
        known = users.get(name)
        if context.form.text("access") == "disabled":
            # Whatever else the form holds, which is left: nothing may keep somebody in.
            told = _changed(context, known, known.role, known.clients, disabled=True)
            users.disable(name, told=told)
            context.notify(f"{known.name} may not sign in any more; all else is as it was.")
            return context.redirect("/users")
        role = _role(context)
        clients = _clients(
            context, known=frozenset() if known.clients == ALL_CLIENTS else known.clients
        )
        password = context.form.secret("password")
        has_password = bool(password.get_secret_value())
        users.change(
            name,
            role=role,
            clients=clients,
            password=password if has_password else None,
            told=_changed(context, known, role, clients, disabled=False, new_password=has_password),
        )
    except (UserRefused, WeakPassword) as error:
        return _users(context, status=422, message=str(error))
    context.notify(f"{known.name} was changed.")
    return context.redirect("/users")


def _changed(
    context: RequestContext, user: User, role: Role, clients: Clients, **details: Any
) -> Written:
    return context.line(
        "changed user", user=user.name, role=role, clients=_listed(clients), **details
    )


def audit_page(context: RequestContext) -> Response:
    entries = context.console.audit.latest(
        client=context.query("client") or None,
        limit=_AUDIT_ROWS,
        before=context.number("before"),
    )
    oldest = entries[-1][0] if len(entries) == _AUDIT_ROWS else None
    older = f"/audit?before={oldest}&client={quote(context.query('client'))}" if oldest else ""
    return context.render(
        "audit.html",
        entries=[entry for _number, entry in entries],
        older=older,
        only_client=context.query("client"),
    )


def seen_all_clients(context: RequestContext) -> Response:
    """The administrator knows whom the upgrade gave all clients."""
    context.console.users.note_seen()
    return context.redirect("/users")


def _sign_in_form(context: RequestContext, *, status: int, message: str) -> Response:
    token = sign_in_token(context.request)
    answer = context.render(
        "sign_in.html",
        status=status,
        message=message,
        form_token=token,
        next=context.form.text("next") or context.query("next"),
        name=context.form.text("name"),
        has_users=bool(context.console.users.all()),
    )
    answer.set_cookie(
        SIGN_IN_COOKIE, token, httponly=True, secure=context.console.is_https, samesite="strict"
    )
    return answer


def _users(context: RequestContext, *, status: int = 200, message: str = "") -> Response:
    return context.render(
        "users.html",
        status=status,
        message=message,
        users=context.console.users.all(),
        roles=list(Role),
        client_names=context.console.registry.names(),
        given_all_clients=context.console.users.given_all_clients(),
    )


def _role(context: RequestContext) -> Role:
    try:
        return Role(context.form.text("role"))
    except ValueError:
        raise UserRefused("Choose a role: viewer, bookkeeper or admin.") from None


def _clients(context: RequestContext, *, known: frozenset[str] = frozenset()) -> Clients:
    """The clients that the form names, none where it names none, or all where it says so.

    A name that is ``known`` of this user may be a client's that was disconnected since.
    """
    names = frozenset(context.form.text("clients", most=MOST_BYTES).replace(",", " ").split())
    if context.form.text("scope") == ALL_CLIENTS:
        if names:
            raise UserRefused("Choose all clients, or leave the names of some; not both.")
        return ALL_CLIENTS
    if unknown := names - known - set(context.console.registry.names()):
        raise UserRefused(f"No client is named {', '.join(sorted(unknown))}.")
    return names


def _listed(clients: Clients) -> list[str] | str:
    return clients if clients == ALL_CLIENTS else sorted(clients)
