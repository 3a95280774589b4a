"""Connecting clients from the console to a BILL look-alike: what works and what is said if not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bill_pipeline.console import leaving, many_clients
from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.connecting import (
    NotConnected,
    Request,
    client_name_of,
    connect_client,
    read_csv,
)
from bill_pipeline.console.console import Console
from bill_pipeline.console.many_clients import Batch
from bill_pipeline.console.work import Work
from bill_pipeline.registry.client_files import client_lock
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home, SettingsError
from tests.console.console_browser import (
    Browser,
    DirectExecutor,
    add_users,
    connect_invented_client,
    signed_in,
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(companies=2, documents=30, seed=5) as server:
        yield server


def connect_form(sandbox: SandboxServer, number: int = 0, **changes: str) -> dict[str, str]:
    company = sandbox.companies[number]
    return {
        "client": "Copper Whisk, Bakery",
        "organization_id": company.organization_id,
        "token_name": company.token_name,
        "token_password": company.token_password,
        "developer_key": sandbox.dev_key,
        "environment": "other",
        "address": sandbox.base_url,
        **changes,
    }


def test_a_client_is_connected_and_its_import_started(
    console: Console, admin: Browser, sandbox: SandboxServer, executor: Any
) -> None:
    answer = admin.post("/connect", connect_form(sandbox))
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/clients/copper-whisk-bakery",
    )
    status = Registry(console.home).status("copper-whisk-bakery")
    assert status.state is State.CONNECTED
    assert [submitted[1] for submitted in executor.submitted] == ["copper-whisk-bakery"]
    page = admin.get("/clients/copper-whisk-bakery").text
    assert "Waiting to start" in page
    assert 'data-poll="/clients/copper-whisk-bakery/progress"' in page


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("token_password", "wrong", "does not accept this token name and password"),
        ("token_name", "wrong", "does not accept this token name and password"),
        ("developer_key", "wrong", "does not accept the developer key"),
        ("token_password", "", "This is needed"),
        ("address", "http://bill.example/connect", "travel unencrypted"),
        ("address", "http://127.0.0.1:9/connect", "cannot be reached now"),
    ],
)
def test_what_is_wrong_is_said_precisely_and_nothing_is_stored(
    console: Console,
    admin: Browser,
    sandbox: SandboxServer,
    field: str,
    value: str,
    said: str,
) -> None:
    answer = admin.post("/connect", connect_form(sandbox, **{field: value}))
    assert answer.status_code == 422
    assert said in answer.text
    assert Registry(console.home).all() == []
    assert sandbox.companies[0].token_password not in answer.text


class SaysItBack(BaseHTTPRequestHandler):
    """Refuses every login and says what it was told, where BILL has a code and a message."""

    def do_POST(self) -> None:
        told = self.rfile.read(int(self.headers["content-length"])).decode()
        refusal = {"code": told, "message": told + "x" * 3_000_000}
        body = json.dumps([refusal] if self.path.endswith("login") else
                          {"response_status": 1, "response_data": {
                              "error_code": told, "error_message": told}}).encode()  # fmt: skip
        self.send_response(403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def test_a_server_that_says_a_login_back_puts_it_nowhere(console: Console, admin: Browser) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), SaysItBack)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secrets = ("name/CANARY&1", 'pass"word CANARY é2', "key+CANARY=3")
    form = {
        "client": "acme", "organization_id": "008x", "token_name": secrets[0],
        "token_password": secrets[1], "developer_key": secrets[2], "environment": "other",
        "address": f"http://127.0.0.1:{server.server_port}",
    }  # fmt: skip
    answer = admin.post("/connect", form)
    server.shutdown()
    assert answer.status_code == 422
    assert len(answer.text) < 20_000
    with console.database.transaction() as db:
        (details,) = db.execute("select details from audit_log order by id desc limit 1").fetchone()
    assert "CANARY" not in details
    assert len(details) < 2_000
    page = answer.text.replace('value="name/CANARY&amp;1"', "")  # as it was typed
    assert "CANARY" not in page
    console.audit.record("a", "b", "c", text="x" * 3_000_000)
    assert len(admin.get("/audit").text) < 100_000


def test_a_token_of_another_organization_is_refused(
    console: Console, admin: Browser, sandbox: SandboxServer
) -> None:
    other = sandbox.companies[1].organization_id
    answer = admin.post("/connect", connect_form(sandbox, organization_id=other))
    assert answer.status_code == 422
    assert Registry(console.home).all() == []


def test_a_name_that_is_taken_leads_to_reconnect_instead(
    console: Console, admin: Browser, sandbox: SandboxServer
) -> None:
    admin.post("/connect", connect_form(sandbox))
    again = admin.post("/connect", connect_form(sandbox, 1))
    assert again.status_code == 422
    assert "open it to reconnect" in again.text
    status = Registry(console.home).status("copper-whisk-bakery")
    assert status.organization_id == sandbox.companies[0].organization_id


def test_lists_a_token_may_not_read_are_named(
    console: Console, admin: Browser, sandbox: SandboxServer
) -> None:
    sandbox.control.switches(token_denied_lists=["invoices"])
    try:
        admin.post("/connect", connect_form(sandbox))
    finally:
        sandbox.control.switches(token_denied_lists=[])
    assert "invoices" in Registry(console.home).status("copper-whisk-bakery").skipped_lists
    assert "Lists this token may not read" in admin.get("/clients/copper-whisk-bakery").text


def given(console: Console, admin: Browser, sandbox: SandboxServer, text: str) -> Batch:
    """A CSV of clients, when all its rows are done."""
    form = {"csv": text, "environment": sandbox.base_url, "developer_key": sandbox.dev_key}
    shown = admin.post("/connect/many", form).headers["location"]
    batch = console.many_clients.get(shown.rpartition("/")[2])
    assert batch is not None
    deadline = time.monotonic() + 60
    while not batch.is_done and time.monotonic() < deadline:
        admin.get(shown)
    return batch


def test_many_clients_from_a_csv_and_one_bad_row_stops_no_other(
    console: Console, admin: Browser, sandbox: SandboxServer
) -> None:
    one, two = sandbox.companies
    text = (
        "client,organization_id,token_name,token_password\n"
        f"One,{one.organization_id},{one.token_name},{one.token_password}\n"
        f"Bad,{two.organization_id},{two.token_name},wrong\n"
        f"Two,{two.organization_id},{two.token_name},{two.token_password}\n"
    )
    batch = given(console, admin, sandbox, text)
    messages = [r.message for r in batch.results]
    assert [(r.client, r.state) for r in batch.results] == [
        ("one", "connected"),
        ("bad", "refused"),
        ("two", "connected"),
    ], messages
    assert Registry(console.home).names() == ["one", "two"]
    assert one.token_password not in admin.get(f"/connect/many/{batch.number}").text


def test_what_nobody_foresaw_in_one_row_is_in_the_log_and_stops_no_other(
    console: Console,
    admin: Browser,
    sandbox: SandboxServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def odd(registry: Registry, request: Request) -> dict[str, str]:
        if request.client == "odd":
            raise LookupError("what nobody foresaw")
        return connect_client(registry, request)

    monkeypatch.setattr(many_clients, "connect_client", odd)
    company = sandbox.companies[0]
    text = (
        "client,organization_id,token_name,token_password\n"
        "Odd,1,a,b\n"
        f"Fine,{company.organization_id},{company.token_name},{company.token_password}\n"
    )
    batch = given(console, admin, sandbox, text)
    assert [r.state for r in batch.results] == ["refused", "connected"]
    assert "log says why" in batch.results[0].message
    assert "odd was not connected" in caplog.text
    assert "what nobody foresaw" in caplog.text


def test_a_csv_without_its_columns_is_refused_by_name() -> None:
    from pydantic import SecretStr

    with pytest.raises(NotConnected, match="token_password"):
        list(read_csv("client,organization_id,token_name\nA,1,2\n", "sandbox", SecretStr("")))


@pytest.mark.parametrize(
    ("title", "name"),
    [("Acme Bakery, Inc.", "acme-bakery-inc"), ("  Café № 5 ", "caf-5"), ("x" * 90, "x" * 63)],
)
def test_names_people_write_become_names_for_files(title: str, name: str) -> None:
    assert client_name_of(title) == name


@pytest.mark.slow
def test_pausing_and_disconnecting(
    console: Console, admin: Browser, sandbox: SandboxServer
) -> None:
    admin.post("/connect", connect_form(sandbox))
    here = "/clients/copper-whisk-bakery"
    admin.post(f"{here}/pause")
    assert Registry(console.home).status("copper-whisk-bakery").state is State.PAUSED
    assert admin.post(f"{here}/sync").status_code == 409
    admin.post(f"{here}/resume")
    assert admin.post(f"{here}/resume").status_code == 409
    with pytest.raises(SettingsError, match="is not paused: it is connected"):
        leaving.resume(console.registry, "copper-whisk-bakery")
    assert Registry(console.home).status("copper-whisk-bakery").state is State.CONNECTED
    assert admin.post(f"{here}/disconnect", {"keep": "purge"}).status_code == 422
    assert Registry(console.home).names() == ["copper-whisk-bakery"]
    answer = admin.post(
        f"{here}/disconnect", {"keep": "purge", "typed_name": "copper-whisk-bakery"}
    )
    assert answer.status_code == 303
    assert Registry(console.home).names() == []
    assert admin.get(here).status_code == 404


@pytest.mark.slow
def test_the_token_password_is_nowhere_to_be_found(
    home: Home, sandbox: SandboxServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """Connect, import, refuse, reconnect; then search every byte written or shown."""
    console = Console.at(home, work=Work(Registry(home), DirectExecutor))
    add_users(console)
    admin = signed_in(console, Role.ADMIN)
    company = sandbox.companies[0]
    canaries = [company.token_password, sandbox.dev_key, "a-wrong-password-canary"]
    form = connect_form(sandbox)
    admin.post("/connect", {**form, "token_password": canaries[2]})
    admin.post("/connect", form)
    here = "/clients/copper-whisk-bakery"
    assert Registry(home).status("copper-whisk-bakery").state is State.UP_TO_DATE
    sandbox.control.revoke_token(company.client)
    try:
        admin.post(f"{here}/sync")
        status = Registry(home).status("copper-whisk-bakery")
        assert status.state is State.RECONNECT
        assert "Needs reconnect" in admin.get(here).text
    finally:
        sandbox.control.restore_token(company.client)
    answer = admin.post(f"{here}/reconnect", form)
    assert answer.status_code == 303
    assert Registry(home).status("copper-whisk-bakery").state is State.UP_TO_DATE
    for page in ("", "/review", "/trial-balance", "/general-ledger", "/close"):
        assert admin.get(here + page).status_code == 200
    admin.get("/audit")
    shown = "\n".join(admin.seen) + "".join(capfd.readouterr())
    files = [path for path in home.path.rglob("*") if path.is_file()]
    assert len(files) > 20
    for canary in canaries:
        assert canary not in shown
        assert not [path for path in files if canary.encode() in path.read_bytes()]
    log = [str(entry) for _, entry in console.audit.latest()]
    assert any("reconnected" in entry for entry in log)
    assert not [entry for entry in log if company.token_name in entry]
    console.ledger.close()


def test_an_import_that_was_killed_is_not_shown_as_running(
    console: Console, admin: Browser
) -> None:
    connect_invented_client(console.home, "acme")
    Registry(console.home).update("acme", state=State.IMPORTING, progress={"bills": 300})
    with client_lock(console.home, "acme", "synced"):
        assert "Importing" in admin.get("/clients").text
        assert Registry(console.home).status("acme").state is State.IMPORTING
    page = admin.get("/clients").text
    assert "The import was interrupted." in page
    assert Registry(console.home).status("acme").state is State.CONNECTED


def test_documents_that_cannot_be_read_are_counted_beside_their_client(
    console: Console, admin: Browser
) -> None:
    connect_invented_client(console.home, "acme")
    Registry(console.home).update("acme", quarantined={"bills": 2, "vendor_credits": 1})
    page = " ".join(admin.get("/clients").text.split())
    assert "unreadable: 2 of bills, 1 of vendor credits" in page
