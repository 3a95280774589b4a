"""An import brings BILL's lists into the file exactly, and nothing when nothing changed."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.bill.lists import LISTS
from bill_pipeline.ingest.document_versions import ArchiveOutOfOrder
from tests.imports.books import Client
from tests.imports.conftest import MakeClient

pytestmark = pytest.mark.rotating(days=8)


def versions(client: Client, table: str, document_id: str) -> list[tuple[Any, ...]]:
    return client.query(
        "select version, seen_at, is_archived, is_deleted from raw.document_versions "
        f"where list = '{table}' and id = '{document_id}' order by version"
    )


@pytest.mark.rotating(days=1)
def test_a_first_import_brings_every_list_exactly(client: Client) -> None:
    report = client.sync()
    assert client.differences() == {}
    assert client.raw("bills")
    assert report.changed == sum(report.archive.new.values())
    counted = dict(client.query("select list, count(*) from raw.document_versions group by list"))
    assert counted == report.archive.new
    assert client.query("select distinct seen_at from raw.document_versions") == [
        (client.as_of.replace(tzinfo=None),)
    ]


def test_every_list_has_its_table_even_if_bill_has_nothing_for_it(client: Client) -> None:
    client.sync()
    shape = None
    for table in LISTS:
        columns = client.query(f"describe raw.{table}")
        shape = shape or columns
        assert columns == shape, f"raw.{table} differs from the others, or dlt's from ours"


def test_a_sync_without_changes_writes_nothing(client: Client) -> None:
    client.sync()
    client.sync()  # what was learned about the lists is stored once
    counts = (
        "select (select count(*) from raw._dlt_loads), (select count(*) from raw.archivings), "
        "(select count(*) from raw.document_versions), (select count(*) from raw.schema_notes)"
    )
    before = client.query(counts)
    report = client.sync()
    assert (report.changed, report.loads) == (0, 0)
    assert client.query(counts) == before


def test_only_what_changed_is_read_and_archived(client: Client) -> None:
    client.sync(with_v2=False)
    bill_id = next(iter(client.raw("bills")))
    bills = client.organization["bills"]
    client.sandbox.state.clock.step_ms(3_600_000)
    changed = bills.get(bill_id) | {"description": "Corrected by a person"}
    bills.replace(changed, client.sandbox.state.clock.stamp_ms())
    report = client.sync(with_v2=False)
    assert report.archive.changed == {"bills": 1}
    assert report.archive.new == {}
    assert report.documents["bills"] < 5
    assert [row[0] for row in versions(client, "bills", bill_id)] == [1, 2]
    assert client.differences() == {}


@pytest.mark.parametrize("are_shown", [True, False], ids=["shown", "hidden"])
def test_archiving_and_restoring_are_noticed_whether_or_not_lists_show_it(
    make_client: MakeClient, are_shown: bool
) -> None:
    client = make_client(archived_in_lists=are_shown)
    client.sync()
    bill_id = next(key for key, bill in client.raw("bills").items() if not bill.get("archived"))
    bills, clock = client.organization["bills"], client.sandbox.state.clock
    for is_archived in (True, False):
        clock.step_ms(86_400_000)
        bills.replace(bills.get(bill_id) | {"archived": is_archived}, clock.stamp_ms())
        client.sync()
        assert client.query(f"select is_archived from raw.bills where id = '{bill_id}'") == [
            (is_archived,)
        ]
    assert [row[2] for row in versions(client, "bills", bill_id)] == [False, True, False]
    assert client.differences() == {}


@pytest.mark.slow
@pytest.mark.parametrize("moves_times", [True, False], ids=["bumped", "silent"])
def test_a_life_of_payments_credits_and_receipts_stays_exact(
    make_client: MakeClient, moves_times: bool
) -> None:
    client = make_client(documents=2000, payments_leave_document_times=not moves_times)
    client.sync()
    for days in (1, 10, 45):
        client.live(days)
        client.sync()
        assert client.differences() == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "switches",
    [
        {"no_updated_time_lists": ["bills", "payments", "vendors", "items"]},
        {"undocumented_lists_filter_by_time": False},
        {"last_next_page": "empty", "invalid_page": "error"},
        {"last_next_page": "null", "tokens_log_in_at_v3": False},
        {"token_denied_lists": ["users", "bank-accounts"]},
    ],
    ids=["no-time-filter", "documented-only", "empty-token", "v2-login", "denied"],
)
def test_whatever_bill_does_not_document_the_books_are_exact(
    make_client: MakeClient, switches: dict[str, Any]
) -> None:
    client = make_client(documents=800, **switches)
    client.sync(documents_per_chunk=150)
    client.live(5)
    report = client.sync()
    denied = {"users", "bank_accounts"} if "token_denied_lists" in switches else set()
    assert denied <= set(report.skipped_lists)
    assert set(client.differences()) == {table for table in denied if client.truth(table)}


def test_a_learned_refusal_is_remembered_and_not_asked_again(make_client: MakeClient) -> None:
    client = make_client(no_updated_time_lists=["bills"])
    client.sync()
    client.sync()
    client.sandbox.control.reset_statistics()
    first = client.sync().requests
    assert client.sync().requests == first
    statistics = client.sandbox.control.statistics()
    assert statistics["requests_per_route"]["/connect/v3/bills"] <= 2 * (
        2 * len(client.raw("bills")) // 100 + 2
    )


def test_amounts_with_more_digits_than_a_float_holds_are_kept_to_the_cent(
    client: Client,
) -> None:
    client.sync()
    bills, clock = client.organization["bills"], client.sandbox.state.clock
    position = 0
    text = bills.encoded(position).decode()
    digits = "12345678901234567.89"
    amount = str(bills.at(position)["amount"])
    clock.step_ms(3_600_000)
    bills.replace(bills.at(position), clock.stamp_ms())
    text = bills.encoded(position).decode().replace(f'"amount":{amount}', f'"amount":{digits}')
    bills._stored[position] = text.encode()
    client.sync()
    found = client.query(
        f"select document::varchar from raw.bills where id = '{bills.at(position)['id']}'"
    )
    assert f'"amount":"{digits}"' in found[0][0]  # as text, which no reader rounds


def test_an_import_from_a_day_on_reads_only_what_changed_since(make_client: MakeClient) -> None:
    client = make_client(documents=2000)
    since = datetime(2026, 5, 1, tzinfo=UTC)
    client.sync(since=since.date())
    times = client.query("select min(updated_at) from raw.payments")
    assert times[0][0] >= since.replace(tzinfo=None)
    assert 0 < len(client.raw("payments")) < len(client.truth("payments"))


def test_a_later_import_from_a_day_on_reads_again_what_changed_since(client: Client) -> None:
    client.sync()
    again = client.sync(since=datetime(2000, 1, 1, tzinfo=UTC).date())
    assert again.documents["payments"] >= len(client.truth("payments"))
    # A day after the last import must leave out nothing of what came between.
    client.live(10)
    changed = client.sync(since=client.as_of.date())
    assert client.raw("payments").keys() == client.truth("payments").keys(), changed


def test_a_clock_that_went_back_is_refused_before_anything_is_archived(client: Client) -> None:
    client.sync()
    client.live(30)
    count = client.query("select count(*) from raw.document_versions")
    client.as_of = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ArchiveOutOfOrder, match="Check this machine's clock"):
        client.sync()
    assert client.query("select count(*) from raw.document_versions") == count


def test_progress_tells_pages_and_documents_of_each_list(client: Client) -> None:
    steps = []
    report = client.sync(progress=steps.append)
    last = {step.table: step for step in steps}
    assert {table: step.documents for table, step in last.items()} == {
        table: report.documents[table] for table in last
    }
    assert all(step.pages == report.pages[step.table] for step in last.values())
    assert all(step.documents_per_second > 0 for step in last.values() if step.documents)
    assert {*report.list_seconds} == {*last}
    assert all(step.expected_documents is None for step in steps), "BILL tells no totals"


def test_a_full_read_knows_what_is_left(client: Client) -> None:
    client.sync()
    steps = []
    client.sync(progress=steps.append, full=True)
    bills = [step for step in steps if step.table == "bills"]
    assert {step.expected_documents for step in bills} == {len(client.raw("bills"))}
    left = [step.remaining_seconds for step in bills]
    assert len(left) > 1
    assert left[0] is not None
    assert left[0] > 0
    assert left[-1] == 0


def test_lists_below_others_know_how_many_pages_are_left(client: Client) -> None:
    steps = []
    client.sync(progress=steps.append)
    contacts = [step for step in steps if step.table == "customer_contacts"]
    customers = len(client.raw("customers"))
    assert {step.expected_pages for step in contacts} == {customers}
    assert contacts[-1].pages == customers
    assert contacts[-1].remaining_seconds == 0


_SHOW_DLT = """
from pathlib import Path
from bill_pipeline.ingest.loader import Loader
from dlt.common.runtime import anon_tracker
from dlt.common.runtime.run_context import active

pipeline = Loader("acme", Path("acme.duckdb"), Path("dlt"))._new_pipeline()
print(anon_tracker._ANON_TRACKER_ENDPOINT, active().runtime_config.dlthub_telemetry)
print(pipeline.config.progress, pipeline.config.restore_from_destination)
"""


def test_dlt_reports_nothing_and_obeys_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """dlt tells its makers of every load unless told not to, and reads files it happens to find."""
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "config.toml").write_text("progress = 'log'\n[runtime]\n")
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "true")
    monkeypatch.setenv("RESTORE_FROM_DESTINATION", "true")
    shown = subprocess.run(
        [sys.executable, "-c", _SHOW_DLT], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["None", "False", "None", "False"]
