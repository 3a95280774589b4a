"""Tell somebody: which failures are worth an alert, and the message that is sent.

The message names clients, errors and remedies; it holds no secret and no amount.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import httpx
from pydantic import SecretStr

from bill_pipeline.clients import ClientStatus, State
from bill_pipeline.settings import Settings, SettingsError

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
    """POST the message to the firm's webhook and mail it; with neither it only goes to the log.

    Returns False when nobody is told. Raises httpx.HTTPError, smtplib.SMTPException, OSError or
    SettingsError when the message cannot be handed over, so that the sensor's tick fails and the
    next one tells it again.
    """
    body = message(troubled, recovered)
    _log.warning("%s", body["text"])
    settings = Settings.now()
    if settings.alert_webhook:
        httpx.post(settings.alert_webhook, json=body, timeout=SEND_SECONDS).raise_for_status()
    if settings.alert_email:
        if settings.alert_smtp_url is None:
            raise SettingsError("BILL_PIPELINE_ALERT_EMAIL needs BILL_PIPELINE_ALERT_SMTP_URL: "
                                "the mail server, as smtp://user:password@host:587.")  # fmt: skip
        subject = _subject(len(troubled), len(recovered))
        _send_mail(settings.alert_email, settings.alert_smtp_url, subject, str(body["text"]))
    return bool(settings.alert_webhook or settings.alert_email)


def _subject(troubled: int, recovered: int) -> str:
    told = [f"{troubled:,} failing"] if troubled else []
    told += [f"{recovered:,} recovered"] if recovered else []
    return f"bill-pipeline: {', '.join(told)}"


def _send_mail(to: str, server: SecretStr, subject: str, text: str) -> None:
    import smtplib
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["Subject"], mail["To"] = subject, to
    mail["From"] = to.partition(",")[0].strip()
    mail.set_content(text)
    address = urlsplit(server.get_secret_value())
    kind = smtplib.SMTP_SSL if address.scheme == "smtps" else smtplib.SMTP
    with kind(address.hostname or "", address.port or 0, timeout=SEND_SECONDS) as smtp:
        if address.username:
            if address.scheme != "smtps":
                # A password never travels in clear: a server without STARTTLS is refused.
                smtp.starttls()
            smtp.login(unquote(address.username), unquote(address.password or ""))
        smtp.send_message(mail)
