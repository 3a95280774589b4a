"""What is rare happens in a company that lives on, and in no invented history."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.sandbox.companies import add_invented_companies
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import SandboxState
from tests.journey.firm import Firm

DAY_MS = 86_400_000
SEEN_STATES = {
    "DISBURSEMENT_ON_HOLD",
    "EXPIRING",
    "FUNDS_ESCHEATED",
    "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED",
    "DISBURSEMENT_FAILED_ACTION_NEEDED",
    "FUNDING_FAILED_ACTION_NEEDED",
    "PARTIALLY_CLAIMED",
    "VOID_PENDING",
    "CANCELLATION_IN_PROGRESS",
}
VOIDS = {"VOID_ONLY", "VOID_AND_CREDIT", "VOID_AND_REISSUE", "VOID_AND_REISSUE_VCARD"}


def lived(days: int, companies: int = 2) -> tuple[SandboxState, Counter[str]]:
    """A sandbox that lived on for ``days``, and how often each payment state was entered."""
    state, entered = SandboxState(7), Counter[str]()
    add_invented_companies(state, companies, 1_500)

    def listen(event: str, document: dict[str, Any]) -> None:
        if event.startswith("payment"):
            entered[document["singleStatus"]] += 1

    for life in state.lives.values():
        life.payables.listeners.append(listen)
    state.set_live(True)
    for _ in range(days):
        state.clock.step_ms(DAY_MS)
        state.advance()
    return state, entered


@pytest.fixture(scope="module")
def year() -> tuple[SandboxState, Counter[str]]:
    return lived(365)


def all_of(organizations: list[Organization], name: str) -> list[dict[str, Any]]:
    return [document for one in organizations for document in one[name]]


@pytest.mark.slow
def test_a_year_of_life_enters_every_rare_state_and_void(
    year: tuple[SandboxState, Counter[str]],
) -> None:
    state, entered = year
    assert set(entered) >= SEEN_STATES
    payments = all_of(list(state.organizations.values()), "payments")
    voids = {void["type"] for payment in payments for void in payment.get("voidInfo", ())}
    assert voids == VOIDS


def test_foreign_bills_cards_and_recurring_documents_come_by_themselves(
    year: tuple[SandboxState, Counter[str]],
) -> None:
    organizations = list(year[0].organizations.values())
    foreign = [b for b in all_of(organizations, "bills") if b["exchangeRate"] != 1]
    assert {bill["amount"] == bill["fundingAmount"] for bill in foreign} == {False}
    currencies = {v["billCurrency"] for v in all_of(organizations, "vendors")}
    assert currencies == {"USD", "EUR", "GBP", "CAD"}
    payments = all_of(organizations, "payments")
    assert any(p["disbursementType"] == "INTERNATIONAL_E_PAYMENT" for p in payments)
    cards = [p for p in payments if p.get("fundingAccount", {}).get("type") == "CARD_ACCOUNT"]
    assert cards
    assert all(card["fundingAmount"] > card["amount"] for card in cards)
    numbers = [b["invoice"]["invoiceNumber"] for b in all_of(organizations, "bills")]
    assert sum(number.startswith("REC-") for number in numbers) >= 24
    assert any(i["invoiceNumber"].startswith("REC-") for i in all_of(organizations, "invoices"))


@pytest.mark.slow
def test_the_invented_history_has_none_of_it() -> None:
    state, _ = lived(0)
    organizations = list(state.organizations.values())
    assert {bill["exchangeRate"] for bill in all_of(organizations, "bills")} == {1.0}
    assert {v["billCurrency"] for v in all_of(organizations, "vendors")} == {"USD"}


@pytest.mark.rotating(days=4, part=3)
@pytest.mark.slow
def test_the_books_of_a_company_that_lives_on_pass_every_check(tmp_path: Path) -> None:
    """Every error-level check runs inside the sync: a failed one raises."""
    with SandboxServer(companies=2, documents=500, seed=7) as sandbox:
        firm = Firm(sandbox, tmp_path)
        client = sandbox.companies[1].client
        assert firm.connect(1).exit_code == 0
        sandbox.control.live()
        for days in (0, 60, 90):
            sandbox.control.step(f"{days} days")
            result = firm.run("sync", client)
            assert result.exit_code == 0, result.output
        [row] = firm.query("select sum(debit - credit) as rest from journal_lines")
        assert float(row["rest"]) == 0
        currencies = {row["currency"] for row in firm.query("select currency from documents")}
        assert len(currencies) > 1
