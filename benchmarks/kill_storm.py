"""Ten minutes of random kills under load: does every client end correct and fresh by itself?

    python benchmarks/kill_storm.py --minutes 10 --clients 6

The sandbox's companies are connected, the daemon, code server and web server run as with
``bill-pipeline ui``, while somebody changes bills in BILL. At random moments the process of a run,
the daemon or the code server is killed with SIGKILL. Then the storm ends, and the firm gets
``--calm`` minutes to recover without any manual step. At the end every client's bills are compared
with BILL's, its journal must balance, a rebuild must give the same journal, and the published
ledger must show the same. Exits with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import socket
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
from fleet_sweep import connect

from bill_pipeline.dagster.services import Services
from bill_pipeline.pipeline.client_sync import SyncOptions, bring_up_to_date
from bill_pipeline.registry.clients import Registry, State, utc_now
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--calm", type=float, default=15, help="minutes to recover in, at most")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--documents", type=int, default=60, help="about, per company")
    parser.add_argument("--pause", type=float, default=12, help="mean seconds between two kills")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--home", type=Path, default=None)
    options = parser.parse_args()
    home = Home.at(options.home or tempfile.mkdtemp(prefix="kill-storm-"))
    os.environ["BILL_PIPELINE_HOME"] = str(home.path)
    with SandboxServer(
        companies=options.clients, documents=options.documents, seed=options.seed
    ) as sandbox:
        services = Services(home, port=_free_port())
        services.start()
        try:
            wrong = weather(home, sandbox, services, options)
        finally:
            services.stop()
        wrong += [
            fault for company in sandbox.companies for fault in faults(home, sandbox, company)
        ]
    print("\n".join(wrong) or "Every client is correct and fresh.")
    raise SystemExit(bool(wrong))


def weather(
    home: Home, sandbox: SandboxServer, services: Services, options: argparse.Namespace
) -> list[str]:
    """The storm and the calm after it; returns the clients that did not become fresh."""
    chance = random.Random(options.seed)  # noqa: S311 - not for secrets
    registry = Registry(home)
    clients = [company.client for company in sandbox.companies]
    # Half of them are there from the beginning; the others are connected in the storm.
    later = list(enumerate(clients))[len(clients) // 2 :]
    for number, client in list(enumerate(clients))[: len(clients) // 2]:
        connect(registry, sandbox, number, client)
    killed: Counter[str] = Counter()
    ends = time.monotonic() + 60 * options.minutes
    while time.monotonic() < ends:
        time.sleep(chance.expovariate(1 / options.pause))
        services.revive()
        if later and chance.random() < 0.3:
            connect(registry, sandbox, *later.pop())
        sandbox.control.change(chance.choice(clients), "bills", count=2, seed=chance.randrange(99))
        victim = chance.choice(["run", "run", "daemon", "code-server"])
        if kill(victim, services, home, chance):
            killed[victim] += 1
            print(f"{_left(ends)} killed a {victim}", flush=True)
    for number, client in later:
        connect(registry, sandbox, number, client)
    told = {client: utc_now() for client in clients}
    print(f"killed: {dict(killed)}; calm", flush=True)
    started = time.monotonic()
    while time.monotonic() - started < 60 * options.calm:
        services.revive()
        late = [client for client in clients if not _is_fresh(registry, client, told[client])]
        if not late:
            print(f"all fresh {time.monotonic() - started:.0f} s after the last kill")
            return []
        time.sleep(2)
    return [f"{client} is not fresh: {registry.status(client)}" for client in late]


def kill(victim: str, services: Services, home: Home, chance: random.Random) -> bool:
    """Kill one process of this home and say whether there was one."""
    if victim == "run":
        found = run_processes(home)
    else:
        found = [
            service.process.pid
            for service in services.services
            if service.name == victim and service.process and service.process.poll() is None
        ]
    if not found:
        return False
    os.kill(chance.choice(found), signal.SIGKILL)
    return True


def run_processes(home: Home) -> list[int]:
    """Processes that execute a run of this home, and their workers."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = (folder / "cmdline").read_bytes()
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        is_run = b"execute_run" in command or b"spawn_main" in command
        if is_run and f"BILL_PIPELINE_HOME={home.path}\0".encode() in environment:
            found.append(int(folder.name))
    return found


def faults(home: Home, sandbox: SandboxServer, company: Any) -> list[str]:
    """What is wrong with the client's books after the storm."""
    client = company.client
    truth = {bill["id"]: bill for bill in sandbox.control.books(client)["bills"]}
    with duckdb.connect(str(home.client_file(client)), read_only=True) as books:
        stored = dict(
            books.execute(
                "select id, document->>'$.updatedTime' from raw.bills where not is_deleted"
            ).fetchall()
        )
        balance = books.execute(
            "select coalesce(sum(amount), 0) from ledger.journal_lines"
        ).fetchone()
        lines = books.execute("from ledger.journal_lines order by line_id").fetchall()
    wrong = []
    if {one: bill["updatedTime"] for one, bill in truth.items()} != stored:
        wrong.append(f"{client}: the bills differ from BILL's")
    if balance != (0,) or not lines:
        wrong.append(f"{client}: the journal's balance is {balance}, of {len(lines)} lines")
    with duckdb.connect(str(home.ledger), read_only=True) as ledger:
        published = ledger.execute(
            "select count(*), sum(debit) from journal_lines where client = ?", [client]
        ).fetchone()
    debits = sum(line for (line,) in _debits(home, client))
    if published != (len(lines), debits):
        wrong.append(f"{client}: published is {published}, not {(len(lines), debits)}")
    try:
        bring_up_to_date(Registry(home), client, SyncOptions(rebuild=True))
    except Exception as error:  # noqa: BLE001 - reported with the others
        wrong.append(f"{client}: a rebuild differs: {error}")
    return wrong


def _debits(home: Home, client: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.client_file(client)), read_only=True) as books:
        return books.execute("select debit from ledger.journal_lines").fetchall()


def _is_fresh(registry: Registry, client: str, since: Any) -> bool:
    status = registry.status(client)
    return (
        status.state is State.UP_TO_DATE
        and status.last_success_at is not None
        and status.last_success_at > since
        and status.unpublished_since is None
    )


def _left(ends: float) -> str:
    return f"{max(ends - time.monotonic(), 0):5.0f} s left:"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
