"""The v3 plane answers reads as BILL documents them."""

from __future__ import annotations

import re

import pytest

from bill_pipeline.sandbox.lists import LISTS
from bill_pipeline.sandbox.server import SandboxServer
from tests.sandbox.conftest import BillClient


def path_of(name: str, client: BillClient) -> str:
    return LISTS[name].path.format(organization_id=client.company.organization_id)


@pytest.mark.parametrize("name", sorted(LISTS))
def test_every_list_is_served_whole_whatever_the_page_size(name: str, client: BillClient) -> None:
    client.server.control.switches(hourly_limit=100_000)
    truth = client.server.control.books(client.company.client)[name]
    served = client.all(path_of(name, client), max=37)
    assert [row["id"] for row in served] == [row["id"] for row in truth]
    if name != "vendors":
        assert served == truth
    for row in served:
        assert len(row["id"]) == 20
        assert row["id"].startswith(LISTS[name].prefix)
        assert None not in row.values()
        assert "" not in row.values()


@pytest.mark.parametrize("name", ["bills", "payments", "vendors", "invoices", "chart-of-accounts"])
def test_single_reads_equal_list_rows(name: str, client: BillClient) -> None:
    row = client.get(path_of(name, client), max=1).json()["results"][0]
    assert client.get(f"{path_of(name, client)}/{row['id']}").json() == row


def test_ids_are_case_sensitive_and_unknown_ones_are_404(client: BillClient) -> None:
    bill_id = client.get("bills", max=1).json()["results"][0]["id"]
    for wrong in (bill_id.lower(), bill_id[:-1], "00n01ABCDEFGHIJabcde"):
        answer = client.get(f"bills/{wrong}")
        assert (answer.status_code, answer.json()[0]["code"]) == (404, "BDC_1205")


def test_ids_of_another_organization_are_404(client: BillClient) -> None:
    other = BillClient(client.server, client.server.companies[0])
    bill_id = other.get("bills", max=1).json()["results"][0]["id"]
    assert client.get(f"bills/{bill_id}").status_code == 404


@pytest.mark.parametrize("maximum", ["0", "101", "-1", "many"])
def test_max_outside_1_to_100_is_an_array_of_errors(maximum: str, client: BillClient) -> None:
    answer = client.get("bills", max=maximum)
    assert answer.status_code == 400
    [error] = answer.json()
    assert error["code"] == "BDC_1143"
    assert error["severity"] == "ERROR"
    assert set(error) == {"timestamp", "code", "severity", "category", "message", "params"}


def test_default_page_has_20_rows_and_unknown_parameters_are_ignored(client: BillClient) -> None:
    assert len(client.get("bills", per_page=100).json()["results"]) == 20


def test_last_page_has_no_next_page_and_first_no_previous(client: BillClient) -> None:
    first = client.get("vendors", max=40).json()
    last = client.get("vendors", max=40, page=first["nextPage"]).json()
    assert "prevPage" not in first
    assert "nextPage" not in last
    assert client.get("vendors", page=last["prevPage"]).json() == first
    client.server.control.switches(last_next_page="empty")
    assert client.get("vendors", max=40, page=first["nextPage"]).json()["nextPage"] == ""


def test_a_page_token_carries_the_query(client: BillClient) -> None:
    query = {"max": 5, "sort": "updatedTime:desc", "filters": "archived:eq:false"}
    token = client.get("bills", **query).json()["nextPage"]
    assert client.get("bills", page=token).json() == client.get("bills", **query, page=token).json()


def test_a_page_number_is_read_leniently_or_refused(client: BillClient) -> None:
    second = client.get("bills", max=10, page=2).json()["results"]
    assert second == client.get("bills", max=20).json()["results"][10:]
    client.server.control.switches(invalid_page="error")
    assert client.get("bills", max=10, page=2).status_code == 400


def test_updated_time_filters_and_sorts_to_the_millisecond(client: BillClient) -> None:
    rows = client.all("bills", max=100, sort="updatedTime:asc")
    times = [row["updatedTime"] for row in rows]
    assert times == sorted(times)
    middle = times[len(times) // 2]
    for value in (f'"{middle}"', middle, middle.replace("+00:00", "Z")):
        found = client.all("bills", max=100, filters=f"updatedTime:gte:{value}")
        assert sorted(row["updatedTime"] for row in found) == [t for t in times if t >= middle]
    found = client.all("bills", max=100, filters=f"updatedTime:lt:{middle}")
    assert len(found) == sum(t < middle for t in times)


@pytest.mark.parametrize(
    ("filters", "condition"),
    [
        ("paymentStatus:eq:PAID", lambda bill: bill["paymentStatus"] == "PAID"),
        ('paymentStatus:in:"PAID,UNPAID"', lambda b: b["paymentStatus"] in {"PAID", "UNPAID"}),
        ('paymentStatus:in:"PAID","UNPAID"', lambda b: b["paymentStatus"] in {"PAID", "UNPAID"}),
        ("paymentStatus:ne:PAID", lambda bill: bill["paymentStatus"] != "PAID"),
        ("dueDate:gte:2025-06-01,dueDate:lt:2025-07-01", lambda b: b["dueDate"][:7] == "2025-06"),
        ("archived:eq:true", lambda bill: bill["archived"]),
        ('archived:ne:"true"', lambda bill: not bill["archived"]),
    ],
)
def test_filters_choose_exactly_the_rows_they_say(
    filters: str, condition: object, client: BillClient
) -> None:
    assert callable(condition)
    everything = client.all("bills", max=100)
    assert client.all("bills", max=100, filters=filters) == [b for b in everything if condition(b)]


def test_repeated_filters_are_all_applied(client: BillClient) -> None:
    url = (
        f"{client.server.base_url}/v3/bills?filters=archived:eq:false&filters=paymentStatus:eq:PAID"
    )
    rows = client.http.get(url, headers=client.headers).json()["results"]
    assert rows
    assert all(row["paymentStatus"] == "PAID" and not row["archived"] for row in rows)


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("bills", "colour:eq:red"),
        ("bills", "paymentStatus:sw:P"),
        ("bills", "nonsense"),
        ("bills", "updatedTime:gte:yesterday"),
        ("bills", "archived:eq:maybe"),
        ("recurringbills", 'updatedTime:gte:"2026-01-01T00:00:00.000Z"'),
        ("payments", "archived:eq:true"),
    ],
)
def test_filters_bill_does_not_know_are_400(path: str, filters: str, client: BillClient) -> None:
    answer = client.get(path, filters=filters)
    assert (answer.status_code, answer.json()[0]["code"]) == (400, "BDC_1143")


def test_unsortable_fields_are_400(client: BillClient) -> None:
    assert client.get("bills", sort="amount:asc").status_code == 400
    assert client.get("bills", sort="archived").status_code == 200


def test_archived_rows_can_be_hidden_by_default(client: BillClient) -> None:
    [bill_id] = client.server.control.archive(client.company.client, count=1)
    assert bill_id in {row["id"] for row in client.all("bills", max=100)}
    client.server.control.switches(archived_in_lists=False)
    assert bill_id not in {row["id"] for row in client.all("bills", max=100)}
    archived = client.all("bills", max=100, filters="archived:eq:true")
    assert bill_id in {row["id"] for row in archived}


@pytest.mark.parametrize("path", ["organizations", "session", "journal-entries", "bills/a/b/c"])
def test_paths_bill_does_not_have_are_404(path: str, client: BillClient) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()[0]["code"]) == (404, "BDC_1121")


def test_mixed_envelopes_are_as_bill_sends_them(client: BillClient, person: BillClient) -> None:
    assert isinstance(client.get("funding-accounts/ap-cards").json(), list)
    assert isinstance(client.get("bill-approvals/policies").json(), list)
    assert set(client.get("funding-accounts/cards").json()) == {"rates", "cards"}
    assert "bills" in person.get("bill-approvals/pending-user-approvals").json()
    vendor_id = client.get("vendors", max=1).json()["results"][0]["id"]
    assert isinstance(client.get(f"reports/audit-trail/vendor/{vendor_id}").json(), list)


def test_everything_a_person_reads_says_it_is_invented(server: SandboxServer) -> None:
    for company in server.companies:
        assert "(invented)" in company.name
        assert "(invented)" in company.token_name
        assert re.search(r"example\.com$", company.user_name)
