"""A rebuild replays groups of documents in waves and comes to what batch after batch had posted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bill_pipeline.decisions import retypings as retyping_decisions
from bill_pipeline.decisions import rules as rule_decisions
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.pipeline import rebuild, replay
from tests.ledger.company import Company, new_company
from tests.ledger.lives import ACCOUNTS, EVENTFUL, FIRST_SYNC, KINDS, State, begin, hand_over

pytestmark = pytest.mark.slow


def decide(company: Company, state: State, chance: random.Random, at) -> None:
    """What people decide beside a life: roles, policies, rules, openings, write-offs, answers."""
    about = {"decided_at": at, "decided_by": "a person"}
    connection = company.connection
    bills, invoices = state.documents.get("bills", {}), state.documents.get("invoices", {})
    if chance.random() < 0.1:
        value = chance.choice(["entry", "approval"])
        decisions.set_policy(connection, "book_bills_on", value, **about)
    if chance.random() < 0.1:
        account = chance.choice(["checking", "clearing"])
        decisions.set_role(connection, "ap_clearing", account, reason="moved", **about)
    if chance.random() < 0.2:
        rule_decisions.add_rule(
            connection, account_id=chance.choice(ACCOUNTS), party_id="paper",
            amount_from=Decimal(chance.randint(1, 300)), **about,
        )  # fmt: skip
    if chance.random() < 0.2:
        decisions.record_opening_balance(
            connection, account_id="checking", cutover_date=date(2025, 12, 31),
            amount=Decimal(chance.randint(-100, 100)), reason="old books", **about,
        )  # fmt: skip
    if chance.random() < 0.3:
        amount, first = chance.randint(-50, 50), state.closed_through or date(2026, 1, 1)
        retyping_decisions.append(
            connection,
            {
                "account_id": "supplies", "first_day": date(2026, 1, 1),
                "action": chance.choice(["move", "keep", "withdraw"]),
                "date": first + timedelta(days=1), "is_to_balance_sheet": chance.random() < 0.5,
                "amount": amount, "amount_earlier": amount // 2,
                "amount_cash": 0, "amount_earlier_cash": 0,
            },
            reason="agreed", **about,
        )  # fmt: skip
    if bills and chance.random() < 0.3:
        bill = chance.choice(list(bills))
        decisions.correct(
            connection, document_type="bill", document_id=bill, line_id=f"{bill}-0",
            account_id=chance.choice(ACCOUNTS), **about,
        )  # fmt: skip
    if invoices and chance.random() < 0.3:
        decisions.write_off(
            connection, invoice_id=chance.choice(list(invoices)), write_off_date=at.date(),
            amount=Decimal(chance.randint(0, 5)), role="bad_debt", reason="lost", **about,
        )  # fmt: skip
    for bill in bills.values():
        if chance.random() < 0.2:
            bill["billLineItems"][0]["classifications"] = {}


def drawn(chance: random.Random) -> Iterator[tuple[str, int, int, int, int]]:
    for _ in range(chance.randint(1, 6)):
        yield (
            chance.choice(KINDS), chance.randint(0, 5), chance.randint(1, 50_000),
            chance.randint(-50, 20), chance.randint(0, 2),
        )  # fmt: skip


def live(company: Company, seed: int, batches: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seed makes the same life again
    state = State()
    begin(company)
    for number in range(batches):
        at = FIRST_SYNC + timedelta(days=3 * number)
        state.today = at.date()
        for happening in EVENTFUL[number] if number < len(EVENTFUL) else drawn(chance):
            state.happen(*happening)
        decide(company, state, chance, at)
        hand_over(company, state, at)
        company.post(at)


@pytest.mark.rotating(days=4)
@pytest.mark.parametrize(
    "seed", [3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (5, 8))]
)
def test_waves_post_what_full_postings_had_posted(seed: int) -> None:
    """Full postings, one per batch, are the oracle; ids and moments included."""
    with new_company() as company:
        live(company, seed, batches=7)
        before = company.rows("from ledger.journal_lines order by line_id")
        entries = company.rows("from ledger.journal_entries order by entry_id")
        for way in rebuild.WAYS:
            report = rebuild.rebuild(company.warehouse, ways=(way,))
            assert company.rows("from ledger.journal_lines order by line_id") == before
            assert company.rows("from ledger.journal_entries order by entry_id") == entries
            assert report.batches > 3


def test_many_batches_of_unconnected_documents_are_a_few_waves() -> None:
    with new_company() as company:
        begin(company)
        state = State()
        for number in range(6):
            at = FIRST_SYNC + timedelta(hours=number)
            state.happen("bill", 0, 1_000 + number, -5, 0)
            hand_over(company, state, at)
            company.post(at)
        assert rebuild.rebuild(company.warehouse).steps == 1
        assert rebuild.rebuild(company.warehouse, ways=(rebuild.batch_by_batch,)).steps == 6


@pytest.fixture(scope="module")
def connected() -> Iterator[Company]:
    """Books with two closes, a changed date, a correction and a void, all of one bill."""
    with new_company() as company:
        state = State()
        begin(company)
        steps = (
            [("bill", 0, 10_000, -40, 0)],
            [("pay", 0, 10_000, -10, 0), ("close", 0, 0, 0, 0)],
            [("date", 0, 0, 0, 0), ("close", 0, 0, 0, 0)],
            [],
            [("void", 0, 0, 0, 1)],
        )
        for number, step in enumerate(steps):
            at = FIRST_SYNC + timedelta(days=20 * number)
            state.today = at.date()
            for happening in step:
                state.happen(*happening)
            if number == 3:
                decisions.correct(
                    company.connection, document_type="bill", document_id="B0", line_id="B0-0",
                    account_id="equipment", decided_at=at, decided_by="a person",
                )  # fmt: skip
            hand_over(company, state, at)
            company.post(at)
        yield company


@pytest.mark.rotating(days=4)
@pytest.mark.parametrize("lost", ["nothing", "links", "decisions_by_document", "turning_points"])
def test_waves_that_miss_what_connects_documents_give_way_to_batch_after_batch(
    connected: Company, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these, left out, makes other books; the comparison says so."""
    whole = replay._read

    def without(name: str) -> str:
        sql = whole(name)
        return f"select * from ({sql}) limit 0" if name == lost else sql

    monkeypatch.setattr(replay, "_read", without)
    before = connected.rows("from ledger.journal_lines order by line_id")
    refused = pytest.raises(rebuild.ReplayDiffers) if lost != "nothing" else nullcontext()
    with refused:
        rebuild.rebuild(connected.warehouse, ways=(rebuild.in_waves,))
    assert connected.rows("from ledger.journal_lines order by line_id") == before
    steps = rebuild.rebuild(connected.warehouse).steps
    assert connected.rows("from ledger.journal_lines order by line_id") == before
    batches = connected.rows("select count(*) from decisions.batches")[0][0]
    assert (steps == batches) == (lost != "nothing")
