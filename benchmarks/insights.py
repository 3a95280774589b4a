"""How often each insight raises its hand on real ledgers, and what it then says.

    python benchmarks/insights.py --data FOLDER [--organizations harrogate …] [--samples 30]

Reads ``uk_ledgers.parquet`` in FOLDER, makes documents and lines of it without the pipeline (a bill
is one vendor's lines of one day and transaction) and runs the reports' own SQL over them. The
public files have no invoice numbers: their transaction numbers stand in, so for duplicates only the
rate of false alarms can be judged. Reports about the present are asked at the ends of twelve months
and their counts averaged.
"""

from __future__ import annotations

import argparse
import os
from datetime import date
from pathlib import Path

import duckdb

from bill_pipeline.warehouse.transforms import load_transforms

#: Asked once over all history; each row is about one document.
ABOUT_DOCUMENTS = ("likely_duplicate_bills", "unusual_amounts", "coding_disagreements")
#: Asked about the moment; each row is about one vendor.
ABOUT_THE_PRESENT = ("quiet_vendors", "missing_recurring_bills")
MONTHS = 12
_BOOKS = """
    create schema ledger;
    create table lines as
    select
        vendor, date, transaction_id, amount, account_normalized as account, description,
        row_number() over (order by date, transaction_id, vendor, amount) as line_id,
        sha256(concat_ws('|', vendor, date, transaction_id))[:20] as bill_id
    from read_parquet($path)
    where organization = $organization and vendor <> '' and amount is not null;
    create table ledger.documents as
    select
        bill_id as document_id, 'bill' as document_type, vendor as party_id, vendor as party,
        transaction_id as number, date, sum(amount)::decimal(18, 2) as amount, 'GBP' as currency,
        'paid' as status, true as is_booked, sum(amount)::decimal(18, 2) as amount_home,
        0::decimal(18, 2) as amount_open
    from lines group by all;
    create table ledger.transactions as
    select
        line_id::varchar as transaction_id, bill_id as document_id, line_id,
        'bill' as document_type, 'bill' as category_source, date, vendor as party_id,
        vendor as party, description, amount, 'GBP' as currency,
        account as account_id, account as account_name
    from lines where account <> '';
    create table ledger.books as select null::timestamp as known_until;
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=os.environ.get("BILL_PIPELINE_REAL_DATA"))
    parser.add_argument("--organizations", nargs="*", default=["harrogate", "oxford"])
    parser.add_argument("--samples", type=int, default=0)
    options = parser.parse_args()
    print(f"| {'report':24} | {'organization':14} | findings | bills | per 1,000 bills |")
    print("|---|---|---:|---:|---:|")
    for organization in options.organizations:
        with duckdb.connect() as db:
            db.execute("set threads = 1")
            given = {
                "path": str(options.data / "uk_ledgers.parquet"),
                "organization": organization,
            }
            for statement in filter(str.strip, _BOOKS.split(";")):
                db.execute(statement, given if "$path" in statement else None)
            judge(db, organization, options.samples)


def judge(db: duckdb.DuckDBPyConnection, organization: str, samples: int) -> None:
    """Print how many findings each report has, and some of them."""
    count, last = db.execute("select count(*), max(date) from ledger.documents").fetchall()[0]
    for name in ABOUT_DOCUMENTS:
        db.execute(f"create table {name} as {_sql(name)}")
        ((found,),) = db.execute(f"select count(*) from {name}").fetchall()
        _print(name, organization, found, count)
    for name in ABOUT_THE_PRESENT:
        found_sum = bills_sum = 0
        for months in range(MONTHS):
            moment = _moment(db, last, months)
            db.execute("create temp table later as from ledger.documents where date > ?", [moment])
            db.execute("delete from ledger.documents where date > ?", [moment])
            db.execute("update ledger.books set known_until = ?", [moment])
            db.execute(f"create or replace table {name} as {_sql(name)}")
            ((found,),) = db.execute(f"select count(*) from {name}").fetchall()
            ((bills,),) = db.execute(
                "select count(*) from ledger.documents where date > ?::date - 365", [moment]
            ).fetchall()
            found_sum, bills_sum = found_sum + found, bills_sum + bills
            db.execute("insert into ledger.documents from later; drop table later")
        _print(name, organization, round(found_sum / MONTHS), round(bills_sum / MONTHS))
    for name in (*ABOUT_DOCUMENTS, *ABOUT_THE_PRESENT) if samples else ():
        print(f"\n{organization}: {name}")
        for row in db.execute(f"from {name} order by hash({name}) limit {samples}").fetchall():
            print("   ", *row[1:], sep=" · ")


def _sql(name: str) -> str:
    return load_transforms()[f"reports.{name}"].sql


def _moment(db: duckdb.DuckDBPyConnection, last: date, months: int) -> date:
    row = db.execute("select (?::date - to_months(?))::date", [last, months]).fetchall()
    return row[0][0]


def _print(name: str, organization: str, found: int, bills: int) -> None:
    rate = 1000 * found / bills
    print(f"| {name:24} | {organization:14} | {found:,} | {bills:,} | {rate:.2f} |", flush=True)


if __name__ == "__main__":
    main()
