"""A sandbox with invented companies, a home they are connected to, and an instance to run in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.dagster.partitions import CLIENT_PARTITIONS
from bill_pipeline.dagster.syncs import SyncResource
from bill_pipeline.registry.clients import Registry
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from tests.postgres_server import postgres_server

#: A company without receivables, so that the tests are quick.
SEED = 7
Connect = Callable[..., str]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(companies=2, documents=60, seed=SEED) as server:
        yield server


@pytest.fixture(scope="session")
def knowledge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the seed examples teach, learned once for all tests that categorize lines."""
    from bill_pipeline.categorization.model_registry import knowledge

    home = Home.at(tmp_path_factory.mktemp("firm"))
    knowledge(home)
    return home.models


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("BILL_PIPELINE_HOME", str(tmp_path / "home"))
    return Home.at()


@pytest.fixture(scope="session")
def storage() -> Iterator[dict[str, Any]]:
    """Dagster's storage: SQLite, or a real PostgreSQL with BILL_PIPELINE_TEST_STORAGE=postgres."""
    if os.environ.get("BILL_PIPELINE_TEST_STORAGE") != "postgres":
        yield {}
        return
    with postgres_server() as port:
        url = f"postgresql+psycopg2://firm@127.0.0.1:{port}/postgres"
        yield {"storage": {"postgres": {"postgres_url": url}}}


@pytest.fixture
def instance(storage: dict[str, Any]) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(overrides=storage) as instance:
        if storage:
            instance.wipe()
            for name in instance.get_dynamic_partitions(CLIENT_PARTITIONS.name or ""):
                instance.delete_dynamic_partition(CLIENT_PARTITIONS.name or "", name)
        yield instance


@pytest.fixture
def sync(home: Home) -> SyncResource:
    return SyncResource(home=str(home.path))


@pytest.fixture
def connect(home: Home, sandbox: SandboxServer) -> Connect:
    """``connect()`` connects the sandbox's n-th company, by default the first one."""

    def connect(number: int = 0, *, name: str | None = None, password: str | None = None) -> str:
        company = sandbox.companies[number]
        connection = Connection(
            organization_id=company.organization_id,
            token_name=company.token_name,
            token_password=SecretStr(password or company.token_password),
            dev_key=SecretStr(sandbox.dev_key),
            base_url=sandbox.base_url,
            v2_url=sandbox.v2_url,
        )
        client = name or company.client
        Registry(home).connect(client, connection, environment=sandbox.base_url)
        return client

    return connect


@pytest.fixture
def run(instance: dg.DagsterInstance, home: Home) -> Callable[..., dg.ExecuteInProcessResult]:
    """``run(job, partition=…, sync={…}, clients=[…])`` runs a job of the code location."""
    from bill_pipeline.dagster.definitions import defs

    def run(
        job: str = "bring_books_up_to_date",
        *,
        partition: str | None = None,
        sync: dict[str, Any] | None = None,
        clients: list[str] | None = None,
        tags: dict[str, str] | None = None,
        assets: dg.AssetSelection | None = None,
    ) -> dg.ExecuteInProcessResult:
        config: dict[str, Any] = {
            "resources": {"sync": {"config": {"home": str(home.path), **(sync or {})}}}
        }
        if clients is not None:
            config["ops"] = {"bring_many": {"config": {"clients": clients}}}
        if partition is not None:
            instance.add_dynamic_partitions(CLIENT_PARTITIONS.name or "", [partition])
        return defs.resolve_job_def(job).execute_in_process(
            instance=instance,
            partition_key=partition,
            run_config=config,
            tags=tags,
            asset_selection=None
            if assets is None
            else list(assets.resolve(defs.resolve_asset_graph())),
            raise_on_error=False,
        )

    return run
