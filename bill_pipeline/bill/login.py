"""Open a session: at v3, at v2 when v3 refuses, and say which part of a refusal a person can fix.

BILL documents both login endpoints for sync tokens. A refused token is asked for at most once at
each; nothing here is retried. How a request is sent is the caller's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bill_pipeline.bill import errors
from bill_pipeline.bill.connection import Connection
from bill_pipeline.bill.sessions import Session

# What is sent, as a JSON body (v3) or a form (v2) → BILL's answer.
Ask = Callable[[str, dict[str, str]], Any]


def open_session(connection: Connection, client: str, *, ask_v3: Ask, ask_v2: Ask) -> Session:
    """Log in. Raises ``ConnectionRefused`` and its kin, ``BillUnavailable``, ``HourlyLimit``."""
    v3_login = {
        "username": connection.token_name,
        "password": connection.token_password.get_secret_value(),
        "organizationId": connection.organization_id,
        "devKey": connection.dev_key.get_secret_value(),
    }
    try:
        answer = ask_v3("/v3/login", v3_login)
    except (errors.ConnectionRefused, errors.RequestRefused) as refusal:
        if isinstance(refusal, errors.ApiNotEnabled):
            raise
        return _open_v2_session(connection, client, ask_v2, refusal)
    return _session_in(answer, connection, client)


def _open_v2_session(
    connection: Connection, client: str, ask_v2: Ask, refusal: errors.BillError
) -> Session:
    """Log in at v2. Raises ``refusal``, v3's, when v2 says no more than that."""
    token = {
        "userName": connection.token_name,
        "password": connection.token_password.get_secret_value(),
        "devKey": connection.dev_key.get_secret_value(),
    }
    try:
        answer = ask_v2("Login", {**token, "orgId": connection.organization_id})
    except (errors.LoginRefused, errors.RequestRefused, errors.BillUnavailable):
        if isinstance(refusal, errors.LoginRefused):
            _explain_organization(connection, client, ask_v2, token)
        raise refusal from None
    return _session_in(answer, connection, client)


def _explain_organization(
    connection: Connection, client: str, ask_v2: Ask, token: dict[str, str]
) -> None:
    """Raise ``UnknownOrganization`` when the token is good, but for other organizations.

    BILL refuses a wrong organization with the words for a wrong password.
    """
    try:
        organizations = ask_v2("ListOrgs", token)
    except errors.BillError:
        return
    if not isinstance(organizations, list):
        return
    ids = {entry.get("orgId") for entry in organizations if isinstance(entry, dict)}
    if ids and connection.organization_id not in ids:
        raise errors.UnknownOrganization(
            f"The token is good, but does not open organization {connection.organization_id}",
            client=client,
            subject="login",
        )


def _session_in(answer: Any, connection: Connection, client: str) -> Session:
    session_id = answer.get("sessionId") if isinstance(answer, dict) else None
    if not isinstance(session_id, str) or not session_id:
        raise errors.MalformedAnswer(
            "BILL's answer to the login has no session", client=client, subject="login"
        )
    organization_id = answer.get("organizationId") or answer.get("orgId")
    if organization_id not in (None, connection.organization_id):
        raise errors.UnknownOrganization(
            f"The token opened organization {organization_id}, not {connection.organization_id}",
            client=client,
            subject="login",
        )
    return Session(session_id, connection.organization_id, connection.fingerprint)
