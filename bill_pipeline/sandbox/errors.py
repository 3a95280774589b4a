"""BILL's error codes as one exception, and how v3 writes it down.

Nothing here decides when an error happens; v2 writes the same exception in its own envelope
(``v2.py``).

    ApiError    one BILL error: code, HTTP status and message
"""

from __future__ import annotations

from typing import Any

import orjson


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
    # One public client logs in again on exactly this wording, two spaces included.
    return ApiError(401, "BDC_1109", "Session is invalid.  Please log in.")


def wrong_password(status: int) -> ApiError:
    return ApiError(status, "BDC_1101", "Invalid username or password.")


def wrong_dev_key(status: int) -> ApiError:
    return ApiError(status, "BDC_1102", "Invalid developer key.")


def api_disabled() -> ApiError:
    return ApiError(403, "BDC_1105", "API is not enabled for this organization.")


def unsupported(path: str) -> ApiError:
    return ApiError(404, "BDC_1121", f"The operation is not supported: {path}")


def invalid(message: str) -> ApiError:
    return ApiError(400, "BDC_1143", message)


def not_found(object_id: str) -> ApiError:
    return ApiError(404, "BDC_1205", f"Object not found: {object_id}")


def forbidden(code: str) -> ApiError:
    return ApiError(403, code, "User does not have permission to perform this operation.")


def untrusted() -> ApiError:
    return ApiError(403, "BDC_1361", "This operation requires a trusted (MFA) session.")


def hourly_limit(status: int, limit: int) -> ApiError:
    return ApiError(
        status, "BDC_1144", f"Max number of allowed requests per hour reached: {limit}."
    )


def concurrency_limit(status: int) -> ApiError:
    return ApiError(
        status, "BDC_1322", "Max number of concurrent requests per organization reached."
    )
