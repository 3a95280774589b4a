"""BILL's error codes as one exception, and how v3 writes it down.

Nothing here decides when an error happens; v2 writes the same exception in its own envelope
(``v2.py``).

    ApiError    one BILL error: code, HTTP status and message
"""

from __future__ import annotations

from typing import Any

import orjson

#: BILL's words by code, as its documentation writes them. v2 lists them in ``Errors.json``.
MESSAGES: dict[str, str] = {
    "BDC_1001": "System error occurred.",
    "BDC_1002": "Unknown error occurred.",
    "BDC_1101": "User name and/or password do not match our records.",
    "BDC_1102": "Developer key is invalid.",
    "BDC_1105": "API is not enabled for this organization.",
    # One public client logs in again on exactly this wording, two spaces included.
    "BDC_1109": "Session is invalid.  Please log in.",
    "BDC_1121": "API not supported.",
    "BDC_1143": "Invalid entity data.",
    "BDC_1144": "Max number of allowed requests per hour reached: 20000.",
    "BDC_1150": "User does not have permission to pay bills online.",
    "BDC_1151": "Online payment is not available.",
    "BDC_1152": "Process date is invalid.",
    "BDC_1171": "User does not have permission to perform this operation.",
    "BDC_1205": "Object not found.",
    "BDC_1322": "Max number of concurrent requests per organization reached.",
    "BDC_1356": "MFA challenge is invalid.",
    "BDC_1358": "MFA token is invalid.",
    "BDC_1361": "This operation requires a trusted (MFA) session.",
    "BDC_1374": "MFA is not set up for this user.",
}


class ApiError(Exception):
    """One error as BILL reports it: ``code`` is BDC_nnnn, ``status`` the HTTP status of v3."""

    def __init__(self, status: int, code: str, message: str, category: str = "REQUEST") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.category = category

    def v3_body(self, timestamp: str, params: str = "array") -> bytes:
        """The JSON array v3 answers with; ``params`` is seen as an array and as an object."""
        error: dict[str, Any] = {
            "timestamp": timestamp,
            "code": self.code,
            "severity": "ERROR",
            "category": self.category,
            "message": self.message,
            "params": [] if params == "array" else {},
        }
        return orjson.dumps([error])


def session_invalid() -> ApiError:
    return ApiError(401, "BDC_1109", MESSAGES["BDC_1109"], "DOWNSTREAM")


def wrong_password(status: int) -> ApiError:
    return ApiError(status, "BDC_1101", MESSAGES["BDC_1101"])


def wrong_dev_key(status: int) -> ApiError:
    return ApiError(status, "BDC_1102", MESSAGES["BDC_1102"])


def api_disabled() -> ApiError:
    return ApiError(403, "BDC_1105", MESSAGES["BDC_1105"])


def unsupported() -> ApiError:
    return ApiError(404, "BDC_1121", MESSAGES["BDC_1121"])


def invalid(message: str) -> ApiError:
    return ApiError(400, "BDC_1143", message)


def required(name: str) -> ApiError:
    """BILL's words for a field that a request lacks."""
    return invalid(f"{name}: The {name} field is required")


def unprocessable(message: str, code: str = "BDC_1143") -> ApiError:
    """A request that is well formed and that a rule of BILL's business forbids."""
    return ApiError(422, code, message)


def not_found(object_id: str) -> ApiError:
    return ApiError(404, "BDC_1205", f"Object not found: {object_id}")


def forbidden(code: str) -> ApiError:
    return ApiError(403, code, MESSAGES["BDC_1171"])


def untrusted() -> ApiError:
    return ApiError(403, "BDC_1361", MESSAGES["BDC_1361"])


def wrong_mfa(code: str) -> ApiError:
    return ApiError(400, code, MESSAGES[code])


def system_error() -> ApiError:
    return ApiError(500, "BDC_1001", MESSAGES["BDC_1001"], "SERVER")


def hourly_limit(status: int, limit: int) -> ApiError:
    return ApiError(
        status, "BDC_1144", f"Max number of allowed requests per hour reached: {limit}."
    )


def concurrency_limit(status: int) -> ApiError:
    return ApiError(status, "BDC_1322", MESSAGES["BDC_1322"])
