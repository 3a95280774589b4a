"""A machine's clock that was ahead for a while: said meanwhile, and put right by the next sync."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from bill_pipeline.bill.clock import SystemClock, clock_alarm
from bill_pipeline.bill.connection import Connection
from bill_pipeline.dagster.freshness import due_polls, is_stale, needs_whole_sync
from bill_pipeline.pipeline.client_sync import BACKOFF_MINUTES
from bill_pipeline.registry import clients
from bill_pipeline.registry.clients import Registry
from bill_pipeline.registry.registry_values import LATEST_NEXT_SYNC
from bill_pipeline.sandbox.server import SandboxServer
from tests.journey.firm import Firm

pytestmark = [pytest.mark.rotating(days=8)]

Ahead = Callable[[timedelta], None]


@pytest.fixture
def clock_is(monkeypatch: pytest.MonkeyPatch) -> Ahead:
    """Sets by how much this machine's clock is ahead of the true time, and of BILL's."""
    true_now = clients.utc_now

    def set_to(ahead: timedelta) -> None:
        def wrong() -> datetime:
            return true_now() + ahead

        for name, module in [*sys.modules.items()]:
            if name.startswith("bill_pipeline") and hasattr(module, "utc_now"):
                monkeypatch.setattr(module, "utc_now", wrong)
        monkeypatch.setattr(SystemClock, "time", lambda self: time.time() + ahead.total_seconds())

    return set_to


@pytest.fixture
def firm(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Firm]:
    with SandboxServer(companies=2, documents=20, seed=7) as sandbox:
        sandbox.control.set_clock(datetime.now(UTC).isoformat())
        firm = Firm(sandbox, tmp_path_factory.mktemp("clock") / "home")
        assert firm.connect().exit_code == 0
        # Of a look-alike's clock nothing is said; this one stands for BILL.
        monkeypatch.setattr(Connection, "is_local", False)
        yield firm


def test_of_the_clock_of_a_look_alike_nothing_is_said(
    firm: Firm, clock_is: Ahead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "is_local", True)
    clock_is(timedelta(days=30))
    assert "clock" not in sync(firm)


def new_bill(firm: Firm, amount: str) -> None:
    """BILL gets a bill of today."""
    state = firm.sandbox.state
    bills = state.organizations[firm.sandbox.companies[0].organization_id]["bills"]
    copy = {name: value for name, value in bills.at(0).items() if name != "id"}
    line = {**copy["billLineItems"][0], "amount": amount}
    day = state.clock.now().date().isoformat()
    changes = {"billLineItems": [line], "amount": amount, "dueDate": day, "archived": False}
    bills.add({**copy, **changes}, state.clock.stamp_ms())


def sync(firm: Firm) -> str:
    result = firm.run("sync", firm.client)
    assert result.exit_code == 0, result.output
    return result.output


def from_the_future(firm: Firm) -> list[str]:
    """Tables with a moment that is yet to come."""
    later = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=1)
    with duckdb.connect(str(firm.home.client_file(firm.client)), read_only=True) as books:
        columns = books.execute(
            "select schema_name || '.' || table_name, column_name from duckdb_columns() "
            "where data_type = 'TIMESTAMP' and column_name not in ('updated_at', 'known_until')"
        ).fetchall()
        return [
            f"{table}.{column}"
            for table, column in columns
            if books.execute(
                f"select 1 from {table} where {column} > ? and {column} < '9000-01-01' limit 1",
                [later],
            ).fetchone()
        ]


STATE = """
select document_type, document_id, event, ordinal, entry_kind, date, cause
from ledger.journal_entries order by all
"""
LATEST = "select max(seen_at) from raw.document_versions"
IN_ORDER = "select entry_id from ledger.journal_entries order by posted_at, entry_id"


def rows(firm: Firm, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(firm.home.client_file(firm.client)), read_only=True) as books:
        return books.execute(sql).fetchall()


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(days=400)])
def test_what_a_clock_ahead_noted_is_put_right_by_the_next_sync(
    firm: Firm, clock_is: Ahead, ahead: timedelta
) -> None:
    sync(firm)
    clock_is(ahead)
    new_bill(firm, "111.11")
    said = clock_alarm(ahead + timedelta(seconds=1))
    assert said is not None
    assert said[:40] in sync(firm)
    new_bill(firm, "222.22")
    sync(firm)
    assert from_the_future(firm)
    posted, order = rows(firm, STATE), rows(firm, IN_ORDER)

    clock_is(timedelta())
    assert firm.query("select clock_alarm from sync_status")[0]["clock_alarm"]
    status = Registry(firm.home).status(firm.client)
    now = datetime.now(UTC)
    assert needs_whole_sync(status, now)
    assert [poll.client for poll in due_polls([status], now, 18_000)] == [firm.client]
    assert "learnt then is noted as learnt now" in sync(firm)
    assert from_the_future(firm) == []
    assert rows(firm, STATE) == posted
    assert rows(firm, IN_ORDER) == order
    assert "noted as learnt now" not in sync(firm)

    for table, moment in (
        ("general_ledger", "posted_at"), ("document_versions", "seen_at"),
        ("category_decisions", "decided_at"), ("journal_lines", "posted_at"),
    ):  # fmt: skip
        shown = f"select count(*) as n from {table} where {moment} > now()::timestamp"
        assert firm.query(shown) == [{"n": 0}], table
    today = firm.query("select max(known_until)::date::varchar as day from books")
    assert today == [{"day": f"{datetime.now(UTC):%Y-%m-%d}"}]
    at_once = f"payables_aging_at('{firm.client}', report_date := current_date)"
    [aged] = firm.query(
        f"select count(*) as n from (from {at_once} "
        "except all select * exclude (client) from payables_aging)"
    )
    assert aged["n"] == 0
    [told] = firm.query("select clock_alarm, last_success_at, compared_at from sync_status")
    assert told["clock_alarm"] is None
    assert not is_stale(Registry(firm.home).status(firm.client), datetime.now(UTC))
    result = firm.run("sync", firm.client, "--rebuild")
    assert result.exit_code == 0, result.output


def test_the_day_of_a_document_that_has_none_is_put_right_by_an_entry_that_says_why(
    firm: Firm, clock_is: Ahead
) -> None:
    sync(firm)
    clock_is(timedelta(days=30))
    state = firm.sandbox.state
    bills = state.organizations[firm.sandbox.companies[0].organization_id]["bills"]
    copy = {name: value for name, value in bills.at(0).items() if name != "id"}
    without = {"dueDate": None, "invoice": None, "archived": False}
    added = bills.add({**copy, **without}, state.clock.stamp_ms())
    bills.replace({name: value for name, value in added.items() if name != "createdTime"})
    sync(firm)
    clock_is(timedelta())
    sync(firm)
    found = rows(
        firm,
        "select entry_kind, date - posted_at::date from ledger.journal_entries "
        "where cause = 'clock put right' order by all",
    )
    assert found == [("posting", 0), ("reversal", 30)]
    result = firm.run("sync", firm.client, "--rebuild")
    assert result.exit_code == 0, result.output


def test_one_clock_alone_is_no_witness(firm: Firm, clock_is: Ahead) -> None:
    """Where this machine's clock is behind, what is known is not from the future."""
    sync(firm)
    before = rows(firm, LATEST)
    clock_is(timedelta(hours=-3))
    new_bill(firm, "111.11")
    output = sync(firm)
    assert "3 hours behind BILL's" in output
    assert "noted as learnt now" not in output
    assert rows(firm, LATEST) > before
    status = Registry(firm.home).status(firm.client)
    now = clients.utc_now()
    assert not needs_whole_sync(status, now)  # one sync is enough, whatever the clock says


def test_no_retry_is_later_than_what_is_believed_of_the_registry() -> None:
    assert timedelta(minutes=max(BACKOFF_MINUTES)) <= LATEST_NEXT_SYNC


def test_a_month_that_a_clock_ahead_closed_is_told_until_it_is_opened(
    firm: Firm, clock_is: Ahead
) -> None:
    sync(firm)
    month = f"{datetime.now(UTC):%Y-%m}"
    assert firm.run("close", firm.client, month, "--anyway").exit_code == 1  # it is not over
    clock_is(timedelta(days=40))
    assert firm.run("close", firm.client, month, "--anyway").exit_code == 0
    clock_is(timedelta())
    new_bill(firm, "444.44")
    said = sync(firm)
    assert "which is yet to come" in said
    new_bill(firm, "555.55")
    assert "which is yet to come" in sync(firm)
    assert "yet to come" in firm.run("clients", "--json").output
    remedy = said.partition("`bill-pipeline ")[2].partition("`")[0]
    result = firm.run(*shlex.split(remedy))
    assert result.exit_code == 0, result.output
    assert "yet to come" not in sync(firm)
    today = firm.query("select count(*) as n from journal_lines where date > current_date + 31")
    assert today == [{"n": 0}]


def test_a_rebuild_says_nothing_of_how_fresh_the_books_are(firm: Firm) -> None:
    sync(firm)
    before = Registry(firm.home).status(firm.client)
    refused = [{"kind": "error", "status": 400, "code": "BDC_1001", "match": "v3/"}]
    firm.sandbox.control.faults(refused)
    assert firm.run("sync", firm.client).exit_code == 1
    failing = Registry(firm.home).status(firm.client)
    assert firm.run("sync", firm.client, "--rebuild").exit_code == 0
    after = Registry(firm.home).status(firm.client)
    assert (after.state, after.error, after.failure_count) == (
        failing.state, failing.error, failing.failure_count,
    )  # fmt: skip
    assert after.last_success_at == before.last_success_at
    firm.sandbox.control.faults([])
    sync(firm)
