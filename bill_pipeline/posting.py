"""Drive the append-only journal: decide account roles once, keep the batches, replay them.

What is posted is SQL (``transforms/ledger``). Here is only what SQL alone cannot do: write the
roles' decisions, refuse to post backwards in time, and rebuild the journal from the archive.

::

    WarehouseError
    ├── PostedLater        the journal already holds a later batch
    └── ReplayDiffers      a rebuild would change entries that were already posted
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

import duckdb

from bill_pipeline.replay import JOURNAL, replay
from bill_pipeline.warehouse import Warehouse, WarehouseError

#: (role, BILL's account type, the whole name in lower case or None for any). A role that exactly
#: one active account of the client's chart fits is played by it from the first sync on.
ROLE_FITS = (
    ("ap_control", "ACCOUNTS_PAYABLE", None),
    ("ar_control", "ACCOUNTS_RECEIVABLE", None),
    ("card_default", "CREDIT_CARD", None),
    ("ap_clearing", None, r"(bill\.com |bill )?money out clearing"),
    ("ar_clearing", None, r"(bill\.com |bill )?money in clearing"),
    ("undeposited_funds", None, r"undeposited funds"),
    ("default_bank", "BANK", r"(?!.*(clearing|undeposited)).*"),
    ("retained_earnings", "EQUITY", r"retained earnings"),
    ("opening_balance", "EQUITY", r"opening balance equity"),
    ("sales_tax", "OTHER_CURRENT_LIABILITY", r"sales tax payable"),
    ("uncategorized_expense", None, r"uncategori[sz]ed expenses?"),
    ("uncategorized_income", None, r"uncategori[sz]ed income"),
    ("bad_debt", None, r"bad debts?( expense)?"),
)

#: Who decides a processing fee that a deposit shows; anybody else is a person.
FEE_FINDER = "deposits"


class PostedLater(WarehouseError):
    """The journal already holds a later batch; history is never posted backwards."""


class ReplayDiffers(WarehouseError):
    """A rebuild would not give the entries that were posted; nothing was changed."""


@dataclass(frozen=True)
class ReplayReport:
    """What a rebuild did."""

    batches: int
    waves: int  # in how many steps they were replayed
    entries: int
    differing_entries: int  # entries that are not the same as before, when differences are allowed
    seconds: float


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
    chosen = []
    for role, standard_account in sorted(standard):
        if role in decided:
            continue
        account, reason = standard_account, "no account of the client's chart fits alone"
        fitting = _fitting_accounts(role, chart)
        if role == "default_bank" and len(banks) == 1:
            account, reason = banks[0][0], "BILL pays from it by default"
        elif len(fitting) == 1:
            account, reason = fitting[0], "the only fitting account of the client's chart"
        chosen.append((role, account, as_of, "first sync", reason))
    if chosen:
        connection.executemany("insert into decisions.account_roles values (?, ?, ?, ?, ?)", chosen)
    return len(chosen)


def _fitting_accounts(role: str, chart: list[tuple[str, str, str]]) -> list[str]:
    import re

    return [
        account_id
        for fit_role, bill_type, name in ROLE_FITS
        if fit_role == role
        for account_id, account_type, account_name in chart
        if bill_type in (None, account_type)
        and (name is None or re.fullmatch(name, account_name or ""))
    ]


def decide_processing_fees(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> int:
    """Decide the fees that deposits show, and return how many receipts got a new decision.

    What a person decided stays. A fee whose deposit no longer shows it is taken back.
    """
    before = _count_fees_decided(connection)
    connection.execute(
        """
        insert into decisions.processing_fees
        with decided as (
            select
                received_payment_id,
                arg_max(amount, (decided_at, rowid)) as amount,
                bool_or(decided_by <> $by) as is_a_persons
            from decisions.processing_fees where decided_at <= $as_of group by received_payment_id
        )
        select
            received_payment_id, coalesce(found.amount, 0), found.money_movement_id, $as_of, $by,
            coalesce(found.reason, 'no deposit shows it any more')
        from staging.processing_fees_found as found
        full join decided using (received_payment_id)
        where coalesce(found.amount, 0) <> coalesce(decided.amount, 0)
            and not coalesce(decided.is_a_persons, false)
        order by received_payment_id
        """,
        {"as_of": as_of, "by": FEE_FINDER},
    )
    return _count_fees_decided(connection) - before


def _count_fees_decided(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("select count(*) from decisions.processing_fees").fetchone()
    return row[0] if row else 0


def require_order(connection: duckdb.DuckDBPyConnection, client: str, as_of: datetime) -> None:
    """Raise PostedLater when the journal holds a batch later than ``as_of``."""
    row = connection.execute("select max(as_of) from decisions.batches").fetchone()
    if row and row[0] is not None and as_of.replace(tzinfo=None) < row[0]:
        raise PostedLater(
            f"{client}: the journal was posted as of {row[0]}, later than {as_of}. Sync again with "
            "the present time; to look at the past use the known_at argument of the reports."
        )


def record_batch(
    connection: duckdb.DuckDBPyConnection, as_of: datetime, appended: dict[str, int]
) -> None:
    """Remember ``as_of`` as a moment at which entries were posted, for a later replay."""
    if appended.get("ledger.journal_entries"):
        connection.execute("insert or ignore into decisions.batches values (?)", [as_of])


def rebuild(warehouse: Warehouse, *, accept_differences: bool = False) -> ReplayReport:
    """Empty the journal and replay every batch from the archive, in one transaction.

    The entries come out the same, ids included. When they do not (the archive was altered, or
    the posting rules changed), ReplayDiffers is raised and the journal stays as it was, unless
    ``accept_differences`` says that history may be rewritten.
    """
    started = time.perf_counter()
    connection = warehouse.connection
    batches = [
        row[0]
        for row in connection.execute("select as_of from decisions.batches order by 1").fetchall()
    ]
    waves = entries = differing = 0
    with warehouse.transaction():
        for table in JOURNAL:
            connection.execute(f"create or replace temp table old_{table[7:]} as from {table}")
            connection.execute(f"delete from {table}")
        if batches:
            waves = replay(warehouse)
            _require_complete(warehouse, batches[-1])
        differing = _count_differences(connection)
        if differing and not accept_differences:
            raise ReplayDiffers(
                f"{warehouse.client}: a rebuild gives other books than were posted "
                f"({differing} journal lines differ). The journal stays as it is. Rebuild with "
                "accept_differences only if the posting rules were changed on purpose."
            )
        row = connection.execute("select count(*) from ledger.journal_entries").fetchone()
        entries = row[0] if row else 0
        for table in JOURNAL:
            connection.execute(f"drop table old_{table[7:]}")
    return ReplayReport(len(batches), waves, entries, differing, time.perf_counter() - started)


def _require_complete(warehouse: Warehouse, last: datetime) -> None:
    """Build the last batch in full, as a sync does: the replay must have left nothing to post."""
    for room in ("staging", "categorized", "ledger"):
        report = warehouse.build_tables(room, last)
    if left := report.appended["ledger.journal_entries"]:
        raise ReplayDiffers(
            f"{warehouse.client}: the replay missed {left} entries that a full posting at {last} "
            "makes. The journal stays as it is; this is an error of the program, please report it."
        )


def _count_differences(connection: duckdb.DuckDBPyConnection) -> int:
    total = 0
    for table in JOURNAL:
        for first, second in ((table, f"old_{table[7:]}"), (f"old_{table[7:]}", table)):
            row = connection.execute(
                f"select count(*) from (from {first} except all from {second})"
            ).fetchone()
            total += row[0] if row else 0
    return total
