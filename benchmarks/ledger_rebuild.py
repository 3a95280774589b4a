"""Time the ledger: a first build, an incremental sync of 100 changed bills, a full rebuild.

Run: ``python benchmarks/ledger_rebuild.py 10000 100000``. The documents are synthetic: two bills
with three lines each for every payment, made inside DuckDB from a fixed formula.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import datetime, timedelta

from bill_pipeline import posting
from bill_pipeline.transforms import SCHEMAS
from bill_pipeline.warehouse import RoomReport, Warehouse

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


def build(warehouse: Warehouse, as_of: datetime) -> tuple[float, dict[str, RoomReport]]:
    started = time.perf_counter()
    reports = {room: warehouse.build_room(room, as_of) for room in SCHEMAS}
    return time.perf_counter() - started, reports


def measure(documents: int) -> None:
    bills = documents * 2 // 3
    with Warehouse.at(":memory:", "benchmark") as warehouse:
        run = warehouse.connection.execute
        run(ACCOUNTS, {"seen_at": FIRST_SYNC})
        run(DOCUMENTS, {"bills": bills, "version": 1, "seen_at": FIRST_SYNC, "change": 0})
        run(PAYMENTS, {"bills": bills, "seen_at": FIRST_SYNC})
        first, reports = build(warehouse, FIRST_SYNC)
        later = FIRST_SYNC + timedelta(days=1)
        run(DOCUMENTS, {"bills": 100, "version": 2, "seen_at": later, "change": 1})
        changed, changed_reports = build(warehouse, later)
        unchanged, _ = build(warehouse, later)
        replay = posting.rebuild(warehouse)
        lines = changed_reports["ledger"].rows["ledger.journal_lines"]
        appended = changed_reports["ledger"].appended["ledger.journal_entries"]
        started = time.perf_counter()
        run("select account_id, sum(amount) from ledger.journal_lines group by 1").fetchall()
        balance = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{documents:>9,} documents, {lines:>9,} journal lines: first build {first:6.2f} s, "
        f"100 changed bills {changed:6.2f} s ({appended} entries), "
        f"nothing changed {unchanged:5.2f} s, "
        f"rebuild of {replay.batches} batches {replay.seconds:6.2f} s, trial balance "
        f"{balance * 1000:.0f} ms, peak {memory:,.0f} MB"
    )
    slowest = sorted(
        ((s, key) for r in reports.values() for key, s in r.table_seconds.items()), reverse=True
    )
    print("   slowest: " + ", ".join(f"{key} {s:.2f} s" for s, key in slowest[:8]))
    print("   rooms: " + ", ".join(f"{k} {r.seconds:.2f} s" for k, r in reports.items()))


if __name__ == "__main__":
    for count in sys.argv[1:] or ["10000"]:
        measure(int(count))
