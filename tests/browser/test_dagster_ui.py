"""Dagster in the console as people meet it: real processes, a real browser, invented companies.

Whatever is looked at is looked at as a viewer.

With ``BILL_PIPELINE_PICTURES=docs/images`` the pages are kept as pictures.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.console.auth.sign_ins import SignIns
from bill_pipeline.console.auth.users import ALL_CLIENTS, Clients, Role, Users
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.dagster.services import Services
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from tests.browser.dagster_ui import browser_page, picture, show

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.rotating(days=8, part=1, together=True),
]
PICTURES = (
    Path(os.environ["BILL_PIPELINE_PICTURES"]) if "BILL_PIPELINE_PICTURES" in os.environ else None
)
#: Code server, sensor tick, queue, run process, first model: on a busy machine, minutes.
IMPORT_SECONDS = 420


@dataclass
class Firm:
    """A running UI over a home with one client that a sensor imported."""

    address: str
    home: Home
    client: str
    services: Services
    sessions: dict[Role, str]
    hers: str  # of a bookkeeper who may see this client alone

    @property
    def url(self) -> str:
        return f"{self.address}/dagster"

    def page(self, role: Role = Role.VIEWER, **size: int) -> AbstractContextManager[Page]:
        """A browser in which somebody of ``role`` signed in."""
        return browser_page(self.address, self.sessions[role], **size)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    home = Home.at(tmp_path_factory.mktemp("firm"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    services = Services(home, port=port)
    with SandboxServer(companies=2, documents=150, seed=5) as sandbox:
        company = sandbox.companies[1]
        connection = Connection(
            organization_id=company.organization_id,
            token_name=company.token_name,
            token_password=SecretStr(company.token_password),
            dev_key=SecretStr(sandbox.dev_key),
            base_url=sandbox.base_url,
            v2_url=sandbox.v2_url,
        )
        Registry(home).connect(company.client, connection, environment=sandbox.base_url)
        services.start()
        try:
            # Nobody clicks anything: the sensor finds the client and imports it.
            ends = time.monotonic() + IMPORT_SECONDS
            while Registry(home).status(company.client).state is not State.UP_TO_DATE:
                assert time.monotonic() < ends, Registry(home).status(company.client)
                services.revive()
                time.sleep(1)
            address = f"http://127.0.0.1:{port}"
            hers = session_of(home, "hers", Role.BOOKKEEPER, frozenset({company.client}))
            yield Firm(address, home, company.client, services, sessions_of(home), hers)
        finally:
            services.stop()


def sessions_of(home: Home) -> dict[Role, str]:
    """A session of a person of each role."""
    return {role: session_of(home, role, role, ALL_CLIENTS) for role in Role}


def session_of(home: Home, name: str, role: Role, clients: Clients) -> str:
    """A session of a new person who may see ``clients``."""
    database = ConsoleDatabase(home.path / "console.sqlite")
    users = Users(database)
    password = SecretStr(f"correct horse {name} staple")
    users.create(name, password, role, clients=clients, created_by="test")
    token = SignIns(database, users).sign_in(name, password, address="127.0.0.1")
    assert token
    return token.get_secret_value()


def test_the_graph_reads_from_bill_to_the_published_ledger(firm: Firm) -> None:
    with firm.page() as page:
        show(page, f"{firm.url}/asset-groups", "raw", "staging", "categorized", "ledger",
             "reports", "published")  # fmt: skip
        picture(page, PICTURES, "dagster-graph")


def test_a_client_partition_shows_its_rows_sums_and_a_sample(firm: Firm) -> None:
    with firm.page() as page:
        url = f"{firm.url}/assets/ledger/journal_lines?view=partitions&partition={firm.client}"
        show(page, url, "dagster/partition_row_count", "sum_debit", "sample")
        picture(page, PICTURES, "dagster-client-partition")


def test_an_asset_page_explains_every_column_and_links_to_its_sql(firm: Firm) -> None:
    with firm.page() as page:
        show(page, f"{firm.url}/assets/reports/payables_aging?view=overview",
             "What the client", "Open payables_aging.sql", "Not yet due.")  # fmt: skip
        picture(page, PICTURES, "dagster-columns")


def test_a_report_shows_its_chart(firm: Firm) -> None:
    with firm.page(height=1100) as page:
        show(page, f"{firm.url}/assets/reports/profit_and_loss?view=partitions"
             f"&partition={firm.client}", "by month")  # fmt: skip
        page.get_by_text("[Show Markdown]").first.click()
        page.locator("img[src^='data:image/png']").first.wait_for(state="visible")
        picture(page, PICTURES, "dagster-report-chart")


def test_every_check_of_the_journal_is_green_for_the_client(firm: Firm) -> None:
    with firm.page() as page:
        show(page, f"{firm.url}/assets/ledger/journal_lines?view=checks", "every_entry_balances")
        picture(page, PICTURES, "dagster-checks")


def test_sensors_run_and_say_why_they_rest(firm: Firm) -> None:
    with firm.page() as page:
        show(page, f"{firm.url}/automation", "add_new_clients", "sync_due_clients",
             "nightly_reconciliation")  # fmt: skip
        show(page, f"{firm.url}/locations/__repository__@bill-pipeline/sensors/sync_due_clients",
             "requests are spent where the most", "Running", "0 runs requested")  # fmt: skip
        picture(page, PICTURES, "dagster-automation")


SENSOR = """query { sensorOrError(sensorSelector: {repositoryName: "__repository__",
    repositoryLocationName: "bill-pipeline", sensorName: "sync_due_clients"}) {
    ... on Sensor { sensorState { id status } } } }"""
RELOAD = """mutation { reloadRepositoryLocation(repositoryLocationName: "bill-pipeline") {
    ... on WorkspaceLocationEntry { locationOrLoadError { __typename } } } }"""
START = SENSOR.replace("query { sensorOrError", "mutation { startSensor")


def asked(page: Page, query: str) -> Any:
    """Dagster's answer to a page of its own, or the status of its refusal."""
    return page.evaluate(
        """async (body) => {
            const headers = {"content-type": "application/json"};
            const answer = await fetch("/dagster/graphql", {method: "POST", headers, body});
            return answer.ok ? await answer.json() : answer.status;
        }""",
        json.dumps({"query": query}),
    )


def sensor_state(page: Page) -> dict[str, str]:
    state: dict[str, str] = asked(page, SENSOR)["data"]["sensorOrError"]["sensorState"]
    return state


@contextmanager
def foreign_site(folder: Path, html: str) -> Iterator[str]:
    """The address of a page of another server on this machine: the browser sends it our cookies."""
    (folder / "index.html").write_text(html, encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_a_foreign_page_cannot_stop_a_sensor(firm: Firm, tmp_path: Path) -> None:
    with firm.page(Role.ADMIN) as page:
        show(page, f"{firm.url}/automation", "sync_due_clients")
        state = sensor_state(page)
        assert state["status"] == "RUNNING"
        stop = f'mutation {{ stopSensor(id: "{state["id"]}") {{ __typename }} }}'
        html = FOREIGN_PAGE.replace("GRAPHQL", f"{firm.url}/graphql").replace(
            "STOP", json.dumps(stop)
        )
        with foreign_site(tmp_path, html) as evil:
            page.goto(evil)
            expect(page.locator("#done")).to_have_text("tried: refused refused refused refused")
            show(page, f"{firm.url}/automation", "sync_due_clients")
            assert sensor_state(page)["status"] == "RUNNING"
            page.goto(evil)
            page.locator("form button").click()
            expect(page.locator("body")).to_contain_text("sent by another site")
        show(page, f"{firm.url}/automation", "sync_due_clients")
        assert sensor_state(page)["status"] == "RUNNING"
        # The same words from Dagster's own page do stop it.
        asked(page, stop)
        assert sensor_state(page)["status"] == "STOPPED"
        asked(page, START)
        assert sensor_state(page)["status"] == "RUNNING"


#: Whatever a page can send without asking first, and what it would have to ask for.
FOREIGN_PAGE = """<!doctype html><meta charset="utf-8"><p id="done"></p>
<form method="post" enctype="text/plain" action="GRAPHQL">
  <input type="hidden"><button>x</button></form>
<script>
const stop = STOP, address = "GRAPHQL", body = JSON.stringify({query: stop});
const [name, value] = [body.slice(0, -1) + ', "x": "', '"}'];
document.querySelector("input").name = name;
document.querySelector("input").value = value;
const loaded = (image) => new Promise((done) => { image.onload = image.onerror = done; });
const seen = async (options) => {
  try { const answer = await fetch(address, {credentials: "include", ...options});
        return answer.ok ? "answered" : "refused"; } catch { return "refused"; } };
const socket = () => new Promise((done) => {
  const live = new WebSocket(address.replace("http", "ws"), "graphql-ws");
  live.onopen = () => done("answered"); live.onerror = () => done("refused"); });
(async () => {
  const image = new Image();
  const tried = loaded(image);
  image.src = address + "?query=" + encodeURIComponent(stop);
  await tried;
  await seen({method: "POST", mode: "no-cors", body});
  const results = [
    await seen({method: "POST", body}),
    await seen({method: "POST", body, headers: {"content-type": "application/json"}}),
    await seen({}),
    await socket()];
  document.querySelector("#done").textContent = "tried: " + results.join(" ");
})();
</script>"""


def test_a_viewer_cannot_materialize_and_an_administrator_can(firm: Firm) -> None:
    """The administrator then follows the run: its events come over a websocket."""
    url = f"{firm.url}/assets/models/firm_knowledge"
    with firm.page() as page:
        show(page, url, "What holds across clients")
        expect(page.get_by_role("button", name="Materialize").first).to_be_disabled()
        assert asked(page, START) == 403
        picture(page, PICTURES, "dagster-viewer")
    with firm.page(Role.ADMIN) as page:
        frames: list[str] = []
        page.on("websocket", lambda live: live.on("framereceived", lambda f: frames.append(str(f))))
        show(page, url, "What holds across clients")
        page.get_by_role("button", name="Materialize").first.click()
        confirm, view = (
            page.get_by_role("button", name="Confirm"),
            page.locator("a[href*='/runs/']"),
        )
        # Dagster asks whether to go on when what the asset is made from is missing.
        expect(confirm.or_(view).first).to_be_visible()
        if confirm.is_visible():
            confirm.click()
        view.first.click()
        expect(page.get_by_text("RUN_SUCCESS")).to_be_visible()
        assert any("pipelineRunLogs" in frame for frame in frames)
        picture(page, PICTURES, "dagster-run")


def test_a_bookkeeper_of_one_client_opens_an_asset_of_hers(firm: Firm) -> None:
    with browser_page(firm.address, firm.hers) as page:
        show(page, f"{firm.address}/clients/{firm.client}", "Assets")
        page.get_by_role("link", name="Assets").click()
        page.get_by_role("link", name="journal_lines").click()
        expect(page.get_by_role("link", name="ledger.lines_expected")).to_be_visible()
        for text in ("Sum debit", "Every entry balances", "Passed"):
            expect(page.get_by_text(text).first).to_be_visible()
        picture(page, PICTURES, "console-asset")
        answer = page.goto(f"{firm.url}/")
        assert answer is not None
        assert answer.status == 403


def test_the_console_and_dagster_are_one_click_apart(firm: Firm) -> None:
    with firm.page() as page:
        show(page, f"{firm.address}/clients", firm.client)
        page.get_by_role("link", name="Dagster").click()
        expect(page.get_by_text("Automation").first).to_be_visible()
        ledger = f"{firm.url}/assets/published/ledger?view=partitions&partition={firm.client}"
        show(page, ledger, f"/clients/{firm.client}")
        assert page.locator(f"a[href='/clients/{firm.client}']").count()


def test_a_killed_code_server_is_started_again(firm: Firm) -> None:
    code_server = firm.services.services[0]
    assert code_server.process is not None
    killed = code_server.process.pid
    code_server.process.kill()
    code_server.process.wait()
    ends = time.monotonic() + 60
    while code_server.process.pid == killed or code_server.process.poll() is not None:
        assert time.monotonic() < ends
        firm.services.revive()
        time.sleep(0.2)
    with firm.page(Role.ADMIN) as page:
        show(page, f"{firm.url}/automation")
        ends = time.monotonic() + IMPORT_SECONDS
        while "RepositoryLocation" not in str(asked(page, RELOAD)):
            assert time.monotonic() < ends, "Dagster does not reach the new code server"
            time.sleep(1)
