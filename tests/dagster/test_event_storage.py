"""The event log with open connections: Dagster's files, tables and answers."""

from __future__ import annotations

import json
import re
import sqlite3
import threading

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    DynamicPartitionsRequestResult,
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.event_log import SqliteEventLogStorage

from bill_pipeline.dagster.asset_events import table_value
from bill_pipeline.dagster.event_storage import RUNS_REMEMBERED, PooledSqliteEventLogStorage
from bill_pipeline.dagster.first_imports import FIRST_CLIENT
from bill_pipeline.dagster.forgetting import forget_client
from bill_pipeline.dagster.instance import write_instance
from bill_pipeline.errors import NotForgotten
from bill_pipeline.settings import Home

pytestmark = pytest.mark.slow

BOOKS = dg.AssetKey("books")


@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="client"))
def books() -> dg.MaterializeResult[None]:
    return dg.MaterializeResult(metadata={"rows": 3})


def materialize(instance: dg.DagsterInstance, client: str) -> str:
    return dg.materialize([books], instance=instance, partition_key=client).run_id


def clients_shown(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.get_materialized_partitions(BOOKS))


def test_what_it_wrote_dagsters_own_storage_reads_and_the_other_way_round(home: Home) -> None:
    folder = write_instance(home, uses_postgres=False)
    with dg.DagsterInstance.from_config(str(folder)) as ours:
        assert isinstance(ours.event_log_storage, PooledSqliteEventLogStorage)
        ours.add_dynamic_partitions("client", ["acme", "bakery"])
        run = materialize(ours, "acme")
    settings = yaml.safe_load((folder / "dagster.yaml").read_text())
    del settings["event_log_storage"]
    (folder / "dagster.yaml").write_text(yaml.safe_dump(settings))
    with dg.DagsterInstance.from_config(str(folder)) as theirs:
        assert type(theirs.event_log_storage) is SqliteEventLogStorage
        assert clients_shown(theirs) == {"acme"}
        assert any(e.dagster_event for e in theirs.all_logs(run))
        materialize(theirs, "bakery")
    (folder / "dagster.yaml").unlink()
    with dg.DagsterInstance.from_config(str(write_instance(home, uses_postgres=False))) as ours:
        assert clients_shown(ours) == {"acme", "bakery"}


def test_more_runs_than_it_remembers_are_all_read_and_can_be_deleted(home: Home) -> None:
    names = [f"client-{number}" for number in range(RUNS_REMEMBERED + 3)]
    folder = str(write_instance(home, uses_postgres=False))
    with dg.DagsterInstance.from_config(folder) as instance:
        instance.add_dynamic_partitions("client", names)
        runs = [materialize(instance, name) for name in names]
        assert clients_shown(instance) == set(names)
        assert all(instance.all_logs(run) for run in runs)
        instance.delete_run(runs[0])
        instance.delete_run(runs[-1])
        assert not instance.all_logs(runs[0])
        assert instance.all_logs(runs[1])
        storage = instance.event_log_storage
        assert isinstance(storage, PooledSqliteEventLogStorage)
        assert len(storage._engines) <= RUNS_REMEMBERED + 1


def test_several_threads_of_several_instances_write_at_once(home: Home) -> None:
    folder = str(write_instance(home, uses_postgres=False))
    names = [f"client-{number}" for number in range(60)]
    client_errors: list[BaseException] = []

    def work(instance: dg.DagsterInstance, mine: list[str]) -> None:
        try:
            for name in mine:
                instance.report_runless_asset_event(dg.AssetMaterialization(BOOKS, partition=name))
        except BaseException as client_error:  # noqa: BLE001 - shown by the test
            client_errors.append(client_error)

    with (
        dg.DagsterInstance.from_config(folder) as first,
        dg.DagsterInstance.from_config(folder) as second,
    ):
        threads = [
            threading.Thread(target=work, args=(instance, names[at::3]))
            for at, instance in enumerate((first, first, second))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not client_errors
        assert clients_shown(first) == clients_shown(second) == set(names)


def test_of_a_purged_client_dagster_shows_nothing_and_of_others_all(home: Home) -> None:
    folder = str(write_instance(home, uses_postgres=False))
    check = dg.AssetCheckSpec("sums", asset=BOOKS)

    @dg.asset(key=BOOKS, partitions_def=books.partitions_def, check_specs=[check])
    def single() -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster cannot read it
        seen = {"sample": f"bill of {dg.AssetExecutionContext.get().partition_key}"}
        result = dg.AssetCheckResult(passed=True, metadata=seen)
        return dg.MaterializeResult(metadata=seen, check_results=[result])

    @dg.op
    def sweep() -> None:
        context = dg.OpExecutionContext.get()
        for client in ("a-cme", "a_cme"):
            seen = {"sample": f"bill of {client}"}
            context.log_event(dg.AssetMaterialization(BOOKS, partition=client, metadata=seen))

    @dg.job
    def sweeps() -> None:
        sweep()

    with dg.DagsterInstance.from_config(folder) as instance:
        instance.add_dynamic_partitions("client", ["a-cme", "a_cme"])
        dg.materialize([single], instance=instance, partition_key="a-cme")
        dg.materialize([single], instance=instance, partition_key="a_cme")
        sweeps.execute_in_process(instance=instance)
    forget_client(home, "a_cme")
    history = home.dagster / "history"
    told = ""
    for path in history.rglob("*.db"):
        with sqlite3.connect(path) as db:
            told += "".join(line for line in db.iterdump() if line.startswith("INSERT"))
    assert "bill of a_cme" not in told
    assert told.count("bill of a-cme") >= 5
    with dg.DagsterInstance.from_config(folder) as instance:
        assert clients_shown(instance) == {"a-cme"}
        assert len(instance.get_runs()) == 2
        assert instance.get_latest_materialization_event(BOOKS) is not None
    (home.dagster / "dagster.yaml").write_text("storage: 3")
    with pytest.raises(NotForgotten, match="62 days"):
        forget_client(home, "a-cme")


@dg.op(config_schema={"clients": [str]})
def bring() -> None:
    context = dg.OpExecutionContext.get()
    clients = context.op_config["clients"]
    for client in clients:
        context.log.info(f"{client} is up to date")
        print(f"reading {client}")
        context.log_event(dg.AssetMaterialization(BOOKS, partition=client))
    if len(clients) > 2:
        rows = [{"client": client, "error": f"of {client}"} for client in clients]
        raise dg.Failure(f"{clients[0]} failed", metadata={"failed": table_value(rows)})


@dg.job
def bring_all() -> None:
    bring()


def ask_for(instance: dg.DagsterInstance, *clients: str) -> str:
    """A sweep of ``clients``; of more than two it fails."""
    return bring_all.execute_in_process(
        instance=instance,
        run_config={"ops": {"bring": {"config": {"clients": list(clients)}}}},
        tags={FIRST_CLIENT: clients[0]},
        raise_on_error=False,
    ).run_id


def note_ticks(instance: dg.DagsterInstance, *clients: str) -> None:
    """What two sensors keep when they told of ``clients``."""
    location = RegisteredCodeLocationOrigin("bill-pipeline")
    for sensor, cursor in (
        ("add_new_clients", json.dumps(clients)),
        ("alert_on_failures", json.dumps(dict.fromkeys(clients, "failing"))),
    ):
        origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "books"), sensor)
        kept = SensorInstigatorData(cursor=cursor)
        state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, kept)
        instance.add_instigator_state(state)
        for client in clients:
            instance.create_tick(
                TickData(
                    state.instigator_origin_id, sensor, InstigatorType.SENSOR, TickStatus.SKIPPED,
                    1.0, run_ids=[], run_keys=[], selector_id=state.selector_id,
                    cursor=json.dumps([client]),
                    skip_reason=f"Already told about {client}.",
                    dynamic_partitions_request_results=[
                        DynamicPartitionsRequestResult("client", [client], None, [])
                    ],
                )
            )  # fmt: skip


def test_no_run_tick_or_log_names_a_purged_client(home: Home) -> None:
    """Others whose names hold its name keep theirs."""
    gone, others = "a_cme", ("a_cme-2", "x-a_cme", "azcme")
    folder = str(write_instance(home, uses_postgres=False))
    with dg.DagsterInstance.from_config(folder) as instance:
        instance.add_dynamic_partitions("client", [gone, *others])
        of_all = ask_for(instance, gone, *others)
        of_two = ask_for(instance, others[0], gone)
        ask_for(instance, gone)
        untouched = ask_for(instance, *others[:2])
        note_ticks(instance, gone, *others)
        instance.add_backfill(
            PartitionBackfill(
                "done", BulkActionStatus.COMPLETED_SUCCESS, False, {}, 1.0,
                partition_names=[gone, *others],
            )
        )  # fmt: skip
        logged = len(instance.all_logs(untouched))
    forget_client(home, gone)
    told = ""
    for path in home.dagster.rglob("*"):
        if path.suffix == ".db":
            with sqlite3.connect(path) as db:
                told += "".join(line for line in db.iterdump() if line.startswith("INSERT"))
        elif path.is_file():
            told += path.read_text()
    found = re.search(r".{90}(?<![\w-])a_cme(?![\w-]).{60}", told.replace("\\n", "  "))
    assert found is None, found
    assert all(told.count(other) > 5 for other in others)
    with dg.DagsterInstance.from_config(folder) as instance:
        assert {run.run_id for run in instance.get_runs()} == {of_all, of_two, untouched}
        run = instance.get_run_by_id(of_two)
        assert run is not None
        assert run.run_config["ops"]["bring"]["config"]["clients"] == [others[0]]
        assert run.tags[FIRST_CLIENT] == others[0]
        assert len(instance.all_logs(untouched)) == logged
        assert instance.get_dynamic_partitions("client") == list(others)
        assert clients_shown(instance) == set(others)
        states = instance.all_instigator_state()
        cursors = {state.instigator_name: state.instigator_data.cursor for state in states}  # type: ignore[union-attr]
        assert json.loads(cursors["add_new_clients"] or "") == list(others)
        assert json.loads(cursors["alert_on_failures"] or "").keys() == set(others)
        ticks = [
            tick for state in states
            for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
        ]  # fmt: skip
        assert len(ticks) == 2 * len(others)
