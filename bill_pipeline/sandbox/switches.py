"""What BILL does not document, as switches: a client must work whichever way each is set.

One field here is one open question of the API; the comment says what is known.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Switches:
    """How this sandbox answers where BILL's behaviour is unknown or configurable."""

    #: Are archived rows in an unfiltered list? Weak evidence says yes.
    archived_in_lists: bool = True
    #: Does paying a bill (or invoice) move its updatedTime? Nothing says so; no is harder.
    payments_move_document_times: bool = False
    #: Does approving a bill move its updatedTime?
    approvals_move_bill_times: bool = True
    #: Does using a credit move the credit's updatedTime?
    applications_move_credit_times: bool = True
    #: Does a vendor's new name reach its old bills and payments (without moving their times)?
    renames_reach_documents: bool = False
    #: HTTP status of BDC_1144 and BDC_1322: 403, 422, 429 and 503 are all plausible.
    limit_status: int = 429
    #: HTTP status of a refused login: 401 or 400.
    login_error_status: int = 401
    #: Code of a missing permission (always HTTP 403); BILL's is not published.
    forbidden_code: str = "BDC_1171"
    #: How the last page ends: "omit", "empty" or "null".
    last_next_page: str = "omit"
    #: Rows per page when ``max`` is absent: the reference says 20, a guide says 100.
    default_max: int = 20
    #: A page token that is no token: "number" reads digits as a page number, "first" starts
    #: over, "error" answers 400. Whatever the choice, other garbage is a 400 with "number".
    invalid_page: str = "number"
    #: Zone of a date-time filter that names none, as minutes east of UTC.
    naive_time_offset_minutes: int = 0
    #: Accept only the filter fields BILL documents; otherwise undocumented lists take the
    #: times and ``archived`` too, as public clients rely on.
    documented_filters_only: bool = False
    #: Lists that refuse a filter or sort on updatedTime.
    no_updated_time_lists: list[str] = field(default_factory=list)
    #: Lists a sync token may not read (403), beyond the documented ones.
    token_denied_lists: list[str] = field(default_factory=list)
    #: May a sync token log in on v3 / on v2, and manage webhooks?
    token_login_v3: bool = True
    token_login_v2: bool = True
    token_webhooks: bool = True
    #: Are a person's sessions trusted without MFA? BILL's are not.
    users_are_trusted: bool = False
    #: Are vendor rows in lists thinner than single reads?
    thin_vendor_rows: bool = False
    #: ``params`` of an error: "array" as in the samples, "object" as seen live.
    error_params: str = "array"
    #: v2 writes a bill's paidAmount as text.
    v2_paid_amount_text: bool = True
    #: Sessions: sliding idle lifetime in seconds, by credential.
    session_idle_seconds_user: int = 35 * 60
    session_idle_seconds_token: int = 48 * 3600
    #: Limits: requests in flight per organization, requests and logins per hour per dev key.
    concurrency_limit: int = 3
    hourly_limit: int = 20_000
    login_limit: int = 200
    #: Fewest milliseconds a v3 or v2 request takes, so that overlapping requests overlap.
    service_ms: int = 0

    def change(self, values: dict[str, Any]) -> None:
        """Set switches by name; raises ``ValueError`` for an unknown name or a wrong type."""
        known = {item.name for item in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"No switch {name!r}. Known: {', '.join(sorted(known))}")
            if type(value) is not type(getattr(self, name)):
                kind = type(getattr(self, name)).__name__
                raise ValueError(f"Switch {name} takes a {kind}, not {value!r}")
        for name, value in values.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
