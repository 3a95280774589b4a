"""Posting rules have a version: what other rules post anew is shown, named and listed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.decisions import tables as decisions
from bill_pipeline.errors import ChecksFailed
from bill_pipeline.pipeline import batches, posting_rules, rebuild
from bill_pipeline.warehouse.transforms import load_transforms, read_transform
from tests.ledger.changed_rules import changed_rule
from tests.ledger.company import Company, new_company
from tests.ledger.lives import begin

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4)]

JANUARY, FEBRUARY, MARCH = (datetime(2026, month, 10, 12) for month in (1, 2, 3))  # noqa: DTZ001
JOURNAL = "from ledger.journal_lines order by line_id"


def bill(number: str, day: str, amount: float = 100.0, vendor: str = "paper") -> dict[str, Any]:
    return {
        "id": number, "vendorId": vendor, "amount": amount, "approvalStatus": "APPROVED",
        "invoice": {"invoiceNumber": number, "invoiceDate": day},
        "billLineItems": [{"id": f"{number}-1", "amount": amount,
                           "classifications": {"chartOfAccountId": "rent"}}],
    }  # fmt: skip


def credit(number: str, day: str) -> dict[str, Any]:
    return {
        "id": number, "vendorId": "paper", "amount": 30.0, "creditDate": day,
        "vendorCreditLineItems": [{"id": f"{number}-1", "amount": 30.0,
                                   "classifications": {"chartOfAccountId": "supplies"}}],
    }  # fmt: skip


def new_rules() -> AbstractContextManager[None]:
    """A credit's lines are posted to the account for rounding: other books for every credit."""
    return changed_rule(
        "ledger.postings_documents",
        "suspense, account_id) as account_id",
        "suspense, if(document_type = 'vendor_credit', rounding, account_id)) as account_id",
    )


@pytest.fixture
def company() -> Iterator[Company]:
    """Two bills and two credits, one of each in January, which is closed."""
    with new_company() as company:
        begin(company)
        company.put("bills", bill("B1", "2026-01-05"), JANUARY)
        company.put("vendor_credits", credit("C1", "2026-01-06"), JANUARY)
        company.sync(JANUARY)
        company.put("bills", bill("B2", "2026-02-05"), FEBRUARY)
        company.put("vendor_credits", credit("C2", "2026-02-06"), FEBRUARY)
        decisions.close(
            company.connection, date(2026, 1, 31), decided_at=FEBRUARY, decided_by="a person"
        )
        company.sync(FEBRUARY)
        yield company


def test_a_preview_shows_what_new_rules_would_post_and_keeps_nothing(company: Company) -> None:
    before = company.rows(JOURNAL)
    assert posting_rules.preview(company.warehouse) == []
    with new_rules():
        shown = posting_rules.preview(company.warehouse)
        assert company.rows(JOURNAL) == before
        assert batches.have_changed(company.connection)
    assert {line["cause"] for line in shown} == {"posting rules changed"}
    assert {line["document_id"] for line in shown} == {"C1", "C2"}
    late = [line for line in shown if line["entry_kind"] == "late_adjustment"]
    assert {(line["document_id"], line["date"]) for line in late} == {("C1", date(2026, 2, 1))}


def test_new_rules_are_posted_in_the_open_period_and_listed(company: Company) -> None:
    in_january = "from ledger.journal_lines where date <= '2026-01-31' order by line_id"
    before = company.rows(in_january)
    with new_rules():
        done = posting_rules.post_under_new_rules(company.warehouse, MARCH)
        assert done is not None
        assert (done.entries, done.documents) == (3, 2)  # C2 taken back and posted, C1 adjusted
        assert posting_rules.post_under_new_rules(company.warehouse, MARCH) is None
        company.sync(MARCH + timedelta(minutes=1))
        assert company.rows(in_january) == before
        listed = company.rows(
            "select document_id, account_id, date::varchar, amount::varchar, is_late "
            "from reports.posting_rule_changes order by document_id, amount"
        )
        rounding = company.rows("select rounding from ledger.role_accounts")[0][0]
        assert listed == [
            ("C1", rounding, "2026-02-01", "-30.00", True),
            ("C1", "supplies", "2026-02-01", "30.00", True),
            ("C2", rounding, "2026-02-06", "-30.00", False),
            ("C2", "supplies", "2026-02-06", "30.00", False),
        ]


@pytest.mark.parametrize("way", rebuild.WAYS)
def test_a_rebuild_keeps_what_earlier_rules_posted_and_replays_from_there(
    company: Company, way: rebuild.Way
) -> None:
    with new_rules():
        posting_rules.post_under_new_rules(company.warehouse, MARCH)
        company.put("bills", bill("B1", "2026-01-05", 90.0), MARCH + timedelta(days=1))
        company.put("vendor_credits", credit("C3", "2026-03-06"), MARCH + timedelta(days=1))
        company.sync(MARCH + timedelta(days=1))
        lines = company.rows(JOURNAL)
        entries = company.rows("from ledger.journal_entries order by entry_id")
        report = rebuild.rebuild(company.warehouse, ways=(way,))
        assert report.batches == 2  # the change of the rules, and the sync after it
        assert company.rows(JOURNAL) == lines
        assert company.rows("from ledger.journal_entries order by entry_id") == entries


def test_rules_that_make_the_same_books_post_nothing(company: Company) -> None:
    before = company.rows(JOURNAL)
    with changed_rule("ledger.postings_documents", "difference <> 0", "difference <> 0.0"):
        done = posting_rules.post_under_new_rules(company.warehouse, MARCH)
        assert done is not None
        assert done.entries == 0
        assert company.rows(JOURNAL) == before
        rebuild.rebuild(company.warehouse)


def test_rules_that_break_the_books_are_refused_with_nothing_posted(company: Company) -> None:
    before = company.rows(JOURNAL)
    with changed_rule(
        "ledger.postings_documents",
        "if(is_debited, -amount_home, amount_home)",
        "if(is_debited, -amount_home, 1)",
    ):
        with pytest.raises(ChecksFailed, match="every_entry_balances"):
            posting_rules.post_under_new_rules(company.warehouse, MARCH)
        assert company.rows(JOURNAL) == before
        assert batches.have_changed(company.connection)
    assert not batches.have_changed(company.connection)


def test_comments_and_layout_are_no_rules(tmp_path: Path) -> None:
    original = load_transforms()["ledger.postings_in_full"]
    copy = tmp_path / "ledger" / "postings_in_full.sql"
    copy.parent.mkdir()
    copy.write_text(original.sql.replace("-- Kind of", "-- The kind  of").replace("    ", "  "))
    assert read_transform(copy).rule == original.rule
    copy.write_text(original.sql.replace("amount <> 0 or", "amount <> '--0' or"))
    assert read_transform(copy).rule != original.rule


def test_a_rule_that_reads_beyond_its_group_is_found_by_the_law(company: Company) -> None:
    """To count the bills of a vendor is right, yet waves see linked documents only."""
    with changed_rule(
        "ledger.postings_documents",
        "control as line_key",
        "control || (select count(*) from documents as d where d.party_id = documents.party_id) "
        "as line_key",
    ):
        posting_rules.post_under_new_rules(company.warehouse, MARCH)
        company.put("bills", bill("B3", "2026-03-05"), MARCH + timedelta(days=1))
        company.sync(MARCH + timedelta(days=1))
        rebuild.rebuild(company.warehouse, ways=(rebuild.batch_by_batch,))
        with pytest.raises(rebuild.ReplayDiffers, match="bill B"):
            rebuild.rebuild(company.warehouse, ways=(rebuild.in_waves,))
        assert rebuild.rebuild(company.warehouse).steps == 2  # falls back to the plain way


def causes(company: Company, at: datetime) -> dict[str, str]:
    rows = company.rows(
        "select distinct document_id, cause from ledger.journal_entries "
        f"where posted_at = timestamp '{at}'"
    )
    assert len(dict(rows)) == len(rows)
    return dict(rows)


def test_every_entry_names_its_cause(company: Company) -> None:
    about = {"decided_by": "a person"}
    assert causes(company, FEBRUARY) == {"B2": "new document", "C2": "new document"}
    at = MARCH
    company.put("bills", bill("B2", "2026-02-05", 110.0), at)
    company.sync(at)
    assert causes(company, at) == {"B2": "changed document"}
    at += timedelta(days=1)
    decisions.record_opening_balance(
        company.connection, account_id="checking", cutover_date=date(2026, 2, 1),
        amount=Decimal(50), reason="old books", decided_at=at, **about,
    )  # fmt: skip
    company.sync(at)
    assert set(causes(company, at).values()) == {"decision"}
    at += timedelta(days=1)
    payables = {"id": "ap2", "name": "Trade Payables", "account": {"type": "ACCOUNTS_PAYABLE"}}
    company.put("chart_of_accounts", payables, at)
    decisions.set_role(
        company.connection, "ap_control", "ap2", decided_at=at, reason="moved", **about
    )
    company.sync(at)
    assert set(causes(company, at).values()) == {"setting"}
    at += timedelta(days=1)
    company.put("bills", bill("B1", "2026-01-05", 70.0), at)
    company.sync(at)
    assert causes(company, at) == {"B1": "changed document"}
    at += timedelta(days=1)
    decisions.reopen(
        company.connection, date(2026, 1, 1), decided_at=at, reason="late bill", **about
    )
    company.sync(at)
    assert set(causes(company, at).values()) == {"reopening"}
    assert "B1" in causes(company, at)


def test_an_entry_that_follows_another_document_names_that_as_its_cause(company: Company) -> None:
    """A foreign payment is posted anew when the bill that it pays changes its worth."""
    foreign = bill("B9", "2026-02-05", vendor="berlin") | {"fundingAmount": 120.0}
    payment = {
        "id": "P9", "vendorId": "berlin", "amount": 100.0, "fundingAmount": 121.0,
        "processDate": "2026-02-08", "onlinePayment": True, "singleStatus": "CLEARED",
        "fundingAccount": {"type": "BANK_ACCOUNT", "id": "bank"},
        "billPayments": [{"id": "P9-B9", "billId": "B9", "amount": 100.0}],
    }  # fmt: skip
    company.put("bills", foreign, MARCH)
    company.put("payments", payment, MARCH)
    company.sync(MARCH)
    at = MARCH + timedelta(days=1)
    company.put("bills", foreign | {"fundingAmount": 118.0}, at)
    company.sync(at)
    assert causes(company, at) == {"B9": "changed document", "P9": "changed document"}
