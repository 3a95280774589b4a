"""Logins, permissions, lifetimes and limits are BILL's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sandbox.conftest import BillClient


def login(client: BillClient, **changes: str) -> tuple[int, str]:
    company = client.company
    body = {
        "username": company.token_name,
        "password": company.token_password,
        "organizationId": company.organization_id,
        "devKey": client.server.dev_key,
        **changes,
    }
    answer = client.http.post(f"{client.server.base_url}/v3/login", json=body)
    return answer.status_code, "" if answer.status_code == 200 else answer.json()[0]["code"]


def test_login_answers_with_bills_fields(client: BillClient) -> None:
    assert set(client.login.json()) == {"sessionId", "organizationId", "userId", "trusted"}
    session = client.get("login/session").json()
    assert session["organizationId"] == client.company.organization_id


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"password": "wrong"}, (401, "BDC_1101")),
        ({"organizationId": "00801AAAAAAAAAAaaaaa"}, (401, "BDC_1101")),
        ({"devKey": "wrong"}, (401, "BDC_1102")),
        ({"username": ""}, (400, "BDC_1143")),
    ],
)
def test_wrong_logins_are_refused(
    changes: dict[str, str], expected: tuple[int, str], client: BillClient
) -> None:
    assert login(client, **changes) == expected


def test_header_names_are_case_insensitive(client: BillClient) -> None:
    headers = {"DEVKEY": client.server.dev_key, "SessionID": client.session_id}
    url = f"{client.server.base_url}/v3/bills"
    assert client.http.get(url, headers=headers).status_code == 200


def test_sessions_end_by_logout_idle_time_and_revocation(client: BillClient) -> None:
    token, user = client, BillClient(client.server, client.company, kind="user")
    client.server.control.step("36 minutes")
    assert user.get("bills").json()[0]["code"] == "BDC_1109"
    assert user.get("bills").status_code == 401
    for _ in range(3):
        client.server.control.step("47 hours")
        assert token.get("bills").status_code == 200
    client.server.control.step("49 hours")
    assert token.get("bills").status_code == 401
    again = BillClient(client.server, client.company)
    client.server.control.revoke_token(client.company.client)
    assert again.get("bills").status_code == 401
    assert login(client) == (401, "BDC_1101")
    client.server.control.restore_token(client.company.client)
    last = BillClient(client.server, client.company)
    assert last.post("logout").status_code == 200
    assert last.get("bills").status_code == 401


def test_a_sync_token_may_not_read_organization_or_vendor_bank_accounts(client: BillClient) -> None:
    user = BillClient(client.server, client.company, kind="user")
    vendors = user.all("vendors", max=100)
    assert not any("bankAccount" in v.get("paymentInformation", {}) for v in vendors)
    payee = next(v for v in vendors if v["paymentInformation"]["payByType"] == "ACH")
    for path in (
        f"organizations/{client.company.organization_id}",
        f"vendors/{payee['id']}/bank-account",
    ):
        assert client.get(path).status_code == 403
        assert user.get(path).status_code == 200


def test_nobody_pays_through_the_sandbox(client: BillClient) -> None:
    user = BillClient(client.server, client.company, kind="user")
    assert client.post("payments").status_code == 403
    assert user.post("payments").json()[0]["code"] == "BDC_1361"


def test_lists_can_be_denied_to_tokens(client: BillClient) -> None:
    client.server.control.switches(token_denied_lists=["payments"])
    assert client.get("payments").status_code == 403
    assert client.get("bills").status_code == 200


@pytest.mark.parametrize("status", [403, 422, 429, 503])
def test_the_fourth_request_in_flight_is_rejected(status: int, client: BillClient) -> None:
    client.server.control.switches(service_ms=150, limit_status=status)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: client.get("bills"), range(6)))
    rejected = [a for a in answers if a.status_code != 200]
    assert rejected
    assert {(a.status_code, a.json()[0]["code"]) for a in rejected} == {(status, "BDC_1322")}
    statistics = client.server.control.statistics()
    assert statistics["max_in_flight"][client.company.organization_id] > 3
    assert statistics["rejected"]["BDC_1322"] == len(rejected)


def test_the_hourly_limit_ends_at_the_top_of_the_hour(client: BillClient) -> None:
    client.server.control.switches(hourly_limit=3)
    codes = [client.get("bills").status_code for _ in range(5)]
    assert codes == [200, 200, 429, 429, 429]  # the login was the first request of the hour
    assert client.get("bills").json()[0]["code"] == "BDC_1144"
    client.server.control.step("1 hour")
    assert client.get("bills").status_code == 200


def test_logins_have_an_hourly_limit_of_their_own(client: BillClient) -> None:
    client.server.control.step("1 hour")
    client.server.control.switches(login_limit=2)
    assert [login(client)[0] for _ in range(3)] == [200, 200, 429]


def test_unknown_switches_are_refused(client: BillClient) -> None:
    with pytest.raises(ValueError, match="No switch"):
        client.server.control.switches(colour="red")
    with pytest.raises(ValueError, match="takes a int"):
        client.server.control.switches(hourly_limit="many")
