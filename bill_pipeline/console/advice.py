"""What to do about a client, in the words of the pages: a refused connection, failing, set aside.

The registry keeps the words that the command line shows. Where they name a command, the pages have
a button, and say that instead.
"""

from __future__ import annotations

from bill_pipeline.bill.errors import (
    ApiNotEnabled,
    BillError,
    DeveloperKeyRefused,
    LoginRefused,
    UnknownOrganization,
)
from bill_pipeline.registry.clients import ClientStatus, State

_UNTIL_THEN = "Until then nothing is read from BILL; the books stay readable."
#: Refusals that a person must end, told from each other by the remedy that the registry keeps.
_REFUSALS: dict[type[BillError], str] = {
    LoginRefused: (
        "The token was deleted in BILL, its password changed, or its user lost access. Make a new "
        "token in BILL under Settings › Sync & Integrations › Tokens, then press Reconnect."
    ),
    UnknownOrganization: (
        "Copy the Organization ID from the page in BILL on which the token was made, then connect "
        "the client with it."
    ),
    DeveloperKeyRefused: (
        "The firm's developer key is wrong, or of the other environment (production or sandbox). "
        "Correct BILL_PIPELINE_DEV_KEY where the console is started, then press Reconnect."
    ),
    ApiNotEnabled: (
        "Ask BILL's support to switch API access on for this organization, then press Reconnect."
    ),
}


def client_error(status: ClientStatus) -> str:
    """What happened, as one sentence or more."""
    text = (status.error or "").strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def what_to_do(status: ClientStatus) -> str:
    """What a person can do about it; empty when the first sentence says it already."""
    if status.state is not State.RECONNECT:
        return status.remedy or ""
    for kind, words in _REFUSALS.items():
        if status.remedy == kind.remedy:
            return f"{words} {_UNTIL_THEN}"
    return f"Make a new token in BILL, then press Reconnect. {_UNTIL_THEN}"
