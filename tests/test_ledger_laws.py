"""What holds in every company's books, whatever happens in BILL and in whatever order it arrives.

The numbers are those of the list of invariants in ``docs/faults.md``. Laws that are SQL checks run
inside every sync already (a broken one raises ChecksFailed); here they are met by random lives,
and the laws that compare two books, or two moments, are stated.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bill_pipeline import decisions, posting
from bill_pipeline.transforms import load_transforms, macro_sql
from tests.ledger.company import Company, new_company
from tests.ledger.lives import FIRST_SYNC, begin, hand_over, live, lives

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
few = settings(max_examples=3, deadline=None, suppress_health_check=SLOW, print_blob=True)
many = settings(max_examples=12, deadline=None, suppress_health_check=SLOW, print_blob=True)

JOURNAL = "select * exclude (posted_at) from ledger.journal_lines order by line_id"
BALANCES = """
select account_id, party_id, open_item_id, sum(amount), sum(amount_currency)
from ledger.journal_lines group by all
having sum(amount) <> 0 or sum(amount_currency) <> 0 order by all
"""
CASH = """
select account_id, sum(amount) from ledger.cash_basis_lines
group by all having sum(amount) <> 0 order by all
"""


def trial_balance_at(company: Company, day: date, known_at: datetime | None = None) -> Any:
    known = f"and posted_at <= timestamp '{known_at}'" if known_at else ""
    return company.rows(
        f"select account_id, sum(amount) from ledger.journal_lines where date <= '{day}' {known} "
        "group by 1 having sum(amount) <> 0 order by 1"
    )


def check_laws_at_every_date(company: Company) -> None:
    """Laws 2, 3, 4, 5, 12, 14, 18 and 20, at every day on which anything was posted."""
    rows = company.rows
    assert not rows("select date from ledger.journal_lines group by 1 having sum(amount) <> 0")
    for transform in load_transforms().values():
        if transform.macro:
            company.connection.execute(macro_sql(transform, table_reference=lambda key: key))
    for (day,) in rows("select distinct date from ledger.journal_lines"):
        controls = dict(rows(
            "select control, sum(amount) from ledger.journal_lines join ledger.accounts "
            f"using (account_id) where date <= '{day}' and control is not null group by 1"
        ))  # fmt: skip
        zero = Decimal(0)
        aged = rows(f"select sum(amount_total) from payables_aging_at('acme', date '{day}')")
        assert -(aged[0][0] or zero) == controls.get("payables", zero)
        aged = rows(f"select sum(amount_total) from receivables_aging_at('acme', date '{day}')")
        assert (aged[0][0] or zero) == controls.get("receivables", zero)
        flight = dict(rows(
            "select control, sum(amount) "
            f"from clearing_in_flight_at('acme', date '{day}') group by 1"
        ))  # fmt: skip
        for control in ("money out clearing", "money in clearing"):
            assert flight.get(control, zero) == controls.get(control, zero)
        sheet = rows(
            f"select coalesce(sum(balance), 0) from balance_sheet_at('acme', date '{day}')"
        )
        assert sheet == [(zero,)]
    years = rows("select coalesce(sum(net_income), 0) from reports.profit_and_loss")
    lines = rows(
        "select coalesce(-sum(amount), 0) from ledger.journal_lines "
        "join ledger.accounts using (account_id) where statement = 'Income Statement'"
    )
    assert years == lines
    assert not rows(
        "select lines.line_id from ledger.journal_lines as lines "
        "left join categorized.lines as source on source.document_type = lines.document_type "
        "and source.document_id = lines.document_id and source.line_id = lines.source_line_id "
        "where lines.source_line_id is not null and lines.entry_kind = 'posting' "
        "and source.line_id is null and lines.document_version = "
        "(select max(version) from ledger.postings where document_id = lines.document_id)"
    )


@few
@given(life=lives)
def test_every_law_holds_in_every_life_and_a_rebuild_gives_the_same_journal(life: Any) -> None:
    with new_company() as company:
        state = live(company, life)
        check_laws_at_every_date(company)
        before = company.rows("from ledger.journal_lines order by line_id")
        posting.rebuild(company.warehouse)  # law 7: raises when one entry or id differs
        assert company.rows("from ledger.journal_lines order by line_id") == before
        later = FIRST_SYNC + timedelta(days=60)
        hand_over(company, state, later)
        company.sync(later)
        assert company.rows("from ledger.journal_lines order by line_id") == before


@pytest.mark.slow
@many
@given(life=lives)
def test_every_law_holds_in_many_lives(life: Any) -> None:
    with new_company() as company:
        live(company, life)
        check_laws_at_every_date(company)
        posting.rebuild(company.warehouse)


@few
@given(life=lives)
def test_what_was_known_at_a_moment_never_changes(life: Any) -> None:
    """Laws 8, 9 and 25: earlier balances as known then stay, and no closed line appears later."""
    with new_company() as company:
        live(company, life[:-1])
        at = FIRST_SYNC + timedelta(days=3 * (len(life) - 2))
        known = {day: trial_balance_at(company, day) for day in (at.date(), date(2026, 1, 15))}
        old = company.rows("from ledger.journal_lines order by line_id")
        live_rest(company, life, at)
        for day, balances in known.items():
            assert trial_balance_at(company, day, at) == balances
        kept = company.rows(f"from ledger.journal_lines where posted_at <= '{at}' order by line_id")
        assert kept == old


def live_rest(company: Company, life: Any, at: datetime) -> None:
    """The last sync of ``life`` on top of the books as they are."""
    decided = company.rows("select count(*) from decisions.closes")
    with new_company() as other:
        state = live(other, life)
        closes = other.rows("from decisions.closes order by decided_at, rowid")
    state.decided.clear()
    later = at + timedelta(days=3)
    for closed_through, action, _, decided_by, reason in closes[decided[0][0] :]:
        company.connection.execute(
            "insert into decisions.closes values (?, ?, ?, ?, ?)",
            [closed_through, action, later, decided_by, reason],
        )
    hand_over(company, state, later)
    company.sync(later)


@few
@given(life=lives)
def test_order_and_chunking_of_arrivals_change_no_balance(life: Any) -> None:
    """Laws 6 and 7: one sync of everything equals many syncs; the order in a sync is nothing."""
    with new_company() as many_syncs, new_company() as one_sync, new_company() as backwards:
        state = live(many_syncs, life)
        live(backwards, life, reverse=True)
        assert backwards.rows(JOURNAL) == many_syncs.rows(JOURNAL)
        at = FIRST_SYNC + timedelta(days=3 * (len(life) - 1))
        begin(one_sync)
        hand_over(one_sync, state, at)
        one_sync.sync(at)
        # A credit's use counts from the day it was first seen, but its balance is the same.
        assert one_sync.rows(BALANCES) == many_syncs.rows(BALANCES)


@few
@given(life=lives)
def test_amounts_k_times_as_large_give_balances_k_times_as_large(life: Any) -> None:
    """Law 23, up to the cent that foreign amounts round to."""
    with new_company() as small, new_company() as large:
        live(small, life)
        live(large, life, scale=100)
        one = {row[0]: row[1] for row in trial_balance_at(small, date(2027, 1, 1))}
        hundred = {row[0]: row[1] for row in trial_balance_at(large, date(2027, 1, 1))}
        lines = len(small.rows("from ledger.journal_lines"))
        for account in one.keys() | hundred.keys():
            assert abs(hundred.get(account, 0) - 100 * one.get(account, 0)) <= 2 * lines


@few
@given(life=lives)
def test_ids_do_not_depend_on_threads_or_time_zone(life: Any) -> None:
    """Law 24."""
    with new_company() as here, new_company() as there:
        here.connection.execute("set threads = 4")
        there.connection.execute("set TimeZone = 'Pacific/Kiritimati'")
        live(here, life)
        live(there, life)
        assert there.rows(JOURNAL) == here.rows(JOURNAL)


@few
@given(life=lives)
def test_names_categories_and_unused_accounts_never_move_what_they_should_not(life: Any) -> None:
    """Laws 15, 16, 17 and 22."""
    with new_company() as company:
        live(company, life)
        journal = company.rows(JOURNAL)
        at = FIRST_SYNC + timedelta(days=70)
        company.put("vendors", {"id": "paper", "name": "Papier AG"}, at)
        company.put(
            "chart_of_accounts",
            {"id": "ap2", "name": "Second payables", "account": {"type": "ACCOUNTS_PAYABLE"}},
            at,
        )
        company.sync(at)
        assert company.rows(JOURNAL) == journal
        control = "select control, sum(amount) from ledger.journal_lines join ledger.accounts "
        control += "using (account_id) where control is not null group by 1 order by 1"
        before = company.rows(control)
        totals = company.rows("select sum(amount) from ledger.document_lines where is_booked")
        for row in company.rows("select distinct document_type, document_id, line_id "
                                "from categorized.lines where document_type = 'bill'"):  # fmt: skip
            decisions.correct(
                company.connection, document_type=row[0], document_id=row[1], line_id=row[2],
                account_id="supplies", decided_at=at + timedelta(days=1), decided_by="a person",
            )  # fmt: skip
        company.sync(at + timedelta(days=1))
        assert company.rows(control) == before
        assert (
            company.rows("select sum(amount) from ledger.document_lines where is_booked") == totals
        )


@few
@given(life=lives)
def test_void_and_archive_undo_and_restore_redo(life: Any) -> None:
    """Laws 10 and 11: X and its void are nothing, twice is once, and a restore is the original."""
    with new_company() as company:
        state = live(company, [sync for sync in life if sync])
        balances, cash = company.rows(BALANCES), company.rows(CASH)
        at = FIRST_SYNC + timedelta(days=70)
        for step, archived in enumerate((True, True, False)):
            for name in ("bills", "invoices", "vendor_credits", "credit_memos"):
                for document in state.documents.get(name, {}).values():
                    document.setdefault("was", document.get("archived", False))
                    document["archived"] = archived or document["was"]
            for payment in state.documents.get("payments", {}).values():
                payment.setdefault("was", payment["singleStatus"])
                payment["singleStatus"] = "VOIDED" if archived else payment["was"]
            for receipt in state.documents.get("received_payments", {}).values():
                receipt["status"] = "VOID" if archived else "PAID"
            state.documents.pop("money_movements", None)
            hand_over(company, state, at + timedelta(days=step))
            company.sync(at + timedelta(days=step))
            if archived:
                left = company.rows(
                    "select account_id from ledger.journal_lines where document_type <> "
                    "'money_movement' group by account_id, party_id, class_id, department_id "
                    "having sum(amount) <> 0"
                )
                assert not left
        assert company.rows(BALANCES) == balances
        if not company.rows("from decisions.closes"):
            assert company.rows(CASH) == cash


def test_a_payment_in_two_parts_ends_like_a_payment_in_one() -> None:
    """Law 13, in a foreign currency and on the cash basis too."""
    whole = [[("foreign_bill", 0, 10_001, -20, 1), ("pay", 0, 10_001, -5, 0)]]
    ends = []
    for parts in ([("P0", 100.01, 123.01)], [("P0", 33.33, 41.00), ("P1", 66.68, 82.01)]):
        with new_company() as company:
            state = live(company, [[whole[0][0]]])
            for number, amount, funding in parts:
                state.documents.setdefault("payments", {})[number] = {
                    "id": number, "vendorId": "berlin", "amount": amount, "fundingAmount": funding,
                    "processDate": "2026-01-20", "onlinePayment": True, "singleStatus": "CLEARED",
                    "billPayments": [{"id": f"{number}-0", "billId": "B0", "amount": amount}],
                }  # fmt: skip
            at = FIRST_SYNC + timedelta(days=1)
            hand_over(company, state, at)
            company.sync(at)
            ends.append((trial_balance_at(company, date(2027, 1, 1)), company.rows(CASH)))
    assert ends[0] == ends[1]


def test_two_clients_never_share_a_row() -> None:
    """Law 21: books made beside another client's are those made alone."""
    life = [[("bill", 0, 1_000, -9, 1)], [("pay", 0, 500, -3, 1), ("invoice", 0, 700, 0, 0)]]
    with new_company() as alone:
        live(alone, life)
        expected = alone.rows(JOURNAL)
    with new_company() as first, new_company() as second:
        live(second, [[("bill", 0, 77_700, -1, 0)]])
        live(first, life)
        assert first.rows(JOURNAL) == expected
        assert len(second.rows("from ledger.journal_entries")) == 1


def test_posting_backwards_in_time_is_refused() -> None:
    with new_company() as company:
        live(company, [[("bill", 0, 1_000, -9, 1)]])
        with pytest.raises(posting.PostedLater, match="Sync again with the present time"):
            company.warehouse.build_room("ledger", FIRST_SYNC - timedelta(days=1))


def test_a_rebuild_refuses_to_rewrite_history() -> None:
    with new_company() as company:
        live(company, [[("bill", 0, 1_000, -9, 1)]])
        before = company.rows("from ledger.journal_lines order by line_id")
        company.connection.execute(
            "update raw.document_versions set document = "
            "replace(document::varchar, 'rent', 'supplies')::json where list = 'bills'"
        )
        company.connection.execute(
            "update raw.document_versions set document = "
            "replace(document::varchar, '\"equipment\"', '\"rent\"')::json where list = 'bills'"
        )
        with pytest.raises(posting.ReplayDiffers, match="journal lines differ"):
            posting.rebuild(company.warehouse)
        assert company.rows("from ledger.journal_lines order by line_id") == before
