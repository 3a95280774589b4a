"""Ask BILL: one session per client, three requests at a time, every retry with an end.

``BillApi`` knows requests and answers. Which lists there are is in ``lists``; how to page through
one is in ``list_reader``. A client's threads share one ``BillApi``.

What is retried, and for how long:

* cut connections, timeouts, 5xx, HTML, broken JSON: five tries, exponentially further apart;
* no connection at all, and BILL has not answered since this began: two tries, then none for any
  thread, because a wrong address or a network that is down does not mend in seconds;
* too many requests at a time: eight tries, jittered;
* the hour is spent: the next hour, if ``patience_seconds`` allows;
* the session ended: one login per request;
* a refused token, organisation or developer key: never.
"""

from __future__ import annotations

import contextlib
import random
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Any
from urllib.request import getproxies, proxy_bypass

import httpx
import orjson

from bill_pipeline.bill import errors
from bill_pipeline.bill.budget import HOUR, RequestBudget, SharedBudget
from bill_pipeline.bill.clock import Clock, SystemClock
from bill_pipeline.bill.connection import Connection
from bill_pipeline.bill.login import open_session
from bill_pipeline.bill.responses import Response, read_answer, read_v2_answer
from bill_pipeline.bill.sessions import MemorySessions, Session, SessionStore

TRIES_WHEN_UNAVAILABLE = 5
TRIES_WHEN_CROWDED = 8
# Before BILL ever answered: to say soon that it cannot be reached.
TRIES_WHEN_NEVER_REACHED = 2
# The stored one, one that another thread opened meanwhile, and one of our own.
SESSIONS_PER_REQUEST = 3
# Pauses double from the first to the longest, each stretched by 50 to 150 %.
FIRST_PAUSE_SECONDS = 1.0
FIRST_PAUSE_WHEN_CROWDED_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 16.0
# The whole answer, so that a server dripping bytes cannot hold a sync.
REQUEST_SECONDS = 90.0
LARGEST_ANSWER_BYTES = 200_000_000
# BILL's hour may start a little later than ours; so early in our hour we only wait a minute.
CLOCK_SKEW_SECONDS = 600.0
DEFAULT_PATIENCE_SECONDS = 2 * HOUR

Send = Callable[[Session], httpx.Request]
Read = Callable[[Response], Any]


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates count; read once, because a sweep opens BILL for a thousand clients."""
    return httpx.create_ssl_context()


def _why_unreachable(problem: httpx.HTTPError, host: str) -> tuple[str, str]:
    """(why, what to check); a proxy's address stays out of it, it may hold a password."""
    if "CERTIFICATE_VERIFY_FAILED" in str(problem):
        remedy = (
            "Where a proxy of the firm opens all connections, name the file of its certificate in "
            "SSL_CERT_FILE; anywhere else, find out who answers in BILL's place."
        )
        return "its certificate is not trusted", remedy
    if "https" in getproxies() and not proxy_bypass(host):
        return (
            f"{type(problem).__name__}, through a proxy",
            f"Check the proxy that HTTPS_PROXY names; NO_PROXY={host} goes without it.",
        )
    return type(problem).__name__, f"Check the network and that {host} is up."


class BillApi:
    """One organisation of BILL, for one client.

    ``client`` names the client in errors and in the session store. ``patience_seconds`` is how
    long a request may wait for BILL's next hour before ``HourlyLimit`` is raised.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        client: str,
        budget: RequestBudget | None = None,
        sessions: SessionStore | None = None,
        clock: Clock | None = None,
        transport: httpx.BaseTransport | None = None,
        patience_seconds: float = DEFAULT_PATIENCE_SECONDS,
    ) -> None:
        self.client = client
        self.connection = connection
        self.clock = clock or SystemClock()
        self._budget = budget or SharedBudget(clock=self.clock)
        self._sessions = sessions or MemorySessions()
        self._patience_seconds = patience_seconds
        self._login_lock = threading.Lock()
        self._refusal: errors.ConnectionRefused | None = None
        self._has_answered = False
        self._unreachable: errors.BillUnreachable | None = None
        self._count_lock = threading.Lock()
        self.requests = 0  # sent so far, logins included
        #: By how much our clock is ahead of BILL's; None before an answer that says BILL's time.
        self.clock_ahead: timedelta | None = None
        self._http = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(60.0, connect=15.0, pool=None),
            headers={"Accept": "application/json"},
            verify=_trusted(),
            # The environment's proxies have no business with a sandbox on this machine.
            trust_env=not connection.is_local,
        )

    def __enter__(self) -> BillApi:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. The session stays open at BILL, for the next run."""
        self._http.close()

    def now(self) -> datetime:
        """The earlier of our clock and the one in BILL's last answer, UTC.

        A document later than this is from the future, whichever of the clocks is wrong.
        """
        ahead = max(self.clock_ahead or timedelta(), timedelta())
        return datetime.fromtimestamp(self.clock.time(), UTC) - ahead

    def get(self, path: str, params: dict[str, str] | None = None, *, subject: str) -> Any:
        """The JSON that v3 answers to ``GET path``. Raises a ``BillError``."""
        url = f"{self.connection.base_url}{path}"

        def send(session: Session) -> httpx.Request:
            headers = {"sessionId": session.session_id, "devKey": self._dev_key}
            return self._http.build_request("GET", url, params=params, headers=headers)

        return self._ask(send, self._reader(read_answer, subject), subject)

    def call_v2(self, operation: str, data: dict[str, Any], *, subject: str) -> Any:
        """``response_data`` of a v2 call such as ``List/Bill``. Raises a ``BillError``."""
        url = f"{self.connection.v2_url}/{operation}.json"

        def send(session: Session) -> httpx.Request:
            form = {
                "devKey": self._dev_key,
                "sessionId": session.session_id,
                "data": orjson.dumps(data).decode(),
            }
            return self._http.build_request("POST", url, data=form)

        return self._ask(send, self._reader(read_v2_answer, subject), subject)

    def log_in(self) -> Session:
        """The stored session, or a new one. Raises ``ConnectionRefused`` and its kin."""
        return self._session()[0]

    def _session(self) -> tuple[Session, bool]:
        """The session to use, and whether this call opened it."""
        with self._login_lock:
            session = self._sessions.get(self.client)
            if session is not None and session.fingerprint == self.connection.fingerprint:
                return session, False
            if self._refusal is not None:
                raise self._refusal  # other threads were waiting to ask the same
            try:
                session = self._open_session()
            except errors.ConnectionRefused as refusal:
                self._refusal = refusal
                raise
            self._sessions.put(self.client, session)
            return session, True

    def _open_session(self) -> Session:
        def ask_v3(path: str, body: dict[str, str]) -> Any:
            url = f"{self.connection.base_url}{path}"
            request = self._http.build_request("POST", url, json=body)
            read = self._reader(read_answer, "login", is_login=True)
            return self._send_patiently(request, read, "login", is_login=True)

        def ask_v2(operation: str, form: dict[str, str]) -> Any:
            url = f"{self.connection.v2_url}/{operation}.json"
            request = self._http.build_request("POST", url, data=form)
            read = self._reader(read_v2_answer, "v2 login", is_login=True)
            return self._send_patiently(request, read, "v2 login", is_login=True)

        with self._saying_no_secret():
            return open_session(self.connection, self.client, ask_v3=ask_v3, ask_v2=ask_v2)

    def _ask(self, send: Send, read: Read, subject: str) -> Any:
        """Send within the session; when BILL ended it, log in once and send again."""
        last: errors.SessionLost | None = None
        for _ in range(SESSIONS_PER_REQUEST):
            session, is_new = self._session()
            try:
                return self._send_patiently(send(session), read, subject)
            except errors.SessionLost as loss:
                self._sessions.drop(self.client, session)
                is_second_loss, last = last is not None, loss
                if is_new and is_second_loss:
                    break  # the session we just opened: another login would meet the same
        raise last or AssertionError("at least one session is tried")

    def _send_patiently(
        self, request: httpx.Request, read: Read, subject: str, *, is_login: bool = False
    ) -> Any:
        unavailable = crowded = 0
        patience_ends = self.clock.time() + self._patience_seconds
        while True:
            if self._unreachable is not None:
                raise self._unreachable  # another thread has tried
            try:
                return read(self._send(request, subject, patience_ends, is_login=is_login))
            except (errors.BillUnavailable, errors.MalformedAnswer) as problem:
                unavailable += 1
                if isinstance(problem, errors.BillUnreachable) and self._gives_up(unavailable):
                    self._unreachable = problem
                    raise
                if unavailable >= TRIES_WHEN_UNAVAILABLE:
                    raise
                self._pause(FIRST_PAUSE_SECONDS, unavailable)
            except errors.ConcurrencyLimit:
                crowded += 1
                if crowded >= TRIES_WHEN_CROWDED:
                    raise
                self._pause(FIRST_PAUSE_WHEN_CROWDED_SECONDS, crowded)
            except errors.HourlyLimit:
                # BILL said so, or our own count ran past the patience: then it is final.
                if not self._may_wait_for_next_hour(patience_ends, is_login=is_login):
                    raise

    def _gives_up(self, unreachable: int) -> bool:
        """Whether BILL, which has never answered, was asked often enough."""
        return not self._has_answered and unreachable >= TRIES_WHEN_NEVER_REACHED

    def _may_wait_for_next_hour(self, patience_ends: float, *, is_login: bool) -> bool:
        now = self.clock.time()
        if now >= patience_ends:
            return False
        if now % HOUR < CLOCK_SKEW_SECONDS:
            self.clock.sleep(60.0)
            return True
        self._budget.spend_hour(self.connection.dev_key_hash, is_login=is_login)
        return now - now % HOUR + HOUR <= patience_ends

    def _pause(self, first_seconds: float, failures: int) -> None:
        pause = min(first_seconds * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
        self.clock.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads retries

    def _send(
        self, request: httpx.Request, subject: str, patience_ends: float, *, is_login: bool
    ) -> Response:
        """One request and its whole answer, counted and within the limits."""
        patience_seconds = patience_ends - self.clock.time()
        place = self._budget.place(
            self.connection.dev_key_hash,
            self.connection.organization_id,
            is_login=is_login,
            patience_seconds=patience_seconds,
        )
        try:
            with place:
                with self._count_lock:
                    self.requests += 1
                return self._receive(request, subject)
        except httpx.HTTPError as problem:
            is_connected = not isinstance(
                problem, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError
            )
            kind = errors.BillUnavailable if is_connected else errors.BillUnreachable
            why, to_check = _why_unreachable(problem, request.url.host)
            raise kind(
                f"BILL cannot be reached at {request.url.host} ({why})",
                client=self.client,
                subject=subject,
                remedy=f"{to_check} {errors.BillUnavailable.remedy}",
            ) from None
        except errors.HourlyLimit as limit:
            raise errors.HourlyLimit(limit.what, client=self.client, subject=subject) from None

    def _receive(self, request: httpx.Request, subject: str) -> Response:
        deadline = self.clock.time() + REQUEST_SECONDS
        answer = self._http.send(request, stream=True)
        self._has_answered = True
        self._read_clock(answer.headers.get("Date", ""))
        try:
            content = bytearray()
            for part in answer.iter_bytes():
                content += part
                if self.clock.time() > deadline or len(content) > LARGEST_ANSWER_BYTES:
                    raise errors.BillUnavailable(
                        f"BILL's answer did not end within {REQUEST_SECONDS:.0f} seconds or "
                        f"{LARGEST_ANSWER_BYTES // 1_000_000} MB",
                        client=self.client,
                        subject=subject,
                    )
            return Response(answer.status_code, bytes(content))
        finally:
            answer.close()

    def _read_clock(self, date: str) -> None:
        with contextlib.suppress(ValueError):
            bills = parsedate_to_datetime(date)
            bills = bills if bills.tzinfo else bills.replace(tzinfo=UTC)
            self.clock_ahead = timedelta(seconds=self.clock.time() - bills.timestamp())

    def _reader(self, read: Callable[..., Any], subject: str, *, is_login: bool = False) -> Read:
        def read_it(answer: Response) -> Any:
            with self._saying_no_secret():
                return read(answer, client=self.client, subject=subject, is_login=is_login)

        return read_it

    @contextlib.contextmanager
    def _saying_no_secret(self) -> Iterator[None]:
        """Errors go into pages and logs, and an answer may repeat what it was asked with."""
        try:
            yield
        except errors.BillError as error:
            session = self._sessions.get(self.client)
            error.without(
                [
                    self._dev_key,
                    self.connection.token_password.get_secret_value(),
                    self.connection.token_name,
                    session.session_id if session else "",
                ]
            )
            raise

    @property
    def _dev_key(self) -> str:
        return self.connection.dev_key.get_secret_value()
