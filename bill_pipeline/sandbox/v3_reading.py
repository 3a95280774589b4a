"""The v3 plane's reads: sessions, every list and single object.

Writes are ``v3_writing.py``, what hangs below an object ``v3_below.py`` and ``v3_files.py``; the
lists themselves are the table in ``lists.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import orjson

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document, DocumentList
from bill_pipeline.sandbox.lists import LISTS, ListRow
from bill_pipeline.sandbox.otherwise import as_sent, rewrites
from bill_pipeline.sandbox.queries import Query, read_query
from bill_pipeline.sandbox.switches import Switches

#: What is left of a vendor in a list when ``list_rows_are_whole`` is off.
_THIN_VENDOR = ("id", "archived", "name", "email", "createdTime", "updatedTime")


def log_in(call: Call) -> dict[str, Any]:
    """``POST /v3/login`` with a person's password or a sync token."""
    state, body = call.state, call.json()
    for name in ("username", "password", "organizationId", "devKey"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise errors.invalid(f"{name}: The {name} field is required")
    status = state.switches.login_error_status
    if body["devKey"] != state.dev_key:
        raise errors.wrong_dev_key(status)
    state.limits.count_request(body["devKey"], "login")
    state.limits.count_login(body["devKey"])
    organization = state.organizations.get(body["organizationId"])
    session = state.sessions.log_in(
        organization, body["username"], body["password"], body["devKey"]
    )
    if session.credential.kind == "token" and not state.switches.tokens_log_in_at_v3:
        state.sessions.log_out(session.session_id)
        raise errors.wrong_password(status)
    if body.get("rememberMeId"):
        device = str(body.get("device") or "")
        state.trust.step_up(session, str(body["rememberMeId"]), device)
    return {
        "sessionId": session.session_id,
        "organizationId": session.organization.id,
        "userId": session.credential.user_id,
        "trusted": session.is_trusted or state.switches.users_are_trusted,
    }


def session_details(call: Call) -> dict[str, Any]:
    session = call.signed_in()
    return {
        "organizationId": session.organization.id,
        "userId": session.credential.user_id,
        "mfaStatus": "DISABLED",
        "mfaBypass": False,
    }


def session_organizations(call: Call) -> dict[str, Any]:
    """``GET /v3/login/organizations``: where this session's person can log in."""
    credential = call.signed_in().credential
    results = [
        {"id": organization.id, "name": organization.name}
        for organization in call.state.organizations.values()
        if any(
            (c.name, c.password) == (credential.name, credential.password)
            for c in organization.credentials
        )
    ]
    return {"results": results}


def log_out(call: Call) -> None:
    call.state.sessions.log_out(call.signed_in().session_id)


def health(call: Call) -> dict[str, Any]:
    return {"appId": "sandbox", "appEnv": "local", "appVersion": "3", "bdcRegion": "local"}


def list_documents(row: ListRow, call: Call) -> bytes:
    """One page of a list, as the bytes of BILL's paging envelope."""
    organization = call.signed_in().organization
    check_permission(row, call)
    check_own_organization(call)
    if row.name == "billing-statements" and _dates(call) != (None, None):
        return _statements_between(call)
    query = read_query(row, call.parameters, call.state.switches)
    documents = organization[row.name]
    if call.fault is not None and call.fault.kind == "moved_rows" and query.offset > 0:
        _touch_first_rows(documents, query.rows, call)
    page = page_of(row, documents, query, call)
    if row.name == "vendors":
        return _without_private_fields(page, call)
    return page


def page_of(
    row: ListRow,
    documents: DocumentList,
    query: Query,
    call: Call,
    hidden: Collection[str] = (),
) -> bytes:
    """One page in BILL's envelope; ``hidden`` are ids of documents that were deleted."""
    switches = call.state.switches
    positions = call.state.selections.positions(row, documents, query, switches.archived_in_lists)
    if hidden:
        shown = [documents.ids.at(int(p)) not in hidden for p in positions]
        positions = positions[np.array(shown, dtype=bool)]
    chosen = [int(p) for p in positions[query.offset : query.offset + query.rows]]
    if call.fault is not None and call.fault.kind == "duplicate_rows" and query.offset > 0:
        chosen.insert(0, int(positions[query.offset - 1]))
    end = query.offset + query.rows
    tail = b""
    if end < len(positions):
        tail = b',"nextPage":' + orjson.dumps(query.token(end))
    elif switches.last_next_page != "omit":
        tail = b',"nextPage":' + (b'""' if switches.last_next_page == "empty" else b"null")
    if query.offset > 0:
        before = query.token(max(query.offset - query.rows, 0))
        tail += b',"prevPage":' + orjson.dumps(before)
    rows = b",".join(_encoded(row, documents, position, switches) for position in chosen)
    return b'{"results":[' + rows + b"]" + tail + b"}"


def _encoded(row: ListRow, documents: DocumentList, position: int, switches: Switches) -> bytes:
    if not rewrites(switches, row.name):
        return documents.encoded(position)
    return orjson.dumps(as_sent(switches, row.name, documents.at(position)))


def _touch_first_rows(documents: DocumentList, count: int, call: Call) -> None:
    """Change documents a client has already read: in a sorted list, all others move up."""
    order = documents.updated_ms().argsort(kind="stable")[: max(count // 10, 1)]
    for position in order:
        documents.replace(documents.at(int(position)), call.state.clock.stamp_ms())


def _without_private_fields(page: bytes, call: Call) -> bytes:
    """A vendor's bank account is only read on its own path; rows may be thinner still."""
    body = orjson.loads(page)
    for vendor in body["results"]:
        vendor.get("paymentInformation", {}).pop("bankAccount", None)
    if not call.state.switches.list_rows_are_whole:
        body["results"] = [
            {name: vendor[name] for name in _THIN_VENDOR if name in vendor}
            for vendor in body["results"]
        ]
    return orjson.dumps(body)


def get_document(row: ListRow, call: Call) -> dict[str, Any]:
    check_permission(row, call)
    check_own_organization(call)
    document = find_document(row, call)
    if row.name == "vendors":
        document.get("paymentInformation", {}).pop("bankAccount", None)
    return as_sent(call.state.switches, row.name, document)


def find_document(row: ListRow, call: Call) -> Document:
    """The document named in the path; raises ``ApiError`` 404 BDC_1205."""
    document = call.signed_in().organization[row.name].get(call.parts["object_id"])
    if document is None:
        raise errors.not_found(call.parts["object_id"])
    return document


def get_organization(call: Call) -> dict[str, Any]:
    """Administrators only, so a sync token gets 403."""
    session = call.signed_in()
    if call.parts["organization_id"] != session.organization.id:
        raise errors.not_found(call.parts["organization_id"])
    if not session.credential.is_administrator:
        raise errors.forbidden(call.state.switches.forbidden_code)
    return session.organization.profile


def check_permission(row: ListRow, call: Call) -> None:
    """Raises ``ApiError`` 403 where the session may not read the list."""
    credential, switches = call.signed_in().credential, call.state.switches
    refused = switches.denied_to_tokens() | call.signed_in().organization.refused_lists
    denied = credential.kind == "token" and row.name in refused
    if denied or (row.administrators_only and not credential.is_administrator):
        raise errors.forbidden(switches.forbidden_code)


def check_own_organization(call: Call) -> None:
    """Raises ``ApiError`` 404 where a path names another organization."""
    wanted = call.parts.get("organization_id")
    if wanted is not None and wanted != call.signed_in().organization.id:
        raise errors.not_found(wanted)


def _dates(call: Call) -> tuple[str | None, str | None]:
    parameters = dict(call.parameters)
    return parameters.get("invoiceDateFrom"), parameters.get("invoiceDateTo")


def _statements_between(call: Call) -> bytes:
    """Billing statements by invoice date: everything at once, ``max`` and ``page`` refused."""
    if any(name in {"max", "page"} for name, _ in call.parameters):
        raise errors.invalid("max and page cannot be used with invoiceDateFrom or invoiceDateTo")
    first, last = _dates(call)
    statements = [
        statement
        for statement in call.signed_in().organization["billing-statements"]
        if (first or "") <= statement["invoiceDate"] <= (last or "9999-12-31")
    ]
    return orjson.dumps({"results": statements})


def audit_trail(call: Call) -> list[Document]:
    """``GET /v3/reports/audit-trail/vendor/{id}``: a bare array."""
    vendor = find_document(LISTS["vendors"], call)
    parameters = dict(call.parameters)
    start, rows = (
        parameters.get(name, default) for name, default in (("start", "0"), ("max", "100"))
    )
    if not (start.isdecimal() and rows.isdecimal()):
        raise errors.invalid("start and max must be numbers")
    trail = call.signed_in().organization.audit_trail.get(vendor["id"], [])
    return trail[int(start) : int(start) + int(rows)]
