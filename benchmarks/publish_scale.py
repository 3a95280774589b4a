"""How publishing and asking grow with the number of clients, on copies of invented books.

    python benchmarks/publish_scale.py [--clients 1000] [--bills 1200] [--rounds 5]

One invented client is booked by the real SQL files; the others' published files are copies of it
under other names, so that only publishing is measured. 1,200 bills make about 5,000 journal lines.
Prints a table of medians and 95th percentiles in milliseconds, and the disk used.
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

from invented_books import AS_OF, book, connect

from bill_pipeline.clients import Registry
from bill_pipeline.publish import publish
from bill_pipeline.publishing.catalogue import write_catalogue
from bill_pipeline.publishing.contents import read_contents
from bill_pipeline.publishing.registry import RegistryTables
from bill_pipeline.publishing.tables import published_schema
from bill_pipeline.publishing.versions import Version, file_of
from bill_pipeline.query import open_ledger
from bill_pipeline.settings import Home


def grow(home: Home, clients: int, bills: int) -> None:
    """One booked client, and copies of its published files under other names."""
    connect(home, "c0000")
    book(home, "c0000", 1, as_of=AS_OF, bills=bills)
    publish(home, ["c0000"])
    contents = read_contents(home)
    first = contents.current["c0000"]
    originals = {
        written.table: file_of(home.published, written.table, "c0000", first.number).read_bytes()
        for written in first.tables
    }
    for number in range(1, clients):
        name = f"c{number:04d}"
        connect(home, name)
        contents.current[name] = Version(name, first.number, first.layout, first.row_counts)
        for table, content in originals.items():
            path = file_of(home.published, table, name, first.number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    registry = RegistryTables(tuple(Registry(home).all()), contents.current)
    write_catalogue(home, contents, published_schema(), registry, AS_OF)


def milliseconds(work: Callable[[], object], rounds: int) -> str:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    ordered = sorted(taken)
    return f"{statistics.median(taken):8.0f} {ordered[int(len(ordered) * 0.95)]:8.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--bills", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Home.at(scratch)
        grow(home, options.clients, options.bills)
        with open_ledger(home) as db:
            lines = db.execute(
                "select count(*) from journal_lines where client = 'c0000'"
            ).fetchall()[0][0]
        disk = sum(path.stat().st_size for path in home.published.rglob("*.parquet")) / 1e6
        print(f"{options.clients} clients × {lines:,} journal lines; {disk:,.0f} MB of Parquet, "
              f"{home.ledger.stat().st_size / 1e6:.1f} MB of catalogue")  # fmt: skip
        print(f"{'milliseconds':44} {'median':>8} {'p95':>8}")

        def show(name: str, work: Callable[[], object]) -> None:
            print(f"{name:44} {milliseconds(work, options.rounds)}", flush=True)

        middle = f"c{options.clients // 2:04d}"
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
            show("trial balance of one client", lambda: db.execute(one).fetchall())
            show("trial balance of one client at a date", lambda: db.execute(at).fetchall())
            show("firm-wide aging", lambda: db.execute(firm).fetchall())
        show("publish one client's changes", lambda: publish(home, ["c0000"]))


if __name__ == "__main__":
    main()
