"""Books change through v3, through the control plane and by themselves, and webhooks tell it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import orjson
import pytest

from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.webhooks import signature
from tests.sandbox.conftest import BillClient

DAY = {"invoiceNumber": "N-1", "invoiceDate": "2026-06-01"}


def new_bill(client: BillClient, amount: float = 12.5) -> dict[str, Any]:
    vendor_id = client.get("vendors", max=1).json()["results"][0]["id"]
    lines = [{"amount": amount, "description": "Tea"}, {"amount": 1.0}]
    body = {"vendorId": vendor_id, "dueDate": "2026-07-01", "billLineItems": lines, "invoice": DAY}
    answer = client.post("bills", body)
    assert answer.status_code == 201
    bill: dict[str, Any] = answer.json()
    return bill


def test_a_created_bill_is_open_and_listed(client: BillClient) -> None:
    bill = new_bill(client)
    assert (bill["amount"], bill["dueAmount"], bill["paymentStatus"]) == (13.5, 13.5, "UNPAID")
    read = client.get(f"bills/{bill['id']}").json()
    assert read["vendorName"]
    assert read in client.all("bills", max=100)


def test_required_fields_are_named(client: BillClient) -> None:
    answer = client.post("invoices", {"invoiceNumber": "1"})
    assert answer.status_code == 400
    assert answer.json()[0]["message"] == "customer: The customer field is required"


def test_replacing_lines_drops_those_left_out(client: BillClient) -> None:
    bill = new_bill(client)
    kept = bill["billLineItems"][0]
    body = {**bill, "billLineItems": [kept, {"amount": 7.25, "description": "New"}]}
    changed = client.send("PUT", f"bills/{bill['id']}", body).json()
    assert changed["amount"] == 19.75
    assert kept["id"] == changed["billLineItems"][0]["id"]
    assert bill["billLineItems"][1]["id"] not in {x["id"] for x in changed["billLineItems"]}
    assert changed["updatedTime"] > bill["updatedTime"]


def test_archive_and_restore_are_idempotent(client: BillClient) -> None:
    bill_id = new_bill(client)["id"]
    first = client.post(f"bills/{bill_id}/archive").json()
    assert first["archived"] is True
    assert client.post(f"bills/{bill_id}/archive").json() == first
    assert client.post(f"bills/{bill_id}/restore").json()["archived"] is False
    credit_id = client.all("vendor-credits", max=100)[0]["id"]
    assert client.post(f"vendor-credits/{credit_id}/restore").status_code == 404


def test_a_recorded_receipt_pays_its_invoice(client: BillClient) -> None:
    invoice = next(i for i in client.all("invoices", max=100) if i["dueAmount"] > 1)
    body = {
        "customerId": invoice["customerId"],
        "paymentDate": "2026-06-30",
        "paymentType": "CHECK",
        "amount": invoice["dueAmount"],
        "invoices": [{"id": invoice["id"], "amount": invoice["dueAmount"]}],
    }
    answer = client.post("invoices/record-payment", body)
    assert answer.status_code == 201
    assert "invoicePayments" not in answer.json()
    after = client.get(f"invoices/{invoice['id']}").json()
    assert (after["dueAmount"], after["status"]) == (0.0, "PAID_IN_FULL")
    assert after["updatedTime"] == invoice["updatedTime"]
    receipt = client.get(f"receivable-payments/{answer.json()['id']}").json()
    assert receipt["invoicePayments"][0]["invoiceId"] == invoice["id"]


def test_a_hundred_bills_change_and_no_others(client: BillClient) -> None:
    before = {b["id"]: b for b in client.all("bills", max=100)}
    changed = client.server.control.change(client.company.client, count=100)
    after = {b["id"]: b for b in client.all("bills", max=100)}
    assert len(set(changed)) == 100
    assert {one for one in after if after[one] != before[one]} == set(changed)


def test_people_can_code_lines_through_the_control_plane(client: BillClient) -> None:
    control, name = client.server.control, client.company.client
    rows = control.truth(name)
    control.edit(name, "recode", lines={row["line_id"]: row["account_id"] for row in rows})
    bills = {bill["id"]: bill for bill in client.all("bills", max=100)}
    for row in rows:
        lines = bills[row["document_id"]]["billLineItems"]
        line = next(x for x in lines if x["id"] == row["line_id"])
        assert line["classifications"]["chartOfAccountId"] == row["account_id"]


def test_payments_and_voids_move_what_is_due(client: BillClient) -> None:
    control, name = client.server.control, client.company.client
    bill = new_bill(client, 20.0)
    part = control.edit(name, "pay", bill_ids=[bill["id"]], amount=5.0, single_status="SCHEDULED")
    assert client.get(f"bills/{bill['id']}").json()["scheduledAmount"] == 5.0
    control.edit(name, "payments", payment_id=part["id"], single_status="CLEARED")
    read = client.get(f"bills/{bill['id']}").json()
    assert (read["paidAmount"], read["paymentStatus"]) == (5.0, "PARTIALLY_PAID")
    control.edit(
        name, "payments", payment_id=part["id"], single_status="VOIDED", void_type="VOID_ONLY"
    )
    read = client.get(f"bills/{bill['id']}").json()
    assert (read["dueAmount"], read["paymentStatus"]) == (21.0, "UNPAID")
    payment = client.get(f"payments/{part['id']}").json()
    assert payment["voidInfo"][0]["type"] == "VOID_ONLY"
    with pytest.raises(ValueError, match="due"):
        control.edit(name, "pay", bill_ids=[bill["id"]], amount=99.0)


def test_life_goes_on_only_when_live_and_only_forward() -> None:
    with SandboxServer(companies=1, documents=400, seed=5) as server:
        name = server.companies[0].client
        before = server.control.books(name)
        server.control.step("30 days")
        assert server.control.books(name) == before
        server.control.live()
        now = server.control.step("30 days")
        after = server.control.books(name)
        watermark = max(bill["updatedTime"] for bill in before["bills"])
        known = {(b["id"], b["updatedTime"]) for b in before["bills"]}
        news = [b for b in after["bills"] if (b["id"], b["updatedTime"]) not in known]
        assert len(after["bills"]) > len(before["bills"])
        assert all(watermark < b["updatedTime"] <= now for b in news)
        assert len(after["payments"]) > len(before["payments"])


def test_wrong_control_requests_are_refused_with_the_reason(client: BillClient) -> None:
    control = client.server.control
    with pytest.raises(ValueError, match="Not a time step"):
        control.step("1 fortnight")
    with pytest.raises(ValueError, match="No organization"):
        control.books("nobody")
    with pytest.raises(ValueError, match="no x in bills"):
        control.change(client.company.client, ids=["x"])
    with pytest.raises(ValueError, match="No list"):
        control.change(client.company.client, "colours")


class _Receiver(HTTPServer):
    """Takes webhook notifications and keeps (headers, body)."""

    taken: list[tuple[dict[str, str], bytes]]
    arrived: threading.Event


class _Handler(BaseHTTPRequestHandler):
    server: _Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.taken.append((headers, body))
        self.send_response(200)
        self.end_headers()
        self.server.arrived.set()

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def receiver() -> Iterator[_Receiver]:
    server = _Receiver(("127.0.0.1", 0), _Handler)
    server.taken, server.arrived = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def events_call(
    client: BillClient, method: str, path: str, body: dict[str, Any] | None = None, key: str = ""
) -> Any:
    headers = client.headers | ({"X-Idempotent-Key": key} if key else {})
    url = f"{client.server.events_url}/v3/{path}"
    return client.http.request(method, url, json=body, headers=headers)


def test_webhooks_are_signed_and_keep_a_history(client: BillClient, receiver: _Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    body = {
        "name": "ours",
        "status": {"enabled": True},
        "events": [{"type": "bill.created", "version": "1"}],
        "notificationUrl": url,
    }
    assert events_call(client, "POST", "subscriptions", body).status_code == 400
    made = events_call(client, "POST", "subscriptions", body, key="k1").json()
    again = events_call(client, "POST", "subscriptions", body, key="k1").json()
    assert again["id"] == made["id"]
    assert "securityKey" not in again
    assert events_call(client, "POST", "subscriptions", body, key="k2").status_code == 400
    bill = new_bill(client)
    assert receiver.arrived.wait(10)
    headers, sent = receiver.taken[0]
    assert headers["x-bill-sha-signature"] == signature(sent, made["securityKey"])
    event = orjson.loads(orjson.loads(sent))
    assert event["metadata"]["eventType"] == "bill.created"
    assert event["bill"]["id"] == bill["id"]
    assert event["bill"]["invoice"]["invoiceDate"] == "2026-06-01T00:00:00.000+00:00"
    history = events_call(client, "GET", f"events/subscription/{made['id']}").json()["results"]
    assert [row["eventId"] for row in history] == [event["metadata"]["eventId"]]
    receiver.arrived.clear()
    events_call(client, "POST", f"events/{history[0]['eventId']}/resend")
    assert receiver.arrived.wait(10)
    assert receiver.taken[1][1] == sent
    assert events_call(client, "DELETE", f"subscriptions/{made['id']}").status_code == 200
    assert events_call(client, "GET", "subscriptions").json() == {"results": []}


def test_webhook_rules(client: BillClient) -> None:
    kinds = {row["type"] for row in events_call(client, "GET", "events/catalog").json()}
    assert {"bill.updated", "payment.failed", "vendor.archived"} <= kinds
    body = {"events": [{"type": "bill.updated"}], "notificationUrl": "http://example.com/hook"}
    refused = events_call(client, "POST", "subscriptions", body, key="k")
    assert "https" in refused.json()[0]["message"]
    client.server.control.switches(token_webhooks=False)
    assert events_call(client, "GET", "subscriptions").status_code == 403


def test_bulk_creation_makes_all_or_none(client: BillClient) -> None:
    vendors = [{"name": "One"}, {"name": "Two", "accountType": "PERSON"}]
    answer = client.http.post(
        f"{client.server.base_url}/v3/vendors/bulk", json=vendors, headers=client.headers
    )
    assert answer.status_code == 201
    assert [v["accountType"] for v in answer.json()] == ["NONE", "PERSON"]
    count = len(client.all("vendors", max=100))
    refused = client.http.post(
        f"{client.server.base_url}/v3/vendors/bulk",
        json=[{"name": "Three"}, {"email": "x@example.com"}],
        headers=client.headers,
    )
    assert refused.status_code == 400
    assert len(client.all("vendors", max=100)) == count


def test_documents_hang_below_their_bill_and_download(client: BillClient) -> None:
    found = [
        (bill["id"], row)
        for bill in client.all("bills", max=100)
        for row in client.all(f"documents/bills/{bill['id']}")
    ]
    assert found
    bill_id, row = found[0]
    assert client.get(f"documents/bills/{bill_id}/{row['id']}").json()["name"] == row["name"]
    content = client.http.get(row["downloadLink"], headers=client.headers)
    assert content.headers["content-type"] == "application/pdf"
    assert content.content.startswith(b"%PDF")
    assert client.http.get(row["downloadLink"]).status_code == 401
