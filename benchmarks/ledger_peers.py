"""Time the trial balance of one journal here and in ledger, hledger and beancount, in one run.

Run: ``python benchmarks/ledger_peers.py FOLDER/books-1000000.duckdb`` on books that
``ledger_rebuild.py --keep FOLDER`` left. Every program gets the same entries and a process of its
own, and its balances are compared with ours to the cent. The plain-text programs read their file
anew each time, as they do for their users; ours reads a database, and is also timed on loading the
same postings from CSV first. ``--skip hledger`` leaves out what the machine has no memory for.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

Balances = dict[str, Decimal]

#: One line per posting, in the order of entries; account names that all three accept.
POSTINGS = """
select
    lines.entry_id, lines.date::varchar as date, accounts.name,
    lines.amount::varchar as amount, lines.line_no
from ledger.journal_lines as lines
inner join (
    select
        account_id,
        case account_type
            when 'Asset' then 'Assets' when 'Liability' then 'Liabilities'
            when 'Equity' then 'Equity' when 'Revenue' then 'Income'
            when 'Other Income' then 'Income' else 'Expenses'
        end || ':A' || row_number() over (order by account_id) as name
    from ledger.accounts
) as accounts using (account_id)
"""
#: A journal as text: the entry's head, then its postings. ``{flag}`` differs between the programs.
ENTRIES = """
select
    date || ' * {head}' || chr(10)
    || string_agg('    ' || name || '  ' || amount || ' USD', chr(10) order by line_no) || chr(10)
from postings group by entry_id, date order by date, entry_id
"""
OURS = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as books:
    for name, balance in books.execute(sys.argv[2]).fetchall():
        print(f'{name},{balance}')
"""
FROM_CSV = """
import duckdb, sys
books = duckdb.connect()
books.execute("create table postings as select * from read_csv('" + sys.argv[1] + "', types = "
              "{'amount': 'decimal(18, 2)', 'entry_id': 'varchar'})")
for name, balance in books.execute(
    'select name, sum(amount) from postings group by 1 having sum(amount) <> 0').fetchall():
    print(f'{name},{balance}')
"""


@dataclass(frozen=True)
class Peer:
    """A program, how it is asked for the trial balance, and how its answer is read."""

    name: str
    command: tuple[str, ...]
    read: Callable[[str], Balances]
    is_there: bool = True


def read_csv(text: str) -> Balances:
    """``account,amount`` lines; currencies and headings are left out."""
    found = {}
    for row in csv.reader(io.StringIO(text)):
        amount = re.sub(r"[^0-9.\-]", "", row[-1]) if len(row) > 1 else ""
        if amount and ":" in row[0]:
            found[row[0].strip()] = Decimal(amount)
    return {name: amount for name, amount in found.items() if amount}


def read_columns(text: str) -> Balances:
    """ledger's ``amount USD  account`` columns."""
    found = re.findall(r"^\s*(-?[\d.,]+) USD\s+(\S+)$", text, re.M)
    return {name: Decimal(amount.replace(",", "")) for amount, name in found}


def write_journals(books: Path, folder: Path) -> int:
    """The same postings for every program; returns the number of entries."""
    with duckdb.connect(str(books), read_only=True) as db:
        db.execute(f"set temp_directory = '{folder}/spill'")
        db.execute("set memory_limit = '4GB'")
        db.execute(f"create temp table postings as {POSTINGS}")
        db.execute(f"copy postings to '{folder}/postings.csv' (header)")
        names = [
            n for (n,) in db.execute("select distinct name from postings order by 1").fetchall()
        ]
        heads = {
            "journal": "commodity USD\n    format 1000.00 USD\n\n"
            + "".join(f"account {name}\n" for name in names),
            "beancount": "".join(f"1999-01-01 open {name} USD\n" for name in names),
        }
        for ending, head in heads.items():
            with (folder / f"books.{ending}").open("w") as out:
                out.write(head + "\n")
                title = '"entry"' if ending == "beancount" else "entry"
                rows = db.execute(ENTRIES.format(head=title))
                while block := rows.fetchmany(20_000):
                    out.writelines(text + "\n" for (text,) in block)
        row = db.execute("select count(distinct entry_id) from postings").fetchone()
    return row[0] if row else 0


def peers(books: Path, folder: Path) -> list[Peer]:
    journal, beans = folder / "books.journal", folder / "books.beancount"
    ours = f"select name, sum(amount::decimal(18, 2)) from ({POSTINGS}) group by 1"
    query = "select account, sum(position) group by account"
    script = Path(sys.executable).with_name("bean-query")
    return [
        Peer("here, from the books", (sys.executable, "-c", OURS, str(books), ours), read_csv),
        Peer(
            "here, loading CSV first",
            (sys.executable, "-c", FROM_CSV, str(folder / "postings.csv")),
            read_csv,
        ),
        Peer(
            "ledger",
            ("ledger", "-f", str(journal), "bal", "--flat", "--no-total"),
            read_columns,
            shutil.which("ledger") is not None,
        ),
        Peer(
            "beancount",
            (str(script), "-q", "-f", "csv", str(beans), query),
            read_csv,
            script.exists(),
        ),
        Peer(
            "hledger",
            ("hledger", "-f", str(journal), "bal", "--flat", "-N", "-O", "csv"),
            read_csv,
            shutil.which("hledger") is not None,
        ),
    ]


def run(peer: Peer) -> tuple[Balances, float, float, float]:
    """(balances, seconds, CPU seconds, peak MB) of one run in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    # beancount would answer from what an earlier run left beside the file.
    environment = ("env", "BEANCOUNT_DISABLE_LOAD_CACHE=1", sys.executable)
    measured = (*environment, "-c", _MEASURE, *peer.command)
    done = subprocess.run(measured, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return peer.read(done.stdout), seconds, cpu, float(done.stderr.strip().splitlines()[-1])


#: Runs a command and says its peak memory in MB as the last line of the error stream.
_MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)
sys.exit(code)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("books", type=Path)
    parser.add_argument("--skip", nargs="*", default=[], help="programs to leave out")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=chosen.books.parent) as name:
        folder = Path(name)
        entries = write_journals(chosen.books, folder)
        size = (folder / "books.journal").stat().st_size / 1e6
        print(f"{entries:,} transactions; the text journal has {size:,.0f} MB", flush=True)
        expected: Balances = {}
        first = 0.0
        for peer in peers(chosen.books, folder):
            if peer.name in chosen.skip or not peer.is_there:
                print(f"{peer.name:<24} not run", flush=True)
                continue
            balances, seconds, cpu, peak = run(peer)
            expected, first = expected or balances, first or seconds
            same = "the same balances" if balances == expected else "OTHER BALANCES"
            print(
                f"{peer.name:<24} {seconds:8.2f} s, {cpu:8.2f} CPU s, {peak:7,.0f} MB, "
                f"{seconds / first:6.1f} times the first; {len(balances)} accounts, {same}",
                flush=True,
            )


if __name__ == "__main__":
    main()
