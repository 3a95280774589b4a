"""One client's books as plain records, read from the published ledger.

Every export is made of these, so all of them tell the same story. Home currency throughout;
``amount_currency`` is the document's own.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

import duckdb

from bill_pipeline.registry.client_errors import UnknownClient


@dataclass(frozen=True)
class Account:
    """An account of the chart; ``code`` is its number there, if it has one.

    ``control`` names its sub-ledger: payables, receivables, money out clearing … Other tools know
    one type per account, so what stands under a type that an account had before is an account of
    its own: ``type_before_of`` is BILL's id then, ``account_id`` tells the two apart.
    """

    account_id: str
    code: str | None
    name: str
    account_type: str
    control: str | None = None
    type_before_of: str | None = None

    @property
    def id_in_bill(self) -> str:
        return self.type_before_of or self.account_id


@dataclass(frozen=True)
class Line:
    """One line of an entry; debit positive.

    ``due_date`` is that of the document the line opens or settles, on control accounts only.
    """

    line_no: int
    account_id: str
    amount: Decimal
    currency: str
    amount_currency: Decimal
    party: str | None
    description: str | None
    due_date: date | None
    open_item_id: str | None
    source_line_id: str | None
    class_name: str | None
    department_name: str | None
    location_name: str | None


@dataclass(frozen=True)
class Entry:
    """One entry of the journal with its lines, debits first."""

    entry_id: str
    date: date
    kind: str
    party: str | None
    description: str | None
    document_type: str
    document_id: str
    document_number: str | None
    document_version: int | None
    posted_at: datetime
    reverses_entry_id: str | None
    lines: tuple[Line, ...]

    @property
    def title(self) -> str:
        """The party and what happened, for formats with one field for both."""
        words = [word for word in (self.party, self.description) if word]
        return " - ".join(words) or f"{self.document_type} {self.document_id}"


@dataclass(frozen=True)
class Books:
    """Accounts and entries; entries by date, then in the order in which they were posted."""

    client: str
    title: str
    currency: str
    as_of: datetime | None  # when BILL was read; None before the first sync
    accounts: tuple[Account, ...]
    entries: tuple[Entry, ...]

    @cached_property
    def accounts_by_id(self) -> dict[str, Account]:
        return {account.account_id: account for account in self.accounts}

    @cached_property
    def balances(self) -> dict[str, Decimal]:
        """account id → sum of its lines, for every account with a line."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for entry in self.entries:
            for line in entry.lines:
                sums[line.account_id] += line.amount
        return dict(sums)

    @cached_property
    def first_days(self) -> dict[str, date]:
        """account id → date of its first line, for every account with a line."""
        days: dict[str, date] = {}
        for entry in self.entries:
            for line in entry.lines:
                days.setdefault(line.account_id, entry.date)
        return days


_BOOKS = """
    select coalesce(clients.organization_name, clients.client), books.home_currency,
        books.known_until
    from clients left join books using (client) where clients.client = $client
"""
# Within the balance sheet a balance stands under the account's last type of it, as in our own.
_TYPES = """
    types as (
        select
            accounts_by_day.* replace (
                if(
                    statement = 'Balance Sheet',
                    last_value(account_type) over (
                        partition by account_id, statement order by valid_from
                        rows between unbounded preceding and unbounded following
                    ),
                    account_type
                ) as account_type
            ),
            last_value(account_type) over (
                partition by account_id order by valid_from
                rows between unbounded preceding and unbounded following
            ) as type_now
        from accounts_by_day
        where client = $client
    ),
    typed as (
        select
            lines.*, types.account_name, types.account_type, types.type_now,
            lines.account_id
            || if(types.account_type = types.type_now, '', ':' || types.account_type) as account_key
        from journal_lines as lines
        inner join types
            on types.account_id = lines.account_id
            and coalesce(lines.type_date, lines.date) between types.valid_from and types.valid_to
        where lines.client = $client
    )
"""
# Of books published by an earlier release, which moved nothing under another type.
_TYPES_OF_NOW = """
    types as (
        select account_id, account_type, account_type as type_now from accounts
        where client = $client
    ),
    typed as (
        select
            lines.*, accounts.account_name, accounts.account_type,
            accounts.account_type as type_now, lines.account_id as account_key
        from journal_lines as lines
        inner join accounts using (client, account_id)
        where lines.client = $client
    )
"""
_KNOWS_TYPES = """
    select count(distinct table_name) = 2 from duckdb_columns()
    where (table_name, column_name) in
        (('journal_lines', 'type_date'), ('accounts_by_day', 'statement'))
"""
_ACCOUNTS = """
    with {types}
    select accounts.account_id, account_code, account_name, type_now, control, null
    from accounts
    inner join (select distinct account_id, type_now from types) as now using (account_id)
    where client = $client
    union all
    select distinct
        account_key, null, account_name || ' (' || account_type || ')', account_type, null,
        account_id
    from typed where account_type <> type_now
    order by 1
"""
# A document without a due date is due on the day it counts for, as in our own aging.
_LINES = """
    with {types},
    entries as (from journal_entries where client = $client),
    lines as (from typed),
    documents_of_client as (from documents where client = $client),
    parties_of_client as (from parties where client = $client),
    dimension_values as (from dimensions where client = $client),
    controls as (
        select account_id, control from accounts
        where client = $client and control in ('payables', 'receivables')
    ),
    open_items as (
        select
            lines.open_item_id,
            coalesce(min(documents_of_client.due_date), min(lines.date)) as due_date
        from lines
        inner join controls using (account_id)
        left join documents_of_client
            on documents_of_client.document_id = lines.open_item_id
            and documents_of_client.control = controls.control
        group by lines.open_item_id
    )
    select
        entries.entry_id, entries.date, entries.entry_kind, entry_parties.party,
        entries.description, entries.document_type, entries.document_id,
        documents_of_client.number, entries.document_version, entries.posted_at,
        entries.reverses_entry_id,
        lines.line_no, lines.account_key, lines.amount, lines.currency, lines.amount_currency,
        line_parties.party, lines.description,
        if(controls.account_id is null, null, open_items.due_date), lines.open_item_id,
        lines.source_line_id, classes.dimension_name, departments.dimension_name,
        locations.dimension_name
    from entries
    inner join lines using (entry_id)
    left join parties_of_client as entry_parties on entry_parties.party_id = entries.party_id
    left join parties_of_client as line_parties on line_parties.party_id = lines.party_id
    left join documents_of_client
        on documents_of_client.document_type = entries.document_type
        and documents_of_client.document_id = entries.document_id
    left join controls on controls.account_id = lines.account_id
    left join open_items on open_items.open_item_id = lines.open_item_id
    left join dimension_values as classes on classes.dimension_id = lines.class_id
    left join dimension_values as departments on departments.dimension_id = lines.department_id
    left join dimension_values as locations on locations.dimension_id = lines.location_id
    where
        ($first_day::date is null or entries.date >= $first_day::date)
        and ($last_day::date is null or entries.date <= $last_day::date)
    order by entries.date, entries.posted_at, entries.entry_id, lines.line_no
"""
_ENTRY_COLUMNS = 11


def read_books(
    ledger: duckdb.DuckDBPyConnection,
    client: str,
    *,
    first_day: date | None = None,
    last_day: date | None = None,
) -> Books:
    """``client``'s accounts and the entries between two days, inclusive. Raises UnknownClient."""
    found = ledger.execute(_BOOKS, {"client": client}).fetchone()
    if found is None:
        raise UnknownClient(client)
    title, currency, as_of = found
    row = ledger.execute(_KNOWS_TYPES).fetchone()
    types = _TYPES if row and row[0] else _TYPES_OF_NOW
    accounts = ledger.execute(_ACCOUNTS.format(types=types), {"client": client}).fetchall()
    rows = ledger.execute(
        _LINES.format(types=types),
        {"client": client, "first_day": first_day, "last_day": last_day},
    ).fetchall()
    entries = tuple(_entry(list(group)) for _, group in groupby(rows, key=lambda row: row[0]))
    return Books(
        client=client,
        title=title,
        currency=currency or "USD",
        as_of=as_of,
        accounts=tuple(Account(*row) for row in accounts),
        entries=entries,
    )


def _entry(rows: list[tuple[Any, ...]]) -> Entry:
    lines = tuple(Line(*row[_ENTRY_COLUMNS:]) for row in rows)
    return Entry(*[*rows[0][:_ENTRY_COLUMNS], lines])
