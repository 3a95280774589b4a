"""Books of companies that are not tidy, by the kinds of the look-alike's variety."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bill_pipeline.bill.lists import LISTS
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.server import SandboxServer
from tests.journey.firm import Firm

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8, part=6, together=True)]

#: Kinds that one company can have at once without hiding each other.
COMPANIES = (
    "usual",
    "wallet,card,ap_card",
    "accounts_retyped,accounts_merged,vendors_merged",
    "refused_lists",
)


@pytest.fixture(scope="module", params=COMPANIES)
def firm(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Firm]:
    """The second company, which has customers, synced; again after a month of its life."""
    with SandboxServer(companies=2, documents=150, seed=7, variety=request.param) as sandbox:
        firm = Selling(sandbox, tmp_path_factory.mktemp("firm") / "home")
        assert firm.connect(1).exit_code == 0
        assert firm.run("sync", firm.client).exit_code == 0
        life = sandbox.state.lives[sandbox.companies[1].organization_id]
        sandbox.state.clock.step_ms(30 * 86_400_000)
        life.live_until(sandbox.state.clock.now_ms())
        result = firm.run("sync", firm.client)
        assert result.exit_code == 0, result.output
        yield firm


class Selling(Firm):
    """A firm whose client is the second company."""

    @property
    def client(self) -> str:
        return self.sandbox.companies[1].client


def named(codes: dict[str, Any], field: str) -> str | None:
    """A reference of a document: "" and zeros lead nowhere."""
    value = codes.get(field)
    return None if value in {None, "", ZERO_ID} else str(value)


def booked(books: Organization) -> list[dict[str, Any]]:
    """The bills that belong in books."""
    return [b for b in books["bills"] if not b["archived"] and b["approvalStatus"] != "DENIED"]


def coded(books: Organization) -> dict[str, str]:
    """Bill line id → the account that BILL says, on the line or for its bill."""
    return {
        line["id"]: account
        for bill in booked(books)
        for line in bill["billLineItems"]
        if (
            account := named(line.get("classifications", {}), "chartOfAccountId")
            or named(bill.get("classifications", {}), "chartOfAccountId")
        )
    }


def test_untidy_books_are_booked_as_bill_has_them(firm: Firm) -> None:
    books = firm.sandbox.state.organization(firm.client)
    (rest,) = firm.query("select sum(debit) - sum(credit) as rest from trial_balance")
    assert rest["rest"] == 0
    lines = firm.query("from transactions where document_type = 'bill'")
    said = {row["line_id"]: row["account_id"] for row in lines if row["category_source"] == "bill"}
    assert said == coded(books)
    assert {row["line_id"] for row in lines} == {
        line["id"] for bill in booked(books) for line in bill["billLineItems"]
    }
    differing = firm.query("from tie_out where difference <> 0")
    # Without the credits the books cannot know what they paid: the tie-out shows it.
    if "vendor-credits" not in books.refused_lists:
        assert differing == []


def test_lists_that_bill_refuses_are_named(firm: Firm) -> None:
    books = firm.sandbox.state.organization(firm.client)
    status = json.loads(firm.run("clients", "--json").output.splitlines()[0])
    skipped = set(status["skipped_lists"]) - {"organizations"}  # administrators only
    refused = {name.replace("-", "_") for name in books.refused_lists}
    # The approvers of what may not be read may not be read either.
    assert skipped - {name for name in skipped if LISTS[name].follows in refused} == refused
