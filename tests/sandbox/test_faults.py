"""Every kind of fault looks to a client as it should, and only where it was asked for."""

from __future__ import annotations

import httpx
import pytest

from bill_pipeline.sandbox.clock import timestamp, timestamp_ms
from bill_pipeline.sandbox.faults import KINDS, ODD_VALUES
from tests.sandbox.conftest import BillClient


def with_fault(client: BillClient, kind: str, **values: object) -> None:
    client.server.control.faults([{"kind": kind, "match": "/bills$", "times": 1, **values}])


@pytest.mark.parametrize(
    ("kind", "error"), [("reset", httpx.ReadError), ("truncated", httpx.RemoteProtocolError)]
)
def test_connections_break(kind: str, error: type[Exception], client: BillClient) -> None:
    with_fault(client, kind)
    with pytest.raises(error):
        client.get("bills", max=100)
    assert client.get("bills").status_code == 200


@pytest.mark.parametrize(
    ("kind", "values", "status", "text"),
    [
        ("html", {}, 500, "<html>"),
        ("html", {"status": 502}, 502, "<html>"),
        ("gateway_json", {}, 503, '{"message"'),
        ("error", {"code": "BDC_1322", "status": 403}, 403, "BDC_1322"),
        ("error", {"code": "BDC_1144", "status": 422}, 422, "BDC_1144"),
        ("error", {"code": "BDC_1001", "status": 500}, 500, "BDC_1001"),
        ("session_loss", {}, 401, "BDC_1109"),
        ("forbidden", {}, 403, "permission"),
    ],
)
def test_errors_have_their_status_and_body(
    kind: str, values: dict[str, object], status: int, text: str, client: BillClient
) -> None:
    with_fault(client, kind, **values)
    answer = client.get("bills")
    assert answer.status_code == status
    assert text in answer.text


def test_bodies_can_be_no_json_or_drip(client: BillClient) -> None:
    with_fault(client, "invalid_json")
    with pytest.raises(ValueError, match="Expecting"):
        client.get("bills").json()
    with_fault(client, "drip", seconds=0.05)
    assert len(client.get("bills").json()["results"]) == 20
    with_fault(client, "latency", seconds=0.02)
    assert client.get("bills").elapsed.total_seconds() >= 0.02


def test_a_field_drifts_or_is_missing_in_one_row(client: BillClient) -> None:
    with_fault(client, "type_drift", field="amount")
    drifted = [b for b in client.get("bills").json()["results"] if isinstance(b["amount"], dict)]
    assert len(drifted) == 1
    with_fault(client, "missing_field", field="vendorId")
    missing = [b for b in client.get("bills").json()["results"] if "vendorId" not in b]
    assert len(missing) == 1


def test_pages_repeat_a_row_or_lose_their_successor(client: BillClient) -> None:
    first = client.get("bills", max=10).json()
    client.server.control.faults([{"kind": "duplicate_rows", "match": "/bills$"}])
    second = client.get("bills", page=first["nextPage"]).json()
    assert second["results"][0] == first["results"][-1]
    with_fault(client, "missing_next_page")
    assert "nextPage" not in client.get("bills", max=10).json()


def test_rows_move_between_pages_of_a_sorted_list(client: BillClient) -> None:
    query = {"max": 50, "sort": "updatedTime:asc"}
    first = client.get("bills", **query).json()
    client.server.control.faults([{"kind": "moved_rows", "match": "/bills$", "times": 1}])
    second = client.get("bills", **query, page=first["nextPage"]).json()
    truth = {b["id"] for b in client.server.control.books(client.company.client)["bills"]}
    rest = client.all("bills", max=100, page=second["nextPage"]) if "nextPage" in second else []
    seen = {row["id"] for row in first["results"] + second["results"] + rest}
    # Five rows moved to the end; the five after the first page slipped under the offset.
    assert len(truth - seen) == 5


def test_filters_can_be_refused_and_the_clock_can_jump(client: BillClient) -> None:
    with_fault(client, "filter_refused")
    assert client.get("bills", filters="archived:eq:true").status_code == 400
    before = client.server.control.call("GET", "clock")["now"]
    with_fault(client, "clock_skew", seconds=-3600)
    client.get("bills")
    assert client.server.control.call("GET", "clock")["now"] < before


def test_rules_skip_count_and_choose_by_rate_reproducibly(client: BillClient) -> None:
    rule = {"kind": "html", "match": "/bills$", "skip": 1, "times": 2}
    client.server.control.faults([rule])
    assert [client.get("bills").status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    assert client.server.control.active_faults()[0]["hits"] == 2
    outcomes = []
    for _ in range(2):
        client.server.control.faults([{"kind": "html", "rate": 0.5}], seed=11)
        outcomes.append([client.get("bills").status_code for _ in range(20)])
    assert outcomes[0] == outcomes[1]
    assert {200, 500} == set(outcomes[0])


def test_logins_fail_only_by_rules_that_name_them(client: BillClient) -> None:
    company = client.company
    body = {
        "username": company.token_name,
        "password": company.token_password,
        "organizationId": company.organization_id,
        "devKey": client.server.dev_key,
    }
    url = f"{client.server.base_url}/v3/login"
    client.server.control.faults([{"kind": "html"}])
    assert client.http.post(url, json=body).status_code == 200
    client.server.control.faults([{"kind": "html", "match": "/login$", "status": 503}])
    assert client.http.post(url, json=body).status_code == 503
    assert client.get("bills").status_code == 200


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("half_surrogate", r"\ud83d end"),
        ("nul", r"\u0000 end"),
        ("control_characters", "\\u0001\\u001b\\u0085 end"),
    ],
)
@pytest.mark.parametrize("field", ["description", "billLineItems.0.description"])
def test_a_text_holds_what_no_text_should(
    kind: str, written: str, field: str, client: BillClient
) -> None:
    plain = client.get("bills", max=100)
    with_fault(client, kind, field=field)
    spoiled = client.get("bills", max=100)
    assert spoiled.text.count(written) == 1
    assert written not in plain.text
    changed = [
        (one, other)
        for one, other in zip(plain.json()["results"], spoiled.json()["results"], strict=True)
        if one != other
    ]
    [(one, other)] = changed
    holder, name = (
        (other, field) if "." not in field else (other["billLineItems"][0], "description")
    )
    assert ord(holder[name][-5]) in {0xD83D, 0x00, 0x85}
    holder[name] = (one if holder is other else one["billLineItems"][0]).get(name)
    assert {k: v for k, v in other.items() if v is not None} == one


@pytest.mark.parametrize("value", ODD_VALUES["odd_number"])
def test_a_number_is_written_as_no_number_should_be(value: str, client: BillClient) -> None:
    row = client.get("bills", max=100).json()["results"][3]
    with_fault(client, "odd_number", value=value, row=row["id"])
    text = client.get("bills", max=100).text

    def written(number: float) -> str:
        return {"text": f'"{number:.2f}"', "decimals": f"{number:.2f}5"}.get(value, value)

    assert f'"amount":{written(row["amount"])},' in text
    with_fault(client, "odd_number", value=value, field="billLineItems.0.amount", row=row["id"])
    line = row["billLineItems"][0]
    expected = f'"id":"{line["id"]}","amount":{written(line["amount"])},'
    assert expected in client.get("bills", max=100).text


@pytest.mark.parametrize("value", ODD_VALUES["odd_date"])
def test_a_date_is_none(value: str, client: BillClient) -> None:
    for field in ("dueDate", "invoice.invoiceDate"):
        with_fault(client, "odd_date", value=value, field=field)
        bills = client.get("bills", max=100).json()["results"]
        found = [b["dueDate"] if field == "dueDate" else b["invoice"]["invoiceDate"] for b in bills]
        assert found.count(value) == 1


def test_odd_values_come_by_the_seed_where_a_rule_names_none(client: BillClient) -> None:
    drawn = []
    for _ in range(2):
        rule = {"kind": "odd_date", "match": "/bills$"}
        client.server.control.faults([rule], seed=5)
        drawn.append([client.get("bills", max=100).text for _ in range(30)])
    assert drawn[0] == drawn[1]
    for value in ODD_VALUES["odd_date"]:
        assert any(f'"dueDate":"{value}"' in text for text in drawn[0])


def test_a_vendor_that_bills_name_is_not_in_the_list_of_vendors(client: BillClient) -> None:
    vendor_id = client.get("bills").json()["results"][0]["vendorId"]
    before = {row["id"] for row in client.all("vendors", max=100)}
    rule = {"kind": "missing_row", "match": "/vendors", "row": vendor_id}
    client.server.control.faults([rule])
    assert {row["id"] for row in client.all("vendors", max=100)} == before - {vendor_id}
    assert client.get("vendors", filters=f"id:in:{vendor_id}").json()["results"] == []
    gone = client.get(f"vendors/{vendor_id}")
    assert (gone.status_code, "BDC_1205" in gone.text) == (404, True)
    assert client.get(f"vendors/{min(before - {vendor_id})}").status_code == 200
    with_fault(client, "missing_row", match="/vendors$")
    assert len(client.get("vendors", max=100).json()["results"]) == len(before) - 1


@pytest.mark.parametrize("seconds", [7_200, 10 * 365 * 86_400, -86_400])
def test_a_document_is_stamped_in_the_future_or_the_past_on_both_planes(
    seconds: int, client: BillClient
) -> None:
    bill = client.get("bills", max=100).json()["results"][7]
    moved = timestamp(timestamp_ms(bill["updatedTime"]) + seconds * 1_000)
    rule = {"kind": "shifted_time", "seconds": seconds, "row": bill["id"]}
    client.server.control.faults([rule])
    after = client.get("bills", max=100).json()["results"][7]
    assert after == bill | {"updatedTime": moved}
    rows = client.v2("List/Bill", {"start": 0, "max": 999})["response_data"]
    [row] = [row for row in rows if row["id"] == bill["id"]]
    assert row["updatedTime"] == moved[:-3] + moved[-2:]


def test_a_list_goes_backwards(client: BillClient) -> None:
    query = {"max": 20, "sort": "updatedTime:asc"}
    plain = client.get("bills", **query).json()
    with_fault(client, "backward_rows")
    assert client.get("bills", **query).json() == plain | {"results": plain["results"][::-1]}


def test_a_row_is_missing_only_where_its_list_is_filtered(client: BillClient) -> None:
    bill = client.get("bills", max=100).json()["results"][7]
    rule = {"kind": "missing_news", "match": "bills|List/Bill", "row": bill["id"]}
    client.server.control.faults([rule])
    since = 'updatedTime:gte:"2000-01-01T00:00:00.000Z"'
    assert bill in client.get("bills", max=100).json()["results"]
    assert bill not in client.get("bills", max=100, filters=since).json()["results"]
    assert client.get(f"bills/{bill['id']}").status_code == 200
    everything = [{"field": "updatedTime", "op": ">", "value": "2000-01-01T00:00:00.000+0000"}]
    for filters, is_shown in (([], True), (everything, False)):
        rows = client.v2("List/Bill", {"start": 0, "max": 999, "filters": filters})["response_data"]
        assert (bill["id"] in {row["id"] for row in rows}) == is_shown


def test_a_list_lags_behind(client: BillClient) -> None:
    [changed] = client.server.control.change(client.company.client)
    client.server.control.faults([{"kind": "lagging_list", "match": "/bills$", "seconds": 60}])
    assert changed not in {row["id"] for row in client.all("bills", max=100)}
    client.server.control.step("2 minutes")
    assert changed in {row["id"] for row in client.all("bills", max=100)}


def test_rows_of_v2_are_spoiled_as_those_of_v3(client: BillClient) -> None:
    rule = {"kind": "odd_date", "match": r"List/Bill\.json$", "field": "glPostingDate", "times": 1}
    client.server.control.faults([{**rule, "value": "2024-02-30"}])
    rows = client.v2("List/Bill", {"start": 0, "max": 999})["response_data"]
    assert [row["glPostingDate"] for row in rows].count("2024-02-30") == 1


def test_another_organization_is_spared(client: BillClient) -> None:
    other = BillClient(client.server, client.server.companies[0])
    organization_id = other.company.organization_id
    client.server.control.faults([{"kind": "html", "organization": organization_id}])
    assert client.get("bills").status_code == 200
    assert other.get("bills").status_code == 500


def test_unknown_faults_are_refused_with_the_known_ones(client: BillClient) -> None:
    with pytest.raises(ValueError, match=next(iter(KINDS))):
        client.server.control.faults([{"kind": "earthquake"}])
    with pytest.raises(ValueError, match="takes"):
        client.server.control.faults([{"kind": "html", "colour": "red"}])
