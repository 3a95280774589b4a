"""Writers publish, readers join, and writers are killed: count every error and inconsistency.

Run by ``test_stress`` for seconds, by a person for minutes, on invented books::

    python tests/publish/stress.py --seconds 120 --clients 200 [--store ducklake]

Readers and writers are processes of their own, started from one that has the modules loaded.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LINES = 200
#: Every table of a client must be of the same batch, whole, and every client must be there.
INCONSISTENT = """
    with lines as (
        select client, min(batch) as first, max(batch) as last, count(*) as n, sum(amount) as total
        from journal_lines group by client
    )
    select count(*) from lines full join totals using (client)
    where first is distinct from last or first is distinct from totals.batch
        or n is distinct from line_count or total is distinct from totals.amount
"""
ONE_CLIENT = "select sum(amount) from journal_lines where client = '{name}'"


def client_names(count: int) -> list[str]:
    return [f"c{number:04d}" for number in range(count)]


def write(home_path: str, names: list[str], log: str) -> None:
    """Bring some of ``names`` to their next batch and publish, again and again, until killed."""
    from publish_fixture import SCHEMA, write_books

    from bill_pipeline.actions.deciding import hold_client
    from bill_pipeline.publishing.publish import publish, show_status
    from bill_pipeline.registry.clients import Registry, utc_now
    from bill_pipeline.settings import Home

    home = Home(Path(home_path))
    rng = random.Random()  # noqa: S311
    batch = int(time.time() * 1000) % 1_000_000_000
    while True:
        some = rng.sample(names, min(len(names), rng.choice([1, 1, 1, 3])))
        batch += 1
        for name in some:
            with hold_client(home, name):
                write_books(home, name, batch, lines=LINES)
        if rng.random() < 0.3:  # a client fails, or is left unpublished: sync_status tells
            now = utc_now()
            Registry(home).update(some[0], error="invented", unpublished_since=now)
            show_status(Registry(home))
        report = publish(Registry(home), some, schema=SCHEMA)
        with Path(log).open("a") as file:
            file.write(f"{json.dumps(report.not_published)}\n")


def opened(home_path: str) -> Any:
    """The ledger as an analyst opens it: with DuckDB alone."""
    import duckdb

    if not os.environ.get("BILL_PIPELINE_DUCKLAKE_CATALOGUE"):
        return duckdb.connect(f"{home_path}/ledger.duckdb", read_only=True)
    from bill_pipeline.publishing.lake_connection import LakeAddress, load_extensions

    db = duckdb.connect()
    load_extensions(db, LakeAddress("dbname=any", ""))
    db.execute(Path(home_path, "ledger.sql").read_text())
    return db


def read(home_path: str, names: list[str], stop: str, log: str) -> None:
    """Open, join, close, again and again until the file ``stop`` exists.

    Leaves a JSON log after the first round, whose being there tells that it answered, and at the
    end.
    """
    import duckdb

    rng = random.Random()  # noqa: S311
    found: dict[str, Any] = {
        "reads": 0, "errors": [], "inconsistent": 0, "missing": 0, "joins": [], "points": []
    }  # fmt: skip
    while not Path(stop).exists():
        try:
            with opened(home_path) as db:
                for _ in range(rng.randint(1, 3)):
                    started = time.perf_counter()
                    found["inconsistent"] += db.execute(INCONSISTENT).fetchall()[0][0]
                    found["joins"].append(time.perf_counter() - started)
                    started = time.perf_counter()
                    statuses = db.execute("select count(*) from sync_status").fetchall()
                    found["missing"] += statuses != [(len(names),)]
                    point = ONE_CLIENT.format(name=rng.choice(names))
                    found["missing"] += db.execute(point).fetchall()[0][0] is None
                    found["points"].append(time.perf_counter() - started)
                    found["reads"] += 1
        except duckdb.Error as error:
            found["errors"].append(str(error))
        if not Path(log).exists():
            Path(log).write_text(json.dumps(found))
    Path(log).write_text(json.dumps(found))


class Stress:
    """One run on a home of its own."""

    def __init__(
        self, folder: Path, *, clients: int, workers: int, seed: int, life: float = 4
    ) -> None:
        sys.path.insert(0, str(FOLDER))
        from publish_fixture import SCHEMA, connect_clients, write_books

        from bill_pipeline.publishing.publish import publish
        from bill_pipeline.registry.clients import Registry
        from bill_pipeline.settings import Home

        self.processes = multiprocessing.get_context("forkserver")
        self.processes.set_forkserver_preload(
            ["publish_fixture", "bill_pipeline.publishing.publish", "pandas", "pyarrow"]
        )
        self.home = Home.at(folder)
        self.names = client_names(clients)
        self.workers = workers
        self.life = life
        self.rng = random.Random(seed)  # noqa: S311
        connect_clients(self.home, self.names)
        for name in self.names:
            write_books(self.home, name, 1, lines=LINES)
        publish(Registry(self.home), self.names, schema=SCHEMA)
        self.publish_again = lambda: publish(Registry(self.home), [], schema=SCHEMA)

    def run(self, seconds: float, kills: int) -> dict[str, Any]:
        """Go on for ``seconds``, at least ``kills`` kills and until every reader has answered.

        Returns what everybody saw.
        """

        def wait(answered: Callable[[], bool]) -> None:
            time.sleep(seconds / 10)
            while not answered():
                time.sleep(0.05)

        idle = self._read_while("idle", wait)
        killed = 0

        def write_and_kill(answered: Callable[[], bool]) -> None:
            nonlocal killed
            killed = self._write_and_kill(seconds, kills, answered)

        busy = self._read_while("busy", write_and_kill)
        logs = [path.read_text().splitlines() for path in self.home.path.glob("writer-*.log")]
        final = self.publish_again()
        both = {"idle": idle, "busy": busy}
        return {
            "clients": len(self.names),
            "writers": self.workers,
            "readers": self.workers,
            "kills": killed,
            "published": sum(map(len, logs)),
            "refused": sum(line != "{}" for log in logs for line in log),
            "leftovers": len(list((self.home.published / ".writing").iterdir())),
            "collected at the end": final.files_collected,
            **{name: busy[name] for name in ("reads", "errors", "inconsistent", "missing")},
            "milliseconds, all clients": {n: _latency(f["joins"]) for n, f in both.items()},
            "milliseconds, one client": {n: _latency(f["points"]) for n, f in both.items()},
        }

    def _read_while(self, name: str, work: Callable[[Callable[[], bool]], None]) -> dict[str, Any]:
        """Let readers read during ``work``, which is told whether each of them has answered."""
        stop = self.home.path / f"stop-{name}"
        logs = [self.home.path / f"{name}-{number}.json" for number in range(self.workers)]
        readers = [
            self._start(read, str(self.home.path), self.names, str(stop), str(log)) for log in logs
        ]
        try:
            work(
                lambda: all(
                    log.exists() or not reader.is_alive()
                    for log, reader in zip(logs, readers, strict=True)
                )
            )
        finally:
            stop.touch()
            for reader in readers:
                reader.join()
        total: dict[str, Any] = {}
        for log in logs:
            for key, value in json.loads(log.read_text()).items():
                total[key] = total.get(key, type(value)()) + value
        return total

    def _write_and_kill(self, seconds: float, least: int, answered: Callable[[], bool]) -> int:
        writers = [self._start_writer(number) for number in range(self.workers)]
        end = time.monotonic() + seconds
        killed = 0
        try:
            while time.monotonic() < end or killed < least or not answered():
                victim = self.rng.randrange(self.workers)
                # Any moment of a publication, and of the start of a process.
                writers[victim].join(self.rng.uniform(0.05, self.life))
                assert writers[victim].exitcode is None, "a writer failed by itself"
                writers[victim].kill()
                writers[victim].join()
                killed += 1
                writers[victim] = self._start_writer(victim)
        finally:
            for writer in writers:
                writer.kill()
                writer.join()
        return killed

    def _start_writer(self, number: int) -> BaseProcess:
        log = self.home.path / f"writer-{number}.log"
        return self._start(write, str(self.home.path), self.names[number :: self.workers], str(log))

    def _start(self, work: Any, *arguments: Any) -> BaseProcess:
        process = self.processes.Process(target=work, args=arguments, daemon=True)
        process.start()
        return process


def _latency(seconds: list[float]) -> dict[str, float]:
    if not seconds:  # every answer was an error: those are what to show
        return {}
    cuts = statistics.quantiles(seconds, n=20) if len(seconds) > 1 else seconds * 19
    return {"p50": round(cuts[9] * 1000, 1), "p95": round(cuts[18] * 1000, 1)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4, help="writers, and as many readers")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--life", type=float, default=4, help="seconds until a kill, at most")
    parser.add_argument("--store", choices=["files", "ducklake"], default="files")
    options = parser.parse_args()
    print(f"seed of the kills: {options.seed}")
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        if options.store == "ducklake":
            sys.path.insert(0, str(FOLDER.parents[1]))
            from tests.postgres_server import create_database, postgres_server

            port = stack.enter_context(postgres_server())
            os.environ["BILL_PIPELINE_DUCKLAKE_CATALOGUE"] = create_database(port, "lake")
        run = Stress(
            Path(scratch),
            clients=options.clients,
            workers=options.workers,
            seed=options.seed,
            life=options.life,
        )
        print(json.dumps(run.run(options.seconds, kills=1), indent=2))
