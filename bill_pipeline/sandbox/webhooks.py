"""Webhook subscriptions, events and their signed delivery. The HTTP routes are ``events.py``.

Every notification can be sent several times (``copies``), as BILL's may be. What a receiver does
not take is sent again, later each time; a subscription whose receiver keeps failing is disabled.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from bill_pipeline.sandbox.clock import DAY_MS, Clock, timestamp
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.organization import Organization

logger = logging.getLogger(__name__)

EVENT_TYPES = (
    "vendor.created", "vendor.updated", "vendor.archived", "vendor.restored", "autopay.failed",
    "bill.created", "bill.updated", "bill.archived", "bill.restored", "payment.updated",
    "payment.failed", "bank-account.created", "bank-account.updated", "card-account.created",
    "card-account.updated", "invoice.created", "invoice.updated", "invoice.archived",
    "invoice.restored", "risk-verification.updated",
)  # fmt: skip
MAX_SUBSCRIPTIONS = 10
HISTORY_MS = 180 * DAY_MS
_ATTEMPTS = 5
#: Before the second attempt; twice as long before each further one. BILL's are minutes.
_BACKOFF_SECONDS = 0.1
_TIMEOUT_SECONDS = 5


@dataclass
class Subscription:
    """One subscription; ``security_key`` signs its deliveries."""

    subscription_id: str
    organization_id: str
    name: str
    url: str
    events: list[dict[str, str]]
    security_key: str
    is_enabled: bool = True
    created_ms: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def wants(self, event_type: str) -> bool:
        return self.is_enabled and any(event["type"] == event_type for event in self.events)

    def document(self, *, with_key: bool = False) -> dict[str, Any]:
        """As BILL shows it; the key only when the subscription is made."""
        shown: dict[str, Any] = {
            "id": self.subscription_id,
            "name": self.name,
            "status": {"enabled": self.is_enabled},
            "events": self.events,
            "notificationUrl": self.url,
            "createdTime": timestamp(self.created_ms),
        }
        return {**shown, "securityKey": self.security_key} if with_key else shown


@dataclass(eq=False)
class _Delivery:
    """One notification on its way; ``due`` is on the machine's clock, not the sandbox's."""

    subscription: Subscription
    event: dict[str, Any]
    attempts: int = 0
    due: float = 0.0


def signature(body: bytes, security_key: str) -> str:
    """The header ``x-bill-sha-signature``."""
    digest = hmac.new(security_key.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


class Webhooks:
    """All subscriptions of the sandbox and what waits to be delivered."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._count = 0
        self.subscriptions: dict[str, Subscription] = {}
        self._waiting: deque[_Delivery] = deque()
        #: Send every notification this many times.
        self.copies = 1

    def new_id(self) -> str:
        self._count += 1
        digest = hashlib.blake2b(f"{self._seed}/webhook/{self._count}".encode(), digest_size=16)
        return str(uuid.UUID(bytes=digest.digest(), version=4))

    def of(self, organization_id: str) -> list[Subscription]:
        return [s for s in self.subscriptions.values() if s.organization_id == organization_id]

    def subscribe(
        self, organization_id: str, name: str, url: str, events: list[dict[str, str]]
    ) -> Subscription:
        key = base64.b64encode(self.new_id().encode()).decode()
        subscription = Subscription(
            self.new_id(), organization_id, name, url, events, key, created_ms=self._clock.now_ms()
        )
        self.subscriptions[subscription.subscription_id] = subscription
        return subscription

    def record(self, organization: Organization, event_type: str, document: Document) -> None:
        """Something happened: keep it for everyone who subscribed to it."""
        for subscription in self.of(organization.id):
            if subscription.wants(event_type):
                self.send(subscription, event_type, document)

    def send(self, subscription: Subscription, event_type: str, document: Document) -> None:
        """Put one event in a subscription's history and in the queue."""
        kind = event_type.partition(".")[0]
        event = {
            "metadata": {
                "eventId": self.new_id(),
                "subscriptionId": subscription.subscription_id,
                "organizationId": subscription.organization_id,
                "eventType": event_type,
                "version": "1",
            },
            kind: payload(kind, document),
        }
        now_ms = self._clock.now_ms()
        subscription.history.append({"time_ms": now_ms, "entityId": document["id"], "event": event})
        self._waiting.extend(_Delivery(subscription, event) for _ in range(self.copies))

    def send_again(self, subscription: Subscription, event: dict[str, Any]) -> None:
        """Repeat a delivery: the same event with the same id."""
        self._waiting.append(_Delivery(subscription, event))

    async def deliver(self) -> int:
        """Send what is due; the number of notifications taken by their receivers."""
        now = time.monotonic()
        due = [one for one in self._waiting if one.due <= now]
        if not due:
            return 0
        taken = 0
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
            for delivery in due:
                self._waiting.remove(delivery)
                if not delivery.subscription.is_enabled:
                    continue
                if await _post(client, delivery):
                    taken += 1
                else:
                    self._try_later(delivery)
        return taken

    def _try_later(self, delivery: _Delivery) -> None:
        delivery.attempts += 1
        if delivery.attempts >= _ATTEMPTS:
            delivery.subscription.is_enabled = False
            return
        delivery.due = time.monotonic() + _BACKOFF_SECONDS * 2 ** (delivery.attempts - 1)
        self._waiting.append(delivery)


async def _post(client: httpx.AsyncClient, delivery: _Delivery) -> bool:
    """Whether the receiver took it."""
    # BILL delivers the payload as JSON text inside a JSON string.
    body = orjson.dumps(orjson.dumps(delivery.event).decode())
    subscription = delivery.subscription
    headers = {
        "Content-Type": "application/json",
        "x-bill-sha-signature": signature(body, subscription.security_key),
    }
    try:
        answer = await client.post(subscription.url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL):
        logger.info("webhook receiver %s did not answer", subscription.subscription_id)
        return False
    return answer.status_code < 300


def payload(kind: str, document: Document) -> Document:
    """What a notification carries: payments have a shape of their own, bills a date-time."""
    if kind == "payment":
        return {
            "id": document["id"],
            "billIds": [row["billId"] for row in document["billPayments"]],
            "transactionNumber": document.get("transactionNumber"),
            "status": document["singleStatus"],
            "createdBy": document.get("createdBy"),
            "createdTime": document["createdTime"],
            "updatedTime": document["updatedTime"],
            "processDate": document["processDate"],
            "funding": {"amount": document["fundingAmount"]},
            "disbursement": {"type": document.get("disbursementType")},
            "vendor": {"id": document["vendorId"], "name": document["vendorName"]},
            "billingType": "BDC",
        }
    if kind == "bill":
        invoice = document["invoice"]
        moment = f"{invoice['invoiceDate']}T00:00:00.000+00:00"
        return document | {"invoice": invoice | {"invoiceDate": moment}}
    return document
