"""What people, rules and the model decided about one client's books: append-only, always dated.

Nothing here is ever updated or deleted: a decision is withdrawn or replaced by a later row, so the
books of any past moment can be derived again. How decisions become postings is in ``transforms/``;
how a category is found is ``categorize``'s work.

Every function takes an open DuckDB connection to the client's file and ``decided_at`` in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from bill_pipeline.amounts import to_cents
from bill_pipeline.decisions.alternatives import alternatives_as_json
from bill_pipeline.decisions.openings import books_begin_on as books_begin_on
from bill_pipeline.decisions.openings import record_opening_balance as record_opening_balance
from bill_pipeline.decisions.openings import require_day_of_books
from bill_pipeline.decisions.parties import PARTIES_DDL as PARTY_DDL
from bill_pipeline.decisions.rows import append_decision, append_decisions, last_decision
from bill_pipeline.decisions.rules import RULES_DDL as RULE_DDL
from bill_pipeline.errors import DecisionRefused

#: Who decides by a recorded row; BILL's coding and the firm's rules are read where they stand.
SOURCES = ("model", "person", "default")
#: What each policy may say; the first value is the default that ``staging.policies`` fills in.
POLICIES: dict[str, tuple[str, ...] | None] = {
    "home_currency": None,
    "fiscal_year_end": None,  # MM-DD, for example 12-31 or 02-29
    "organization_id": None,
    "book_bills_on": ("entry", "approval"),
    "book_unexportable_payments": ("yes", "no"),
    "sales_tax_on_cash_basis": ("shared", "last"),
    "form_1099_threshold": None,
    "books_begin_on": None,  # YYYY-MM-DD: earlier documents open with their rest; "": no such day
    "share_lines": ("no", "yes"),  # whether they may teach other clients' models; see sharing
}
WRITE_OFF_ROLES = ("bad_debt", "sales_discount", "short_pay")

DDL = """
create schema if not exists decisions;
create table if not exists decisions.categories (
    document_type varchar not null, document_id varchar not null, line_id varchar not null,
    features_hash varchar, account_id varchar, source varchar not null, confidence double,
    needs_review boolean not null, model_version varchar, reason varchar, alternatives json,
    decided_at timestamp not null, decided_by varchar not null, withdrawn boolean not null
);
alter table decisions.categories add column if not exists parts struct(
    account_id varchar, amount decimal(18, 2), class_id varchar, department_id varchar,
    location_id varchar, description varchar
)[];
create table if not exists decisions.account_roles (
    role varchar not null, account_id varchar not null, decided_at timestamp not null,
    decided_by varchar not null, reason varchar not null
);
create table if not exists decisions.closes (
    closed_through date, action varchar not null, decided_at timestamp not null,
    decided_by varchar not null, reason varchar
);
create table if not exists decisions.policies (
    name varchar not null, value varchar not null, decided_at timestamp not null,
    decided_by varchar not null, reason varchar
);
alter table decisions.policies add column if not exists reason varchar;
create table if not exists decisions.opening_balances (
    account_id varchar not null, cutover_date date not null, amount decimal(18, 2) not null,
    decided_at timestamp not null, decided_by varchar not null, reason varchar not null
);
create table if not exists decisions.write_offs (
    invoice_id varchar not null, write_off_date date not null, amount decimal(18, 3) not null,
    role varchar not null, decided_at timestamp not null, decided_by varchar not null,
    reason varchar not null
);
create table if not exists decisions.processing_fees (
    received_payment_id varchar not null, amount decimal(18, 2) not null, money_movement_id varchar,
    decided_at timestamp not null, decided_by varchar not null, reason varchar not null
);
create table if not exists decisions.reclassifications (
    account_id varchar not null, first_day date not null, action varchar not null, date date,
    is_to_balance_sheet boolean, amount decimal(18, 2), amount_earlier decimal(18, 2),
    amount_cash decimal(18, 2), amount_earlier_cash decimal(18, 2),
    decided_at timestamp not null, decided_by varchar not null, reason varchar not null
);
create table if not exists decisions.batches (as_of timestamp primary key);
alter table decisions.batches add column if not exists posting_rules varchar;
alter table decisions.batches add column if not exists is_change_of_rules boolean default false;
alter table decisions.batches add column if not exists is_clock_put_right boolean default false;
"""

#: Every table of the schema whose rows say when they were decided.
DATED_TABLES = tuple(
    name
    for name in re.findall(
        r"create table if not exists decisions\.(\w+)", DDL + PARTY_DDL + RULE_DDL
    )
    if name != "batches"
)

_CATEGORY_COLUMNS = (
    "document_type", "document_id", "line_id", "features_hash", "account_id", "source",
    "confidence", "needs_review", "model_version", "reason", "alternatives", "decided_at",
    "decided_by", "withdrawn", "parts",
)  # fmt: skip
#: What Arrow cannot say by itself, because a column may hold nothing but nulls.
_CASTS = {
    "alternatives": "alternatives::json",
    "parts": "parts::struct(account_id varchar, amount decimal(18, 2), class_id varchar, "
    "department_id varchar, location_id varchar, description varchar)[]",
}


@dataclass(frozen=True)
class Part:
    """One part of a line that a person splits; what is None stays as it is on the line."""

    account_id: str
    amount: Decimal
    class_id: str | None = None
    department_id: str | None = None
    location_id: str | None = None
    description: str | None = None


def ensure_decisions(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of the schema ``decisions`` that do not exist yet."""
    connection.execute(DDL)
    connection.execute(PARTY_DDL)
    connection.execute(RULE_DDL)


def record_categories(
    connection: duckdb.DuckDBPyConnection,
    rows: Iterable[Mapping[str, Any]],
    *,
    decided_at: datetime,
    decided_by: str,
) -> int:
    """Append category decisions and return how many.

    A row has ``document_type, document_id, line_id, features_hash, account_id, source`` and may
    have ``confidence, needs_review, model_version, reason``, ``alternatives`` (``Alternative``),
    ``withdrawn, parts`` (see ``split``). Raises DecisionRefused for an unknown source.
    """
    values = []
    for row in rows:
        if row["source"] not in SOURCES:
            raise DecisionRefused(f"{row['source']!r} is no source: use one of {SOURCES}.")
        full = {"needs_review": False, "withdrawn": False, **row,
                "alternatives": alternatives_as_json(row.get("alternatives")),
                "decided_at": decided_at, "decided_by": decided_by}  # fmt: skip
        values.append({column: full.get(column) for column in _CATEGORY_COLUMNS})
    return append_decisions(connection, "categories", values, _CASTS)


def correct(
    connection: duckdb.DuckDBPyConnection,
    *,
    document_type: str,
    document_id: str,
    line_id: str,
    account_id: str | None,
    decided_at: datetime,
    decided_by: str,
    reason: str | None = None,
) -> None:
    """A person's answer for one line; ``account_id=None`` withdraws the person's earlier answer."""
    row = {
        "document_type": document_type, "document_id": document_id, "line_id": line_id,
        "features_hash": None, "account_id": account_id, "source": "person", "confidence": 1.0,
        "reason": reason, "withdrawn": account_id is None,
    }  # fmt: skip
    record_categories(connection, [row], decided_at=decided_at, decided_by=decided_by)


def split(
    connection: duckdb.DuckDBPyConnection,
    *,
    document_type: str,
    document_id: str,
    line_id: str,
    parts: Sequence[Part],
    decided_at: datetime,
    decided_by: str,
    reason: str | None = None,
) -> None:
    """A person's answer for one line that belongs to several accounts or departments.

    It counts while the parts add up to the line; ``correct`` replaces or withdraws it. Raises
    DecisionRefused for fewer than two parts and for a part of nothing.
    """
    require_parts(parts)
    row = {
        "document_type": document_type, "document_id": document_id, "line_id": line_id,
        "features_hash": None, "account_id": None, "source": "person", "confidence": 1.0,
        "reason": reason, "parts": [asdict(part) for part in parts],
    }  # fmt: skip
    record_categories(connection, [row], decided_at=decided_at, decided_by=decided_by)


def require_parts(parts: Sequence[Part], total: Decimal | None = None) -> None:
    """Raises DecisionRefused unless ``parts`` are at least two, none empty, and make ``total``."""
    if len(parts) < 2:
        raise DecisionRefused("A split needs at least two parts.")
    if any(not part.amount for part in parts):
        raise DecisionRefused("A part of 0.00 is no part: leave it out.")
    given = sum((part.amount for part in parts), Decimal(0))
    if total is not None and given != total:
        raise DecisionRefused(
            f"The parts add up to {_said(given)}, the line is {_said(total)}: "
            f"{_said(total - given)} is left to share out."
        )


def _said(amount: Decimal) -> str:
    return f"{to_cents(amount.quantize(Decimal('0.001'))):,f}"


def set_role(
    connection: duckdb.DuckDBPyConnection,
    role: str,
    account_id: str,
    *,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> None:
    """Say which account plays ``role`` from now on; entries in open periods are posted anew."""
    append_decision(
        connection, "account_roles", role=role, account_id=account_id,
        decided_at=decided_at, decided_by=decided_by, reason=reason,
    )  # fmt: skip


def policy_default(name: str) -> str:
    """What ``staging.policies`` fills in for a policy with choices; empty for any other."""
    allowed = POLICIES[name]
    return allowed[0] if allowed else ""


def set_policy(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    value: str,
    *,
    decided_at: datetime,
    decided_by: str,
    reason: str | None = None,
) -> None:
    """Set a policy of ``POLICIES``. Raises DecisionRefused for an unknown name or value."""
    if name not in POLICIES:
        raise DecisionRefused(f"No policy {name!r}; there are {', '.join(POLICIES)}.")
    allowed = POLICIES[name]
    if allowed and value not in allowed:
        raise DecisionRefused(f"{name} can be {' or '.join(allowed)}, not {value!r}.")
    if name == "fiscal_year_end":
        _require_month_and_day(value)
    if name == "home_currency" and not (len(value) == 3 and value.isascii() and value.isupper()):
        raise DecisionRefused(f"A currency is three letters such as USD, not {value!r}.")
    if name == "form_1099_threshold" and value:
        _require_amount(value)
    if name == "books_begin_on":
        require_day_of_books(value, decided_at)
    append_decision(
        connection, "policies", name=name, value=value,
        decided_at=decided_at, decided_by=decided_by, reason=reason,
    )  # fmt: skip


def closed_through(connection: duckdb.DuckDBPyConnection, at: datetime) -> date | None:
    """The last day that was locked at ``at``, or None when everything was open."""
    row = last_decision(connection, "closes", at=at)
    return row["closed_through"] if row else None


def close(
    connection: duckdb.DuckDBPyConnection,
    through: date,
    *,
    decided_at: datetime,
    decided_by: str,
    reason: str | None = None,
) -> None:
    """Lock every day up to and including ``through``. Raises DecisionRefused to move it back."""
    current = closed_through(connection, decided_at)
    if current is not None and through <= current:
        raise DecisionRefused(
            f"The books are closed through {current} already; reopen first to move it back."
        )
    append_decision(
        connection, "closes", closed_through=through, action="close",
        decided_at=decided_at, decided_by=decided_by, reason=reason,
    )  # fmt: skip


def reopen(
    connection: duckdb.DuckDBPyConnection,
    first_open_day: date,
    *,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> None:
    """Open ``first_open_day`` and everything after it. Raises DecisionRefused without a reason."""
    current = closed_through(connection, decided_at)
    if not reason.strip():
        raise DecisionRefused("Reopening needs a reason: the close report shows it.")
    if current is None or first_open_day > current:
        raise DecisionRefused(f"{first_open_day} is open already (closed through: {current}).")
    append_decision(
        connection, "closes", closed_through=first_open_day - timedelta(days=1), action="reopen",
        decided_at=decided_at, decided_by=decided_by, reason=reason,
    )  # fmt: skip


def write_off(
    connection: duckdb.DuckDBPyConnection,
    *,
    invoice_id: str,
    write_off_date: date,
    amount: Decimal,
    role: str,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> None:
    """Give up ``amount`` of an invoice; the last row per invoice counts, zero withdraws it.

    Raises DecisionRefused when ``role`` is not one of WRITE_OFF_ROLES or ``amount`` is negative.
    """
    if role not in WRITE_OFF_ROLES or amount < 0:
        raise DecisionRefused(f"Write off a positive amount to one of {WRITE_OFF_ROLES}.")
    append_decision(
        connection, "write_offs", invoice_id=invoice_id, write_off_date=write_off_date,
        amount=amount, role=role, decided_at=decided_at, decided_by=decided_by, reason=reason,
    )  # fmt: skip


def record_processing_fee(
    connection: duckdb.DuckDBPyConnection,
    *,
    received_payment_id: str,
    amount: Decimal,
    decided_at: datetime,
    decided_by: str,
    reason: str,
) -> None:
    """What BILL kept back of a receipt's deposit; the last row counts, zero: nothing was.

    Raises DecisionRefused when ``amount`` is negative.
    """
    if amount < 0:
        raise DecisionRefused("A processing fee is 0 or more.")
    append_decision(
        connection, "processing_fees", received_payment_id=received_payment_id, amount=amount,
        decided_at=decided_at, decided_by=decided_by, reason=reason,
    )  # fmt: skip


def _require_month_and_day(value: str) -> None:
    try:
        date.fromisoformat(f"2024-{value}")
    except ValueError:
        raise DecisionRefused(f"A fiscal year end is written MM-DD, not {value!r}.") from None


def _require_amount(value: str) -> None:
    try:
        is_amount = Decimal(value) >= 0
    except ArithmeticError:
        is_amount = False
    if not is_amount:
        raise DecisionRefused(f"A threshold is an amount such as 600.00, not {value!r}.")
