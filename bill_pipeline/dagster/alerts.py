"""Tell somebody: which failures are worth an alert, and the message that is sent.

The message names clients, errors and remedies; it holds no secret and no amount.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import httpx
from pydantic import SecretStr

from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.clients import ClientStatus, State
from bill_pipeline.settings import Settings, SettingsError

#: One failure is weather; three in a row are a climate.
FAILURES_BEFORE_ALERT = 3
SEND_SECONDS = 15.0
_log = logging.getLogger(__name__)


class AlertNotSent(PipelineError):
    """Nobody could be told; the message holds no address and no password."""


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

    Returns False when nobody is told. Raises AlertNotSent or SettingsError when the message cannot
    be handed over, so that the sensor's tick fails and the next one tells it again.
    """
    body = message(troubled, recovered)
    _log.warning("%s", body["text"])
    settings = Settings.now()
    if settings.alert_webhook:
        _post(settings.alert_webhook, body)
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


def _post(address: SecretStr, body: dict[str, object]) -> None:
    # Whoever knows the address of such a webhook may write there: no error names it.
    try:
        host = urlsplit(address.get_secret_value()).hostname
        answer = httpx.post(address.get_secret_value(), json=body, timeout=SEND_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise AlertNotSent(_NOT_POSTED.format(f"failed ({type(error).__name__})")) from None
    if not answer.is_success:
        raise AlertNotSent(_NOT_POSTED.format(f"was answered by {host} with {answer.status_code}"))


_NOT_POSTED = (
    "The alert's POST to BILL_PIPELINE_ALERT_WEBHOOK {}. Set it to the address that your chat or "
    "pager shows for incoming webhooks; the alert is sent again at the next tick."
)


def _send_mail(to: str, server: SecretStr, subject: str, text: str) -> None:
    import smtplib
    import ssl
    from email.message import EmailMessage

    mail = EmailMessage()
    mail["Subject"], mail["To"] = subject, to
    mail["From"] = to.partition(",")[0].strip()
    mail.set_content(text)
    # A password never travels in clear, nor to a server that cannot prove its name.
    proof = ssl.create_default_context()
    try:
        address = urlsplit(server.get_secret_value())
        where = address.hostname or "", address.port or 0
        with (
            smtplib.SMTP_SSL(*where, timeout=SEND_SECONDS, context=proof)
            if address.scheme == "smtps"
            else smtplib.SMTP(*where, timeout=SEND_SECONDS)
        ) as smtp:
            if address.username:
                if address.scheme != "smtps":
                    smtp.starttls(context=proof)
                smtp.login(unquote(address.username), unquote(address.password or ""))
            smtp.send_message(mail)
    except ssl.SSLCertVerificationError as error:
        raise AlertNotSent(
            f"The mail server {address.hostname} could not prove its name "
            f"({error.verify_message}), and no password was sent. Name it in "
            "BILL_PIPELINE_ALERT_SMTP_URL as its certificate does; for your firm's own "
            "certificate authority set SSL_CERT_FILE to its certificate."
        ) from None
    except (OSError, ValueError) as error:
        # A server may say the login back to us, and a misread address is the password.
        status = getattr(error, "smtp_code", "")
        raise AlertNotSent(
            "The alert could not be mailed by the server of BILL_PIPELINE_ALERT_SMTP_URL: "
            f"{' '.join(map(str, (type(error).__name__, status))).strip()}. It is "
            "smtp://user:password@host:587 (the server must offer STARTTLS) or "
            "smtps://user:password@host:465."
        ) from None
