"""The 25 invariants of the ledger, each held by a test over random company lives.

``@law(…)`` names the invariants that a test holds; the numbers are those of ``docs/faults.md``, and
the last test counts them. Where an invariant is a SQL check, every sync of a life runs that too (a
broken one raises ChecksFailed); here it is stated once more, in other words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bill_pipeline.decisions import parties as party_decisions
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.pipeline import rebuild
from bill_pipeline.pipeline.batches import PostedLater
from bill_pipeline.pipeline.steps import build_layer
from bill_pipeline.warehouse.transforms import load_transforms
from tests.ledger.company import Company, new_company
from tests.ledger.lives import (
    EVENTFUL,
    FIRST_SYNC,
    LEARNING,
    State,
    begin,
    give_everything,
    hand_over,
    learning_lives,
    live,
    live_on,
    lives,
    money,
    short_lives,
    without,
)
from tests.rotation import examples

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4)]

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
few = settings(
    max_examples=examples(2, by_day=1), deadline=None, suppress_health_check=SLOW, print_blob=True
)
many = settings(
    max_examples=examples(12, by_day=3), deadline=None, suppress_health_check=SLOW, print_blob=True
)

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
ZERO = Decimal(0)
#: The journal, or the cash basis, with what each account is for the postings of the line's day.
TYPED = """
{} as lines join ledger.accounts_by_day as types
    on types.account_id = lines.account_id and lines.date between valid_from and valid_to
"""
INVARIANTS = range(1, 26)
#: Number of the invariant → the tests that hold it.
HELD: dict[int, list[str]] = {number: [] for number in INVARIANTS}


def law(*numbers: int) -> Callable[[Any], Any]:
    """This test, or this part of a test, holds the invariants ``numbers``."""

    def note(test: Any) -> Any:
        for number in numbers:
            HELD[number].append(test.__name__)
        return test

    return note


def trial_balance_at(company: Company, day: date, known_at: datetime | None = None) -> Any:
    known = f"and posted_at <= timestamp '{known_at}'" if known_at else ""
    return company.rows(
        f"select account_id, sum(amount) from ledger.journal_lines where date <= '{day}' {known} "
        "group by 1 having sum(amount) <> 0 order by 1"
    )


@law(1, 2)
def entries_and_days_sum_to_zero(company: Company) -> None:
    for total, group in (("amount", "entry_id"), ("amount", "date")):
        sql = f"select {group} from ledger.journal_lines group by 1 having sum({total}) <> 0"
        assert not company.rows(sql)
    assert not company.rows(
        "select entry_id from ledger.journal_lines group by 1 "
        "having count(distinct currency) = 1 and bool_and(currency <> 'USD') "
        "and sum(amount_currency) <> 0"
    )


@law(3, 4, 5, 20)
def statements_and_sub_ledgers_agree_at(company: Company, day: date) -> None:
    rows = company.rows
    controls: dict[str, dict[Any, Decimal]] = {}
    for control, party, amount in rows(
        "select control, party_id, sum(amount) from ledger.journal_lines join ledger.accounts "
        f"using (account_id) where date <= '{day}' and control is not null group by all"
    ):
        controls.setdefault(control, {})[party] = amount
    for control, sign in (("payables", -1), ("receivables", 1)):
        aged = rows(
            f"select party_id, sum(amount_total), sum(amount_current + amount_1_to_30 + "
            "amount_31_to_60 + amount_61_to_90 + amount_over_90 + amount_credits) "
            f"from {control}_aging_at('acme', date '{day}') group by 1"
        )
        held = {party: amount for party, amount in controls.get(control, {}).items() if amount}
        assert {party: sign * total for party, total, _ in aged if total} == held
        assert all(total == buckets for _, total, buckets in aged)
    of_day = f"clearing_in_flight_at('acme', date '{day}')"
    flight = dict(rows(f"select control, sum(amount) from {of_day} group by 1"))
    for control in ("money out clearing", "money in clearing"):
        assert flight.get(control, ZERO) == sum(controls.get(control, {}).values(), ZERO)
    sheet = rows(f"select coalesce(sum(balance), 0) from balance_sheet_at('acme', date '{day}')")
    assert sheet == [(ZERO,)]


@law(6)
def entries_add_up_to_the_latest_version(company: Company) -> None:
    columns = "document_type, document_id, account_id, party_id, class_id, open_item_id"
    sql = (
        f"select {columns}, sum(amount) from {{}} group by all having sum(amount) <> 0 order by all"
    )
    assert company.rows(sql.format("ledger.journal_lines")) == company.rows(
        sql.format("ledger.postings")
    )


@law(8)
def nothing_is_posted_into_a_closed_period(company: Company) -> None:
    assert not company.rows(
        """
        with closes as (
            select decided_at, arg_max(closed_through, rowid) as closed_through
            from decisions.closes group by decided_at
        )
        select entry_id
        from ledger.journal_entries as entries
        asof join closes on entries.posted_at >= closes.decided_at
        where entries.date <= closes.closed_through
        """
    )


@law(12)
def nothing_is_used_for_more_than_its_amount(company: Company) -> None:
    amounts = " union all ".join(
        f"select '{kind}', {kind}_id, amount from staging.{kind}s"
        for kind in ("payment", "vendor_credit", "received_payment", "credit_memo")
    )
    assert not company.rows(
        f"with used (kind, id, amount) as ({amounts}) select kind, id from ledger.settlements "
        "join used on used.kind = settling_type and used.id = settling_id "
        "group by all having sum(settlements.amount) > max(used.amount)"
    )
    # A bill made smaller after it was paid is overpaid in BILL too: then it is said.
    overpaid = company.rows(
        "select settled_id from ledger.settlements group by settled_type, settled_id "
        "having sum(amount) > max(document_amount)"
    )
    names = {check.name for check in company.warnings()}
    assert bool(overpaid) == ("documents_are_settled_at_most_once" in names)


@law(14, 15)
def every_source_line_is_posted_once(company: Company) -> None:
    """Count and sum both, of days before the books begin too; sums do not look at categories."""
    of_bills = "document_type in ('bill', 'vendor_credit')"
    sign = "if(document_type = 'bill', 1, -1)"
    booked = company.rows(
        f"select count(*), coalesce(sum({sign} * amount), 0) from ledger.document_lines "
        f"where is_booked and amount <> 0 and {of_bills}"
    )
    posted = company.rows(
        "select count(*), coalesce(sum(amount), 0) from (select sum(amount_currency) as amount "
        "from (from ledger.journal_lines union all by name from ledger.lines_before_books) "
        f"where source_line_id is not null and {of_bills} "
        "group by document_type, document_id, source_line_id having sum(amount_currency) <> 0)"
    )
    assert posted == booked
    assert not company.rows(
        "from ledger.journal_lines where source_line_id is not null and document_version is null"
    )


@law(18)
def the_year_is_the_sum_of_its_months(company: Company) -> None:
    year = "select year({}), {} from {} group by 1 order by 1"
    months = company.rows(year.format("month", "sum(net_income)", "reports.profit_and_loss"))
    lines = TYPED.format("ledger.journal_lines") + "where statement = 'Income Statement'"
    years = company.rows(year.format("date", "-sum(amount)", lines))
    assert [row for row in months if row[1]] == [row for row in years if row[1]]
    of_dimensions = company.rows(
        "select coalesce(sum(net_income), 0) from (select class_id, department_id, location_id, "
        "sum(net_income) as net_income from reports.profit_and_loss group by all)"
    )
    assert of_dimensions == [(sum((row[1] for row in years), ZERO),)]


@law(19)
def cash_and_accrual_are_bridged(company: Company) -> None:
    """The report's net income is the difference of the bases, and cash is the same on both."""
    of = f"select coalesce(sum(amount), 0) from {TYPED} where {{}}"
    tables = ("ledger.journal_lines", "ledger.cash_basis_lines")
    accrual, cash = (
        -company.rows(of.format(table, "statement = 'Income Statement'"))[0][0] for table in tables
    )
    bridge = dict(
        company.rows(
            "select account_id = 'net income', sum(amount_difference) "
            "from reports.cash_to_accrual_bridge group by 1"
        )
    )
    assert bridge.get(True, ZERO) == accrual - cash == bridge.get(False, ZERO)
    banks = [company.rows(of.format(table, "cash_flow_activity = 'cash'")) for table in tables]
    assert banks[0] == banks[1]


def check_laws(company: Company) -> None:
    """What holds in one company's books, and at every day on which anything was posted."""
    company.make_macros()
    entries_and_days_sum_to_zero(company)
    for (day,) in company.rows("select distinct date from ledger.journal_lines"):
        statements_and_sub_ledgers_agree_at(company, day)
    entries_add_up_to_the_latest_version(company)
    nothing_is_posted_into_a_closed_period(company)
    nothing_is_used_for_more_than_its_amount(company)
    every_source_line_is_posted_once(company)
    the_year_is_the_sum_of_its_months(company)
    cash_and_accrual_are_bridged(company)


@law(7)
@few
@given(life=lives)
@example(life=EVENTFUL)
def test_every_law_holds_in_every_life_and_a_rebuild_gives_the_same_journal(life: Any) -> None:
    with new_company() as company:
        state = live(company, life)
        check_laws(company)
        is_said = "every_list_is_read" in {check.name for check in company.warnings()}
        assert bool(state.refused) == is_said
        before = company.rows("from ledger.journal_lines order by line_id")
        for way in rebuild.WAYS:
            rebuild.rebuild(company.warehouse, ways=(way,))  # raises when an entry or id differs
        assert company.rows("from ledger.journal_lines order by line_id") == before
        later = FIRST_SYNC + timedelta(days=60)
        hand_over(company, state, later)
        company.post(later)
        assert company.rows("from ledger.journal_lines order by line_id") == before


@many
@given(life=lives)
def test_every_law_holds_in_many_lives(life: Any) -> None:
    with new_company() as company:
        live(company, life)
        check_laws(company)
        for way in rebuild.WAYS:
            rebuild.rebuild(company.warehouse, ways=(way,))


@law(8, 9, 25)
@few
@given(life=short_lives)
@example(life=EVENTFUL)
def test_what_was_known_at_a_moment_never_changes(life: Any) -> None:
    """Laws 8, 9 and 25: earlier balances as known then stay, and no closed line appears later."""
    with new_company() as company:
        state = live(company, life[:-1], posts_only=True)
        at = FIRST_SYNC + timedelta(days=3 * (len(life) - 2))
        known = {day: trial_balance_at(company, day) for day in (at.date(), date(2026, 1, 15))}
        old = company.rows("from ledger.journal_lines order by line_id")
        live_on(company, state, life[-1], at + timedelta(days=3), posts_only=True)
        for day, balances in known.items():
            assert trial_balance_at(company, day, at) == balances
        kept = company.rows(f"from ledger.journal_lines where posted_at <= '{at}' order by line_id")
        assert kept == old
        nothing_is_posted_into_a_closed_period(company)


#: Columns that tell of now alone, and say so; of BILL's own word there is nothing to compare.
OF_NOW = {"amount_scheduled", "waits_for"}


def reports_at(company: Company, day: date, known_at: datetime | None) -> dict[str, list[Any]]:
    """The rows up to ``day`` of every macro with a moment, but for what tells of now alone."""
    moment = f"timestamp '{known_at}'" if known_at else "null"
    found = {}
    for transform in load_transforms().values():
        macro = transform.macro
        if macro is None or "known_at" not in macro.parameters:
            continue
        if transform.key == "ledger.document_facts":
            continue
        until = {"report_date", "period_end"} & set(macro.parameters)
        given = "".join(f", {name} := date '{day}'" for name in until)
        columns = [c.name for c in transform.columns if c.name not in OF_NOW]
        sql = f"select {', '.join(columns)} from {macro.name}('acme'{given}, known_at := {moment})"
        found[macro.name] = sorted(company.rows(sql), key=str)
    return found


@law(9, 25)
@few
@given(life=learning_lives)
@example(life=LEARNING)
@example(life=EVENTFUL)
def test_a_report_as_known_then_is_the_report_of_then(life: Any) -> None:
    """Flags, boxes, tax ids, merges, names, policies and what was before the books begin too."""
    with new_company() as company:
        state = State()
        begin(company)
        made: dict[tuple[datetime, date], dict[str, list[Any]]] = {}
        for number, sync in enumerate(life):
            at = FIRST_SYNC + timedelta(days=3 * number)
            live_on(company, state, sync, at)
            company.make_macros()
            for day in (at.date() - timedelta(days=1), date(2026, 1, 15)):
                made[at, day] = reports_at(company, day, None)
        for (at, day), reports in made.items():
            as_known_then = reports_at(company, day, at)
            for name, rows in reports.items():
                assert as_known_then[name] == rows, (name, at, day)


@law(6, 7, 24)
@few
@given(life=short_lives)
@example(life=EVENTFUL)
def test_order_chunking_threads_and_time_zone_change_no_balance(life: Any) -> None:
    """Laws 6, 7 and 24: one sync of everything equals many; where and in what order is nothing."""
    # A document is in the currency its vendor had when it came, so of that one sync knows less.
    life = without(life, "currency")
    with new_company() as many_syncs, new_company() as one_sync, new_company() as elsewhere:
        state = live(many_syncs, life, posts_only=True)
        elsewhere.connection.execute("set threads = 4")
        elsewhere.connection.execute("set TimeZone = 'Pacific/Kiritimati'")
        live(elsewhere, life, reverse=True, posts_only=True)
        assert elsewhere.rows(JOURNAL) == many_syncs.rows(JOURNAL)
        at = FIRST_SYNC + timedelta(days=3 * len(life))
        give_everything(many_syncs, state, at)
        policy = {"name": "books_begin_on", "value": state.books_begin_on}
        state.decided.append(("set_policy", policy))
        begin(one_sync)
        hand_over(one_sync, state, at)
        one_sync.post(at)
        # A credit's use counts from the day it was first seen, but its balance is the same.
        assert one_sync.rows(BALANCES) == many_syncs.rows(BALANCES)


@law(23)
@few
@given(life=short_lives)
@example(life=EVENTFUL)
def test_amounts_k_times_as_large_give_balances_k_times_as_large(life: Any) -> None:
    """Law 23, up to the cent that foreign amounts round to."""
    with new_company() as small, new_company() as large:
        live(small, life, posts_only=True)
        live(large, life, scale=100, posts_only=True)
        one = {row[0]: row[1] for row in trial_balance_at(small, date(2027, 1, 1))}
        hundred = {row[0]: row[1] for row in trial_balance_at(large, date(2027, 1, 1))}
        lines = len(small.rows("from ledger.journal_lines"))
        for account in one.keys() | hundred.keys():
            assert abs(hundred.get(account, 0) - 100 * one.get(account, 0)) <= 2 * lines


@law(15, 16, 17, 22)
@few
@given(life=short_lives)
@example(life=EVENTFUL)
def test_names_categories_and_unused_accounts_never_move_what_they_should_not(life: Any) -> None:
    """Laws 15, 16, 17 and 22."""
    with new_company() as company:
        live(company, life, posts_only=True)
        journal = company.rows(JOURNAL)
        at = FIRST_SYNC + timedelta(days=70)
        company.put("vendors", {"id": "paper", "name": "Papier AG"}, at)
        for account, name, kind in (
            ("ap2", "Second payables", "ACCOUNTS_PAYABLE"),
            ("rent", "Leases", "EXPENSE"),
        ):
            document = {"id": account, "name": name, "account": {"type": kind}}
            company.put("chart_of_accounts", document, at)
        party_decisions.link_parties(
            company.connection, party_id="paper", same_as_party_id="berlin",
            decided_at=at, decided_by="a person",
        )  # fmt: skip
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


@law(10, 11)
@few
@given(life=short_lives)
@example(life=EVENTFUL)
def test_void_and_archive_undo_and_restore_redo(life: Any) -> None:
    """Laws 10 and 11: X and its void are nothing, twice is once, and a restore is the original."""
    with new_company() as company:
        *earlier, last = life
        state = live(company, earlier, posts_only=True)
        live_on(company, state, last, FIRST_SYNC + timedelta(days=3 * len(earlier)))
        at = FIRST_SYNC + timedelta(days=70)
        give_everything(company, state, at - timedelta(days=1))
        balances, cash = company.rows(BALANCES), company.rows(CASH)
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
            # The second time nothing is new, so that there is nothing for a check to find.
            (company.post if step == 1 else company.sync)(at + timedelta(days=step))
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


@law(13)
@few
@given(
    cents=st.integers(200, 50_000), first=st.integers(1, 99), rate=st.integers(80, 140),
    funding=st.integers(80, 140),
)  # fmt: skip
# Both parts of 2.38 come to half a cent: rounded one by one they would be 2.39.
@example(cents=200, first=25, rate=80, funding=100)
def test_a_payment_in_two_parts_ends_like_a_payment_in_one(
    cents: int, first: int, rate: int, funding: int
) -> None:
    """In a foreign currency and on the cash basis too; no part is worth nothing at home."""
    part = max(1, cents * first // 100)
    paid = cents * funding // 100
    part_paid = part * paid // cents
    bill = ("foreign_bill", 0, cents, -20, rate % 2)
    ends = []
    for parts in ([(cents, paid)], [(part, part_paid), (cents - part, paid - part_paid)]):
        with new_company() as company:
            state = live(company, [[bill]], posts_only=True)
            for number, (amount, home) in enumerate(parts):
                payment = {
                    "id": f"P{number}", "vendorId": "berlin", "amount": money(amount),
                    "fundingAmount": money(home), "processDate": "2026-01-20",
                    "onlinePayment": True, "singleStatus": "CLEARED",
                    "billPayments": [
                        {"id": f"P{number}-0", "billId": "B0", "amount": money(amount)}
                    ],
                }  # fmt: skip
                state.documents.setdefault("payments", {})[payment["id"]] = payment
            at = FIRST_SYNC + timedelta(days=1)
            hand_over(company, state, at)
            company.post(at, cash_basis=True)
            ends.append((trial_balance_at(company, date(2027, 1, 1)), company.rows(CASH)))
    assert ends[0] == ends[1]


@law(21)
def test_two_clients_never_share_a_row() -> None:
    """Law 21: books made beside another client's are those made alone."""
    life = [[("bill", 0, 1_000, -9, 1)], [("pay", 0, 500, -3, 1), ("invoice", 0, 700, 0, 0)]]
    with new_company() as alone:
        live(alone, life, posts_only=True)
        expected = alone.rows(JOURNAL)
    with new_company() as first, new_company() as second:
        live(second, [[("bill", 0, 77_700, -1, 0)]], posts_only=True)
        live(first, life, posts_only=True)
        assert first.rows(JOURNAL) == expected
        assert len(second.rows("from ledger.journal_entries")) == 1


def test_posting_backwards_in_time_is_refused() -> None:
    with new_company() as company:
        live(company, [[("bill", 0, 1_000, -9, 1)]])
        with pytest.raises(PostedLater, match="Sync again with the present time"):
            build_layer(company.warehouse, "ledger", FIRST_SYNC - timedelta(days=1))


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
        with pytest.raises(rebuild.ReplayDiffers, match="put the client's file back from a backup"):
            rebuild.rebuild(company.warehouse)
        assert company.rows("from ledger.journal_lines order by line_id") == before


def test_every_invariant_is_held_by_a_test() -> None:
    assert not [number for number, tests in HELD.items() if not tests]
