"""Dagster's runs and events in a real PostgreSQL, as a firm with several hosts would keep them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import psycopg2
import pytest

from bill_pipeline.clients import Registry, State
from bill_pipeline.dagster.definitions import defs
from bill_pipeline.dagster.instance import write_instance
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.settings import Home

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
FOUND = str(BINARIES[-1] / "initdb") if BINARIES else shutil.which("initdb")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FOUND is None, reason="PostgreSQL is not installed: apt-get install "
                       "postgresql"),
]  # fmt: skip


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A PostgreSQL of its own, on a free port, gone after the test."""
    binaries = Path(str(FOUND)).parent
    # Not pytest's folder: PostgreSQL runs as another user, who may not look into ours.
    folder = Path(tempfile.mkdtemp(prefix="bill-pipeline-postgres-"))
    # PostgreSQL refuses to run as root; test machines often are.
    owner = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
    if owner:
        shutil.chown(folder, "nobody", "nogroup")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    subprocess.run([binaries / "initdb", "-D", data, "-U", "firm", "-A", "trust", "--no-sync"],
                   check=True, capture_output=True, cwd=folder, **owner)  # fmt: skip
    server = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-p", str(port), "-k", folder, "-F",
         "-c", "listen_addresses=127.0.0.1"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **owner,
    )  # fmt: skip
    try:
        address = f"firm@127.0.0.1:{port}/postgres"
        _await(f"postgresql://{address}")
        # The driver is named: SQLAlchemy's default is another one than Dagster installs.
        yield f"postgresql+psycopg2://{address}"
    finally:
        server.terminate()
        server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _await(url: str) -> None:
    ends = time.monotonic() + 60
    while True:
        try:
            psycopg2.connect(url).close()
        except psycopg2.OperationalError:
            assert time.monotonic() < ends
            time.sleep(0.1)
        else:
            return


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
        assert f"Next is {client}" in (tick.skip_message or "")
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
