"""Runs over real books: one client, many clients, a failing check, a refused token."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from bill_pipeline.bill.lists import POLLED
from bill_pipeline.dagster import fleet, workers
from bill_pipeline.dagster.freshness import (
    PUBLISHED_WITHIN,
    due_polls,
    was_left_unpublished,
)
from bill_pipeline.pipeline.client_sync import bring_up_to_date
from bill_pipeline.publishing.tables import PublishError
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from bill_pipeline.warehouse import transforms

Run = Callable[..., dg.ExecuteInProcessResult]
Connect = Callable[..., str]
FIRST_TO_LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]


def materialized(instance: dg.DagsterInstance, key: str) -> set[str]:
    return set(instance.get_materialized_partitions(dg.AssetKey(key.split("/"))))


def metadata_of(result: dg.ExecuteInProcessResult, key: str) -> dict[str, Any]:
    (event,) = (
        event
        for event in result.get_asset_materialization_events()
        if event.asset_key and event.asset_key.to_user_string() == key
    )
    return dict(event.materialization.metadata)


def rows(home: Home, client: str, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.client_file(client)), read_only=True) as books:
        return books.execute(sql).fetchall()


@pytest.fixture(autouse=True)
def firm_knows_the_seed_examples(home: Home, knowledge: Path) -> None:
    shutil.copytree(knowledge, home.models, dirs_exist_ok=True)


def test_a_run_takes_one_client_from_bill_to_the_published_ledger(
    run: Run, connect: Connect, home: Home, instance: dg.DagsterInstance
) -> None:
    client = connect()
    result = run(partition=client)
    assert result.success
    assert Registry(home).status(client).state is State.UP_TO_DATE
    every_table = {key.replace(".", "/") for key in transforms.load_transforms()}
    for key in (*every_table, "raw/bills", "raw/document_versions", "published/ledger"):
        assert materialized(instance, key) == {client}, key
    assert metadata_of(result, "raw/bills")["documents_per_second"].value > 0
    said = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert any(f"{client}: bills: " in line and "documents/s" in line for line in said)
    stored = rows(home, client, "select count(*) from ledger.journal_lines")[0][0]
    lines = metadata_of(result, "ledger/journal_lines")
    assert lines["dagster/partition_row_count"].value == stored > 0
    schema = lines["dagster/column_schema"].schema
    assert {column.type for column in schema.columns} > {"decimal(18,2)", "date"}
    assert len(lines["sample"].records) > 0
    evaluations = result.get_asset_check_evaluations()
    assert {e.check_name for e in evaluations} >= set(transforms.load_checks())
    with duckdb.connect(str(home.ledger), read_only=True) as published:
        (count,) = published.execute("select count(*) from journal_lines").fetchone() or (0,)
    assert count == stored


def test_a_failing_check_keeps_the_last_good_tables_and_stops_what_follows(
    run: Run, connect: Connect, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect()
    assert run(partition=client).success
    before = rows(home, client, "from ledger.journal_lines order by all")
    published = home.ledger.read_bytes()
    never = transforms.Check(
        name="no_journal_line_exists",
        table="ledger.journal_lines",
        severity="error",
        summary="A rule that the books break.",
        sql="select line_id, account_id, amount from ledger.journal_lines order by line_id",
        path=transforms.FOLDER / "checks" / "no_journal_line_exists.sql",
    )
    checks = {**transforms.load_checks(), never.name: never}
    monkeypatch.setattr("bill_pipeline.warehouse.checking.load_checks", lambda: checks)

    result = run(partition=client, sync={"full": True})

    assert not result.success
    (failed,) = [e for e in result.get_asset_check_evaluations() if e.check_name == never.name]
    assert not failed.passed
    assert failed.partition == client
    assert failed.metadata["offending_row_count"].value == len(before)
    assert len(failed.metadata["offending_rows"].records) == 20
    ran = {event.step_key for event in result.all_events if event.event_type_value == "STEP_START"}
    assert ran == {"raw", "staging", "categorized", "ledger"}
    assert rows(home, client, "from ledger.journal_lines order by all") == before
    assert home.ledger.read_bytes() == published
    status = Registry(home).status(client)
    assert status.state is State.FAILING
    assert never.summary.rstrip(".") in (status.error or "")


def test_one_failing_client_of_a_backfill_leaves_the_others_up_to_date(
    run: Run, connect: Connect, home: Home, instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(workers, "FEWEST_CLIENTS_FOR_PROCESSES", 2)
    monkeypatch.setenv("BILL_PIPELINE_WORKERS", "2")
    refused = connect(0, name="a-refused", password="not-the-password")
    good = connect(1, name="b-good")
    instance.add_dynamic_partitions("client", [refused, good])
    result = run(tags=dict(zip(FIRST_TO_LAST, (refused, good), strict=True)))
    assert not result.success
    assert materialized(instance, "ledger/journal_lines") == {good}
    assert materialized(instance, "published/ledger") == {good}
    assert Registry(home).status(good).state is State.UP_TO_DATE
    status = Registry(home).status(refused)
    assert status.state is State.RECONNECT
    assert "bill-pipeline connect" in (status.remedy or "")
    assert "not-the-password" not in str([event.message for event in result.all_events])


def test_books_that_a_killed_run_built_and_did_not_publish_are_published_by_a_sweep(
    run: Run, connect: Connect, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect()
    # And killed there, before it could publish.
    bring_up_to_date(Registry(home), client)
    status = Registry(home).status(client)
    built = status.unpublished_since
    assert built is not None
    # Not asked of the poll: this may be the hour at which the client's day begins.
    assert not was_left_unpublished(status, built + timedelta(minutes=5))
    later = built + PUBLISHED_WITHIN + timedelta(minutes=1)
    (poll,) = due_polls([status], later, 20_000)
    assert poll.lists == ()
    monkeypatch.setattr(fleet, "utc_now", lambda: later)
    assert run("sync_due_clients", clients=[client]).success
    assert Registry(home).status(client).unpublished_since is None
    with duckdb.connect(str(home.ledger), read_only=True) as ledger:
        (published,) = ledger.execute("select count(*) from journal_lines").fetchone() or (0,)
    assert published == len(rows(home, client, "from ledger.journal_lines")) > 0


def test_a_sweep_that_cannot_publish_is_red_and_the_next_one_publishes_what_anybody_built(
    run: Run,
    connect: Connect,
    home: Home,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left, other = connect(0), connect(1)
    bring_up_to_date(Registry(home), left)  # and killed here, a moment ago
    bring_up_to_date(Registry(home), other)
    Registry(home).update(other, unpublished_since=None)
    instance.add_dynamic_partitions("client", [left, other])

    def refuse(*_: object, **__: object) -> None:
        raise PublishError("The catalogue has been locked for 120 seconds.")

    with monkeypatch.context() as patched:
        patched.setattr("bill_pipeline.publishing.publish.publish", refuse)
        failed = run("sync_due_clients", clients=[other])
    assert not failed.success
    assert "The catalogue has been locked" in str(failed.filter_events(lambda e: e.is_step_failure))
    assert Registry(home).status(left).unpublished_since
    assert run("sync_due_clients", clients=[other]).success
    assert Registry(home).status(left).unpublished_since is None
    assert left in materialized(instance, "published/ledger")


def test_a_sweep_reports_each_client_and_stays_green_when_bill_refuses_one(
    run: Run, connect: Connect, instance: dg.DagsterInstance
) -> None:
    refused = connect(0, name="a-refused", password="not-the-password")
    good = connect(1, name="b-good")
    result = run("sync_due_clients", clients=[refused, good])
    assert result.success
    assert materialized(instance, "reports/trial_balance") == {good}


def test_a_sweep_of_clients_without_changes_builds_and_reports_nothing(
    run: Run, connect: Connect, home: Home
) -> None:
    client = connect()
    assert run(partition=client).success
    before = Registry(home).status(client).last_success_at
    result = run("sync_due_clients", clients=[client])
    assert result.success
    assert not result.get_asset_materialization_events()
    after = Registry(home).status(client).last_success_at
    assert before is not None
    assert after is not None
    assert after > before


def test_a_sweep_reads_the_lists_with_news_and_what_they_name(
    run: Run, connect: Connect, home: Home, sandbox: SandboxServer
) -> None:
    client = connect()
    assert run(partition=client).success
    whole = Registry(home).status(client).last_whole_sync_at
    clock, organization = sandbox.state.clock, sandbox.state.organization(client)
    bills, accounts = organization["bills"], organization["chart-of-accounts"]

    def add_bill(account_id: str) -> None:
        clock.step_ms(60_000)
        copy = {name: value for name, value in bills.at(0).items() if name != "id"}
        line = copy["billLineItems"][0] | {"classifications": {"chartOfAccountId": account_id}}
        bills.add({**copy, "billLineItems": [line], "amount": line["amount"]}, clock.stamp_ms())

    add_bill(accounts.at(0)["id"])
    assert run("sync_due_clients", clients=[client]).success
    status = Registry(home).status(client)
    assert status.last_whole_sync_at == whole
    assert status.last_change_at == status.last_success_at
    assert status.activity["per_day"]["bills"] > 0
    assert set(status.looked_at) == set(POLLED)
    copy = {name: value for name, value in accounts.at(0).items() if name != "id"}
    new = accounts.add({**copy, "name": "Made a minute ago"}, clock.stamp_ms())
    add_bill(new["id"])
    assert run("sync_due_clients", clients=[client]).success
    status = Registry(home).status(client)
    assert status.last_whole_sync_at == status.last_success_at
    named = (
        "select count(*) from staging.chart_of_accounts where account_name = 'Made a minute ago'"
    )
    assert rows(home, client, named) == [(1,)]


def test_an_unknown_client_fails_with_what_to_do(run: Run, home: Home) -> None:
    result = run(partition="nobody")
    assert not result.success
    (failure,) = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    assert "bill-pipeline connect nobody" in str(failure.step_failure_data.error)
    assert not home.client_file("nobody").exists()


def test_rebuilding_the_ledger_asks_bill_nothing_and_gives_the_same_entries(
    run: Run, connect: Connect, home: Home, sandbox: Any
) -> None:
    client = connect()
    assert run(partition=client).success
    before = rows(home, client, "from ledger.journal_entries order by all")
    requests = (
        sandbox.control.statistics()["requests"] if hasattr(sandbox.control, "statistics") else None
    )
    result = run(partition=client, sync={"rebuild": True})
    assert result.success
    assert rows(home, client, "from ledger.journal_entries order by all") == before
    shown = {e.asset_key.path[0] for e in result.get_asset_materialization_events() if e.asset_key}
    assert shown == {"staging", "categorized", "ledger", "reports", "published"}
    assert not [e for e in result.get_asset_materialization_events()
                if e.asset_key and e.asset_key.path[0] == "raw"]  # fmt: skip
    assert requests is None or sandbox.control.statistics()["requests"] == requests


@pytest.mark.parametrize(
    ("options", "chosen"),
    [({"rebuild": True}, "raw"), ({"full": True}, "reports"), ({"since": "2026-01-01"}, "ledger")],
)
def test_an_option_that_no_chosen_layer_heeds_is_refused(
    run: Run, connect: Connect, home: Home, options: dict[str, Any], chosen: str
) -> None:
    client = connect()
    assert run(partition=client).success
    before = Registry(home).status(client)
    result = run(partition=client, sync=options, assets=dg.AssetSelection.groups(chosen))
    assert not result.success
    (failure,) = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    assert f"the option `{next(iter(options))}`" in str(failure.step_failure_data.error)
    assert Registry(home).status(client) == before, "it is not the client's failure"
