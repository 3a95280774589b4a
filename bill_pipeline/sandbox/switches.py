"""What BILL does not document, as switches: a client must work whichever way each is set.

One field here is one open question of the API; the comment says what is known. What the pipeline
believes about BILL has a switch of the belief's name (``bill_pipeline.bill.beliefs``): as it stands
here, the belief holds; ``the_other_way`` says what turns it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Switches:
    """How this sandbox answers where BILL's behaviour is unknown or configurable."""

    # --- lists -----------------------------------------------------------------------------
    #: Are archived rows in an unfiltered list? Weak evidence says yes.
    archived_in_lists: bool = True
    #: Do lists without published filter fields take the times and ``archived`` too? Public
    #: clients rely on it.
    undocumented_lists_filter_by_time: bool = True
    #: Is a sort by updatedTime obeyed?
    lists_are_sorted_by_time: bool = True
    #: Does a page token alone lead to the next page of the same query?
    page_tokens_carry_the_query: bool = True
    #: How the last page ends: "omit", "empty" or "null".
    last_next_page: str = "omit"
    #: A page token that is no token: "number" reads digits as a page number, "first" starts
    #: over, "error" answers 400. Whatever the choice, other garbage is a 400 with "number".
    invalid_page: str = "number"
    #: Does a list show its vendors with every field that reading one of them shows?
    list_rows_are_whole: bool = True
    #: Are fields without a value left out? Otherwise they come as "" and as the zero id.
    empty_fields_are_left_out: bool = True
    #: Do createdTime and updatedTime say that they are UTC?
    times_name_their_zone: bool = True
    #: Does v2 list what is inactive without being asked for it?
    v2_lists_show_inactive: bool = True

    # --- sessions and refusals -------------------------------------------------------------
    #: May a sync token log in on v3 / on v2?
    tokens_log_in_at_v3: bool = True
    tokens_log_in_at_v2: bool = True
    #: Does v2 take the sessions that v3 opened? Three public clients depend on it.
    sessions_serve_both_planes: bool = True
    #: May a sync token read these? BILL's table of its rights does not name them.
    tokens_read_payments: bool = True
    tokens_read_received_payments: bool = True
    tokens_read_credit_memos: bool = True
    tokens_read_bank_accounts: bool = True
    tokens_read_billing_statements: bool = True
    tokens_read_money_movements: bool = True
    #: HTTP status of a missing permission. Its code is not published either.
    refusals_are_403: bool = True
    #: Is what BILL does not have a 404? Otherwise a 400, with the same code.
    missing_documents_are_404: bool = True
    #: HTTP status of BDC_1144 and BDC_1322: 403, 422, 429 and 503 are all plausible.
    limit_status: int = 429
    #: HTTP status of a refused login: 401 or 400.
    login_error_status: int = 401

    # --- what moves updatedTime ------------------------------------------------------------
    #: Does a bill (or invoice) that is paid keep its updatedTime? Nothing says that it moves.
    payments_leave_document_times: bool = True
    #: Does approving a bill move its updatedTime?
    approvals_move_bill_times: bool = True
    #: Does using a credit move the credit's updatedTime?
    applications_move_credit_times: bool = True
    #: Do old bills and payments keep their vendor's former name?
    names_stay_on_documents: bool = True

    # --- what documents say ----------------------------------------------------------------
    #: Is every payment in a state that BILL documents?
    payment_states_are_known: bool = True
    #: Is every received payment in a state that BILL documents?
    receipt_states_are_known: bool = True
    #: Is the amount a payment has for a bill the cash alone, with the credits on top of it?
    credits_come_on_top: bool = True
    #: Does a payment name a bill at its top only when it pays no other?
    bill_id_means_one_bill: bool = True
    #: Do the lines of invoices carry price and quantity, and no amount?
    invoice_lines_have_price_and_quantity: bool = True
    #: Is an exchange rate dollars for one of the document's currency?
    exchange_rates_are_home_per_foreign: bool = True
    #: Are received payments silent about the fee that BILL keeps back from the deposit?
    receipts_tell_no_processing_fee: bool = True
    #: Are the uses of credits listed without a day?
    uses_have_no_dates: bool = True
    #: Are withdrawals for payables negative movements of money?
    withdrawals_are_negative: bool = True

    # --- open questions of BILL that the pipeline does not depend on ------------------------
    #: Code of a missing permission; BILL's is not published.
    forbidden_code: str = "BDC_1171"
    #: Rows per page when ``max`` is absent: the reference says 20, a guide says 100.
    default_max: int = 20
    #: Zone of a date-time filter that names none, as minutes east of UTC.
    naive_time_offset_minutes: int = 0
    #: Does BILL refuse a create or edit with a member it does not know (400)? It stores none.
    unknown_members_refused: bool = False
    #: ``params`` of an error: "array" as in the samples, "object" as seen live.
    error_params: str = "array"
    #: v2 writes a bill's paidAmount as text.
    v2_paid_amount_text: bool = True
    #: May a sync token manage webhooks?
    token_webhooks: bool = True

    # --- settings: nothing is asked of BILL by them ------------------------------------------
    #: Lists that refuse a filter or sort on updatedTime.
    no_updated_time_lists: list[str] = field(default_factory=list)
    #: Further lists that a sync token may not read (403).
    token_denied_lists: list[str] = field(default_factory=list)
    #: Are a person's sessions trusted without MFA? BILL's are not.
    users_are_trusted: bool = False
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

    def denied_to_tokens(self) -> set[str]:
        """The lists that a sync token may not read."""
        denied = {name for switch, name in _READ_BY_TOKENS.items() if not getattr(self, switch)}
        return denied | set(self.token_denied_lists)


_READ_BY_TOKENS = {
    "tokens_read_payments": "payments",
    "tokens_read_received_payments": "receivable-payments",
    "tokens_read_credit_memos": "credit-memos",
    "tokens_read_bank_accounts": "bank-accounts",
    "tokens_read_billing_statements": "billing-statements",
    "tokens_read_money_movements": "money-movements",
}

#: Switches that are no question about BILL but the size of a limit, or help for a test.
SETTINGS = frozenset(
    {
        "no_updated_time_lists",
        "token_denied_lists",
        "users_are_trusted",
        "session_idle_seconds_user",
        "session_idle_seconds_token",
        "concurrency_limit",
        "hourly_limit",
        "login_limit",
        "service_ms",
    }
)

#: What a switch that is more than yes or no becomes when it is turned.
_TURNED: dict[str, Any] = {
    "last_next_page": "empty",
    "invalid_page": "first",
    "limit_status": 422,
    "login_error_status": 400,
    "forbidden_code": "BDC_9999",
    "default_max": 100,
    "naive_time_offset_minutes": -480,
    "error_params": "object",
}


def the_other_way(name: str) -> Any:
    """The value with which a switch answers otherwise than it stands here."""
    default = getattr(Switches(), name)
    return not default if isinstance(default, bool) else _TURNED[name]
