"""A running sandbox and a client that talks to it as BILL's clients do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import Company
from bill_pipeline.sandbox.trust import MFA_CODE


class BillClient:
    """A session on v3, good for v2 too, with the ways of BILL's clients and no retries."""

    def __init__(self, server: SandboxServer, company: Company, kind: str = "token") -> None:
        self.server, self.company = server, company
        self.remember_id = ""
        self.http = httpx.Client(trust_env=False, timeout=30)
        name, password = (
            (company.token_name, company.token_password)
            if kind == "token"
            else (company.user_name, company.user_password)
        )
        self.login = self.http.post(
            f"{server.base_url}/v3/login",
            json={
                "username": name,
                "password": password,
                "organizationId": company.organization_id,
                "devKey": server.dev_key,
            },
        )
        self.session_id = self.login.json()["sessionId"]
        self.headers = {"devKey": server.dev_key, "sessionId": self.session_id}

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        url = f"{self.server.base_url}/v3/{path}"
        return self.http.get(url, params=parameters, headers=self.headers)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        url = f"{self.server.base_url}/v3/{path}"
        return self.http.post(url, json=body or {}, headers=self.headers)

    def send(self, method: str, path: str, body: Any = None, **parameters: Any) -> httpx.Response:
        """Any other request; ``bytes`` are sent as they are."""
        url, content = f"{self.server.base_url}/v3/{path}", isinstance(body, bytes)
        given: dict[str, Any] = {"content": body} if content else {"json": body}
        return self.http.request(method, url, params=parameters, headers=self.headers, **given)

    def all(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every row of a list, following nextPage to the end."""
        rows: list[dict[str, Any]] = []
        page = self.get(path, **parameters).json()
        for _ in range(10_000):
            rows += page["results"]
            if not page.get("nextPage"):
                return rows
            page = self.get(path, **parameters, page=page["nextPage"]).json()
        raise AssertionError("a list without end")

    def v2(self, operation: str, data: dict[str, Any] | None = None, **form: str) -> dict[str, Any]:
        """A v2 call; the whole envelope."""
        fields = {"devKey": self.server.dev_key, "sessionId": self.session_id, **form}
        if data is not None:
            fields["data"] = json.dumps(data)
        answer = self.http.post(f"{self.server.v2_url}/{operation}.json", data=fields)
        assert answer.status_code == 200
        envelope: dict[str, Any] = answer.json()
        return envelope


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    with SandboxServer(companies=2, documents=500, seed=7) as running:
        yield running


@pytest.fixture
def person(server: SandboxServer) -> BillClient:
    """A person's session of the same company, made trusted by MFA."""
    one = BillClient(server, server.companies[1], kind="user")
    challenge = one.post("mfa/challenge", {"useBackup": False}).json()["challengeId"]
    answer = {"challengeId": challenge, "token": MFA_CODE, "device": "test", "rememberMe": True}
    one.remember_id = one.post("mfa/challenge/validate", answer).json()["rememberMeId"]
    return one


@pytest.fixture
def client(server: SandboxServer) -> Iterator[BillClient]:
    """A token session of the second company (the one with customers), on a quiet sandbox."""
    before = server.control.switches()
    server.control.faults([])
    server.control.reset_statistics()
    yield BillClient(server, server.companies[1])
    server.control.switches(**before)
    server.control.faults([])
