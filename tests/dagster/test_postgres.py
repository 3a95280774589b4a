"""Dagster's runs and events in a real PostgreSQL, as a firm with several hosts would keep them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from bill_pipeline.dagster.definitions import defs
from bill_pipeline.dagster.instance import write_instance
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.settings import Home
from tests.postgres_server import needs_postgres, postgres_server

pytestmark = [pytest.mark.slow, needs_postgres, pytest.mark.rotating(days=8, part=5, together=True)]


@pytest.fixture
def postgres_url() -> Iterator[str]:
    with postgres_server() as port:
        # The driver is named: SQLAlchemy's default is another one than Dagster installs.
        yield f"postgresql+psycopg2://firm@127.0.0.1:{port}/postgres"


def test_runs_sensors_and_checks_work_on_postgresql(
    home: Home,
    connect: Callable[..., str],
    knowledge: Path,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(knowledge, home.models, dirs_exist_ok=True)
    monkeypatch.setenv("BILL_PIPELINE_DAGSTER_POSTGRES_URL", postgres_url)
    folder = write_instance(home, uses_postgres=True)
    assert postgres_url not in (folder / "dagster.yaml").read_text()
    client = connect()
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.add_dynamic_partitions("client", [client])
        result = defs.resolve_job_def("bring_books_up_to_date").execute_in_process(
            instance=instance, partition_key=client
        )
        assert result.success
        assert instance.get_materialized_partitions(dg.AssetKey(["ledger", "journal_lines"])) == {
            client
        }
        with dg.build_sensor_context(
            instance=instance, definitions=defs, resources={"sync": SyncResource()}
        ) as context:
            tick = defs.resolve_sensor_def("sync_due_clients").evaluate_tick(context)
        assert "the news of 1 client a short while ago" in (tick.skip_message or "")
    assert Registry(home).status(client).state is State.UP_TO_DATE
    assert not list((home.dagster / "history").rglob("*.db"))


def test_a_changed_dagster_yaml_is_kept(home: Home) -> None:
    path = write_instance(home, uses_postgres=False) / "dagster.yaml"
    ours = path.read_text()
    path.write_text(ours.replace("max_concurrent_runs: 2", "max_concurrent_runs: 8"))
    write_instance(home, uses_postgres=False)
    assert "max_concurrent_runs: 8" in path.read_text()
    path.write_text(ours)
    assert "postgres_url" in (write_instance(home, uses_postgres=True) / path.name).read_text()
