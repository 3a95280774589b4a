"""Odd lines and odd charts, carried from BILL's look-alike to the published ledger.

An invented ledger file is served as three clients; the newest day of each comes without accounts
and holds whatever people manage to type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bill_pipeline.sandbox.clock import day_ms
from bill_pipeline.sandbox.companies.founding import add_account
from bill_pipeline.sandbox.ledger_import import import_ledger
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import SandboxState
from tests.journey.firm import Firm
from tests.sandbox.test_ledger_import import write_ledger

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8, part=4, together=True)]

LAST_DAY = date(2026, 6, 29)
ODD_TEXTS = {
    "empty": "",
    "ten thousand characters": "long words " * 909 + "x",
    "emoji": "🍕🎉👩‍👩‍👧 pizza",
    "right to left": "فاتورة كهرباء",
    "turned around": "\u202etxet desrever",
    "quotes": "Quote \" and ' and \\u0000 -- ; drop table bills",
}
HABITS = (("Larkspur Stationery", "Supplies", "paper"), ("Quillon Freight", "Freight", "delivery"))


def rows_of(organization: str, accounts: list[str], count: int) -> list[tuple[Any, ...]]:
    """Coded lines up to the day before the last one, in the columns of ``write_ledger``."""
    return [
        (
            organization, LAST_DAY - timedelta(days=1 + (count - n) // 3),
            HABITS[n % 2][0], HABITS[n % 2][2], Decimal(20 + n % 9),
            accounts[n % len(accounts)], None, None, f"T{n}",
        )
        for n in range(count)
    ]  # fmt: skip


def odd_rows(organization: str) -> list[tuple[Any, ...]]:
    odd = [("Larkspur Stationery", text, Decimal("21.00")) for text in ODD_TEXTS.values()]
    odd += [
        ("Larkspur Stationery", "paper", Decimal("0.00")),
        (None, "paper", Decimal("22.00")),
        ("漢字 🍕 Ltd", "paper", Decimal("23.00")),
        ("Quillon Freight", "delivery", Decimal("-24.00")),
    ]
    return [
        (organization, LAST_DAY, vendor, text, amount, "Supplies", None, None, f"odd{n}")
        for n, (vendor, text, amount) in enumerate(odd)
    ]


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    folder = tmp_path_factory.mktemp("odd")
    rows = [
        *rows_of("odd", ["Supplies", "Freight"], 220), *odd_rows("odd"),
        *rows_of("single", ["Everything"], 120), *odd_rows("single")[:1],
        *rows_of("manifold", [f"Used account {n}" for n in range(40)], 220),
        *odd_rows("manifold")[:2],
    ]  # fmt: skip
    rows = [(*row[:5], "Everything", *row[6:]) if row[0] == "single" else row for row in rows]
    state = SandboxState(seed=3)
    import_ledger(state, write_ledger(folder / "odd.parquet", rows), uncoded_from=LAST_DAY)
    chart = state.organization("manifold")
    for number in range(2_000):
        add_account(chart, f"8{number:04d}", f"Account {number:04d}", "EXPENSE", day_ms(LAST_DAY))
    with SandboxServer(state=state) as sandbox:
        firm = Firm(sandbox, folder / "home")
        for number, company in enumerate(sandbox.companies):
            assert firm.connect(number).exit_code == 0
            result = firm.run("sync", company.client)
            assert result.exit_code == 0, result.output
        yield firm


def newest_lines(firm: Firm, client: str) -> list[dict[str, Any]]:
    lines = firm.query(
        f"select * from transactions where client = '{client}' and date = date '{LAST_DAY}'"
    )
    return [line | {"alternatives": json.loads(line["alternatives"])} for line in lines]


@pytest.mark.parametrize("client", ["odd", "single", "manifold"])
def test_every_line_is_booked_once_and_the_books_balance(firm: Firm, client: str) -> None:
    (total,) = firm.query(
        f"select sum(debit) - sum(credit) as off from trial_balance where client = '{client}'"
    )
    assert Decimal(str(total["off"])) == 0
    books = firm.sandbox.state.organization(client)
    amounts = [line["amount"] for bill in books["bills"] for line in bill["billLineItems"]]
    amounts += [
        -line["amount"] for c in books["vendor-credits"] for line in c["vendorCreditLineItems"]
    ]
    (booked,) = firm.query(
        "select count(*) as lines, sum(case document_type when 'bill' then amount else -amount "
        f"end) as amount from transactions where client = '{client}'"
    )
    assert booked["lines"] == len(amounts)
    assert Decimal(str(booked["amount"])) == sum(Decimal(str(amount)) for amount in amounts)
    differing = firm.query(f"from tie_out where client = '{client}' and difference <> 0")
    assert differing == []


def test_odd_lines_get_an_account_or_a_question_and_keep_their_text(firm: Firm) -> None:
    lines = newest_lines(firm, "odd")
    assert len(lines) == len(odd_rows("odd"))
    texts = {line["description"] or "" for line in lines}
    assert {text.strip() for text in ODD_TEXTS.values()} <= {text.strip() for text in texts}
    for line in lines:
        assert line["category_source"] in ("model", "default"), line
        assert line["needs_review"] == (line["category_source"] == "default"), line
        assert 0 <= line["confidence"] <= 1, line
        assert 10 <= len(line["reason"]) <= 400, line
        assert line["alternatives"], line
    waiting = {line["transaction_id"] for line in lines if line["needs_review"]}
    asked = {
        transaction
        for question in firm.query("from review_questions where client = 'odd'")
        for transaction in question["transaction_ids"]
    }
    assert asked == waiting


def test_a_line_of_no_amount_and_a_credit_of_no_bill_are_kept(firm: Firm) -> None:
    lines = newest_lines(firm, "odd")
    assert [line["description"] for line in lines if Decimal(str(line["amount"])) == 0] == ["paper"]
    (credit,) = [line for line in lines if line["document_type"] == "vendor_credit"]
    assert credit["needs_review"], "it matches no earlier bill: a person is asked"


def test_a_client_with_one_account_is_offered_that_one(firm: Firm) -> None:
    (line,) = newest_lines(firm, "single")
    offered = {line["account_name"]} | {other["account_name"] for other in line["alternatives"]}
    assert "Everything" in offered


def test_a_client_with_two_thousand_accounts_is_offered_three_of_them(firm: Firm) -> None:
    (count,) = firm.query(
        "select count(*) as n from accounts where client = 'manifold' and account_name like 'Acc%'"
    )
    assert count["n"] >= 2_000
    for line in newest_lines(firm, "manifold"):
        assert len(line["alternatives"]) >= 2


def test_a_bill_without_a_vendor_is_set_aside_shown_and_healed(firm: Firm) -> None:
    """BILL promises every bill a vendor: what is owed to nobody is not booked, but said."""
    state, clock = firm.sandbox.state, firm.sandbox.state.clock
    bills = state.organization("single")["bills"]
    (good,) = [bill for bill in bills if bill["invoice"]["invoiceDate"] == str(LAST_DAY)]
    before = firm.query("from trial_balance where client = 'single'")
    clock.step_ms(60_000)
    broken = {name: value for name, value in good.items() if name != "vendorId"}
    bills.replace(broken | {"amount": 999.0}, clock.stamp_ms())
    said = firm.run("sync", "single")
    assert said.exit_code == 0, said.output
    assert "1 set aside" in " ".join(said.output.split())
    assert firm.query("from trial_balance where client = 'single'") == before
    status = json.loads(
        next(line for line in firm.run("clients", "--json").output.splitlines() if "single" in line)
    )
    assert status["quarantined"] == {"bills": 1}
    shown = firm.run("clients").output
    assert "unreadable: 1" in shown
    clock.step_ms(60_000)
    bills.replace(good, clock.stamp_ms())
    assert firm.run("sync", "single").exit_code == 0
    healed = firm.run("clients", "--json").output
    assert '"quarantined": {"bills"' not in healed
    assert firm.query("from trial_balance where client = 'single'") == before
