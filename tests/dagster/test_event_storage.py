"""The event log with open connections: Dagster's files, tables and answers."""

from __future__ import annotations

import threading

import dagster as dg
import yaml
from dagster._core.storage.event_log import SqliteEventLogStorage

from bill_pipeline.dagster.event_storage import RUNS_REMEMBERED, PooledSqliteEventLogStorage
from bill_pipeline.dagster.instance import write_instance
from bill_pipeline.settings import Home

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
    troubles: list[BaseException] = []

    def work(instance: dg.DagsterInstance, mine: list[str]) -> None:
        try:
            for name in mine:
                instance.report_runless_asset_event(dg.AssetMaterialization(BOOKS, partition=name))
        except BaseException as trouble:  # noqa: BLE001 - shown by the test
            troubles.append(trouble)

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
        assert not troubles
        assert clients_shown(first) == clients_shown(second) == set(names)
