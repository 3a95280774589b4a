"""A sync builds the rows of what changed, and the tables are those of a whole build."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from bill_pipeline.decisions import rules as rule_decisions
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.pipeline.steps import LAYERS, build_layer
from bill_pipeline.warehouse import scope
from bill_pipeline.warehouse.slices import temporary_name, with_names
from bill_pipeline.warehouse.transforms import load_transforms
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.ledger.changed_rules import changed_rule
from tests.ledger.company import Company, new_company
from tests.ledger.lives import FIRST_SYNC, State, begin, hand_over
from tests.ledger.test_replay import decide, drawn
from tests.stories.runner import COMPANY, moment, prepare_step, read
from tests.stories.test_stories import STORIES

#: The tables that stay when a build ends.
KEPT = [key for key, t in load_transforms().items() if t.materialize != "temporary"]


@pytest.fixture(autouse=True)
def always_in_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few documents a company has, what changed is built by itself."""
    monkeypatch.setattr(scope, "LARGEST_SHARE", 1_000)


class Thrifty(Company):
    """A company that builds what changed."""

    reuse = True


@contextmanager
def both_ways() -> Iterator[tuple[Company, Company]]:
    with new_company() as whole, new_company() as company:
        yield whole, Thrifty(company.warehouse)


def differing(one: Company, other: Company) -> dict[str, tuple[list[Any], list[Any]]]:
    """Tables of which the two companies have other rows → the rows of each that the other lacks."""
    found = {}
    digests = "select count(*), sum(hash(t)::hugeint) from {} as t"
    for key in KEPT:
        if one.rows(digests.format(key)) != other.rows(digests.format(key)):
            rows, others = ({*map(repr, c.rows(f"from {key}"))} for c in (one, other))
            found[key] = (sorted(rows - others)[:2], sorted(others - rows)[:2])
    return found


def has_syncs(path: Path) -> bool:
    """Of a story of one sync all is built as a whole."""
    return path.read_text(encoding="utf-8").count("- as_of:") > 1


@pytest.mark.slow
@pytest.mark.rotating(days=16)
@pytest.mark.parametrize("path", [pytest.param(p, id=p.stem) for p in STORIES if has_syncs(p)])
def test_a_story_told_sync_by_sync_gives_the_tables_of_whole_builds(path: Path) -> None:
    with both_ways() as companies:
        for company in companies:
            story = read(path)  # a step's decisions are changed by being made
            background = {} if story.get("company") == "none" else read(COMPANY)
            for list_name, documents in background.items():
                for document in documents:
                    company.put(list_name, document, moment(story["steps"][0]["as_of"]))
        stories = [read(path)["steps"] for _ in companies]
        for number, steps in enumerate(zip(*stories, strict=True)):
            for company, step in zip(companies, steps, strict=True):
                company.sync(prepare_step(company, step))
            assert differing(*companies) == {}, f"step {number + 1}"


def live_randomly(seed: int, *, syncs: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - an invented life
    with both_ways() as companies:
        states = [State() for _ in companies]
        for company in companies:
            begin(company)
        at = FIRST_SYNC
        for number in range(syncs):
            happenings, decided = list(drawn(chance)), chance.random()
            for company, state in zip(companies, states, strict=True):
                state.today = at.date()
                for happening in happenings:
                    state.happen(*happening)
                decide(company, state, random.Random(decided), at)  # noqa: S311
                hand_over(company, state, at)
                company.sync(at)
            assert differing(*companies) == {}, f"life {seed}, sync {number + 1}"
            at += timedelta(hours=chance.choice([1, 1, 30]))


@pytest.mark.slow
@pytest.mark.rotating(days=16)
@pytest.mark.parametrize("seed", range(4))
def test_random_lives_and_decisions_give_the_tables_of_whole_builds(seed: int) -> None:
    live_randomly(seed, syncs=6)


def put(company: Company, list_name: str, at: datetime, **document: Any) -> None:
    company.put(list_name, document, at)


def bill(company: Company, name: str, at: datetime, amount: float = 100.0, **more: Any) -> None:
    line = {"id": f"{name}-0", "amount": amount, "description": f"goods {name}",
            "classifications": {"chartOfAccountId": "rent"}}  # fmt: skip
    document = {
        "id": name, "vendorId": "paper", "amount": amount, "dueDate": "2026-03-01",
        "invoice": {"invoiceNumber": name, "invoiceDate": "2026-01-15"}, "billLineItems": [line],
    }  # fmt: skip
    put(company, "bills", at, **{**document, **more})


def payment(company: Company, name: str, bill_id: str, at: datetime, amount: float) -> None:
    paid = [{"id": f"{name}-0", "billId": bill_id, "amount": amount}]
    put(company, "payments", at, id=name, vendorId="paper", amount=amount, onlinePayment=True,
        singleStatus="CLEARED", processDate="2026-01-25", billPayments=paid)  # fmt: skip


def receipt(company: Company, name: str, at: datetime, amount: float) -> None:
    put(company, "received_payments", at, id=name, customerId="cafe", amount=amount,
        paymentDate="2026-01-20", onlinePayment=True, status="PAID",
        receivablesType="CREDIT_CARD")  # fmt: skip


def foreign_credit(company: Company, at: datetime) -> None:
    bill(company, "B1", at, vendorId="berlin", fundingAmount=119.0)
    lines = [{"id": "C1-0", "amount": 50.0}]
    put(company, "vendor_credits", at, id="C1", vendorId="berlin", amount=50.0,
        creditDate="2026-01-20", vendorCreditLineItems=lines)  # fmt: skip


def another_rate(company: Company, at: datetime) -> None:
    bill(company, "B1", at, vendorId="berlin", fundingAmount=130.0)


def closed_month(company: Company, at: datetime) -> None:
    bill(company, "B1", at)
    bill(company, "B2", at)
    company.sync(at)
    about = {"decided_at": at + timedelta(minutes=1), "decided_by": "a person"}
    decisions.close(company.connection, date(2026, 1, 31), **about)
    company.sync(at + timedelta(minutes=1))
    bill(company, "B1", at + timedelta(minutes=2), amount=80.0)
    moved = {"invoiceNumber": "B2", "invoiceDate": "2026-01-10"}
    bill(company, "B2", at + timedelta(minutes=2), invoice=moved)
    company.sync(at + timedelta(minutes=2))


def reopen(company: Company, at: datetime) -> None:
    decisions.reopen(
        company.connection, date(2026, 1, 1), reason="a correction", decided_at=at,
        decided_by="a person",
    )  # fmt: skip


def card_receipts(company: Company, at: datetime) -> None:
    receipt(company, "R1", at, 100.0)
    receipt(company, "R2", at, 300.0)


def deposit(company: Company, at: datetime) -> None:
    put(company, "money_movements", at, id="M1", type="2", status="1", amount=388.0,
        processDate="2026-01-23", bankAccountId="")  # fmt: skip


def uncoded_bills(company: Company, at: datetime) -> None:
    line = [{"id": "L", "amount": 100.0, "description": "water"}]
    bill(company, "B1", at, billLineItems=line)
    bill(company, "B2", at)


def rule(company: Company, at: datetime) -> None:
    rule_decisions.add_rule(
        company.connection, account_id="supplies", party_id="paper", reason="always",
        decided_at=at, decided_by="a person",
    )  # fmt: skip


def paid_bills(company: Company, at: datetime) -> None:
    for number in (1, 2):
        bill(company, f"B{number}", at)
        payment(company, f"P{number}", f"B{number}", at, 60.0)


def rename_vendor(company: Company, at: datetime) -> None:
    put(company, "vendors", at, id="paper", name="Papier AG")


def rename_account(company: Company, at: datetime) -> None:
    put(company, "chart_of_accounts", at, id="rent", name="Leases", account={"type": "EXPENSE"})


def new_vendor_and_account(company: Company, at: datetime) -> None:
    put(company, "vendors", at, id="later", name="Listed Later", billCurrency="EUR")
    put(company, "chart_of_accounts", at, id="water", name="Water", account={"type": "EXPENSE"})


def bills_of_unlisted(company: Company, at: datetime) -> None:
    line = [{"id": "L", "amount": 9.0, "classifications": {"chartOfAccountId": "water"}}]
    bill(company, "B1", at, amount=9.0, vendorId="later", billLineItems=line)
    bill(company, "B2", at)


def lower_payment(company: Company, at: datetime) -> None:
    payment(company, "P2", "B2", at, 40.0)


def role(company: Company, at: datetime) -> None:
    decisions.set_role(
        company.connection, "ap_control", "equipment", reason="moved", decided_at=at,
        decided_by="a person",
    )  # fmt: skip


#: What was there → what came, whose effect reaches documents that did not change themselves, and a
#: table that shows it.
REACHES = {
    "a foreign credit takes the rate of an older bill": (
        foreign_credit, another_rate, "staging.vendor_credits",
    ),
    "a reopening moves what was posted late": (closed_month, reopen, "ledger.journal_entries"),
    "a deposit shows the fees of receipts": (card_receipts, deposit, "staging.received_payments"),
    "a rule fits lines that were there": (uncoded_bills, rule, "categorized.lines"),
    "a vendor's name stands beside documents": (paid_bills, rename_vendor, "ledger.documents"),
    "an account's name stands beside lines": (paid_bills, rename_account, "ledger.transactions"),
    "a vendor and an account are listed after their bill": (
        bills_of_unlisted, new_vendor_and_account, "staging.bills",
    ),
    "payments of one day are one transfer": (
        paid_bills, lower_payment, "ledger.postings_derived_transfers",
    ),
    "a role has another account": (paid_bills, role, "ledger.postings_documents"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.rotating(days=16)
@pytest.mark.parametrize("name", REACHES)
def test_what_reaches_other_documents_reaches_them(name: str) -> None:
    before, change, table = REACHES[name]
    at = FIRST_SYNC + timedelta(hours=1)
    with both_ways() as companies:
        for company in companies:
            begin(company)
            before(company, FIRST_SYNC)
            company.sync(FIRST_SYNC + timedelta(minutes=5))
            rows = company.rows(f"from {table} order by all")
            change(company, at)
            company.sync(at)
            assert company.rows(f"from {table} order by all") != rows
        assert differing(*companies) == {}


@pytest.mark.slow
@pytest.mark.rotating(days=16)
@pytest.mark.parametrize("built", range(1, len(LAYERS)))
def test_a_build_that_ended_between_two_layers_is_taken_up_by_the_next(built: int) -> None:
    at = [FIRST_SYNC + timedelta(hours=number) for number in range(3)]
    with both_ways() as companies:
        for company in companies:
            begin(company)
            paid_bills(company, at[0])
            company.sync(at[0])
            lower_payment(company, at[1])
            rename_vendor(company, at[1])
            for layer in LAYERS[:built]:
                build_layer(company.warehouse, layer, at[1], reuse=company.reuse)
            company.warehouse = Warehouse(company.connection, "acme")
            bill(company, "B1", at[2], amount=120.0)
            company.sync(at[2])
        assert differing(*companies) == {}


@pytest.mark.slow
def test_a_build_on_a_day_that_had_not_come_leaves_no_payment_without_its_bill() -> None:
    """The clock was a day ahead for a sync that found nothing new; then a paid bill came."""
    hour = timedelta(hours=1)
    with both_ways() as companies:
        for company in companies:
            begin(company)
            paid_bills(company, FIRST_SYNC)
            company.sync(FIRST_SYNC)
            company.sync(FIRST_SYNC + timedelta(days=1))
            bill(company, "B9", FIRST_SYNC + hour)
            payment(company, "P9", "B9", FIRST_SYNC + hour, 100.0)
            company.sync(FIRST_SYNC + hour)
            late = {"invoiceNumber": "B9", "invoiceDate": "2026-02-15"}
            bill(company, "B9", FIRST_SYNC + 2 * hour, invoice=late)
            company.sync(FIRST_SYNC + 2 * hour)
        assert differing(*companies) == {}


@pytest.mark.slow
def test_a_rule_that_reads_beyond_linked_documents_is_found_by_the_law() -> None:
    """To count the bills of a vendor is right, yet what changed are linked documents only."""
    with (
        changed_rule(
            "ledger.postings_documents",
            "control as line_key",
            "control || (select count(*) from documents as d where d.party_id = documents.party_id)"
            " as line_key",
        ),
        both_ways() as companies,
    ):
        for company in companies:
            begin(company)
            paid_bills(company, FIRST_SYNC)
            company.sync(FIRST_SYNC)
            bill(company, "B9", FIRST_SYNC + timedelta(hours=1))
            company.sync(FIRST_SYNC + timedelta(hours=1))
        assert "ledger.postings_documents" in differing(*companies)


@pytest.mark.slow
def test_one_changed_bill_is_all_that_is_built() -> None:
    at = FIRST_SYNC + timedelta(hours=1)
    with new_company() as company:
        thrifty = Thrifty(company.warehouse)
        begin(thrifty)
        paid_bills(thrifty, FIRST_SYNC)
        thrifty.sync(FIRST_SYNC)
        rows = dict(thrifty.rows("select bill_id, rowid from staging.bills"))
        bill(thrifty, "B2", at, amount=90.0)
        thrifty.sync(at)
        after = dict(thrifty.rows("select bill_id, rowid from staging.bills"))
        assert after["B1"] == rows["B1"]
        assert after["B2"] != rows["B2"]


def test_sql_over_slices_reads_them_and_nothing_else() -> None:
    """Names are replaced in the text: wherever a file names a table, and nowhere else."""
    for transform in load_transforms().values():
        names = {key: temporary_name(key, "slice") for key in transform.upstream}
        sql = with_names(transform.sql, names)
        read = {
            table.name for table in sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.Table)
        }
        assert set(names.values()) <= read, transform.key
        assert not {table for table in transform.upstream if table in re.sub("--.*", "", sql)}


@pytest.mark.slow
def test_days_that_pass_change_what_depends_on_them() -> None:
    with both_ways() as companies:
        for company in companies:
            state = State()
            begin(company)
            state.happen("bill", 0, 10_000, -5, 1)
            hand_over(company, state, FIRST_SYNC)
            company.sync(FIRST_SYNC)
        for day in (1, 20, 75):
            for company in companies:
                company.sync(FIRST_SYNC + timedelta(days=day))
            assert differing(*companies) == {}
