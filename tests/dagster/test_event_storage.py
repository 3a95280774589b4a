"""The event log with open connections: Dagster's files, tables and answers."""

from __future__ import annotations

import sqlite3
import threading

import dagster as dg
import pytest
import yaml
from dagster._core.storage.event_log import SqliteEventLogStorage

from bill_pipeline.dagster.event_storage import RUNS_REMEMBERED, PooledSqliteEventLogStorage
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
