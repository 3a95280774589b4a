"""Real books are not tidy: each kind of variety is there for some seed, and told by both planes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from bill_pipeline.sandbox.clock import parse_moment
from bill_pipeline.sandbox.companies import add_invented_companies
from bill_pipeline.sandbox.companies.variety import FULL, KINDS, NONE, USUAL, chosen_kinds
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import SandboxState
from bill_pipeline.sandbox.truth import variety_of
from tests.sandbox.conftest import BillClient
from tests.sandbox.test_invented_books import assert_payables_add_up, assert_receivables_add_up

pytestmark = pytest.mark.rotating(days=2)

RARE = [name for name, kind in KINDS.items() if kind.is_rare]
HARMLESS = [name for name, kind in KINDS.items() if not kind.is_rare]
HEADS = ("bills", "invoices", "credit-memos")
Found = Callable[[Organization], list[Any]]


def lines(books: Organization, name: str = "bills") -> Iterator[dict[str, Any]]:
    for document in books[name]:
        yield from document["billLineItems" if name == "bills" else "invoiceLineItems"]


def line_references(books: Organization, field: str) -> list[str]:
    named = [line.get("classifications", {}).get(field) for line in lines(books)]
    return [one for one in named if one not in {None, "", ZERO_ID}]


def funded_by(books: Organization, kind: str) -> list[Any]:
    return [p for p in books["payments"] if p.get("fundingAccount", {}).get("type") == kind]


def paid_by(books: Organization, kind: str) -> list[Any]:
    return [p for p in books["payments"] if p["disbursementType"] == kind]


def wallets(books: Organization) -> list[Any]:
    receipts = [
        r
        for r in books["receivable-payments"]
        if r.get("receivablesAccount", {}).get("type") == "WALLET"
    ]
    # A company without customers receives nothing.
    is_received = not len(books["invoices"]) or receipts
    return funded_by(books, "WALLET") if is_received and paid_by(books, "WALLET") else []


def merged(books: Organization, name: str, used: set[str]) -> list[str]:
    """Documents of a list that were merged into another one, after something named them."""
    return [
        one
        for one in books.merged_into
        if one in used and books[name].position(one) is not None and books[name].get(one)
    ]


def written_as(books: Organization, absent: str) -> list[Any]:
    return [
        line
        for line in lines(books)
        if line.get("classifications", {}).get("chartOfAccountId") == absent
    ] and [b for b in books["bills"] if b.get("payFromChartOfAccountId") == absent]


#: Kind → what of it is in the books. A kind without a row here fails the test below.
SEEN: dict[str, Found] = {
    "header_classifications": lambda books: [
        d for name in HEADS for d in books[name] if d.get("classifications")
    ],
    "jobs": lambda books: line_references(books, "jobId"),
    "employees": lambda books: line_references(books, "employeeId"),
    "items": lambda books: line_references(books, "itemId"),
    "customers": lambda books: line_references(books, "customerId"),
    "purchase_orders": lambda books: [b for b in books["bills"] if b.get("purchaseOrderNumber")],
    "tax_ids": lambda books: [v for v in books["vendors"] if v["additionalInfo"].get("taxId")],
    "parents": lambda books: [a for a in books["chart-of-accounts"] if a.get("parentId")],
    "rpps": lambda books: paid_by(books, "RPPS") and [v for v in books["vendors"] if "rppsId" in v],
    "international": lambda books: paid_by(books, "INTERNATIONAL_E_PAYMENT"),
    "credit_memo_uses": lambda books: [
        m for m in books["credit-memos"] if len({u["invoiceId"] for u in m.get("usage", ())}) > 1
    ],
    "wallet": wallets,
    "card": lambda books: [
        p for p in funded_by(books, "CARD_ACCOUNT") if p["fundingAmount"] > p["amount"]
    ],
    "ap_card": lambda books: [
        p for p in funded_by(books, "AP_CARD") if p["fundingAmount"] == p["amount"]
    ],
    "refused_lists": lambda books: sorted(books.refused_lists),
    "empty_ids": lambda books: written_as(books, ""),
    "zero_ids": lambda books: written_as(books, ZERO_ID),
    "accounts_merged": lambda books: merged(
        books, "chart-of-accounts", set(line_references(books, "chartOfAccountId"))
    ),
    "vendors_merged": lambda books: [
        one
        for one in merged(books, "vendors", {bill["vendorId"] for bill in books["bills"]})
        if books.merged_into[one] in {bill["vendorId"] for bill in books["bills"]}
    ],
}
#: What only the truth tells: the lists show how it ended.
TOLD = ("accounts_retyped",)


@cache
def company(number: int, variety: str, seed: int = 7, documents: int = 900) -> SandboxState:
    """A sandbox with the companies up to a number: the second one sells, too."""
    state = SandboxState(seed=seed)
    add_invented_companies(state, number + 1, documents, variety)
    return state


def books_of(state: SandboxState) -> list[Organization]:
    return list(state.organizations.values())


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_really_there_in_a_company_that_has_it(kind: str) -> None:
    state = company(1, kind)
    if kind in TOLD:
        for books in books_of(state):
            retyped = [e for e in variety_of(state, books.id)["events"] if e["kind"] == kind]
            assert len({event["id"] for event in retyped}) > 1
            assert {event["became"] for event in retyped} > {"OTHER_EXPENSE"}
        return
    sells = kind in {"customers", "credit_memo_uses"}
    for books in books_of(state)[sells:]:
        assert SEEN[kind](books), f"{books.client} was told to have {kind}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_tidy_company_has_none_of_it(kind: str) -> None:
    state = company(1, NONE)
    assert [e for one in books_of(state) for e in variety_of(state, one.id)["events"]] == []
    if kind not in TOLD and kind != "rpps":  # who is paid so was there before
        assert [found for books in books_of(state) for found in SEEN[kind](books)] == []


def test_seeds_choose_the_kinds_and_only_full_variety_the_rare_ones() -> None:
    salts = [f"{seed}/{number}" for seed in range(20) for number in range(3)]
    usual = [chosen_kinds(USUAL, salt) for salt in salts]
    full = [chosen_kinds(FULL, salt) for salt in salts]
    assert frozenset().union(*usual) == set(HARMLESS)
    assert frozenset().union(*full) == set(KINDS)
    for chosen in (usual, full):
        assert len(set(chosen)) > len(salts) // 2
    assert all(one <= other for one, other in zip(usual, full, strict=True))
    assert all(chosen_kinds(NONE, salt) == frozenset() for salt in salts)
    assert {"card", "wallet"} <= chosen_kinds("card,wallet", "1/0")
    with pytest.raises(ValueError, match=r"'crad'.*card"):
        chosen_kinds("crad", "1/0")


def test_the_same_seed_gives_the_same_variety() -> None:
    first, again = (company.__wrapped__(1, FULL, seed=5, documents=300) for _ in range(2))
    for one, other in zip(first.companies(), again.companies(), strict=True):
        assert first.books(one.client) == again.books(other.client)
        assert variety_of(first, one.organization_id) == variety_of(again, one.organization_id)
    other = company.__wrapped__(1, FULL, seed=6, documents=300)
    assert first.books(first.companies()[0].client) != other.books(other.companies()[0].client)


def test_harmless_variety_changes_no_amount_day_or_account() -> None:
    """It comes beside the company's life: the same bills are paid the same way.

    Of a company that sells nothing: how credit memos are used does change what customers pay.
    """

    def told(state: SandboxState) -> list[Any]:
        return [
            (b["id"], b["amount"], b["dueAmount"], b["invoice"], b["approvalStatus"], b["archived"])
            for b in books_of(state)[0]["bills"]
        ]

    assert told(company(1, USUAL)) == told(company(1, NONE))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*RARE, FULL])
def test_amounts_add_up_whatever_the_variety(kind: str) -> None:
    for books in books_of(company(1, kind)):
        assert_payables_add_up(books)
        assert_receivables_add_up(books)


def test_what_merged_once_merges_again_and_never_in_a_circle() -> None:
    merged_into: dict[str, str] = {}
    for books in books_of(company(1, "vendors_merged")):
        merged_into |= books.merged_into
    assert any(kept in merged_into for kept in merged_into.values()), "no chain in this seed"
    for one in merged_into:
        seen = [one]
        while seen[-1] in merged_into:
            seen.append(merged_into[seen[-1]])
            assert len(seen) == len(set(seen))


# --- over HTTP: both planes tell the same ----------------------------------------------------


@pytest.fixture(scope="module")
def full() -> Iterator[BillClient]:
    """A company with everything that can be read; refused lists have a test of their own."""
    kinds = ",".join(name for name in KINDS if name != "refused_lists")
    with SandboxServer(companies=2, documents=500, seed=7, variety=kinds) as server:
        client = BillClient(server, server.companies[1])
        yield client
        client.http.close()


def v2_rows(client: BillClient, entity: str) -> dict[str, dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for start in range(0, 10_000, 999):
        given = {"start": start, "max": 999, "nested": True}
        page = client.v2(f"List/{entity}", given)["response_data"]
        rows += page
        if len(page) < 999:
            break
    return {row["id"]: row for row in rows}


def reference(value: str | None) -> str:
    return value or ZERO_ID


def test_v2_and_v3_name_the_same_references_of_every_line(full: BillClient) -> None:
    names = {"actgClassId": "accountingClassId"} | {
        name: name
        for name in ("chartOfAccountId", "departmentId", "locationId", "jobId", "itemId",
                     "employeeId", "customerId")
    }  # fmt: skip
    v2 = v2_rows(full, "Bill")
    for bill in full.all("bills", max=100):
        row = v2[bill["id"]]
        assert row["poNumber"] == bill.get("purchaseOrderNumber")
        assert row["payFromChartOfAccountId"] == reference(bill.get("payFromChartOfAccountId"))
        for line, v2_line in zip(bill["billLineItems"], row["billLineItems"], strict=True):
            codes = line.get("classifications", {})
            assert {n: v2_line[n] for n in names} == {
                n: reference(codes.get(v3)) for n, v3 in names.items()
            }
            assert (v2_line["lineType"] == "2") == (reference(codes.get("itemId")) != ZERO_ID)


def test_v2_and_v3_tell_the_same_of_vendors_accounts_and_payments(full: BillClient) -> None:
    accounts = {row["id"]: row for row in full.all("classifications/chart-of-accounts", max=100)}
    for account_id, row in v2_rows(full, "ChartOfAccount").items():
        v3 = accounts[account_id]
        assert row["parentChartOfAccountId"] == reference(v3.get("parentId"))
        if row["mergedIntoId"] != ZERO_ID:
            assert v3["archived"]
    vendors = {row["id"]: row for row in full.all("vendors", max=100)}
    v2_vendors = v2_rows(full, "Vendor")
    for vendor_id, row in v2_vendors.items():
        v3 = vendors[vendor_id]
        assert row["taxId"] == v3["additionalInfo"].get("taxId")
        if row["mergedIntoId"] != ZERO_ID:
            assert v3["archived"]
    assert {row["mergedIntoId"] for row in v2_vendors.values()} - {ZERO_ID} <= set(vendors)
    payments = {row["id"]: row for row in full.all("payments", max=100)}
    for payment_id, row in v2_rows(full, "SentPay").items():
        funding = payments[payment_id].get("fundingAccount", {})
        is_bank = funding.get("type") == "BANK_ACCOUNT"
        assert row["bankAccountId"] == (funding["id"] if is_bank else ZERO_ID)


def test_references_to_nothing_go_over_the_wire_as_they_are(full: BillClient) -> None:
    bills = full.all("bills", max=100)
    said = {b.get("payFromChartOfAccountId") for b in bills}
    assert {None, "", ZERO_ID} <= said
    assert "" in {p.get("billId") for p in full.all("payments", max=100)}


def test_money_that_is_no_banks_moves_no_bank_account(full: BillClient) -> None:
    """What leaves the bank is what its payments say; a wallet's receipts are deposited nowhere."""
    books = full.server.state.organization(full.company.client)
    received = sum(
        round(100 * (r["amount"] + r["convenienceFeeAmount"]))
        for r in books["receivable-payments"]
        if r["status"] == "PAID"
        and r["onlinePayment"]
        and r["receivablesAccount"]["type"] == "BANK_ACCOUNT"
    )
    deposited = sum(round(100 * m["amount"]) for m in books["money-movements"] if m["type"] == "2")
    assert deposited == received > 0


@pytest.mark.parametrize("plane", ["v3", "v2"])
def test_refused_lists_are_refused_to_the_token_on_both_planes_and_not_to_a_person(
    plane: str,
) -> None:
    entities = {
        "vendor-credits": ("vendor-credits", "VendorCredit"),
        "credit-memos": ("credit-memos", "CreditMemo"),
        "users": ("users", "User"),
        "bank-accounts": ("funding-accounts/banks", "BankAccount"),
    }
    with SandboxServer(companies=1, documents=60, seed=3, variety="refused_lists") as server:
        refused = server.state.organization(server.companies[0].client).refused_lists
        assert refused & set(entities), "this seed refuses nothing that v2 lists"
        for kind in ("token", "user"):
            client = BillClient(server, server.companies[0], kind)
            for name, (path, entity) in entities.items():
                is_refused = kind == "token" and name in refused
                if plane == "v3":
                    assert (client.get(path).status_code == 403) == is_refused
                else:
                    assert (client.v2(f"List/{entity}")["response_status"] == 1) == is_refused
            client.http.close()


def test_the_control_plane_tells_a_companys_variety(full: BillClient) -> None:
    told = full.server.control.variety(full.company.client)
    assert set(told["kinds"]) == set(KINDS) - {"refused_lists"}
    assert {event["kind"] for event in told["events"]} >= {"accounts_merged", "vendors_merged"}
    assert all(parse_moment(event["time"]) for event in told["events"])
