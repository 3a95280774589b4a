"""Browsers for the console's tests, signed in as each role. Every client is invented."""

from __future__ import annotations

import re
import warnings
from concurrent.futures import Executor, Future
from typing import Any

from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.console.app import console_app
from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home

with warnings.catch_warnings():
    # Starlette would rather have its testclient on httpx2, which nothing else here needs.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

PASSWORDS = {role: f"correct horse {role.value} staple" for role in Role}


class IdleExecutor(Executor):
    """Notes what it was asked to do and does nothing."""

    def __init__(self) -> None:
        self.submitted: list[tuple[Any, ...]] = []

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        self.submitted.append(arguments)
        return Future()


class DirectExecutor(Executor):
    """Does at once, in this process, what it was asked to do."""

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments, **named))
        except Exception as error:  # noqa: BLE001 - the future carries it
            future.set_exception(error)
        return future


class Browser:
    """A browser with its cookies; ``post`` carries the token that a page's form would."""

    def __init__(self, console: Console) -> None:
        self.seen: list[str] = []
        self.http = TestClient(
            console_app(console), base_url="http://localhost", follow_redirects=False
        )

    def get(self, path: str, **named: Any) -> Any:
        answer = self.http.get(path, **named)
        self.seen.append(answer.text)
        return answer

    def post(self, path: str, form: dict[str, Any] | None = None, *, token_of: str = "") -> Any:
        page = self.http.get(token_of or "/account").text
        answer = self.http.post(path, data={"csrf_token": csrf_token(page), **(form or {})})
        self.seen += [answer.text, str(answer.headers)]
        return answer

    def sign_in(self, name: str, password: str) -> Any:
        form = {"name": name, "password": password}
        return self.post("/sign-in", form, token_of="/sign-in")


def csrf_token(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    return found.group(1) if found else ""


def connect_invented_client(home: Home, client: str, number: int = 1) -> None:
    connection = Connection(
        organization_id=f"008{number:017d}",
        token_name="invented",
        token_password=SecretStr(f"invented-password-{number}"),
        dev_key=SecretStr("invented-key"),
        base_url="http://127.0.0.1:9/connect",
        v2_url="http://127.0.0.1:9/api/v2",
    )
    Registry(home).connect(client, connection, environment="http://127.0.0.1:9/connect")


def signed_in(console: Console, role: Role) -> Browser:
    browser = Browser(console)
    assert browser.sign_in(role.value + "-person", PASSWORDS[role]).status_code == 303
    return browser


def add_users(console: Console) -> None:
    """One user per role, and a bookkeeper who may see maple-bakery only."""
    for role in Role:
        password = SecretStr(PASSWORDS[role])
        console.users.create(
            role.value + "-person", password, role, clients="all", created_by="test"
        )
    console.users.create(
        "maple-person",
        SecretStr(PASSWORDS[Role.BOOKKEEPER]),
        Role.BOOKKEEPER,
        clients=frozenset({"maple-bakery"}),
        created_by="test",
    )
