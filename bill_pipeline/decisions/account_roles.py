"""Which account plays a role that nobody has decided: its own when one fits, else the standard one.

A role is decided once, and for good: an account that would fit as well and appears later changes
nothing. A person changes it by a later decision.
"""

from __future__ import annotations

import re
from datetime import datetime

import duckdb

from bill_pipeline.decisions.funding_accounts import decide_cards
from bill_pipeline.decisions.rows import append_decisions

#: Names, in lower case, with which the only such account plays a role; docs/ledger.md has them.
BILL_BALANCE = r"bill(\.com)? (balance|wallet|cash account)"
BILL_FEE_NAMES = (
    r"(bill(\.com)?|bank|bank service|bank account) (service |subscription |transaction |payment )?"
    r"(fees?|charges?)( expense)?|bill(\.com)? (subscription|expense)"
)
MERCHANT_FEE_NAMES = (
    r"(merchant|credit card|card|payment|stripe|paypal|square) "
    r"((account|service|processing|transaction|acceptance|merchant) )?(fees?|charges?)( expense)?"
    r"|(merchant|credit card|payment) processing( fees?)?"
)
FEE_ACCOUNT_TYPES = ("EXPENSE", "OTHER_EXPENSE", "COST_OF_GOODS_SOLD")
#: (role, BILL's account type, the whole name in lower case or None for any). A role that exactly
#: one active account of the client's chart fits is played by it from the first sync on.
ROLE_FITS = (
    ("ap_control", "ACCOUNTS_PAYABLE", None),
    ("ar_control", "ACCOUNTS_RECEIVABLE", None),
    ("card_default", "CREDIT_CARD", None),
    ("ap_clearing", None, r"(bill\.com |bill )?money out clearing"),
    ("ar_clearing", None, r"(bill\.com |bill )?money in clearing"),
    ("undeposited_funds", None, r"undeposited funds"),
    ("bill_balance", "BANK", BILL_BALANCE),
    ("default_bank", "BANK", rf"(?!.*(clearing|undeposited))(?!{BILL_BALANCE}$).*"),
    ("retained_earnings", "EQUITY", r"retained earnings"),
    ("opening_balance", "EQUITY", r"opening balance equity"),
    ("sales_tax", "OTHER_CURRENT_LIABILITY", r"sales tax payable"),
    ("uncategorized_expense", None, r"uncategori[sz]ed expenses?"),
    ("uncategorized_income", None, r"uncategori[sz]ed income"),
    ("bad_debt", None, r"bad debts?( expense)?"),
    *(("bill_fees", kind, BILL_FEE_NAMES) for kind in FEE_ACCOUNT_TYPES),
    *(("merchant_fees", kind, MERCHANT_FEE_NAMES) for kind in FEE_ACCOUNT_TYPES),
)


def decide_missing_roles(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> int:
    """Choose an account for every role that has none, for good, and return how many were chosen.

    The client's own account when exactly one fits (or BILL names one for payables), else the
    account of the standard chart. A second payables account that appears later changes nothing.
    """
    decided = {
        row[0]
        for row in connection.execute(
            "select distinct role from decisions.account_roles where decided_at <= ?", [as_of]
        ).fetchall()
    }
    standard = connection.execute(
        "select system_role, account_id from staging.standard_accounts "
        "where system_role is not null"
    ).fetchall()
    chart = connection.execute(
        "select account_id, bill_account_type, trim(lower(account_name)) "
        "from staging.chart_of_accounts where not is_archived order by account_id"
    ).fetchall()
    banks = connection.execute(
        "select distinct account_id from staging.bank_accounts "
        "where is_default_for_payables and not is_archived and account_id is not null"
    ).fetchall()
    chosen: list[dict[str, object]] = []
    for role, standard_account in sorted(standard):
        if role in decided:
            continue
        account, reason = standard_account, "no account of the client's chart fits alone"
        fitting = _fitting_accounts(role, chart)
        if role == "default_bank" and len(banks) == 1:
            account, reason = banks[0][0], "BILL pays from it by default"
        elif len(fitting) == 1:
            account, reason = fitting[0], "the only fitting account of the client's chart"
        elif fitting and role.endswith("_fees"):  # a person is asked which one
            names = ", ".join(name for account_id, _, name in chart if account_id in fitting)
            reason = f"several accounts of the client's chart fit: {names}"
        decided_by = {"decided_at": as_of, "decided_by": "first sync", "reason": reason}
        chosen.append({"role": role, "account_id": account, **decided_by})
    return append_decisions(connection, "account_roles", chosen) + decide_cards(connection, as_of)


def _fitting_accounts(role: str, chart: list[tuple[str, str, str]]) -> list[str]:
    return [
        account_id
        for fit_role, bill_type, name in ROLE_FITS
        if fit_role == role
        for account_id, account_type, account_name in chart
        if bill_type in (None, account_type)
        and (name is None or re.fullmatch(name, account_name or ""))
    ]
