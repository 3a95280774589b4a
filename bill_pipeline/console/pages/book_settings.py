"""How a client's books are kept: fiscal year, account roles, opening balances."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from bill_pipeline.actions.book_settings import bring_in_balances, change_policies, change_role
from bill_pipeline.amounts import AmountRefused, amount_of
from bill_pipeline.console.pages.books import with_books
from bill_pipeline.console.parts.period import day_of
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.queries.statements import BookFacts, label
from bill_pipeline.console.request_context import RequestContext
from bill_pipeline.decisions.tables import POLICIES
from bill_pipeline.errors import DecisionRefused

#: Policies of the form; ``bill-pipeline settings`` has the rarer ones too.
OFFERED = (
    "fiscal_year_end",
    "home_currency",
    "book_bills_on",
    "sales_tax_on_cash_basis",
    "books_begin_on",
)
#: Role → what an accountant calls it.
ROLES = {
    "ap_control": "Accounts payable",
    "ar_control": "Accounts receivable",
    "ap_clearing": "BILL money out clearing",
    "ar_clearing": "BILL money in clearing",
    "undeposited_funds": "Undeposited funds",
    "default_bank": "Bank where BILL names none",
    "bill_balance": "Money held at BILL",
    "card_default": "Card where BILL names none",
    "vendor_advances": "Paid before the bill",
    "customer_credits": "Received before the invoice",
    "sales_tax": "Sales tax payable",
    "bill_fees": "BILL's fees",
    "merchant_fees": "Fees on receipts",
    "fx_realized": "Realized exchange gain or loss",
    "fx_unrealized": "Unrealized exchange gain or loss",
    "rounding": "Cents between header and lines",
    "suspense": "Suspense",
    "uncategorized_expense": "Lines nobody is sure of, expense",
    "uncategorized_income": "Lines nobody is sure of, income",
    "opening_balance": "Opening balance equity",
    "retained_earnings": "Retained earnings",
    "bad_debt": "Written-off invoices",
    "sales_discount": "Discounts allowed",
    "short_pay": "Short pays and returns",
}
_ACCOUNTS = """
select account_id, account_code, account_name, account_type, statement, control,
    string_split(coalesce(roles, ''), ', ') as roles
from accounts
where client = ? and not is_archived
order by statement, account_code nulls last, account_name, account_id
"""
_FUNDING = """
select role, funding_type, funding_account_name, account_id, amount_waiting
from funding_accounts
where client = ? and funding_account_id is not null and not is_archived
order by account_id is not null, funding_type, funding_account_name
"""
_OPENING = """
select account_id, amount, amount_of_documents, difference, cutover_date as day
from opening_trial_balance where client = ?
"""


@with_books("settings")
def settings_page(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    accounts = books.rows(_ACCOUNTS, [context.client])
    opening = {row["account_id"]: row for row in books.rows(_OPENING, [context.client])}
    return _page(
        context,
        facts,
        accounts,
        funding=books.rows(_FUNDING, [context.client]),
        typed={name: _sides(row["amount"]) for name, row in opening.items() if row["amount"]},
        cutover=max((row["day"] for row in opening.values()), default=facts.books_begin_on),
        opened=[row for row in opening.values() if row["amount_of_documents"] is not None],
    )


def save_policies(context: RequestContext) -> Response:
    values = {name: context.form.text(name) for name in OFFERED if context.form.text(name)}
    if not values:
        raise DecisionRefused(f"{context.client}: nothing was changed.")
    change_policies(context.console.home, context.client, values, by=context.user.name)
    context.record("changed how the books are kept", context.client, **values)
    return _saved(context, f"{context.client}: the books are kept so from now on.")


def save_role(context: RequestContext) -> Response:
    role, account = context.form.text("role"), context.form.text("account")
    reason = context.form.text("reason") or "chosen in the console"
    change_role(
        context.console.home, context.client, role, account, by=context.user.name, reason=reason
    )
    context.record("changed an account's role", context.client, role=role, account=account)
    return _saved(
        context, f"{context.client}: {ROLES.get(role, role)} has its account from now on."
    )


@with_books("settings")
def save_opening(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    """All opening balances at once; what cannot be booked is said with everything kept as typed."""
    accounts = books.rows(_ACCOUNTS, [context.client])
    form = context.form
    names = [account["account_id"] for account in accounts]
    typed = {name: (form.text(f"debit-{name}"), form.text(f"credit-{name}")) for name in names}
    typed = {name: sides for name, sides in typed.items() if any(sides)}
    cutover = None
    try:
        cutover = day_of(form.text("cutover"), date.min)
        if cutover == date.min:
            raise DecisionRefused(f"{context.client}: say from which day on the balances count.")
        labels = {account["account_id"]: label(account) for account in accounts}
        balances = {name: _balance(labels[name], *sides) for name, sides in typed.items()}
        opening = bring_in_balances(
            context.console.home,
            context.client,
            cutover,
            balances,
            by=context.user.name,
            reason=form.text("reason") or "opening balances entered in the console",
            accept_differences=bool(form.text("accept_differences")),
        )
    except (DecisionRefused, AmountRefused) as error:
        funding = books.rows(_FUNDING, [context.client])
        return _page(
            context, facts, accounts, funding, typed=typed, cutover=cutover, message=str(error)
        )
    context.record(
        "brought in opening balances", context.client, cutover=cutover, accounts=len(balances)
    )
    told = [f"{context.client}: {len(balances)} opening balances are booked.", *opening.sentences()]
    return _saved(context, " ".join(told))


def _page(
    context: RequestContext,
    facts: BookFacts,
    accounts: list[dict[str, Any]],
    funding: list[dict[str, Any]],
    *,
    typed: dict[str, tuple[str, str]],
    cutover: date | None,
    opened: Sequence[dict[str, Any]] = (),
    message: str = "",
) -> Response:
    names = {account["account_id"]: label(account) for account in accounts}
    playing = {role: account for account in accounts for role in account["roles"] if role}
    by_id = {account["account_id"]: account for account in accounts}
    return context.render(
        "book_settings.html",
        status=422 if message else 200,
        client=context.client,
        facts=facts,
        accounts=[(account, label(account)) for account in accounts],
        openable=[
            (account, label(account), typed.get(account["account_id"], ("", "")))
            for account in accounts
            if "opening_balance" not in account["roles"]
        ],
        opened=[(names.get(row["account_id"], row["account_id"]), row) for row in opened],
        roles=[(role, name, playing[role], None) for role, name in ROLES.items() if role in playing]
        + [
            (
                row["role"],
                f"{row['funding_account_name']} ({row['funding_type']})",
                by_id.get(row["account_id"]),
                row["amount_waiting"],
            )
            for row in funding
        ],
        booking_choices=POLICIES["book_bills_on"] or (),
        tax_choices=POLICIES["sales_tax_on_cash_basis"] or (),
        cutover=cutover,
        message=message,
        label=label,
    )


def _sides(amount: Decimal) -> tuple[str, str]:
    """Debit and credit as text."""
    text = f"{abs(amount):,.2f}"
    return (text, "") if amount > 0 else ("", text)


def _balance(name: str, debit: str, credit: str) -> Decimal:
    if debit and credit:
        raise DecisionRefused(f"{name}: give a debit or a credit, not both.")
    amount = amount_of(debit or credit, name)
    return amount if debit else -amount


def _saved(context: RequestContext, text: str) -> Response:
    context.notify(text)
    return context.redirect(f"/clients/{context.client}/settings")
