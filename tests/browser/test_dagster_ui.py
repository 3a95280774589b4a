"""The Dagster UI as a new user meets it: real processes, a real browser, invented companies.

With ``BILL_PIPELINE_PICTURES=docs/images`` the pages are kept as pictures.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.clients import Registry, State
from bill_pipeline.dagster.services import Services
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from tests.browser.dagster_ui import browser_page, picture, show

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PICTURES = (
    Path(os.environ["BILL_PIPELINE_PICTURES"]) if "BILL_PIPELINE_PICTURES" in os.environ else None
)
#: Code server, sensor tick, queue, run process, first model: on a busy machine, minutes.
IMPORT_SECONDS = 420


@dataclass
class Firm:
    """A running UI over a home with one client that a sensor imported."""

    url: str
    home: Home
    client: str
    services: Services


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
            yield Firm(f"http://127.0.0.1:{port}", home, company.client, services)
        finally:
            services.stop()


def test_the_graph_reads_from_bill_to_the_published_ledger(firm: Firm) -> None:
    with browser_page() as page:
        show(page, f"{firm.url}/asset-groups", "raw", "staging", "categorized", "ledger",
             "reports", "published")  # fmt: skip
        picture(page, PICTURES, "dagster-graph")


def test_a_client_partition_shows_its_rows_sums_and_a_sample(firm: Firm) -> None:
    with browser_page() as page:
        url = f"{firm.url}/assets/ledger/journal_lines?view=partitions&partition={firm.client}"
        show(page, url, "dagster/partition_row_count", "sum_debit", "sample")
        picture(page, PICTURES, "dagster-client-partition")


def test_an_asset_page_explains_every_column_and_links_to_its_sql(firm: Firm) -> None:
    with browser_page() as page:
        show(page, f"{firm.url}/assets/reports/payables_aging?view=overview",
             "What the client", "Open payables_aging.sql", "Not yet due.")  # fmt: skip
        picture(page, PICTURES, "dagster-columns")


def test_a_report_shows_its_chart(firm: Firm) -> None:
    with browser_page(height=1100) as page:
        show(page, f"{firm.url}/assets/reports/profit_and_loss?view=partitions"
             f"&partition={firm.client}", "by month")  # fmt: skip
        page.get_by_text("[Show Markdown]").first.click()
        page.locator("img[src^='data:image/png']").first.wait_for(state="visible")
        picture(page, PICTURES, "dagster-report-chart")


def test_every_check_of_the_journal_is_green_for_the_client(firm: Firm) -> None:
    with browser_page() as page:
        show(page, f"{firm.url}/assets/ledger/journal_lines?view=checks", "every_entry_balances")
        picture(page, PICTURES, "dagster-checks")


def test_sensors_run_and_say_why_they_rest(firm: Firm) -> None:
    with browser_page() as page:
        show(page, f"{firm.url}/automation", "add_new_clients", "sync_due_clients",
             "nightly_reconciliation")  # fmt: skip
        show(page, f"{firm.url}/locations/__repository__@bill-pipeline/sensors/sync_due_clients",
             "requests are spent where the most", "Running", "0 runs requested")  # fmt: skip
        picture(page, PICTURES, "dagster-automation")


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
