"""How publishing and asking grow with the number of clients, on copies of invented books.

    python benchmarks/publish_scale.py [--clients 1000] [--bills 820] [--rounds 20] [--home FOLDER]

One invented client is booked by the real SQL files; the others' published files are copies of it
under other names, so that only publishing is measured. 820 bills make about 5,000 journal lines.
Prints medians and 95th percentiles in milliseconds, the processor's time beside them (it tells a
slow publication from a busy machine), and the disk used. A home that is named is kept.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "exports"))

import duckdb
from invented_books import AS_OF, book, connect

from bill_pipeline.publishing.catalogue import write_catalogue
from bill_pipeline.publishing.contents import read_contents
from bill_pipeline.publishing.publish import publish
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.publishing.registry import RegistryTables
from bill_pipeline.publishing.tables import published_schema
from bill_pipeline.publishing.versions import Version, file_of
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home

#: Clients in one publication of a sweep.
SOME = 20


def grow(home: Home, clients: int, bills: int) -> None:
    """One booked client, and copies of its published files under other names."""
    connect(home, "c0000")
    book(home, "c0000", 1, as_of=AS_OF, bills=bills)
    publish(Registry(home), ["c0000"])
    contents = read_contents(home)
    first = contents.current["c0000"]
    originals = {
        written.table: file_of(home.published, written.table, "c0000", first.number).read_bytes()
        for written in first.tables
    }
    for number in range(1, clients):
        name = f"c{number:04d}"
        connect(home, name)
        contents.current[name] = Version(name, first.number, first.layout, first.row_count)
        for table, content in originals.items():
            path = file_of(home.published, table, name, first.number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    registry = RegistryTables(tuple(Registry(home).all()), contents.current)
    write_catalogue(home, contents, published_schema(), registry, AS_OF)


def milliseconds(work: Callable[[], object], rounds: int) -> str:
    taken, computed = [], []
    for _ in range(rounds):
        started, began = time.perf_counter(), time.process_time()
        work()
        taken.append((time.perf_counter() - started) * 1000)
        computed.append((time.process_time() - began) * 1000)
    late = sorted(taken)[int(len(taken) * 0.95)]
    return f"{statistics.median(taken):8.0f} {late:8.0f} {statistics.median(computed):10.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--bills", type=int, default=820)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--home")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Home.at(options.home or scratch)
        if not home.ledger.exists():
            grow(home, options.clients, options.bills)
        measure(home, options.rounds)


def measure(home: Home, rounds: int) -> None:
    """Print how long an analyst and a publisher wait, and the disk used."""
    clients = Registry(home).names()
    middle = clients[len(clients) // 2]
    with open_ledger(home) as db:
        lines = db.execute("select count(*) from journal_lines where client = 'c0000'").fetchall()
    disk = sum(path.stat().st_size for path in home.published.rglob("*.parquet")) / 1e6
    print(f"{len(clients)} clients × {lines[0][0]:,} journal lines; {disk:,.0f} MB of Parquet, "
          f"{home.ledger.stat().st_size / 1e6:.1f} MB of catalogue")  # fmt: skip
    print(f"{'milliseconds':44} {'median':>8} {'p95':>8} {'processor':>10}")

    def show(name: str, work: Callable[[], object], times: int = rounds) -> None:
        print(f"{name:44} {milliseconds(work, times)}", flush=True)

    one = f"select account_name, balance from trial_balance where client = '{middle}'"
    firm = "select client, sum(amount_total) from payables_aging group by client"
    at = f"from trial_balance_at('{middle}', date '2025-12-31')"

    def ask(sql: str) -> Callable[[], object]:
        def work() -> object:
            with open_ledger(home) as db:
                return db.execute(sql).fetchall()

        return work

    show("open the ledger", ask("select 1"))
    show("open, trial balance of one client", ask(one))
    show("open, trial balance of one client at a date", ask(at))
    show("open, firm-wide aging", ask(firm))
    with open_ledger(home) as db:
        show("trial balance of one client", lambda: db.execute(one).fetchall(), 10 * rounds)
        show("trial balance of one client at a date", lambda: db.execute(at).fetchall())
        show("firm-wide aging", lambda: db.execute(firm).fetchall())
    show("publish one client's changes", lambda: publish(Registry(home), ["c0000"]))
    if len(clients) > SOME:
        # Only c0000 has a client file of its own; the others publish what it has.
        with duckdb.connect(str(home.client_file("c0000"))) as books:
            some = dict.fromkeys(clients[:SOME], books)
            show(
                f"publish {SOME} clients' changes",
                lambda: publish(Registry(home), some, connections=some),
            )


if __name__ == "__main__":
    main()
