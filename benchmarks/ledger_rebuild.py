"""Time the ledger: a first build, an incremental sync of 100 changed bills, a full rebuild.

Run: ``python benchmarks/ledger_rebuild.py 10000 100000 1000000 [--memory 6GB] [--keep FOLDER]``.
The documents are synthetic: two bills with three lines each for every payment, made inside DuckDB
from a fixed formula. Each size is a process of its own, with its books in a file on disk, as the
product keeps them; DuckDB may use ``--memory`` and puts what does not fit into temporary files.
``--keep`` leaves the files there for ``ledger_peers.py``.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bill_pipeline.pipeline import rebuild
from bill_pipeline.pipeline.steps import LAYERS, build_layer
from bill_pipeline.warehouse.layer_report import LayerReport
from bill_pipeline.warehouse.upkeep import suit_to_size
from bill_pipeline.warehouse.warehouse import Warehouse

FIRST_SYNC = datetime(2026, 1, 1)  # noqa: DTZ001 - the archive keeps UTC without a zone

DOCUMENTS = """
insert into raw.document_versions
with bills as (
    select
        i, 'bill-' || i as id, 'vendor-' || (i % 500) as vendor_id,
        date '2023-01-01' + (i % 1000)::integer as day,
        (100 + i % 977)::decimal(18, 2) + 0.37 as amount
    from range($bills) as r (i)
)
select
    'bills', id, $version, $seen_at, $seen_at, false, false, md5(id), json_object(
        'id', id, 'vendorId', vendor_id, 'amount', amount + 5, 'fundingAmount', amount + 5,
        'dueDate', (day + 30)::varchar, 'approvalStatus', 'APPROVED',
        'invoice', json_object('invoiceNumber', 'N' || i, 'invoiceDate', day::varchar),
        'billLineItems', [
            json_object('id', id || '-1', 'amount', amount - 50 + $change, 'description', 'goods',
                'classifications', json_object('chartOfAccountId', 'account-' || (i % 40))),
            json_object('id', id || '-2', 'amount', 50 - $change, 'description', 'freight',
                'classifications', json_object('chartOfAccountId', 'account-' || (i % 7))),
            json_object('id', id || '-3', 'amount', 5, 'description', 'tax',
                'classifications', json_object('chartOfAccountId', 'account-' || (i % 3)))
        ]
    )
from bills
"""

PAYMENTS = """
insert into raw.document_versions
select
    'payments', 'payment-' || i, 1, $seen_at, $seen_at, false, false, md5(i::varchar), json_object(
        'id', 'payment-' || i, 'vendorId', 'vendor-' || (i % 500), 'onlinePayment', true,
        'amount', (105 + i % 977)::decimal(18, 2) + 0.37, 'singleStatus', 'CLEARED',
        'processDate', (date '2023-01-25' + (i % 1000)::integer)::varchar,
        'billPayments', [json_object('id', 'pay-' || i, 'billId', 'bill-' || i,
            'amount', (105 + i % 977)::decimal(18, 2) + 0.37)]
    )
from range(0, $bills, 2) as r (i)
"""

ACCOUNTS = """
insert into raw.document_versions
select
    'chart_of_accounts', 'account-' || i, 1, $seen_at, $seen_at, false, false, md5(i::varchar),
    json_object('id', 'account-' || i, 'name', 'Account ' || i,
        'account', json_object('type', 'EXPENSE', 'number', (6000 + i)::varchar))
from range(40) as r (i)
"""


@dataclass(frozen=True)
class Spent:
    """What one step took; ``peak_mb`` is the process's highest memory until its end."""

    seconds: float
    cpu_seconds: float
    peak_mb: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:8.2f} s, {self.cpu_seconds:8.2f} CPU s, peak so far "
            f"{self.peak_mb:6,.0f} MB"
        )

    def beside(self, first: Spent | None) -> str:
        """The CPU seconds as a part of those of the ``first`` build in the same run."""
        if first is None:
            return str(self)
        return f"{self}, {self.cpu_seconds / first.cpu_seconds:.3f} of a first build"


def timed(work: Callable[[], Any]) -> tuple[Any, Spent]:
    started, cpu_started = time.perf_counter(), time.process_time()
    result = work()
    return result, Spent(
        time.perf_counter() - started,
        time.process_time() - cpu_started,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def build(warehouse: Warehouse, as_of: datetime) -> dict[str, LayerReport]:
    """Every layer with its checks, as a sync does: tables that come out the same stay."""
    return {layer: build_layer(warehouse, layer, as_of, reuse=True) for layer in LAYERS}


def measure(documents: int, memory: str, path: Path, steps: list[str]) -> None:
    bills = documents * 2 // 3
    later = FIRST_SYNC + timedelta(hours=1)
    first: Spent | None = None
    with Warehouse.at(path, "benchmark") as warehouse:
        run = warehouse.connection.execute
        run(f"set memory_limit = '{memory}'")
        if "build" in steps:
            run(ACCOUNTS, {"seen_at": FIRST_SYNC})
            run(DOCUMENTS, {"bills": bills, "version": 1, "seen_at": FIRST_SYNC, "change": 0})
            run(PAYMENTS, {"bills": bills, "seen_at": FIRST_SYNC})
            suit_to_size(warehouse)
            reports, first = timed(lambda: build(warehouse, FIRST_SYNC))
            rows = reports["ledger"].rows
            tell(
                f"{documents:,} documents, {rows['ledger.journal_entries']:,} entries, "
                f"{rows['ledger.journal_lines']:,} journal lines"
            )
            tell(f"  first build          {first}")
            tell_slowest(reports)
        if "change" in steps:
            # Twice: the first one in a process also reads and narrows the SQL.
            for number, what in ((2, "100 changed bills"), (3, "100 more")):
                at = later + timedelta(hours=number)
                run(DOCUMENTS, {"bills": 100, "version": number, "seen_at": at, "change": number})
                reports, spent = timed(lambda at=at: build(warehouse, at))
                appended = reports["ledger"].appended["ledger.journal_entries"]
                tell(f"  {what:<20} {spent.beside(first)} ({appended} entries)")
                tell_slowest(reports)
            _, spent = timed(lambda at=at: build(warehouse, at))
            tell(f"  nothing changed      {spent.beside(first)}")
            at += timedelta(hours=1)
            run(DOCUMENTS, {"bills": 1, "version": 4, "seen_at": at, "change": 4})
            _, spent = timed(lambda: build(warehouse, at))
            tell(f"  one changed bill     {spent.beside(first)}")
        if "rebuild" in steps:
            replayed, spent = timed(lambda: rebuild.rebuild(warehouse))
            told = f"({replayed.entries:,} entries, none differs)"
            tell(f"  rebuild from archive {spent.beside(first)} {told}")
        balances = "select account_id, sum(amount) from ledger.journal_lines group by 1"
        run(balances).fetchall()
        _, spent = timed(lambda: run(balances).fetchall())
        tell(f"  trial balance        {spent.seconds * 1000:8.0f} ms")


def tell(text: Any) -> None:
    print(text, flush=True)


def tell_slowest(reports: dict[str, LayerReport]) -> None:
    slowest = sorted(
        ((s, key) for r in reports.values() for key, s in r.table_seconds.items()), reverse=True
    )
    tell("    slowest tables: " + ", ".join(f"{key} {s:.1f} s" for s, key in slowest[:6]))
    tell("    layers: " + ", ".join(f"{name} {r.seconds:.1f} s" for name, r in reports.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", nargs="*", type=int, default=[10_000])
    parser.add_argument("--memory", default="6GB", help="what DuckDB may use")
    parser.add_argument("--keep", type=Path, help="a folder to leave the books in")
    parser.add_argument("--steps", default="build,change,rebuild", help="some, on kept books")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    steps = chosen.steps.split(",")
    with tempfile.TemporaryDirectory() as folder:
        for documents in chosen.documents:
            path = (chosen.keep or Path(folder)) / f"books-{documents}.duckdb"
            if chosen.alone:
                measure(documents, chosen.memory, path, steps)
                continue
            if "build" in steps:
                path.unlink(missing_ok=True)
            command = [sys.executable, __file__, str(documents), "--memory", chosen.memory]
            command += ["--keep", str(path.parent), "--steps", chosen.steps, "--alone"]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
