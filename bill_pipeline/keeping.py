"""How one client's books are kept: fiscal year, currency, account roles, opening balances.

Each function records a person's decision and has the published books show it. Nothing is changed
in place: journal entries that come out differently are reversed and posted anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import duckdb

from bill_pipeline import decisions
from bill_pipeline.deciding import Batch, decision_batch
from bill_pipeline.errors import DecisionRefused
from bill_pipeline.settings import Home

#: What a person may change; ``organization_id`` is part of every entry's id and stays.
POLICIES = (
    "fiscal_year_end",
    "home_currency",
    "book_bills_on",
    "book_unexportable_payments",
    "sales_tax_on_cash_basis",
    "form_1099_threshold",
)
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


def change_policies(home: Home, client: str, values: Mapping[str, str], *, by: str) -> None:
    """Set the policies named. Raises DecisionRefused, ClientBusy, ChecksFailed.

    Another home currency gives every amount another value, so no month may be closed.
    """
    if unknown := sorted(values.keys() - set(POLICIES)):
        raise DecisionRefused(f"{client}: {', '.join(unknown)} cannot be changed.")
    with decision_batch(home, client) as batch:
        before = _policies_now(batch.warehouse.connection, values)
        if values.get("home_currency", before.get("home_currency")) != before.get("home_currency"):
            _require_nothing_closed(batch, client)
        _set_policies(batch, values, by)
        batch.take_back = lambda later: _set_policies(later, before, by)


def change_role(
    home: Home, client: str, role: str, account_id: str, *, by: str, reason: str
) -> None:
    """Say which account plays ``role`` from now on.

    Raises DecisionRefused for an unknown role or account, and for an account of the other
    statement: payables cannot be an expense.
    """
    with decision_batch(home, client) as batch:
        connection = batch.warehouse.connection
        # A bank account has a role as soon as BILL names it, and an account when somebody says so.
        before = connection.execute(
            "select account_id from categorized.account_roles where role = $role union all "
            "select '' from ledger.funding_accounts where role = $role limit 1",
            {"role": role},
        ).fetchone()
        if before is None:
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
        _set_role(batch, role, account_id, by, reason)
        batch.take_back = lambda later: _set_role(
            later, role, before[0], by, "taken back: the books refused it"
        )


def bring_in_balances(
    home: Home,
    client: str,
    cutover: date,
    balances: Mapping[str, Decimal],
    *,
    by: str,
    reason: str,
) -> Decimal:
    """Record all opening balances (account → amount, debit +); return what they do not net to zero.

    An account brought in before and not named now is taken out again. Control accounts are refused:
    they open with their documents. Raises DecisionRefused, ClientBusy, ChecksFailed.
    """
    with decision_batch(home, client) as batch:
        connection = batch.warehouse.connection
        closed = decisions.closed_through(connection, batch.decided_at)
        if closed is not None and cutover <= closed:
            raise DecisionRefused(
                f"{client}: the books are closed through {closed}; reopen {cutover:%B %Y} before "
                "balances are brought in there."
            )
        _require_openable(connection, client, balances)
        before = _balances_now(connection)
        wanted = {account: (cutover, amount) for account, amount in balances.items()}
        gone = {account: (day, Decimal(0)) for account, (day, _amount) in before.items()}
        _set_balances(batch, gone | wanted, by, reason)
        empty = {account: (cutover, Decimal(0)) for account in balances}
        batch.take_back = lambda later: _set_balances(
            later, empty | before, by, "taken back: the books refused it"
        )
    return sum(balances.values(), Decimal(0))


def _policies_now(
    connection: duckdb.DuckDBPyConnection, values: Mapping[str, str]
) -> dict[str, str]:
    """As text; what nobody set and has no default is left out."""
    names = sorted(values)
    row = connection.execute(f"select {', '.join(names)} from staging.policies").fetchone()
    pairs = zip(names, row or (), strict=False)
    return {name: str(value) for name, value in pairs if value is not None}


def _require_nothing_closed(batch: Batch, client: str) -> None:
    closed = decisions.closed_through(batch.warehouse.connection, batch.decided_at)
    if closed is not None:
        raise DecisionRefused(
            f"{client}: the home currency changes every amount, and the books are closed through "
            f"{closed}. Reopen them from the beginning first."
        )


def _set_policies(batch: Batch, values: Mapping[str, str], by: str) -> None:
    for name, value in values.items():
        decisions.set_policy(
            batch.warehouse.connection, name, value, decided_at=batch.decided_at, decided_by=by
        )


def _set_role(batch: Batch, role: str, account_id: str, by: str, reason: str) -> None:
    decisions.set_role(
        batch.warehouse.connection,
        role,
        account_id,
        decided_at=batch.decided_at,
        decided_by=by,
        reason=reason,
    )


def _require_openable(
    connection: duckdb.DuckDBPyConnection, client: str, balances: Mapping[str, Decimal]
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
        if control is not None:
            raise DecisionRefused(
                f"{client}: {name} is a control account ({control}): it opens with its documents, "
                "not with a balance."
            )
        if "opening_balance" in roles.split(", "):
            raise DecisionRefused(f"{client}: {name} takes the other side by itself; leave it out.")


def _balances_now(connection: duckdb.DuckDBPyConnection) -> dict[str, tuple[date, Decimal]]:
    rows = connection.execute(
        """
        select account_id, arg_max(cutover_date, (decided_at, rowid)),
            arg_max(amount, (decided_at, rowid)) as amount
        from decisions.opening_balances group by account_id having amount <> 0
        """
    ).fetchall()
    return {account: (day, amount) for account, day, amount in rows}


def _set_balances(
    batch: Batch, balances: Mapping[str, tuple[date, Decimal]], by: str, reason: str
) -> None:
    for account_id, (day, amount) in balances.items():
        decisions.record_opening_balance(
            batch.warehouse.connection,
            account_id=account_id,
            cutover_date=day,
            amount=amount,
            decided_at=batch.decided_at,
            decided_by=by,
            reason=reason,
        )
