"""What is known of BILL's v2 plane and webhooks, beyond lists: forms, small entities, retries."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import BillClient


def code_of(envelope: dict[str, Any]) -> str:
    return str(envelope["response_data"].get("error_code", ""))


def first_id(client: BillClient, path: str) -> str:
    return str(client.get(path, max=1).json()["results"][0]["id"])


def test_contacts_are_made_changed_and_put_away(client: BillClient) -> None:
    customer = first_id(client, "customers")
    given = {"entity": "CustomerContact", "customerId": customer, "firstName": "Ada", "phone": "1"}
    made = client.v2("Crud/Create/CustomerContact", {"obj": given})["response_data"]
    assert made["id"].startswith("cpu")
    assert {**made, **given} == made
    shown = client.get(f"customers/{customer}/contacts/{made['id']}").json()
    assert shown["firstName"] == "Ada"
    change = {"obj": {"entity": "CustomerContact", "id": made["id"], "firstName": "Grace"}}
    assert client.v2("Crud/Update/CustomerContact", change)["response_data"]["firstName"] == "Grace"
    which = {"id": made["id"]}
    assert client.v2("Crud/Delete/CustomerContact", which)["response_data"]["isActive"] == "2"
    assert client.v2("Crud/Undelete/CustomerContact", which)["response_data"]["isActive"] == "1"
    read = client.v2("Crud/Read/CustomerContact", which)["response_data"]
    listed = client.v2("List/CustomerContact", {"filters": [
        {"field": "customerId", "op": "=", "value": customer}]})["response_data"]  # fmt: skip
    assert read in listed
    since = {"field": "updatedTime", "op": ">=", "value": read["updatedTime"]}
    newest = client.v2("List/CustomerContact", {"filters": [since]})["response_data"]
    assert newest == [read]
    assert code_of(client.v2("Crud/Read/CustomerContact", {"id": "cpu01A"})) == "BDC_1205"
    nobody = {"obj": {"customerId": "0cu01A", "firstName": "x"}}
    assert code_of(client.v2("Crud/Create/CustomerContact", nobody)) == "BDC_1143"


def test_a_vendors_bank_account_is_for_people_and_deleted_for_good(
    client: BillClient, person: BillClient
) -> None:
    vendor = first_id(client, "vendors")
    given = {"vendorId": vendor, "accountNumber": "12345678", "routingNumber": "074000010"}
    create = {"obj": {"entity": "VendorBankAccount", **given}}
    assert code_of(client.v2("Crud/Create/VendorBankAccount", create)) == "BDC_1171"
    assert code_of(client.v2("List/VendorBankAccount", {})) == "BDC_1171"
    made = person.v2("Crud/Create/VendorBankAccount", create)["response_data"]
    assert made["id"].startswith("vba")
    assert made["accountNumber"] == "*****5678"
    assert person.get(f"vendors/{vendor}/bank-account").json()["routingNumber"] == "074000010"
    assert made in person.v2("List/VendorBankAccount", {"start": 0, "max": 999})["response_data"]
    update = {"obj": {"id": made["id"], "accountNumber": "1"}}
    assert code_of(person.v2("Crud/Update/VendorBankAccount", update)) == "BDC_1121"
    person.v2("Crud/Delete/VendorBankAccount", {"id": made["id"]})
    assert code_of(person.v2("Crud/Read/VendorBankAccount", {"id": made["id"]})) == "BDC_1205"
    assert person.get(f"vendors/{vendor}/bank-account").status_code == 404


@pytest.mark.parametrize("suffix", ["List/Bill.json", "List/Bill", "/List/Bill.json/"])
@pytest.mark.parametrize("asc", [True, "true", "True"])
def test_forms_as_clients_write_them(suffix: str, asc: Any, client: BillClient) -> None:
    data = {
        "start": 0,
        "max": 999,
        "filters": [{"field": "updatedTime", "op": ">", "value": "2020-01-01T00:00:00.000+0000"}],
        "sort": [{"field": "updatedTime", "asc": asc}],
        "nested": True,
        "showAudit": True,
    }
    form = {"devKey": client.server.dev_key, "sessionId": client.session_id}
    answer = client.http.post(
        f"{client.server.v2_url}/{suffix}", data={**form, "data": json.dumps(data)}
    )
    rows = answer.json()["response_data"]
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    times = [row["updatedTime"] for row in rows]
    assert len(rows) > 20
    assert times == sorted(times)
    assert times[0].endswith("+0000")


class _Stubborn(HTTPServer):
    """Refuses the first ``refusals`` notifications."""

    refusals = 0
    bodies: list[bytes]
    done: threading.Event


class _Handler(BaseHTTPRequestHandler):
    server: _Stubborn

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        is_taken = len(self.server.bodies) > self.server.refusals
        self.send_response(200 if is_taken else 503)
        self.end_headers()
        if is_taken:
            self.server.done.set()

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def stubborn() -> Iterator[_Stubborn]:
    server = _Stubborn(("127.0.0.1", 0), _Handler)
    server.bodies, server.done = [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def events(client: BillClient, method: str, path: str, **more: Any) -> httpx.Response:
    url = f"{client.server.events_url}/v3/{path}"
    return client.http.request(
        method, url, headers=client.headers | more.pop("headers", {}), **more
    )


def subscribed(client: BillClient, server: HTTPServer, kind: str, key: str) -> str:
    body = {
        "name": "ours",
        "status": {"enabled": True},
        "events": [{"type": kind, "version": "1"}],
        "notificationUrl": f"http://127.0.0.1:{server.server_port}/hook",
    }
    made = events(client, "POST", "subscriptions", json=body, headers={"X-Idempotent-Key": key})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def test_what_a_receiver_refuses_is_sent_again(client: BillClient, stubborn: _Stubborn) -> None:
    stubborn.refusals = 2
    subscription = subscribed(client, stubborn, "vendor.updated", "retry")
    assert events(client, "POST", f"subscriptions/{subscription}/test").status_code == 200
    assert stubborn.done.wait(10)
    assert len(stubborn.bodies) == 3
    assert len(set(stubborn.bodies)) == 1, "the same event with the same id"
    shown = events(client, "GET", f"subscriptions/{subscription}").json()
    assert shown["status"] == {"enabled": True}
    events(client, "DELETE", f"subscriptions/{subscription}")


def test_subscriptions_page_forward_and_answer_as_bill_does(
    client: BillClient, stubborn: _Stubborn
) -> None:
    kinds = ("bill.created", "bill.updated", "spend.transaction.updated")
    made = [subscribed(client, stubborn, kind, kind) for kind in kinds]
    first = events(client, "GET", "subscriptions", params={"max": 2}).json()
    second = events(client, "GET", "subscriptions", params={"page": first["nextPage"]}).json()
    assert [row["id"] for row in (*first["results"], *second["results"])] == made
    assert "prevPage" not in second
    for subscription in made:
        for path in ("security_key", "security-key"):
            key = events(client, "POST", f"subscriptions/{subscription}/{path}").json()
            assert key["securityKey"]
        put_off = events(
            client, "PATCH", f"subscriptions/{subscription}", json={"status": {"enabled": False}}
        )
        assert put_off.json()["status"] == {"enabled": False}
        events(client, "DELETE", f"subscriptions/{subscription}/")
    unknown = events(client, "GET", "nothing")
    assert (unknown.status_code, unknown.json()[0]["code"]) == (404, "BDC_1121")
    gone = events(client, "GET", f"subscriptions/{made[0]}")
    assert (gone.status_code, gone.json()[0]["code"]) == (404, "BDC_1205")
