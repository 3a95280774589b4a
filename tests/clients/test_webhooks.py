"""BILL's notifications wake the right client, once, and nobody else's wake anyone."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from bill_pipeline.bill.connection import Connection
from bill_pipeline.console.app import console_app
from bill_pipeline.console.console import Console
from bill_pipeline.console.webhook_endpoint import SECONDS_BETWEEN_WORDS, Refusals
from bill_pipeline.dagster.freshness import was_told_of_news
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.registry.webhooks import SIGNATURE_HEADER, WebhookRefused, Webhooks, signature_of
from bill_pipeline.settings import Home

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
KEY = SecretStr("c2VjcmV0")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    registry = Registry(home)
    for client in ("acme", "umbra"):
        connection = Connection(
            organization_id=f"org-{client}", token_name="t", token_password=SecretStr("p"),
            dev_key=SecretStr("k"), base_url="http://127.0.0.1:1", v2_url="http://127.0.0.1:1",
        )  # fmt: skip
        registry.connect(client, connection, environment="sandbox")
        registry.update(client, state=State.UP_TO_DATE, last_attempt_at=NOW - timedelta(minutes=5),
                        last_success_at=NOW - timedelta(minutes=5))  # fmt: skip
    Webhooks(registry).add("acme", "subscription-1", KEY, NOW)
    return home


def notification(**metadata: Any) -> bytes:
    facts = {"eventId": "event-1", "subscriptionId": "subscription-1",
             "organizationId": "org-acme", "eventType": "bill.created", **metadata}  # fmt: skip
    return json.dumps(json.dumps({"metadata": facts, "bill": {}})).encode()


def test_a_signed_notification_wakes_its_client_once(home: Home) -> None:
    registry = Registry(home)
    body = notification()
    assert Webhooks(registry).receive(body, signature_of(body, KEY), NOW) == "acme"
    assert registry.status("acme").next_sync_at == NOW
    assert registry.status("acme").looked_at == {"bills": ""}
    assert was_told_of_news(registry.status("acme"), NOW)
    assert not was_told_of_news(registry.status("umbra"), NOW)
    registry.update("acme", next_sync_at=None)
    assert Webhooks(registry).receive(body, signature_of(body, KEY), NOW) is None
    assert registry.status("acme").next_sync_at is None


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (notification(), "nothing"),
        (notification(), signature_of(notification(), SecretStr("another"))),
        (notification(organizationId="org-umbra"), None),
        (notification(subscriptionId="unknown"), None),
        (b"[1, 2]", None),
        (b"not json", None),
    ],
)
def test_what_bill_did_not_sign_wakes_nobody(
    home: Home, body: bytes, signature: str | None
) -> None:
    registry = Registry(home)
    with pytest.raises(WebhookRefused):
        Webhooks(registry).receive(body, signature or signature_of(body, KEY), NOW)
    assert all(status.next_sync_at is None for status in registry.all())


def test_a_failing_client_keeps_waiting(home: Home) -> None:
    registry = Registry(home)
    later = NOW + timedelta(hours=1)
    registry.update("acme", state=State.FAILING, failure_count=3, next_sync_at=later)
    body = notification()
    Webhooks(registry).receive(body, signature_of(body, KEY), NOW)
    assert registry.status("acme").next_sync_at == later


def test_the_key_lies_sealed_in_the_registry(home: Home) -> None:
    assert KEY.get_secret_value().encode() not in home.registry.read_bytes()
    Webhooks(Registry(home)).reseal()
    body = notification()
    assert Webhooks(Registry(home)).receive(body, signature_of(body, KEY), NOW) == "acme"


def test_the_console_takes_notifications_without_a_sign_in(home: Home) -> None:
    body = notification()
    with TestClient(console_app(Console.at(home)), base_url="http://127.0.0.1:8400") as browser:
        good = browser.post("/webhooks/bill", content=body,
                            headers={SIGNATURE_HEADER: signature_of(body, KEY)})  # fmt: skip
        forged = browser.post("/webhooks/bill", content=body, headers={SIGNATURE_HEADER: "x"})
        large = browser.post("/webhooks/bill", content=b"x" * 1_000_001)
    assert [good.status_code, forged.status_code, large.status_code] == [200, 401, 413]
    assert "acme" not in forged.text
    assert Registry(home).status("acme").next_sync_at is not None


def test_refused_notifications_are_said_once_a_minute(
    home: Home, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    refusals = Refusals()
    for _ in range(300):
        refusals.say(WebhookRefused("No client has it."))
    clock[0] += SECONDS_BETWEEN_WORDS
    refusals.say(WebhookRefused("No client has it."))
    assert [record.getMessage() for record in caplog.records] == [
        "No client has it.",
        "No client has it. 299 more were refused since the last such line.",
    ]


def test_the_address_says_refusals_so(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    http = TestClient(console_app(Console.at(home)), base_url="http://localhost")
    for number in range(5):
        body = json.dumps({"metadata": {"subscriptionId": f"unknown-{number}"}})
        assert http.post("/webhooks/bill", content=body).status_code == 401
    assert len([r for r in caplog.records if "No client has" in r.getMessage()]) == 1
