"""Every fault of ``docs/faults.md``, put into good books, is found by the check named there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bill_pipeline.decisions import tables as decisions
from bill_pipeline.errors import ChecksFailed
from bill_pipeline.warehouse.slices import temporary_name
from bill_pipeline.warehouse.transforms import load_checks, load_transforms, read_header
from tests.ledger.company import Company, new_company
from tests.ledger.lives import FIRST_SYNC, begin, live

LIFE = [
    [("bill", 0, 10_000, -40, 1), ("bill", 0, 5_000, -20, 0), ("invoice", 0, 8_000, -9, 0)],
    [("pay", 0, 10_000, -10, 0), ("credit", 0, 2_000, -12, 0), ("receive", 0, 3_000, -2, 1)],
    [("apply", 0, 0, 0, 1), ("close", 0, 0, 0, 0)],
]
ONE_BILL = "document_type = 'bill' and document_id = 'B0'"
DOCS = Path(__file__).parents[2] / "docs" / "faults.md"

#: fault → (SQL that puts it into the books, the check that must find it)
FAULTS = {
    "model overruled ever more often": (
        (
            "insert into reports.model_health by name select date '2999-01-01' as month, "
            "60 as line_count, 'overruled in 9 of 20 lines' as alarm"
        ),
        "model_does_not_drift",
    ),
    "flagged vendor above the threshold without a box": (
        (
            "insert into reports.form_1099_totals by name select 'paper' as party_id, "
            "2026 as year, 50000 as amount, 2000 as threshold"
        ),
        "form_1099_boxes_are_known",
    ),
    "1-cent imbalance": (
        (
            f"update ledger.journal_lines set amount = amount + 0.01, debit = debit + 0.01 "
            f"where {ONE_BILL} and line_no = 1"
        ),
        "every_entry_balances",
    ),
    "entry out of balance in its own currency": (
        (
            "update ledger.journal_lines set amount_currency = amount_currency + 1 "
            f"where {ONE_BILL} and line_no = 1"
        ),
        "every_entry_balances",
    ),
    "sign flip": (
        (
            f"update ledger.journal_lines set amount = -amount, debit = credit, credit = debit "
            f"where {ONE_BILL}"
        ),
        "active_entries_equal_postings",
    ),
    "debit and credit on one line": (
        f"update ledger.journal_lines set debit = debit + 1, credit = credit + 1 where {ONE_BILL}",
        "debit_and_credit_agree_with_amount",
    ),
    "duplicate page": (
        (
            "insert into ledger.journal_lines by name select * replace ("
            "entry_id || 'x' as entry_id, line_id || 'x' as line_id) "
            f"from ledger.journal_lines where {ONE_BILL}"
        ),
        "active_entries_equal_postings",
    ),
    "line without its entry": (
        f"delete from ledger.journal_entries where {ONE_BILL}",
        "every_line_belongs_to_an_entry",
    ),
    "lost page": ("delete from staging.bills where bill_id = 'B0'", "payments_name_known_bills"),
    "lost page of invoices": (
        "delete from staging.invoices where invoice_id = 'I0'",
        "receipts_and_credits_name_known_documents",
    ),
    "lost line": (
        "delete from ledger.postings_documents where source_line_id = 'B0-0'",
        "every_document_line_posts_once",
    ),
    "join that fans out": (
        "insert into ledger.postings_payments from ledger.postings_payments",
        "postings_have_one_line_per_key",
    ),
    "swapped debit and credit account": (
        (
            "update ledger.journal_lines set account_id = if(account_id = 'ap', 'supplies', 'ap') "
            f"where {ONE_BILL}"
        ),
        "controls_equal_documents",
    ),
    "payable on the wrong vendor": (
        (
            "update ledger.journal_lines set party_id = 'berlin' "
            f"where {ONE_BILL} and account_id = 'ap'"
        ),
        "controls_equal_documents",
    ),
    "expense on the wrong vendor": (
        (
            "update ledger.postings_documents set party_id = 'berlin' "
            f"where {ONE_BILL} and account_id <> 'ap'"
        ),
        "lines_name_the_party_of_their_document",
    ),
    "swapped receivables account": (
        (
            "update ledger.journal_lines set account_id = if(account_id = 'ar', 'sales', 'ar') "
            "where document_type = 'invoice'"
        ),
        "controls_equal_documents",
    ),
    "double application": (
        "update ledger.settlements set amount = amount * 2 where settling_type = 'vendor_credit'",
        "documents_are_settled_at_most_once",
    ),
    "stale category": (
        (
            "update categorized.lines set category_source = 'model', features_hash = 'other words' "
            "where document_id = 'B0'"
        ),
        "suggestions_fit_their_lines",
    ),
    "payment before bill": (
        "update ledger.postings_payments set date = '2025-01-01'",
        "bills_are_settled_after_they_are_booked",
    ),
    "void after close": (
        (
            "insert into ledger.journal_entries by name select * replace ('late' as entry_id, "
            f"date '2026-01-02' as date, timestamp '2026-12-01' as posted_at) "
            f"from ledger.journal_entries where {ONE_BILL} limit 1"
        ),
        "closed_periods_stay_closed",
    ),
    "archived then restored, reversed twice": (
        (
            "insert into ledger.journal_entries by name select * exclude (i) replace "
            "('r' || i as entry_id, 'e' as reverses_entry_id) "
            f"from (from ledger.journal_entries where {ONE_BILL} limit 1), range(2) as r (i)"
        ),
        "no_entry_is_reversed_twice",
    ),
    "exchange rate flip": (
        (
            "insert into ledger.documents by name select * exclude (i) replace ("
            "'X' || i as document_id, "
            "'EUR' as currency, 100 as amount, if(i = 0, 83, 120) as amount_home) "
            f"from (from ledger.documents where {ONE_BILL}), range(4) as r (i)"
        ),
        "foreign_amounts_follow_the_rate",
    ),
    "foreign document that BILL does not price": (
        "update staging.bills set is_home_amount_given = false where bill_id = 'B0'",
        "foreign_amounts_are_given",
    ),
    "foreign document in a currency nobody names": (
        "update ledger.documents set currency = 'XXX' where document_id = 'B0'",
        "document_currencies_are_known",
    ),
    "day that is none": (
        "update staging.bills set unreadable = '2024-02-30' where bill_id = 'B0'",
        "documents_can_be_read",
    ),
    "mistyped year": (
        "update ledger.documents set doubtful = '2206-02-01 is ahead' where document_id = 'B0'",
        "document_values_are_plausible",
    ),
    "more decimals than the currency has": (
        (
            "update ledger.documents set doubtful = '1.005 has more decimals than USD' "
            "where document_id = 'B0'"
        ),
        "document_values_are_plausible",
    ),
    "header and lines disagree": (
        (
            "update ledger.journal_lines set "
            "account_id = (select suspense from ledger.role_accounts) "
            f"where {ONE_BILL} and account_id <> 'ap'"
        ),
        "suspense_is_empty",
    ),
    "second payables account": (
        (
            "update ledger.journal_lines set account_id = 'ap2' "
            "where document_id = 'B0' and account_id = 'ap'"
        ),
        "controls_equal_documents",
    ),
    "unknown account": (
        f"update ledger.journal_lines set account_id = 'nowhere' where {ONE_BILL}",
        "every_account_is_known",
    ),
    "account that BILL's chart does not list": (
        "update ledger.accounts set source = 'unknown' where account_id = 'rent'",
        "booked_accounts_are_in_the_chart",
    ),
    "null due date drops a bill from the aging": (
        "update reports.payables_aging set amount_total = amount_total - 30",
        "agings_equal_controls",
    ),
    "invoice dropped from the aging": (
        "delete from reports.receivables_aging",
        "agings_equal_controls",
    ),
    "fiscal year end on 29 February loses a day": (
        "delete from reports.balance_sheet where account_id = 'earnings:current_year'",
        "balance_sheet_balances",
    ),
    "trial balance loses an account": (
        "delete from reports.trial_balance where account_id = 'ap'",
        "trial_balance_is_zero",
    ),
    "cash taken up twice": (
        (
            "insert into ledger.cash_basis_lines from ledger.cash_basis_lines "
            "where account_id in ('rent', 'supplies')"
        ),
        "cash_basis_balances",
    ),
    "document overpaid counts for more than it is": (
        (
            "update ledger.cash_basis_lines set amount = amount * 2 "
            "where document_type = 'bill' and document_id = 'B0'"
        ),
        "cash_basis_counts_documents_once",
    ),
    "date that left a closed period stays there": (
        "update ledger.journal_lines set date = date - 1 where document_type = 'invoice'",
        "open_events_stand_on_their_day",
    ),
    "equipment on an unpaid bill flows": (
        (
            "insert into reports.cash_flow by name select date '2026-01-01' as month, "
            "'investing' as activity, 'equipment' as account_id, -500 as amount"
        ),
        "cash_flow_invests_what_is_paid",
    ),
    "open item of the wrong sign": (
        "update reports.open_items set amount_owed = -amount_owed where control = 'payables'",
        "open_items_equal_agings",
    ),
    "balance left under an account's old type": (
        (
            "insert into reports.retyped_accounts by name select 'rent' as account_id, "
            "date '2026-01-01' as first_day, 100 as balance_kept"
        ),
        "no_balance_stays_under_an_old_type",
    ),
    "balance moved before it was known what was paid of it": (
        (
            "insert into reports.retyped_accounts by name select 'rent' as account_id, "
            "date '2026-01-01' as first_day, 0 as balance_kept, 40 as balance_kept_cash, "
            "'move' as decision"
        ),
        "no_balance_stays_under_an_old_type",
    ),
    "balance moved under a type that is no more": (
        (
            "insert into ledger.reclassifications by name select 'rent' as account_id, "
            "date '2026-01-01' as first_day, 'move' as action, 100 as amount"
        ),
        "no_balance_stays_under_an_old_type",
    ),
    "account without a type on some days": (
        "update ledger.accounts_by_day set valid_to = date '2026-01-31' where account_id = 'rent'",
        "every_account_has_one_type_a_day",
    ),
    "bridge loses an account": (
        "delete from reports.cash_to_accrual_bridge where account_id = 'ap'",
        "bridge_explains_the_difference",
    ),
    "cash flow loses an account": (
        "delete from reports.cash_flow where account_id = 'ap'",
        "cash_flow_explains_the_change_of_cash",
    ),
    "clearing drifts": (
        "update reports.tie_out set difference = 5 where claim like 'Money out%'",
        "control_accounts_tie_out",
    ),
    "BILL says another amount is due": (
        "update reports.tie_out set difference = 5 where claim like 'Open bills%'",
        "open_amounts_agree_with_bill",
    ),
    "bank account without a ledger account": (
        (
            "update ledger.funding_accounts set account_id = null, use_count = 1 "
            "where role = 'default_bank'"
        ),
        "bank_accounts_have_a_ledger_account",
    ),
    "two accounts could take the fees": (
        (
            "update categorized.account_roles set account_id = 'rent', "
            "reason = 'several accounts fit' where role = 'bill_fees'"
        ),
        "fee_roles_are_decided",
    ),
    "list that BILL refuses": (
        "insert into ledger.lists_missing values ('payments', timestamp '2026-01-01', 'refused')",
        "every_list_is_read",
    ),
    "opening payables that no open bill explains": (
        (
            "insert into reports.tie_out by name select 'Opening balance of payables' as claim, "
            "-500 as amount_in_ledger, 0 as amount_in_documents, -500 as difference"
        ),
        "opening_balances_add_up",
    ),
    "more paid from BILL's balance than came in": (
        (
            "insert into ledger.journal_lines by name select * replace ("
            "(select bill_balance from ledger.role_accounts) as account_id, -5 as amount) "
            f"from ledger.journal_lines where {ONE_BILL} and line_no = 1"
        ),
        "bill_balance_is_not_negative",
    ),
    "payment of an unknown status": (
        "update staging.payments set payment_state = 'unknown'",
        "payments_need_no_attention",
    ),
}


@pytest.fixture(scope="module")
def good_books() -> Iterator[Company]:
    with new_company() as company:
        live(company, LIFE)
        yield company


@pytest.mark.slow
def test_the_good_books_pass_every_check(good_books: Company) -> None:
    assert not good_books.warnings()


def test_every_table_has_the_columns_that_its_file_describes(good_books: Company) -> None:
    """What another file describes has the type of there, so that no union drops a decimal."""
    transforms = load_transforms()
    built = {}
    for key, transform in transforms.items():
        name = temporary_name(key, "whole") if transform.materialize == "temporary" else key
        described = f"select column_name, column_type from (describe {name})"
        built[key] = dict(good_books.rows(described))
    for key, transform in transforms.items():
        assert set(built[key]) == {column.name for column in transform.columns}, key
        if there := read_header(transform.sql)[1].get("columns"):
            shared = set(transform.columns) & set(transforms[there].columns)
            assert {c.name: built[key][c.name] for c in shared} == {
                c.name: built[there][c.name] for c in shared
            }, key


@pytest.mark.parametrize("fault", FAULTS)
def test_the_named_check_finds_the_fault(good_books: Company, fault: str) -> None:
    inject, check = FAULTS[fault]
    good_books.connection.execute("begin transaction")
    try:
        good_books.connection.execute(inject)
        assert not good_books.warehouse.run_check(load_checks()[check]).passed
    finally:
        good_books.connection.execute("rollback")
    assert good_books.warehouse.run_check(load_checks()[check]).passed


def test_every_check_has_a_fault_that_it_finds_and_the_document_says_so() -> None:
    assert {check for _, check in FAULTS.values()} == set(load_checks())
    documented = dict(re.findall(r"^\| (.+?) \| `(\w+)` \|", DOCS.read_text(), re.M))
    assert documented == {fault: check for fault, (_, check) in FAULTS.items()}


@pytest.mark.slow
def test_control_accounts_are_tied_out_although_something_is_dated_in_days_to_come() -> None:
    with new_company() as company:
        live(company, [*LIFE, [("bill", 0, 7_000, 15, 0), ("invoice", 0, 500, 3, 0)]])
        check = load_checks()["control_accounts_tie_out"]
        assert company.warehouse.run_check(check).passed
        company.connection.execute("update reports.tie_out set difference = 5")
        assert not company.warehouse.run_check(check).passed


@pytest.mark.slow
def test_failed_checks_leave_the_last_good_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    from bill_pipeline.warehouse import checking

    with new_company() as company:
        live(company, LIFE[:2])
        before = company.rows("from ledger.journal_lines order by line_id")
        broken = dict(load_checks())
        check = broken["every_entry_balances"]
        broken["every_entry_balances"] = type(check)(
            check.name, check.table, "error", check.summary,
            "select 'B0' as document_id, 0.01 as difference", check.path,
        )  # fmt: skip
        monkeypatch.setattr(checking, "load_checks", lambda: broken)
        at = FIRST_SYNC + timedelta(days=30)
        company.connection.execute("delete from raw.document_versions where id = 'B1'")
        with pytest.raises(ChecksFailed, match="every_entry_balances") as failure:
            company.sync(at)
        assert failure.value.failed[0].rows[0]["document_id"] == "B0"
        assert company.rows("from ledger.journal_lines order by line_id") == before


@pytest.mark.slow
def test_a_stale_suggestion_stops_counting_when_the_line_changes() -> None:
    bill = {"id": "B1", "vendorId": "paper", "amount": 10, "invoice": {"invoiceDate": "2026-01-05"},
            "billLineItems": [{"id": "L1", "amount": 10, "description": "tape"}]}  # fmt: skip
    sources = "select category_source, account_id from categorized.lines"
    with new_company() as company:
        begin(company)
        company.put("bills", bill, FIRST_SYNC)
        company.sync(FIRST_SYNC)
        todo = company.rows("select features_hash from categorized.lines_to_decide")
        decided = {"document_type": "bill", "document_id": "B1", "line_id": "L1",
                   "features_hash": todo[0][0], "account_id": "supplies", "source": "model",
                   "confidence": 0.97, "model_version": "m1"}  # fmt: skip
        at = FIRST_SYNC + timedelta(days=1)
        decisions.record_categories(
            company.connection, [decided], decided_at=at, decided_by="model"
        )
        company.sync(at)
        assert company.rows(sources) == [("model", "supplies")]
        assert not company.rows("from categorized.lines_to_decide")
        bill["billLineItems"][0]["description"] = "rent of a tape machine"  # type: ignore[index]
        company.put("bills", bill, FIRST_SYNC + timedelta(days=4))
        company.sync(FIRST_SYNC + timedelta(days=4))
        assert company.rows(sources)[0][0] == "default"
        assert len(company.rows("from categorized.lines_to_decide")) == 1
