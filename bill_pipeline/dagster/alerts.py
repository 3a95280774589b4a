"""Tell somebody: which failures are worth an alert, and the message that is sent.

The message names clients, errors and remedies; it holds no secret and no amount.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from pydantic import SecretStr

from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.clients import ClientStatus, State
from bill_pipeline.runtime.reach import NotReached, checked_addresses, connect_checked
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
        url = httpx.URL(address.get_secret_value())
        host = url.host
        answer = _posted(url, body)
    except NotReached as error:
        raise AlertNotSent(_NOT_REACHED.format("ALERT_WEBHOOK", error)) from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise AlertNotSent(_NOT_POSTED.format(f"failed ({type(error).__name__})")) from None
    if not answer.is_success:
        raise AlertNotSent(_NOT_POSTED.format(f"was answered by {host} with {answer.status_code}"))


def _posted(url: httpx.URL, body: dict[str, object]) -> httpx.Response:
    """The answer, which is no redirect that was followed. Raises NotReached and httpx's errors."""
    port = url.port or {"https": 443}.get(url.scheme, 80)
    if url.scheme in getproxies() and not proxy_bypass(url.host):
        # The firm's proxy looks the name up, and reaches what it lets reach.
        return httpx.post(url, json=body, timeout=SEND_SECONDS, follow_redirects=False)
    addresses = checked_addresses(url.host, port, _allowed())
    proof = httpx.create_ssl_context()  # by SSL_CERT_FILE where the firm names one
    with httpx.Client(timeout=SEND_SECONDS, trust_env=False, verify=proof) as http:
        for number, address in enumerate(addresses, start=1):
            try:
                return http.post(
                    url.copy_with(host=address),  # what was looked at, not what the name means next
                    json=body,
                    headers={"Host": url.netloc.decode("ascii")},
                    extensions={"sni_hostname": url.host},
                    follow_redirects=False,
                )
            except httpx.ConnectError:
                if number == len(addresses):
                    raise
    raise AssertionError("a name that has no address is an error of its own")


def _allowed() -> frozenset[str]:
    return frozenset(
        host.strip().lower() for host in Settings.now().alert_hosts.split(",") if host.strip()
    )


_NOT_REACHED = (
    "The address in BILL_PIPELINE_{} was not asked: {}. If that is meant, name its host in "
    "BILL_PIPELINE_ALERT_HOSTS; the alert is sent again at the next tick."
)
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

    # Connected to the address that was looked at; what proves itself there is the name.
    class Smtp(smtplib.SMTP):
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            return connect_checked(host, port, timeout, _allowed())

    class Smtps(smtplib.SMTP_SSL):
        def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
            plain = connect_checked(host, port, timeout, _allowed())
            return self.context.wrap_socket(plain, server_hostname=host)

    # A password never travels in clear, nor to a server that cannot prove its name.
    proof = ssl.create_default_context()
    try:
        address = urlsplit(server.get_secret_value())
        where = address.hostname or "", address.port or 0
        with (
            Smtps(*where, timeout=SEND_SECONDS, context=proof)
            if address.scheme == "smtps"
            else Smtp(*where, timeout=SEND_SECONDS)
        ) as smtp:
            if address.username:
                if address.scheme != "smtps":
                    smtp.starttls(context=proof)
                smtp.login(unquote(address.username), unquote(address.password or ""))
            smtp.send_message(mail)
    except NotReached as error:
        raise AlertNotSent(_NOT_REACHED.format("ALERT_SMTP_URL", error)) from None
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
