"""The v2 plane: form-encoded, 200 always, the same books as v3."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bill_pipeline.sandbox.v2_entities import ENTITIES
from tests.sandbox.conftest import BillClient


def rows(client: BillClient, entity: str, **data: Any) -> list[dict[str, Any]]:
    envelope = client.v2(f"List/{entity}", {"start": 0, "max": 999, **data})
    assert envelope["response_status"] == 0, envelope
    found: list[dict[str, Any]] = envelope["response_data"]
    return found


def test_login_gives_a_session_that_works_on_both_planes(client: BillClient) -> None:
    company = client.company
    envelope = client.v2(
        "Login",
        userName=company.token_name,
        password=company.token_password,
        orgId=company.organization_id,
    )
    data = envelope["response_data"]
    assert set(data) == {"sessionId", "orgId", "apiEndPoint", "usersId"}
    assert data["apiEndPoint"] == client.server.v2_url
    client.headers["sessionId"] = client.session_id = data["sessionId"]
    assert client.get("bills").status_code == 200
    info = client.v2("GetSessionInfo")["response_data"]
    assert info["organizationId"] == company.organization_id
    [organization] = client.v2(
        "ListOrgs", userName=company.token_name, password=company.token_password
    )["response_data"]
    assert organization["orgId"] == company.organization_id
    assert client.v2("Logout")["response_data"] == {}
    assert client.get("bills").status_code == 401


def test_errors_are_200_with_bills_wording(client: BillClient) -> None:
    client.session_id = "gone"
    assert client.v2("List/Bill", {}) == {
        "response_status": 1,
        "response_message": "Error",
        "response_data": {
            "error_code": "BDC_1109",
            "error_message": "Session is invalid.  Please log in.",
        },
    }
    assert (
        client.v2("Login", userName="x", password="y", orgId="z")["response_data"]["error_code"]
        == "BDC_1101"
    )


# A sync token may not read the bank accounts of vendors (test_facts_v2.py).
@pytest.mark.parametrize("entity", sorted(ENTITIES.keys() - {"VendorBankAccount"}))
def test_every_entity_lists_with_v2s_conventions(entity: str, client: BillClient) -> None:
    for row in rows(client, entity, nested=True):
        assert row["entity"] == entity
        assert len(row["id"]) == 20
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", row["updatedTime"])
        if "isActive" in row:
            assert row["isActive"] in {"1", "2"}


def test_v2_and_v3_show_the_same_bills(client: BillClient) -> None:
    v3 = {b["id"]: b for b in client.all("bills", max=100)}
    v2 = {b["id"]: b for b in rows(client, "Bill")}
    assert v2.keys() == v3.keys()
    for bill_id, bill in v2.items():
        assert bill["amount"] == v3[bill_id]["amount"]
        assert float(bill["paidAmount"] or 0) == v3[bill_id]["paidAmount"]
        assert bill["paidAmount"] is None or isinstance(bill["paidAmount"], str)
        lines = [(x["id"], x["amount"]) for x in bill["billLineItems"]]
        assert lines == [(x["id"], x["amount"]) for x in v3[bill_id]["billLineItems"]]


def test_parts_of_payments_are_rows_of_their_own(client: BillClient) -> None:
    payments = client.all("payments", max=100)
    parts = [part["id"] for payment in payments for part in payment["billPayments"]]
    assert [row["id"] for row in rows(client, "BillPay")] == parts
    credited = [c for p in payments for b in p["billPayments"] for c in b.get("vendorCredits", ())]
    assert len(rows(client, "BillCredit")) == len(credited)


def test_filters_sort_and_pages(client: BillClient) -> None:
    everything = rows(client, "Vendor", sort=[{"field": "name", "asc": "true"}])
    names = [row["name"] for row in everything]
    assert names == sorted(names)
    paged = [
        row
        for start in range(0, len(names), 7)
        for row in rows(client, "Vendor", start=start, max=7, sort=[{"field": "name", "asc": True}])
    ]
    assert paged == everything
    active = rows(client, "Vendor", filters=[{"field": "isActive", "op": "=", "value": "1"}])
    assert active == [r for r in rows(client, "Vendor") if r["isActive"] == "1"]
    times = sorted(row["updatedTime"] for row in rows(client, "SentPay"))
    since = {"field": "updatedTime", "op": ">=", "value": times[len(times) // 2]}
    found = rows(client, "SentPay", filters=[since], sort=[{"field": "updatedTime", "asc": True}])
    assert [row["updatedTime"] for row in found] == [t for t in times if t >= since["value"]]
    listed = {"field": "paymentStatus", "op": "in", "value": ["1", "2"]}
    assert {b["paymentStatus"] for b in rows(client, "Bill", filters=[listed])} <= {"1", "2"}


def test_max_1000_is_tolerated_and_more_is_not(client: BillClient) -> None:
    assert rows(client, "Vendor", max=1000)
    assert client.v2("List/Vendor", {"max": 1001})["response_status"] == 1


def test_line_items_of_credits_need_nested(client: BillClient) -> None:
    assert "vendorCreditLineItems" not in rows(client, "VendorCredit")[0]
    assert rows(client, "VendorCredit", nested=True)[0]["vendorCreditLineItems"]


def test_what_a_v2_client_writes_shows_on_v3(client: BillClient) -> None:
    values = {"entity": "Customer", "name": "Zinnia Hall", "email": "z@example.com"}
    customer = client.v2("Crud/Create/Customer", {"obj": values})["response_data"]
    assert client.get(f"customers/{customer['id']}").json()["email"] == "z@example.com"
    changed = {"entity": "Customer", "id": customer["id"], "email": "new@example.com"}
    client.v2("Crud/Update/Customer", {"obj": changed})
    assert client.get(f"customers/{customer['id']}").json()["email"] == "new@example.com"
    client.v2("Crud/Delete/Customer", {"id": customer["id"]})
    assert client.get(f"customers/{customer['id']}").json()["archived"] is True
    client.v2("Crud/Undelete/Customer", {"id": customer["id"]})
    read = client.v2("Crud/Read/Customer", {"id": customer["id"]})["response_data"]
    assert read["isActive"] == "1"
    line = {"entity": "InvoiceLineItem", "quantity": 2, "price": 10.5, "description": "Hour"}
    invoice = client.v2(
        "Crud/Create/Invoice",
        {
            "obj": {
                "entity": "Invoice",
                "customerId": customer["id"],
                "invoiceNumber": "Z-1",
                "invoiceDate": "2026-06-01",
                "dueDate": "2026-07-01",
                "invoiceLineItems": [line],
            }
        },
    )["response_data"]
    assert client.get(f"invoices/{invoice['id']}").json()["totalAmount"] == 21.0


def test_merges_and_posting_dates_are_v2_only_facts(client: BillClient) -> None:
    first, second = (v["id"] for v in client.all("vendors", max=100)[:2])
    client.server.control.edit(client.company.client, "merge", from_id=first, into_id=second)
    merged = {v["id"]: v for v in rows(client, "Vendor")}[first]
    assert (merged["mergedIntoId"], merged["isActive"]) == (second, "2")
    assert client.get(f"vendors/{first}").json()["archived"] is True
    bills = rows(client, "Bill")
    assert any(b["glPostingDate"] != b["invoiceDate"] for b in bills)
