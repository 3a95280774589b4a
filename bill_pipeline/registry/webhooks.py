"""BILL's webhooks: whether a notification is genuine, and which client it makes due at once.

A notification is never data: BILL may send it twice, late or not at all. A genuine one only makes
the client due earlier; what changed is then read from BILL like any change. The address that
receives them is the console's; when a client is due is ``dagster.freshness``'s decision.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Any

import orjson
from pydantic import SecretStr

from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.clients import Registry
from bill_pipeline.registry.vault import Vault

SIGNATURE_HEADER = "x-bill-sha-signature"
#: BILL's notifications carry one document; nothing genuine is larger.
LARGEST_BODY_BYTES = 1_000_000
#: The list in which an event shows, by the first part of its type.
_LISTS = {"bill": "bills", "payment": "payments", "vendor": "vendors", "invoice": "invoices"}
#: BILL keeps events for 180 days, but repeats a delivery within hours.
EVENTS_KEPT = timedelta(days=7)
#: Generous: BILL's ids are letters, digits and hyphens.
_ID = re.compile(r"[!-~]{1,200}")

_SCHEMA = """
create table if not exists webhooks (
    subscription_id text primary key,
    client text not null,
    security_key_sealed text not null,
    added_at text not null
);
create table if not exists webhook_events (
    event_id text primary key,
    received_at text not null
);
"""


class WebhookRefused(PipelineError):
    """The notification is not from BILL, or not for a client of this firm."""


class Webhooks:
    """The subscriptions of one home's clients, their keys sealed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        with registry.database() as db:
            db.executescript(_SCHEMA)

    def add(
        self, client: str, subscription_id: str, security_key: SecretStr, now: datetime
    ) -> None:
        """Accept what ``subscription_id`` signs as news of ``client``. Raises UnknownClient."""
        self._registry.status(client)
        sealed = Vault.of(self._registry.home).seal(security_key)
        with self._registry.database() as db:
            db.execute(
                "insert or replace into webhooks values (?, ?, ?, ?)",
                [subscription_id, client, sealed, now.isoformat()],
            )

    def receive(self, body: bytes, signature: str, now: datetime) -> str | None:
        """Make the client that ``body`` is about due, and return its name; None for a repetition.

        Raises WebhookRefused for a body that BILL did not sign.
        """
        metadata = _metadata(body)
        subscription_id = metadata.get("subscriptionId")
        if not isinstance(subscription_id, str) or not _ID.fullmatch(subscription_id):
            # Anybody may send this: what it says is not for the log.
            raise WebhookRefused("A notification names no subscription that could be BILL's.")
        client = self._signer(subscription_id, body, signature)
        with self._registry.database() as db:
            db.execute("delete from webhook_events where received_at < ?", [str(now - EVENTS_KEPT)])
            added = db.execute(
                "insert or ignore into webhook_events values (?, ?)",
                [f"{subscription_id}/{metadata.get('eventId')}", str(now)],
            )
            if added.rowcount == 0:
                return None
        self._poke(client, str(metadata.get("eventType")), now)
        return client

    def forget(self, client: str) -> None:
        """Accept nothing more as news of ``client``."""
        with self._registry.database() as db:
            db.execute("delete from webhooks where client = ?", [client])

    def reseal(self) -> None:
        """Seal every key with the vault's first key."""
        vault = Vault.of(self._registry.home)
        with self._registry.database() as db:
            for row in db.execute(
                "select subscription_id, security_key_sealed from webhooks"
            ).fetchall():
                db.execute(
                    "update webhooks set security_key_sealed = ? where subscription_id = ?",
                    [vault.reseal(row["security_key_sealed"]), row["subscription_id"]],
                )

    def _signer(self, subscription_id: str, body: bytes, signature: str) -> str:
        with self._registry.database() as db:
            db.executescript(_SCHEMA)  # where nobody was ever connected there is no file to hold it
            row = db.execute(
                "select webhooks.client, security_key_sealed, organization_id from webhooks "
                "join clients using (client) where subscription_id = ?",
                [subscription_id],
            ).fetchone()
        if row is None:
            raise WebhookRefused(
                f"No client has the webhook subscription {subscription_id}. Delete it in BILL, or "
                "run `bill-pipeline webhook CLIENT` with its security key."
            )
        key = Vault.of(self._registry.home).open(row["security_key_sealed"])
        if not hmac.compare_digest(signature_of(body, key).encode(), signature.encode()):
            raise WebhookRefused(
                f"A notification for {row['client']} is not signed with the key of subscription "
                f"{subscription_id}. If the key was made anew in BILL, run `bill-pipeline webhook "
                f"{row['client']}` again."
            )
        if _metadata(body).get("organizationId") != row["organization_id"]:
            raise WebhookRefused(
                f"Subscription {subscription_id} is {row['client']}'s, but the notification is "
                "about another organization."
            )
        return str(row["client"])

    def _poke(self, client: str, event_type: str, now: datetime) -> None:
        status = self._registry.status(client)
        # A failing client waits as long as its failures say; BILL's news do not mend it.
        if not status.is_syncable or status.failure_count:
            return
        looked = dict(status.looked_at)
        if table := _LISTS.get(event_type.partition(".")[0]):
            looked[table] = ""  # whatever was seen of this list is the past now
        self._registry.update(client, next_sync_at=now, looked_at=looked)


def signature_of(body: bytes, security_key: SecretStr) -> str:
    """BILL's signature: base64 of the HMAC-SHA256 of the body as it was sent."""
    key = security_key.get_secret_value().encode()
    return base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()


def _metadata(body: bytes) -> dict[str, Any]:
    try:
        event = orjson.loads(body)
        # BILL sends the payload as JSON text inside a JSON string.
        metadata = (orjson.loads(event) if isinstance(event, str) else event)["metadata"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        metadata = None
    if not isinstance(metadata, dict):
        raise WebhookRefused("The notification is not of BILL's form: it has no metadata.")
    return metadata
