"""Tell somebody: which failures are worth an alert, and the message that is sent.

The message names clients, errors and remedies; it holds no secret and no amount.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import httpx

from bill_pipeline.clients import ClientStatus, State
from bill_pipeline.settings import Settings

#: One failure is weather; three in a row are a climate.
FAILURES_BEFORE_ALERT = 3
SEND_SECONDS = 15.0

_log = logging.getLogger(__name__)


def worth_an_alert(status: ClientStatus) -> bool:
    """True when a person should know now: a refused token, or repeated failure."""
    if status.state is State.RECONNECT:
        return True
    return status.state is State.FAILING and status.failure_count >= FAILURES_BEFORE_ALERT


def message(troubled: Sequence[ClientStatus], recovered: Sequence[str]) -> dict[str, object]:
    """The webhook's body; ``text`` is what Slack, Mattermost and Teams show."""
    lines = [f"{s.client}: {s.error or s.state.value} {s.remedy or ''}".strip() for s in troubled]
    lines += [f"{client}: is synced again." for client in recovered]
    return {
        "text": "bill-pipeline\n" + "\n".join(lines),
        "clients": [
            {
                "client": status.client,
                "state": status.state.value,
                "failures_in_a_row": status.failure_count,
                "error": status.error,
                "remedy": status.remedy,
            }
            for status in troubled
        ],
        "recovered": list(recovered),
    }


def send_alert(troubled: Sequence[ClientStatus], recovered: Sequence[str]) -> bool:
    """POST the message to the firm's webhook; without one it only goes to the log.

    Returns False when no webhook is set. Raises httpx.HTTPError when the webhook does not take
    it, so that the sensor's tick fails and the next one tells it again.
    """
    body = message(troubled, recovered)
    _log.warning("%s", body["text"])
    webhook = Settings().alert_webhook
    if not webhook:
        return False
    httpx.post(webhook, json=body, timeout=SEND_SECONDS).raise_for_status()
    return True
