"""What an HTTP answer of BILL means: its JSON, or one of ``errors``.

Errors are told apart by BILL's code, not by the HTTP status: BILL does not document the status
of its limit errors, v2 answers 200 to everything, and the gateway in front of v3 answers with a
single object or HTML of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from bill_pipeline.bill import errors
from bill_pipeline.bill.documents import parse_exactly

_BY_CODE: dict[str, type[errors.BillError]] = {
    "BDC_1101": errors.LoginRefused,
    "BDC_1102": errors.DeveloperKeyRefused,
    "BDC_1105": errors.ApiNotEnabled,
    "BDC_1109": errors.SessionLost,
    "BDC_1121": errors.RequestRefused,
    "BDC_1143": errors.RequestRefused,
    "BDC_1144": errors.HourlyLimit,
    "BDC_1205": errors.DocumentGone,
    "BDC_1322": errors.ConcurrencyLimit,
    "BDC_1361": errors.PermissionMissing,
    "BDC_1001": errors.BillUnavailable,
    "BDC_1002": errors.BillUnavailable,
}
_BY_STATUS: dict[int, type[errors.BillError]] = {
    401: errors.SessionLost,
    403: errors.PermissionMissing,
    408: errors.BillUnavailable,
    425: errors.BillUnavailable,
    429: errors.ConcurrencyLimit,  # without a code: the limit that passes soonest
}
# Codes whose class and message alone do not say which part of a login was wrong.
_LOGIN_CODES = {"BDC_1101", "BDC_1102", "BDC_1105"}
_SAYS_ORGANIZATION = re.compile(r"\borg(anization)?(\s*id)?\b", re.IGNORECASE)
_SAYS_PERMISSION = re.compile(r"permission|not authorized|unauthorized|privilege", re.IGNORECASE)
_SAYS_CONCURRENT = re.compile(r"concurrent", re.IGNORECASE)
_SAYS_HOURLY = re.compile(r"per hour", re.IGNORECASE)
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Response:
    """A whole HTTP answer: status and decoded body."""

    status: int
    content: bytes


@dataclass(frozen=True)
class Complaint:
    """The first error BILL put into an answer; empty strings where it said nothing."""

    code: str = ""
    message: str = ""


def read_answer(answer: Response, *, client: str, subject: str, is_login: bool) -> Any:
    """The parsed JSON body of a good v3 answer; raises a ``BillError`` for any other."""
    _require_an_answer(answer, client, subject)
    if answer.status < 400:
        body = _json(answer, client, subject)
        complaint = _complaint_in_good_answer(body)
        if complaint is None:
            return body
    else:
        complaint = complaint_of(answer.content)
    raise _error(complaint, answer.status, client, subject, is_login)


def read_v2_answer(answer: Response, *, client: str, subject: str, is_login: bool) -> Any:
    """``response_data`` of a good v2 answer; raises a ``BillError`` for any other."""
    _require_an_answer(answer, client, subject)
    if answer.status >= 400:
        complaint = complaint_of(answer.content)
        raise _error(complaint, answer.status, client, subject, is_login)
    body = _json(answer, client, subject)
    if not isinstance(body, dict) or "response_status" not in body:
        raise errors.MalformedAnswer(
            "BILL's v2 answer has no response_status", client=client, subject=subject
        )
    if str(body["response_status"]) == "0":
        return body.get("response_data")
    complaint = _v2_complaint(body)
    raise _error(complaint, 400, client, subject, is_login)


def _require_an_answer(answer: Response, client: str, subject: str) -> None:
    """A redirect is none: it is not followed, because the session and the key would go along."""
    if 300 <= answer.status < 400:
        raise errors.MalformedAnswer(
            "Something on the way to BILL sends requests elsewhere",
            client=client,
            subject=subject,
            status=answer.status,
        )


def complaint_of(content: bytes) -> Complaint:
    """BILL's complaint in an error body, whatever its shape: array, object, v2 or HTML."""
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return Complaint()
    if isinstance(body, list):
        body = next((entry for entry in body if isinstance(entry, dict)), {})
    if not isinstance(body, dict):
        return Complaint()
    if "response_data" in body:
        return _v2_complaint(body)
    code = body.get("code") or body.get("error_code") or ""
    message = body.get("message") or body.get("error_message") or ""
    return Complaint(_code(code), str(message)[:_LONGEST_MESSAGE])


def _code(given: Any) -> str:
    return str(given)[:_LONGEST_MESSAGE]


def _v2_complaint(body: dict[str, Any]) -> Complaint:
    data = body.get("response_data")
    if not isinstance(data, dict):
        return Complaint("", str(body.get("response_message", ""))[:_LONGEST_MESSAGE])
    message = str(data.get("error_message", ""))[:_LONGEST_MESSAGE]
    return Complaint(_code(data.get("error_code", "")), message)


def _complaint_in_good_answer(body: Any) -> Complaint | None:
    """An error array that came with status 200, as v2 does and a proxy may cause."""
    if not isinstance(body, list) or not body or not isinstance(body[0], dict):
        return None
    first = body[0]
    if str(first.get("code", "")).startswith("BDC_") and "severity" in first:
        return Complaint(_code(first["code"]), str(first.get("message", ""))[:_LONGEST_MESSAGE])
    return None


def _json(answer: Response, client: str, subject: str) -> Any:
    if not answer.content.strip():
        return {}
    try:
        return parse_exactly(answer.content)
    except ValueError as problem:
        raise errors.MalformedAnswer(
            f"BILL's answer is not JSON ({problem})",
            client=client,
            subject=subject,
            status=answer.status,
        ) from None


def _error(
    complaint: Complaint, status: int, client: str, subject: str, is_login: bool
) -> errors.BillError:
    kind = _kind(complaint, status, is_login)
    said = f": {complaint.message.rstrip('. ')}" if complaint.message else ""
    return kind(
        f"{_PHRASES.get(kind, 'BILL refused the request')}{said}",
        client=client,
        subject=subject,
        code=complaint.code,
        status=status,
    )


def _kind(complaint: Complaint, status: int, is_login: bool) -> type[errors.BillError]:
    kind = _BY_CODE.get(complaint.code)
    if is_login and kind not in (errors.HourlyLimit, errors.ConcurrencyLimit):
        return _login_kind(complaint, status, kind)
    if kind is not None:
        return kind
    if _SAYS_CONCURRENT.search(complaint.message):
        return errors.ConcurrencyLimit
    if _SAYS_HOURLY.search(complaint.message):
        return errors.HourlyLimit
    if status >= 500:
        return errors.BillUnavailable
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    # BILL's code for a missing permission is not published; its words tell it best.
    if _SAYS_PERMISSION.search(complaint.message):
        return errors.PermissionMissing
    return errors.RequestRefused


def _login_kind(
    complaint: Complaint, status: int, kind: type[errors.BillError] | None
) -> type[errors.BillError]:
    """What a refused login means: a person must act, unless BILL itself is down."""
    if kind is errors.BillUnavailable or (kind is None and (status >= 500 or status == 429)):
        return kind or _BY_STATUS.get(status, errors.BillUnavailable)
    if kind in (errors.DeveloperKeyRefused, errors.ApiNotEnabled):
        return kind
    if _SAYS_ORGANIZATION.search(complaint.message) and complaint.code not in _LOGIN_CODES:
        return errors.UnknownOrganization
    if kind is errors.DocumentGone:
        return errors.UnknownOrganization
    return errors.LoginRefused


_PHRASES: dict[type[errors.BillError], str] = {
    errors.LoginRefused: "BILL refused the token",
    errors.UnknownOrganization: "BILL does not know the organization",
    errors.DeveloperKeyRefused: "BILL refused the developer key",
    errors.ApiNotEnabled: "BILL's API is not enabled for the organization",
    errors.PermissionMissing: "The token may not read this",
    errors.DocumentGone: "BILL no longer has the document",
    errors.SessionLost: "BILL ended the session",
    errors.HourlyLimit: "BILL's hourly limit is reached",
    errors.ConcurrencyLimit: "Too many requests at a time",
    errors.BillUnavailable: "BILL is not available",
}
