"""The firm's developer key goes where it belongs, whatever address somebody types."""

from __future__ import annotations

import httpx
import pytest
from pydantic import SecretStr

from bill_pipeline.bill import errors
from bill_pipeline.bill.connection import Connection
from bill_pipeline.console.connecting import NotConnected, Request, connect_client
from bill_pipeline.ingest import client_import as imports
from bill_pipeline.ingest.client_import import Access
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from tests.bill.fake_bill import DEV_KEY, FakeBill, fake_api

FIRMS_KEY = "the firm's own key"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """The connections that would have been tried, and their keys."""
    tried: list[Connection] = []

    def check_access(_home: Home, client: str, connection: Connection) -> Access:
        tried.append(connection)
        return Access(client)

    monkeypatch.setattr(imports, "check_access", check_access)
    monkeypatch.setenv("BILL_PIPELINE_DEV_KEY", FIRMS_KEY)
    return tried


def connect(home: Home, environment: str, key: str = "") -> None:
    connect_client(Registry(home), Request("acme", "008org", "token", SecretStr("p"), environment,
                                 SecretStr(key)))  # fmt: skip


@pytest.mark.parametrize(
    "address",
    [
        "https://bill.example.com", "http://127.0.0.1:9", "https://gateway.prod.bill.com.example",
        "https://gateway.prod.bill.com@example.com", "https://example.com/gateway.prod.bill.com",
        "http://gateway.prod.bill.com",
    ],
)  # fmt: skip
def test_an_address_somebody_typed_never_gets_the_firms_key(
    home: Home, sent: list[Connection], address: str
) -> None:
    with pytest.raises(NotConnected, match=r"developer key|unencrypted"):
        connect(home, address)
    assert sent == []


def test_it_gets_the_key_that_was_typed_with_it(home: Home, sent: list[Connection]) -> None:
    connect(home, "https://bill.example.com", "a key of that place")
    assert sent[0].dev_key.get_secret_value() == "a key of that place"


@pytest.mark.parametrize("environment", ["production", "sandbox", "https://gateway.prod.bill.com"])
def test_bills_own_addresses_get_it(home: Home, sent: list[Connection], environment: str) -> None:
    connect(home, environment)
    assert sent[0].dev_key.get_secret_value() == FIRMS_KEY


def test_a_host_that_an_operator_named_gets_it(
    home: Home, sent: list[Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILL_PIPELINE_BILL_HOSTS", "proxy.example.com, 127.0.0.1")
    connect(home, "https://proxy.example.com/connect")
    connect(home, "http://127.0.0.1:9")
    assert {connection.dev_key.get_secret_value() for connection in sent} == {FIRMS_KEY}


def test_a_redirect_takes_no_key_along() -> None:
    elsewhere = httpx.Response(307, headers={"location": "https://example.com/v3/bills"})
    bill = FakeBill(*[elsewhere] * 10)
    with fake_api(bill) as api, pytest.raises(errors.BillError):
        api.get("/v3/bills", subject="bills")
    assert {request.url.host for request in bill.requests} == {"127.0.0.1"}
    assert DEV_KEY in str(bill.requests[-1].headers)
