"""Drive the append-only journal: decide account roles once, post in order, rebuild.

What is posted is SQL (``transforms/ledger``). Here is only what SQL alone cannot do: write the
roles' decisions, refuse to post backwards in time, and rebuild the journal from the archive.

::

    WarehouseError
    ├── PostedLater        the journal already holds a later batch
    └── ReplayDiffers      a rebuild would change entries that were already posted
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import duckdb

from bill_pipeline.errors import WarehouseError
from bill_pipeline.warehouse.funding_accounts import decide_cards
from bill_pipeline.warehouse.posting_rules import POSTING_LAYERS
from bill_pipeline.warehouse.rebuild import JOURNAL, rebuild_journal
from bill_pipeline.warehouse.transforms import with_ancestors
from bill_pipeline.warehouse.warehouse import Warehouse

_log = logging.getLogger(__name__)

#: Posts the given batches again, in order, on top of earlier ones; returns in how many steps.
Way = Callable[[Warehouse, Sequence[datetime]], int]

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

#: Who decides a processing fee that a deposit shows; anybody else is a person.
FEE_FINDER = "deposits"


class PostedLater(WarehouseError):
    """The journal already holds a later batch; history is never posted backwards."""


class ReplayDiffers(WarehouseError):
    """A rebuild would not give the entries that were posted; nothing was changed."""

    def __init__(self, client: str, documents: Sequence[str]) -> None:
        named = ", ".join(documents[:3]) + (", …" if len(documents) > 3 else "")
        super().__init__(
            f"{client}: a rebuild gives other entries than were posted, for {len(documents):,} "
            f"documents ({named}). The journal stays as it is, and syncs go on. The archived "
            "documents or the decisions were altered after they were posted: put the client's "
            "file back from a backup and sync again, or leave the books as they are."
        )


@dataclass(frozen=True)
class ReplayReport:
    """What a rebuild did."""

    batches: int
    steps: int  # in how many they were posted again
    entries: int
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
    chosen: list[tuple[str, str, datetime, str, str]] = []
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
        chosen.append((role, account, as_of, "first sync", reason))
    if chosen:
        connection.executemany("insert into decisions.account_roles values (?, ?, ?, ?, ?)", chosen)
    return len(chosen) + decide_cards(connection, as_of)


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


def in_waves(warehouse: Warehouse, batches: Sequence[datetime]) -> int:
    """Post ``batches`` again, unconnected documents side by side; return the number of steps.

    Fast, and right only if ``transforms/replay`` names every document that a posting rule reads.
    """
    steps = rebuild_journal(warehouse, batches)
    for layer in POSTING_LAYERS:  # of all documents; it must find nothing to post
        warehouse.build_tables(layer, batches[-1], checked=False, only=_replayed(), is_replay=True)
    return steps


def batch_by_batch(warehouse: Warehouse, batches: Sequence[datetime]) -> int:
    """Post ``batches`` again as the syncs did, one whole build after the other."""
    for as_of in batches:
        for layer in POSTING_LAYERS:
            warehouse.build_tables(layer, as_of, checked=False, only=_replayed(), is_replay=True)
    return len(batches)


#: The ways to post batches again, the fastest first; the last one is the truth.
WAYS: tuple[Way, ...] = (in_waves, batch_by_batch)


def rebuild(warehouse: Warehouse, *, ways: Sequence[Way] = WAYS) -> ReplayReport:
    """Take back what was posted since the posting rules last changed, and post it again.

    In one transaction, from the archive and the decisions. What was posted under earlier rules is
    kept as posted. The entries come out the same, ids, moments and causes included. If not so by
    the first of ``ways``, the next one is tried; by none, ReplayDiffers is raised and the journal
    stays as it was.
    """
    started = time.perf_counter()
    connection = warehouse.connection
    batches = _batches_to_replay(connection)
    if not batches:
        return ReplayReport(0, 0, 0, time.perf_counter() - started)
    with warehouse.transaction():
        for table in JOURNAL:
            connection.execute(
                f"create or replace temp table old_{table[7:]} as "
                f"from {table} where posted_at >= ?",
                batches[:1],
            )
        for way in ways:
            for table in JOURNAL:
                connection.execute(f"delete from {table} where posted_at >= ?", batches[:1])
            steps = way(warehouse, batches)
            if not (differing := _differences(connection, batches[0])):
                break
            _log.warning("%s: %s gives other entries.", warehouse.client, way.__name__)
        else:
            raise ReplayDiffers(warehouse.client, differing)
        row = connection.execute("select count(*) from old_journal_entries").fetchone()
        for table in JOURNAL:
            connection.execute(f"drop table old_{table[7:]}")
    return ReplayReport(len(batches), steps, row[0] if row else 0, time.perf_counter() - started)


def _batches_to_replay(connection: duckdb.DuckDBPyConnection) -> list[datetime]:
    """The moments of posting since the rules last changed, that change included."""
    rows = connection.execute(
        """
        select as_of from decisions.batches
        where as_of >= coalesce(
            (select max(as_of) from decisions.batches where is_change_of_rules),
            timestamp '0001-01-01'
        )
        order by as_of
        """
    ).fetchall()
    return [row[0] for row in rows]


@cache
def _replayed() -> frozenset[str]:
    """The tables that a batch needs to be posted again."""
    return frozenset(with_ancestors((*JOURNAL, "staging.standard_accounts")))


def _differences(connection: duckdb.DuckDBPyConnection, first: datetime) -> list[str]:
    """The documents of which other entries or lines came out, each named once."""
    differing: set[str] = set()
    for table in JOURNAL:
        posted, before = f"{table} where posted_at >= '{first}'", f"old_{table[7:]}"
        rows = connection.execute(
            f"select distinct document_type || ' ' || document_id from ("
            f"(from (from {posted}) except all from {before}) union all "
            f"(from {before} except all from (from {posted})))"
        ).fetchall()
        differing |= {row[0] for row in rows}
    return sorted(differing)
