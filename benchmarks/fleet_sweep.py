"""A firm of many clients on one home: first imports, an idle sweep, a sweep with changes.

    python benchmarks/fleet_sweep.py --clients 1000 --imported 40 --changed 10

``--imported`` clients are really imported from invented companies of the sandbox; the other ones
are sleepers: they are connected and probed like every client, with the reading notes of an imported
one, but have no books of their own. Times are wall clock of one process, with Dagster's SQLite
storage; the sandbox runs in the same process and takes its share of the same cores.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.clients import Registry, SealedSessions, State, utc_now
from bill_pipeline.dagster.definitions import defs
from bill_pipeline.dagster.fleet import sweep_config
from bill_pipeline.dagster.instance import write_instance
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--imported", type=int, default=40)
    parser.add_argument("--changed", type=int, default=10)
    parser.add_argument("--documents", type=int, default=60, help="about, per company")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--home", type=Path, default=None)
    options = parser.parse_args()
    home = Home.at(options.home or tempfile.mkdtemp(prefix="fleet-"))
    started = time.perf_counter()
    with SandboxServer(
        companies=options.imported, documents=options.documents, seed=options.seed
    ) as sandbox:
        print(f"home {home.path}, seed {options.seed}, "
              f"sandbox ready in {time.perf_counter() - started:.0f} s")  # fmt: skip
        measure(home, sandbox, options)


def measure(home: Home, sandbox: SandboxServer, options: argparse.Namespace) -> None:
    registry = Registry(home)
    awake = [
        connect(registry, sandbox, number, f"client-{number:04}")
        for number in range(len(sandbox.companies))
    ]
    instance = dg.DagsterInstance.from_config(str(write_instance(home, uses_postgres=False)))
    instance.add_dynamic_partitions("client", awake)

    with timed("first imports", len(awake), sandbox):
        sweep(home, instance, awake)
    asleep = make_sleepers(home, registry, sandbox, awake, options.clients - len(awake))
    firm = [*awake, *asleep]
    with timed("idle sweep", len(firm), sandbox):
        sweep(home, instance, firm)
    changed = sandbox.companies[: options.changed]
    for company in changed:
        sandbox.control.change(company.client, "bills", count=3)
    with timed(f"sweep in which {len(changed)} clients changed", len(firm), sandbox):
        sweep(home, instance, firm)
    late = [s.client for s in registry.all() if s.state is not State.UP_TO_DATE]
    print(f"clients not up to date: {late or 'none'}")
    for path in (home.ledger, home.registry, *sorted((home.dagster / "history").rglob("*.db"))):
        if path.exists():
            print(f"{path.relative_to(home.path)}: {path.stat().st_size / 1e6:,.1f} MB")
    tick(instance, home)


def connect(registry: Registry, sandbox: SandboxServer, company: int, client: str) -> str:
    chosen = sandbox.companies[company]
    connection = Connection(
        organization_id=chosen.organization_id,
        token_name=chosen.token_name,
        token_password=SecretStr(chosen.token_password),
        dev_key=SecretStr(sandbox.dev_key),
        base_url=sandbox.base_url,
        v2_url=sandbox.v2_url,
    )
    registry.connect(client, connection, environment=sandbox.base_url)
    return client


def make_sleepers(
    home: Home, registry: Registry, sandbox: SandboxServer, awake: list[str], count: int
) -> list[str]:
    """Clients with the reading notes and the open session of an imported one."""
    # Companies at the end of the list: those at its beginning are the ones that change.
    quiet = awake[len(awake) // 2 :]
    names = []
    now = utc_now()
    sessions = SealedSessions(registry)
    for number in range(count):
        model = quiet[number % len(quiet)]
        name = connect(registry, sandbox, awake.index(model), f"sleeper-{number:04}")
        folder = home.dlt_folder(name)
        folder.mkdir(parents=True)
        shutil.copy(home.dlt_folder(model) / "probe.json", folder)
        if (session := sessions.get(model)) is not None:
            sessions.put(name, session)
        registry.update(name, state=State.UP_TO_DATE, last_attempt_at=now, last_success_at=now,
                        last_change_at=now - timedelta(days=2))  # fmt: skip
        names.append(name)
    return names


def sweep(home: Home, instance: dg.DagsterInstance, clients: list[str]) -> None:
    config = sweep_config(clients).to_config_dict()
    config["resources"]["sync"]["config"]["home"] = str(home.path)
    config["loggers"] = {"console": {"config": {"log_level": "CRITICAL"}}}
    job = defs.resolve_job_def("sync_due_clients")
    assert job.execute_in_process(instance=instance, run_config=config).success


def tick(instance: dg.DagsterInstance, home: Home) -> None:
    from bill_pipeline.dagster.syncs import SyncResource

    started = time.perf_counter()
    with dg.build_sensor_context(
        instance=instance, definitions=defs, resources={"sync": SyncResource(home=str(home.path))}
    ) as context:
        defs.resolve_sensor_def("sync_due_clients").evaluate_tick(context)
    print(f"tick of sync_due_clients: {time.perf_counter() - started:.2f} s")


@contextmanager
def timed(what: str, clients: int, sandbox: SandboxServer) -> Iterator[None]:
    before = requests(sandbox)
    started = time.perf_counter()
    yield
    seconds = time.perf_counter() - started
    print(f"{what}: {clients:,} clients, {seconds:.1f} s ({60 * clients / seconds:,.0f} clients a "
          f"minute), {requests(sandbox) - before:,} requests")  # fmt: skip
    sys.stdout.flush()


def requests(sandbox: SandboxServer) -> int:
    statistics: dict[str, Any] = sandbox.control.statistics()
    found = statistics.get("requests", 0)
    return found if isinstance(found, int) else sum(found.values())


if __name__ == "__main__":
    main()
