"""A BILL of a few scripted answers, and a clock that never sleeps, for unit tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
from pydantic import SecretStr

from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.connection import Connection

ORGANIZATION = "00802ABCDEFGHIJ1a2b3"
PASSWORD = "token-value-7f3e"
DEV_KEY = "01DEVKEYSECRET"

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class FakeClock:
    """Time that passes only by sleeping; ``slept`` lists the pauses."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self.now = start
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds

    def stop(self) -> None:
        """Nobody sleeps here."""


class FakeBill(httpx.MockTransport):
    """Answers logins by itself and everything else from ``answers``, in order."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(self._answer)
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.logins = 0
        self.login_answers: list[Answer] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.endswith(("/v3/login", "/Login.json", "/ListOrgs.json")):
            self.logins += 1
            if self.login_answers:
                return self._give(self.login_answers.pop(0), request)
            body = {"sessionId": f"session-{self.logins}", "organizationId": ORGANIZATION}
            return httpx.Response(200, json=body)
        return self._give(self.answers.pop(0), request)

    @staticmethod
    def _give(answer: Answer, request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)


def connection() -> Connection:
    return Connection(
        organization_id=ORGANIZATION,
        token_name="sync token",
        token_password=SecretStr(PASSWORD),
        dev_key=SecretStr(DEV_KEY),
        base_url="http://127.0.0.1:1/connect",
        v2_url="http://127.0.0.1:1/api/v2",
    )


def fake_api(bill: FakeBill, clock: FakeClock | None = None, **more: Any) -> BillApi:
    clock = clock or FakeClock()
    return BillApi(connection(), client="acme", transport=bill, clock=clock, **more)


def error(status: int, code: str, message: str = "said BILL") -> httpx.Response:
    """A v3 error as BILL writes it."""
    return httpx.Response(status, json=[{"code": code, "severity": "ERROR", "message": message}])


def page(*documents: dict[str, Any], token: str | None = None) -> httpx.Response:
    body: dict[str, Any] = {"results": list(documents)}
    if token is not None:
        body["nextPage"] = token
    return httpx.Response(200, json=body)
