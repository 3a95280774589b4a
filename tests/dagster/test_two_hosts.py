"""Two Dagster hosts with one PostgreSQL and one shared home work on one firm's clients at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from bill_pipeline.dagster.instance import write_instance
from bill_pipeline.pipeline.client_sync import SyncOptions, bring_up_to_date
from bill_pipeline.registry.clients import Registry, State
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from tests.postgres_server import needs_postgres, postgres_server

pytestmark = [pytest.mark.slow, needs_postgres, pytest.mark.rotating(days=8, part=4)]

#: What a run does on its host: its own Dagster folder, the firm's storage and home.
ONE_HOST = """
import sys
import dagster as dg
from bill_pipeline.dagster.definitions import defs
from bill_pipeline.dagster.fleet import sweep_config
with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
    job = defs.resolve_job_def("sync_due_clients")
    result = job.execute_in_process(instance=instance, run_config=sweep_config(sys.argv[2:]))
"""


def start_host(folder: Path, home: Home, clients: list[str], url: str) -> subprocess.Popen[str]:
    folder.mkdir()
    shutil.copy(home.dagster / "dagster.yaml", folder)
    environment = {
        **os.environ,
        "BILL_PIPELINE_HOME": str(home.path),
        "BILL_PIPELINE_SHARED_HOME": "yes",
        "BILL_PIPELINE_DAGSTER_POSTGRES_URL": url,
        "DAGSTER_HOME": str(folder),
    }
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", ONE_HOST, str(folder), *clients],
                            env=environment, text=True, stderr=subprocess.PIPE)  # fmt: skip


def test_two_hosts_bring_the_same_clients_without_stepping_on_each_other(
    home: Home,
    connect: Callable[..., str],
    sandbox: SandboxServer,
    knowledge: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(knowledge, home.models, dirs_exist_ok=True)
    monkeypatch.setenv("BILL_PIPELINE_SHARED_HOME", "yes")
    clients = [connect(0), connect(1)]
    with postgres_server() as port:
        url = f"postgresql+psycopg2://firm@127.0.0.1:{port}/postgres"
        monkeypatch.setenv("BILL_PIPELINE_DAGSTER_POSTGRES_URL", url)
        folder = write_instance(home, uses_postgres=True)
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            instance.add_dynamic_partitions("client", clients)
        # In opposite order, so that they meet: each waits for nobody and leaves the other's client.
        hosts = [start_host(tmp_path / "host-a", home, clients, url),
                 start_host(tmp_path / "host-b", home, clients[::-1], url)]  # fmt: skip
        for host in hosts:
            _, errors = host.communicate(timeout=900)
            assert host.returncode == 0, errors[-3000:]
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            assert len(instance.get_runs()) == 2
            published = dg.AssetKey(["published", "ledger"])
            assert instance.get_materialized_partitions(published) == set(clients)
    with duckdb.connect(str(home.ledger), read_only=True) as ledger:
        rows = ledger.execute(
            "select client, sum(debit) - sum(credit), count(*) - count(distinct line_id) "
            "from journal_lines group by 1 order by 1"
        ).fetchall()
    assert rows == [(client, 0, 0) for client in sorted(clients)]
    for client in clients:
        assert Registry(home).status(client).state is State.UP_TO_DATE
        bring_up_to_date(
            Registry(home), client, SyncOptions(rebuild=True)
        )  # raises when it would differ
