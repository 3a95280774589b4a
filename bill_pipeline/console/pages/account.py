"""Signing in and out, one's own password, and for administrators the users and the audit log."""

from __future__ import annotations

from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bill_pipeline.console.auth.access import SESSION_COOKIE, SIGN_IN_COOKIE, sign_in_token
from bill_pipeline.console.auth.passwords import WeakPassword
from bill_pipeline.console.auth.sign_ins import LONGEST, TooManyFailures
from bill_pipeline.console.auth.users import ALL_CLIENTS, Clients, Role, UserRefused
from bill_pipeline.console.parts.forms import MOST_BYTES
from bill_pipeline.console.request_context import Visit

_AUDIT_ROWS = 100


def sign_in_page(visit: Visit) -> Response:
    if visit.sign_in is not None:
        return visit.redirect(visit.own_path(visit.query("next"), "/"))
    return _sign_in_form(visit, status=200, message="")


def sign_in(visit: Visit) -> Response:
    name = visit.user_name
    try:
        token = visit.console.sign_ins.sign_in(
            name, visit.form.secret("password"), address=visit.address
        )
    except TooManyFailures as error:
        if error.is_news:
            visit.console.audit.record(name, visit.address, "sign-in refused: too many failures")
        raise HTTPException(429, str(error)) from None  # the very page that the guard shows
    if token is None:
        visit.console.audit.record(name, visit.address, "sign-in failed")
        return _sign_in_form(visit, status=401, message="Name or password is wrong.")
    visit.console.audit.record(name, visit.address, "signed in")
    answer = visit.redirect(visit.own_path(visit.form.text("next"), "/"))
    answer.set_cookie(
        SESSION_COOKIE,
        token.get_secret_value(),
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        secure=visit.console.is_https,
        samesite="lax",
    )
    answer.delete_cookie(SIGN_IN_COOKIE)
    return answer


def sign_out(visit: Visit) -> Response:
    assert visit.sign_in is not None  # noqa: S101 - the route asks for a signed-in user
    visit.record("signed out")
    visit.console.sign_ins.sign_out(visit.sign_in)
    answer = visit.redirect("/sign-in")
    answer.delete_cookie(SESSION_COOKIE)
    return answer


def account_page(visit: Visit) -> Response:
    return visit.render("account.html", message="")


def change_own_password(visit: Visit) -> Response:
    """Asks for the present password: an unlocked screen must not be enough."""
    users = visit.console.users
    try:
        verified = visit.console.sign_ins.checked(
            visit.user.name, visit.form.secret("present"), address=visit.address
        )
    except TooManyFailures as error:
        if error.is_news:
            visit.record("password change refused: too many failures")
        return visit.render("account.html", status=429, message=str(error))
    if verified is None:
        visit.record("present password was wrong")
        message = "The present password is wrong."
    elif visit.form.secret("new") != visit.form.secret("again"):
        message = "The new password was not typed the same twice."
    else:
        try:
            users.set_password(visit.user.name, visit.form.secret("new"), verified=verified)
        except (UserRefused, WeakPassword) as error:
            message = str(error)
        else:
            visit.record("changed own password")
            return visit.redirect("/sign-in")
    return visit.render("account.html", status=422, message=message)


def users_page(visit: Visit) -> Response:
    return _users(visit)


def add_user(visit: Visit) -> Response:
    name, role = visit.form.text("name"), _role(visit)
    try:
        user = visit.console.users.create(
            name,
            visit.form.secret("password"),
            role,
            clients=_clients(visit),
            created_by=visit.user.name,
        )
    except (UserRefused, WeakPassword) as error:
        return _users(visit, status=422, message=str(error))
    visit.record("added user", user=user.name, role=role, clients=_listed(user.clients))
    visit.notify(f"{user.name} can sign in now. Hand over the password in person or by phone.")
    return visit.redirect("/users")


def change_user(visit: Visit) -> Response:
    name = visit.path("name")
    is_disabled = visit.form.text("access") == "disabled"
    users = visit.console.users
    try:
        if is_disabled:  # whatever else the form holds: nothing may keep somebody in
            user = users.disable(name)
        else:
            known = users.get(name).clients
            clients = _clients(visit, known=frozenset() if known == ALL_CLIENTS else known)
            user = users.change(name, role=_role(visit), clients=clients)
        if visit.form.text("password"):
            visit.console.users.set_password(name, visit.form.secret("password"))
            visit.record("set a user's password", user=name)
    except (UserRefused, WeakPassword) as error:
        return _users(visit, status=422, message=str(error))
    visit.record(
        "changed user",
        user=user.name,
        role=user.role,
        clients=_listed(user.clients),
        disabled=is_disabled,
    )
    visit.notify(f"{user.name} was changed.")
    return visit.redirect("/users")


def audit_page(visit: Visit) -> Response:
    entries = visit.console.audit.latest(
        client=visit.query("client") or None,
        limit=_AUDIT_ROWS,
        before=visit.number("before"),
    )
    oldest = entries[-1][0] if len(entries) == _AUDIT_ROWS else None
    older = f"/audit?before={oldest}&client={quote(visit.query('client'))}" if oldest else ""
    return visit.render(
        "audit.html",
        entries=[entry for _number, entry in entries],
        older=older,
        only_client=visit.query("client"),
    )


def seen_all_clients(visit: Visit) -> Response:
    """The administrator knows whom the upgrade gave all clients."""
    visit.console.users.note_seen()
    return visit.redirect("/users")


def _sign_in_form(visit: Visit, *, status: int, message: str) -> Response:
    token = sign_in_token(visit.request)
    answer = visit.render(
        "sign_in.html",
        status=status,
        message=message,
        form_token=token,
        next=visit.form.text("next") or visit.query("next"),
        name=visit.form.text("name"),
        has_users=bool(visit.console.users.all()),
    )
    answer.set_cookie(
        SIGN_IN_COOKIE, token, httponly=True, secure=visit.console.is_https, samesite="strict"
    )
    return answer


def _users(visit: Visit, *, status: int = 200, message: str = "") -> Response:
    return visit.render(
        "users.html",
        status=status,
        message=message,
        users=visit.console.users.all(),
        roles=list(Role),
        client_names=visit.console.registry.names(),
        given_all_clients=visit.console.users.given_all_clients(),
    )


def _role(visit: Visit) -> Role:
    try:
        return Role(visit.form.text("role"))
    except ValueError:
        raise UserRefused("Choose a role: viewer, bookkeeper or admin.") from None


def _clients(visit: Visit, *, known: frozenset[str] = frozenset()) -> Clients:
    """The clients that the form names, none where it names none, or all where it says so.

    A name that is ``known`` of this user may be a client's that was disconnected since.
    """
    names = frozenset(visit.form.text("clients", most=MOST_BYTES).replace(",", " ").split())
    if visit.form.text("scope") == ALL_CLIENTS:
        if names:
            raise UserRefused("Choose all clients, or leave the names of some; not both.")
        return ALL_CLIENTS
    if unknown := names - known - set(visit.console.registry.names()):
        raise UserRefused(f"No client is named {', '.join(sorted(unknown))}.")
    return names


def _listed(clients: Clients) -> list[str] | str:
    return clients if clients == ALL_CLIENTS else sorted(clients)
