"""A firm of a thousand clients: pages stay fast. Prints the measured percentiles."""

from __future__ import annotations

import statistics
import time

import duckdb
import pytest

from bill_pipeline.clients import Registry, State, utc_now
from bill_pipeline.console.app import Console
from bill_pipeline.console.users import Role
from bill_pipeline.publish import publish
from tests.console.console_browser import Browser, connect_invented_client, signed_in

pytestmark = pytest.mark.slow

CLIENTS = 1_000
#: Enough for a percentile; the figures are printed (pytest -s) and decide nothing.
ROUNDS = 25


@pytest.fixture
def thousand(books_console: Console) -> Console:
    """The books of maple-bakery under a thousand names, all published."""
    home, registry = books_console.home, Registry(books_console.home)
    names = [f"invented-{number:04}" for number in range(CLIENTS - 2)]
    for number, name in enumerate(names):
        connect_invented_client(home, name, number + 10)
        registry.update(
            name,
            state=State.UP_TO_DATE,
            last_success_at=utc_now(),
            document_count=24,
            review_count=3 if number % 4 == 0 else 0,
        )
    with duckdb.connect(str(home.client_file("maple-bakery")), read_only=True) as books:
        publish(home, names, connections=dict.fromkeys(names, books))
    return books_console


def percentile_95(browser: Browser, path: str) -> tuple[float, float]:
    """(median, 95th percentile) in milliseconds of opening ``path``."""
    browser.get(path)
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        assert browser.get(path).status_code == 200
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=20)[-1]


def test_every_page_opens_with_a_thousand_clients(thousand: Console) -> None:
    browser = signed_in(thousand, Role.ADMIN)
    here = "/clients/invented-0500"
    for path in (
        "/clients", "/clients?search=0500", "/review", here, f"{here}/review",
        f"{here}/trial-balance", f"{here}/profit-and-loss", f"{here}/balance-sheet",
        f"{here}/payables", f"{here}/general-ledger", f"{here}/close",
    ):  # fmt: skip
        median, most = percentile_95(browser, path)
        print(f"{path:45} median {median:6.1f} ms   p95 {most:6.1f} ms")
