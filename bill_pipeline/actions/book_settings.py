"""How one client's books are kept: fiscal year, currency, account roles, opening balances.

Each function records a person's decision and has the published books show it. Nothing is changed
in place: journal entries that come out differently are reversed and posted anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb

from bill_pipeline.actions.deciding import Batch, decision
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.decisions.openings import would_begin_books
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.settings import Home

#: What a person may change; ``organization_id`` is part of every entry's id and stays.
SETTABLE_POLICIES = (
    "fiscal_year_end",
    "home_currency",
    "book_bills_on",
    "book_unexportable_payments",
    "sales_tax_on_cash_basis",
    "form_1099_threshold",
    "books_begin_on",
)
#: What may change only while no month is closed, and what it does.
_CHANGES_EVERYTHING = {
    "home_currency": "the home currency changes every amount",
    "books_begin_on": "where the books begin changes every balance after it",
}
#: What the documents of each control account come to at the end of a day. It is the same whether
#: the books begin on that day or hold everything before it too.
_OPEN_DOCUMENTS = """
select
    accounts.account_id, accounts.account_name,
    coalesce(sum(lines.amount) filter (
        where lines.date <= $day
            and (lines.document_type <> 'opening_balance' or lines.document_id = 'in_flight')
    ), 0)
from ledger.accounts as accounts
left join ledger.journal_lines as lines using (account_id)
where accounts.account_id in (
    select unnest([
        ap_control, ar_control, vendor_advances, customer_credits, ap_clearing, ar_clearing
    ])
    from ledger.role_accounts
)
group by accounts.account_id, accounts.account_name
"""
_ROLE_ACCOUNT = """
select wanted.statement, usual.statement, coalesce(wanted.account_name, wanted.account_id)
from (
    select account_id, account_name, statement from categorized.chart where not is_archived
    union
    select account_id, account_name, statement from staging.standard_accounts
) as wanted
cross join (
    select any_value(statement) as statement
    from staging.standard_accounts
    where system_role = if($role similar to '(bank|card):.+', 'card_default', $role)
) as usual
where wanted.account_id = $account
"""


@dataclass(frozen=True)
class Opening:
    """What bringing in opening balances came to."""

    left: Decimal  # in opening balance equity; zero when everything is there
    begin: date | None  # the books begin on it, since now
    documents: dict[str, Decimal]  # control account's name → what its open documents add up to

    def sentences(self) -> list[str]:
        """What a person must know beside the number of balances."""
        told = []
        if self.begin:
            told.append(
                f"The books begin on {self.begin} now: of what BILL has until then, only what was "
                "open that day is booked."
            )
        told += [
            f"{name} opens with its documents: {amount:,.2f}."
            for name, amount in sorted(self.documents.items())
        ]
        if self.left:
            told.append(
                f"{self.left:,.2f} is left in opening balance equity; "
                "it is zero when all are there."
            )
        return told


def change_policies(home: Home, client: str, values: Mapping[str, str], *, by: str) -> None:
    """Set the policies named. Raises DecisionRefused, ClientBusy, ChecksFailed.

    Another home currency gives every amount another value, and another day on which the books
    begin other balances to all that follow, so no month may be closed.
    """
    if unknown := sorted(values.keys() - set(SETTABLE_POLICIES)):
        raise DecisionRefused(f"{client}: {', '.join(unknown)} cannot be changed.")
    with decision(home, client, by=by) as batch:
        before = _policies_now(batch.connection, values)
        for name, what in _CHANGES_EVERYTHING.items():
            if values.get(name, before.get(name)) != before.get(name):
                _require_nothing_closed(batch, client, what)
        for name, value in values.items():
            decisions.set_policy(
                batch.connection, name, value, decided_at=batch.decided_at, decided_by=by
            )


def change_role(
    home: Home, client: str, role: str, account_id: str, *, by: str, reason: str
) -> None:
    """Say which account plays ``role`` from now on.

    Raises DecisionRefused for an unknown role or account, and for an account of the other
    statement: payables cannot be an expense.
    """
    with decision(home, client, by=by) as batch:
        connection = batch.connection
        # A bank account has a role as soon as BILL names it, and an account when somebody says so.
        is_known = connection.execute(
            "select 1 from categorized.account_roles where role = $role union all "
            "select 1 from ledger.funding_accounts where role = $role limit 1",
            {"role": role},
        ).fetchone()
        if not is_known:
            raise DecisionRefused(
                f"{client}: there is no role {role!r}; "
                f"`bill-pipeline settings {client}` lists the roles."
            )
        found = connection.execute(_ROLE_ACCOUNT, {"role": role, "account": account_id}).fetchone()
        if found is None:
            raise DecisionRefused(f"{client}: no account {account_id!r} is in use.")
        statement, usual, name = found
        if usual is not None and statement != usual:
            raise DecisionRefused(
                f"{client}: {role} is an account of the {usual.lower()}; {name} is one of the "
                f"{statement.lower()}."
            )
        decisions.set_role(connection, role, account_id, **batch.signed(reason))


def bring_in_balances(
    home: Home,
    client: str,
    cutover: date,
    balances: Mapping[str, Decimal],
    *,
    by: str,
    reason: str,
    accept_differences: bool = False,
) -> Opening:
    """Record all opening balances (account → amount, debit +) and say what they came to.

    An account brought in before and not named now is taken out again. A control account opens with
    its documents: where these do not add up to its balance, nothing is booked unless
    ``accept_differences``. Raises DecisionRefused, ClientBusy, ChecksFailed.
    """
    with decision(home, client, by=by) as batch:
        connection = batch.connection
        closed = decisions.closed_through(connection, batch.decided_at)
        if closed is not None and cutover <= closed:
            raise DecisionRefused(
                f"{client}: the books are closed through {closed}; reopen {cutover:%B %Y} before "
                "balances are brought in there."
            )
        begin = decisions.books_begin_on(connection, batch.decided_at)
        if begin is not None and begin != cutover:
            raise DecisionRefused(
                f"{client}: the books begin on {begin}, not on {cutover}. Bring in the balances of "
                f"that day, or first move it: bill-pipeline settings {client} "
                f"--books-begin-on {cutover}"
            )
        begins = begin is not None or would_begin_books(connection, batch.decided_at)
        _require_openable(connection, client, balances, with_controls=begins)
        documents = _open_documents(connection, cutover)
        if not accept_differences:
            _require_documents_add_up(client, cutover, balances, documents)
        wanted = {account: (cutover, amount) for account, amount in balances.items()}
        for account_id, (day, amount) in (_emptied(connection) | wanted).items():
            decisions.record_opening_balance(
                connection,
                account_id=account_id,
                cutover_date=day,
                amount=amount,
                **batch.signed(reason),
            )
        begins_now = decisions.books_begin_on(connection, batch.decided_at)
    by_documents = documents if begins_now else {}
    booked = {name: amount for name, amount in balances.items() if name not in documents}
    opened = sum((amount for _name, amount in by_documents.values()), Decimal(0))
    return Opening(
        left=sum(booked.values(), Decimal(0)) + opened,
        begin=None if begins_now == begin else begins_now,
        documents={name: amount for name, amount in by_documents.values() if amount},
    )


def _policies_now(
    connection: duckdb.DuckDBPyConnection, values: Mapping[str, str]
) -> dict[str, str]:
    """As text; empty for what nobody set and has no default."""
    names = sorted(values)
    row = connection.execute(f"select {', '.join(names)} from staging.policies").fetchone()
    pairs = zip(names, row or (), strict=False)
    return {name: "" if value is None else str(value) for name, value in pairs}


def _require_nothing_closed(batch: Batch, client: str, what: str) -> None:
    connection = batch.connection
    closed = decisions.closed_through(connection, batch.decided_at)
    row = connection.execute("select min(date) from ledger.journal_entries").fetchone()
    first = row[0] if row else None
    if closed is not None and first is not None and first <= closed:
        raise DecisionRefused(
            f"{client}: {what}, and the books are closed through {closed}. Reopen them from their "
            f"first month first: bill-pipeline reopen {client} {first:%Y-%m} --reason …"
        )


def _require_openable(
    connection: duckdb.DuckDBPyConnection,
    client: str,
    balances: Mapping[str, Decimal],
    *,
    with_controls: bool,
) -> None:
    rows = connection.execute(
        "select account_id, control, coalesce(roles, ''), coalesce(account_name, account_id) "
        "from ledger.accounts where not is_archived"
    ).fetchall()
    known = {account: (control, roles, name) for account, control, roles, name in rows}
    for account in balances:
        if account not in known:
            raise DecisionRefused(f"{client}: no account {account!r} is in use.")
        control, roles, name = known[account]
        if control is not None and not with_controls:
            raise DecisionRefused(
                f"{client}: {name} is a control account ({control}) and these books hold BILL's "
                "documents from the first: leave it out, or first say on which day they begin: "
                f"bill-pipeline settings {client} --books-begin-on DAY"
            )
        if "opening_balance" in roles.split(", "):
            raise DecisionRefused(f"{client}: {name} takes the other side by itself; leave it out.")


def _open_documents(
    connection: duckdb.DuckDBPyConnection, cutover: date
) -> dict[str, tuple[str, Decimal]]:
    """Account that opens with documents → its name and what these add up to."""
    rows = connection.execute(_OPEN_DOCUMENTS, {"day": cutover}).fetchall()
    return {account: (name, amount) for account, name, amount in rows}


def _require_documents_add_up(
    client: str,
    cutover: date,
    balances: Mapping[str, Decimal],
    documents: Mapping[str, tuple[str, Decimal]],
) -> None:
    differing = [
        f"{name} {balances[account]:,.2f}, its open documents {amount:,.2f}: "
        f"{balances[account] - amount:,.2f} apart"
        for account, (name, amount) in documents.items()
        if account in balances and balances[account] != amount
    ]
    if differing:
        raise DecisionRefused(
            f"{client}: the balances of {cutover} and what is open in BILL that day differ (debits "
            f"positive). {'; '.join(differing)}. Nothing was booked. Mend the one or the other, or "
            "accept the difference (--accept-differences, or the box on the page): the documents "
            "count, and it stays in opening balance equity."
        )


def _emptied(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[date, Decimal]]:
    """Account with an opening balance → its day, and nothing instead."""
    rows = connection.execute(
        """
        select account_id, arg_max(cutover_date, (decided_at, rowid))
        from decisions.opening_balances
        group by account_id having arg_max(amount, (decided_at, rowid)) <> 0
        """
    ).fetchall()
    return {account: (day, Decimal(0)) for account, day in rows}
