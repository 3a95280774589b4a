"""A firm of many clients on one home: first imports, an idle sweep, one with changes, a backfill.

    python benchmarks/fleet_sweep.py --imported 27 --copies 3 --changed 25 --backfill 25

``--imported`` clients are really imported from invented companies of the sandbox; ``--copies`` of
each are clients with copied books, which read the same company. The other ones are sleepers: they
are connected and probed like every client, with the reading notes of an imported one, but have no
books of their own. Before a sweep the bills and payments of every client have not been asked for in
as long as any list is left alone, its other lists were a moment ago: that is what an office's quiet
client is due for. The sandbox runs in a process of its own, on the same cores. Seconds are wall
clock; CPU seconds are those of the sweep and its workers, without the sandbox. Dagster's storage is
SQLite.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Protocol

import dagster as dg
from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.bill.lists import POLLED
from bill_pipeline.dagster.definitions import defs
from bill_pipeline.dagster.fleet import sweep_config
from bill_pipeline.dagster.instance import write_instance
from bill_pipeline.dagster.partitions import CLIENTS_PER_RUN
from bill_pipeline.dagster.poll_schedule import LONGEST_INTERVAL
from bill_pipeline.ingest.change_check import note_file
from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.clients import Registry, State, utc_now
from bill_pipeline.registry.session_store import SealedSessions
from bill_pipeline.sandbox.control_client import ControlClient
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import Company
from bill_pipeline.settings import Home


class Bill(Protocol):
    """Where a look-alike of BILL answers, and who is in it."""

    base_url: str
    v2_url: str
    dev_key: str
    companies: list[Company]
    control: ControlClient


@dataclass
class Elsewhere:
    """A look-alike in another process."""

    base_url: str
    v2_url: str
    dev_key: str
    companies: list[Company]
    control: ControlClient


def main() -> None:
    options = parsed()
    home = Home.at(options.home or tempfile.mkdtemp(prefix="fleet-"))
    with sandbox_elsewhere(options) as sandbox:
        print(f"home {home.path}, seed {options.seed}")
        firm = Firm(home, sandbox, options)
        firm.import_clients()
        firm.measure()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--imported", type=int, default=40)
    parser.add_argument("--copies", type=int, default=0, help="of each imported client")
    parser.add_argument("--changed", type=int, default=10, help="companies, and so their copies")
    parser.add_argument("--backfill", type=int, default=0, help="clients to read in full")
    parser.add_argument("--documents", type=int, default=60, help="about, per company")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--home", type=Path, default=None)
    return parser.parse_args()


@contextmanager
def sandbox_elsewhere(options: argparse.Namespace) -> Iterator[Elsewhere]:
    """A sandbox with the invented companies, in a process of its own."""
    here, there = multiprocessing.Pipe()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(
        target=serve, args=(there, options.imported, options.documents, options.seed), daemon=True
    )
    process.start()
    base_url, v2_url, dev_key, companies = here.recv()
    control = ControlClient(base_url.removesuffix("/connect"))
    try:
        yield Elsewhere(base_url, v2_url, dev_key, companies, control)
    finally:
        control.close()
        here.send("end")
        process.join(timeout=30)


def serve(pipe: Pipe, companies: int, documents: int, seed: int) -> None:
    with SandboxServer(companies=companies, documents=documents, seed=seed) as sandbox:
        pipe.send((sandbox.base_url, sandbox.v2_url, sandbox.dev_key, sandbox.companies))
        pipe.recv()


class Firm:
    """The clients of one home and what is measured of them."""

    def __init__(self, home: Home, sandbox: Bill, options: argparse.Namespace) -> None:
        self.home = home
        self.sandbox = sandbox
        self.options = options
        self.registry = Registry(home)
        storage = str(write_instance(home, uses_postgres=False))
        self.instance = dg.DagsterInstance.from_config(storage)
        self.awake: list[str] = []
        self.copies: list[str] = []

    def import_clients(self) -> None:
        for number in range(len(self.sandbox.companies)):
            client = f"client-{number:04}"
            self.awake.append(connect(self.registry, self.sandbox, number, client))
        self.instance.add_dynamic_partitions("client", self.awake)
        with timed("first imports", len(self.awake), self.sandbox):
            sweep(self.home, self.instance, self.awake)
        for copy in range(self.options.copies):
            for number, original in enumerate(self.awake):
                name = f"copy-{copy:02}-{number:04}"
                connect(self.registry, self.sandbox, number, name)
                copy_books(self.home, self.registry, original, name)
                self.copies.append(name)
        self.instance.add_dynamic_partitions("client", self.copies)
        if self.copies:
            with timed("first publication of the copies", len(self.copies), self.sandbox):
                publish(Registry(self.home), self.copies)

    def measure(self) -> None:
        options, sandbox = self.options, self.sandbox
        # Those at the beginning of the list are the ones that change.
        quiet = self.awake[options.changed :] or self.awake
        asleep = make_sleepers(
            self.home, self.registry, sandbox, quiet,
            options.clients - len(self.awake) - len(self.copies),
        )  # fmt: skip
        self.instance.add_dynamic_partitions("client", asleep)
        firm = [*self.awake, *self.copies, *asleep]
        self.rest(firm)
        with timed("idle sweep", len(firm), sandbox):
            sweep(self.home, self.instance, firm)
        changed = sandbox.companies[: options.changed]
        for company in changed:
            sandbox.control.change(company.client, "bills", count=3)
        count = len(changed) * (1 + options.copies)
        self.rest(firm)
        with timed(f"sweep in which {count} clients changed", len(firm), sandbox):
            sweep(self.home, self.instance, firm)
        for at in range(0, options.backfill, CLIENTS_PER_RUN):
            part = self.awake[at : min(at + CLIENTS_PER_RUN, options.backfill)]
            with timed("a run of a full backfill", len(part), sandbox):
                backfill(self.home, self.instance, part)
        late = [s.client for s in self.registry.all() if s.state is not State.UP_TO_DATE]
        print(f"clients not up to date: {late or 'none'}")
        tick(self.instance, self.home)
        print_sizes(self.home)

    def rest(self, clients: list[str]) -> None:
        """As if the clients' bills and payments had not been asked for in the longest interval.

        Of nobody is known when things change: the invented companies' last weeks are long ago.
        """
        now = utc_now()
        looked_at = dict.fromkeys(POLLED, now.isoformat()) | dict.fromkeys(
            ("bills", "payments"), (now - LONGEST_INTERVAL).isoformat()
        )
        for client in clients:
            self.registry.update(client, looked_at=looked_at, activity={})


def connect(registry: Registry, sandbox: Bill, company: int, client: str) -> str:
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


def copy_books(home: Home, registry: Registry, original: str, name: str) -> None:
    """Give ``name`` the books, the reading state, the model and the session of ``original``."""
    shutil.copy(home.client_file(original), home.client_file(name))
    home.dlt_folder(name).mkdir(parents=True)
    shutil.copy(home.dlt_folder(original) / "change_check.json", home.dlt_folder(name))
    note_file(home.dlt_folder(name), home.client_file(name))
    models = home.models / "clients"
    if (models / original).exists():
        shutil.copytree(models / original, models / name)
    sessions = SealedSessions(registry)
    if (session := sessions.get(original)) is not None:
        sessions.put(name, session)
    told = asdict(registry.status(original))
    for own in ("client", "organization_id", "environment", "connected_at"):
        del told[own]
    registry.update(name, **told)


def make_sleepers(
    home: Home, registry: Registry, sandbox: Bill, quiet: list[str], count: int
) -> list[str]:
    """Clients with the reading notes and the open session of one of the ``quiet`` ones."""
    names = []
    now = utc_now()
    sessions = SealedSessions(registry)
    for number in range(count):
        model = quiet[number % len(quiet)]
        name = connect(registry, sandbox, int(model[-4:]), f"sleeper-{number:04}")
        folder = home.dlt_folder(name)
        folder.mkdir(parents=True)
        shutil.copy(home.dlt_folder(model) / "change_check.json", folder)
        home.client_file(name).touch()  # a probe does not open it
        note_file(folder, home.client_file(name))
        if (session := sessions.get(model)) is not None:
            sessions.put(name, session)
        registry.update(name, state=State.UP_TO_DATE, last_attempt_at=now, last_success_at=now,
                        last_change_at=now - timedelta(days=2))  # fmt: skip
        names.append(name)
    return names


def sweep(home: Home, instance: dg.DagsterInstance, clients: list[str]) -> None:
    config = sweep_config(clients).to_config_dict()
    run(home, instance, "sync_due_clients", config)


def backfill(home: Home, instance: dg.DagsterInstance, clients: list[str]) -> None:
    """One of the runs into which the UI divides a backfill, with ``full`` in its launchpad."""
    config: dict[str, Any] = {"resources": {"sync": {"config": {"full": True}}}}
    tags = {
        "dagster/asset_partition_range_start": clients[0],
        "dagster/asset_partition_range_end": clients[-1],
    }
    run(home, instance, "bring_books_up_to_date", config, tags)


def run(
    home: Home,
    instance: dg.DagsterInstance,
    job: str,
    config: dict[str, Any],
    tags: dict[str, str] | None = None,
) -> None:
    config["resources"]["sync"]["config"]["home"] = str(home.path)
    config["loggers"] = {"console": {"config": {"log_level": "CRITICAL"}}}
    done = defs.resolve_job_def(job).execute_in_process(
        instance=instance, run_config=config, tags=tags
    )
    assert done.success


def tick(instance: dg.DagsterInstance, home: Home) -> None:
    from bill_pipeline.dagster.syncs import SyncResource

    started = time.perf_counter()
    with dg.build_sensor_context(
        instance=instance, definitions=defs, resources={"sync": SyncResource(home=str(home.path))}
    ) as context:
        defs.resolve_sensor_def("sync_due_clients").evaluate_tick(context)
    print(f"tick of sync_due_clients: {time.perf_counter() - started:.2f} s")


def print_sizes(home: Home) -> None:
    published = sum(path.stat().st_size for path in home.published.rglob("*.parquet"))
    books = [path.stat().st_size for path in home.client_file("any").parent.glob("*.duckdb")]
    print(f"published tables: {published / 1e6:,.1f} MB; {len(books)} clients' files: "
          f"{sum(books) / 1e6:,.1f} MB")  # fmt: skip
    for path in (home.ledger, home.registry, home.budget,
                 *sorted((home.dagster / "history").rglob("*.db"))):  # fmt: skip
        if path.exists():
            print(f"{path.relative_to(home.path)}: {path.stat().st_size / 1e6:,.1f} MB")


@contextmanager
def timed(what: str, clients: int, sandbox: Bill) -> Iterator[None]:
    before, cpu = requests(sandbox), cpu_seconds()
    started = time.perf_counter()
    yield
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - cpu
    print(f"{what}: {clients:,} clients, {seconds:.1f} s, {cpu:.1f} CPU s "
          f"({60 * clients / seconds:,.0f} clients a minute), "
          f"{requests(sandbox) - before:,} requests")  # fmt: skip
    sys.stdout.flush()


def cpu_seconds() -> float:
    """Of this process and of its workers that have ended; the sandbox's has not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + used.ru_utime + used.ru_stime


def requests(sandbox: Bill) -> int:
    statistics: dict[str, Any] = sandbox.control.statistics()
    found = statistics.get("requests", 0)
    return found if isinstance(found, int) else sum(found.values())


if __name__ == "__main__":
    main()
