"""Carry real organisations' payables through the whole product and compare to the cent.

    python benchmarks/real_ledgers.py --data FOLDER [--organization NAME …] [--output FILE]

``FOLDER`` holds ``uk_ledgers.parquet`` (public ledgers; not part of this repository). Each
organisation becomes a BILL organisation in the look-alike; the lines of its last 90 days come
without an account. Everything after that is what a user runs: connect, sync, query. Exits with 1
when a figure differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.pipeline.sync_many import SyncFailure, sync_clients
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home, base_urls

ORGANIZATIONS = ("harrogate", "oxford", "cabinetoffice")
UNCODED_DAYS = 90

FIGURES = """
select
    (select count(*) from documents
        where client = $client and document_type in ('bill', 'vendor_credit')) as documents,
    (select count(*) from document_lines
        where client = $client and document_type in ('bill', 'vendor_credit')) as lines,
    (select sum(if(document_type = 'bill', amount, -amount)) from document_lines
        where client = $client and document_type in ('bill', 'vendor_credit')) as amount,
    (select sum(debit) - sum(credit) from trial_balance where client = $client) as trial_balance,
    (select sum(amount_total) from payables_aging where client = $client) as aging,
    (select sum(if(document_type = 'vendor_credit', -amount_open, amount_open)) from documents
        where client = $client and document_type in ('bill', 'vendor_credit')) as open_documents,
    (select -sum(journal_lines.debit - journal_lines.credit) from journal_lines
        join accounts using (client, account_id)
        where client = $client and accounts.control = 'payables') as control
"""

# An unsure line keeps the model's suggestion as its first alternative. The baseline is what a
# bank rule gives: the account this vendor had most often before.
ACCURACY = """
with suggested as (
    select
        line_id, party_id, needs_review,
        if(needs_review, alternatives::json ->> '$[0].account_id', account_id) as account_id
    from transactions where client = $client and category_source in ('model', 'default')
),
vendor_majority as (
    select party_id, mode(account_id) as account_id
    from transactions where client = $client and category_source = 'bill'
    group by party_id
)
select
    count(*) as uncoded,
    count(*) filter (where suggested.account_id = truth.account_id) as right,
    count(*) filter (where not needs_review) as booked,
    count(*) filter (where not needs_review and suggested.account_id = truth.account_id)
        as booked_right,
    count(*) filter (where vendor_majority.account_id = truth.account_id) as baseline_right
from truth
join suggested on suggested.line_id = truth.line_id
left join vendor_majority using (party_id)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--organization", action="append")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    file = arguments.data / "uk_ledgers.parquet"
    names = arguments.organization or list(ORGANIZATIONS)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(file, name, Path(folder)) for name in names]
    text = report(rows)
    print(text)
    if arguments.output:
        arguments.output.write_text(text, encoding="utf-8")
    return 0 if all(row["is_exact"] for row in rows) else 1


def measure(file: Path, name: str, folder: Path) -> dict[str, Any]:
    """Import one organisation and compare the published books with the file."""
    home = Home.at(folder / "home")
    truth_file = folder / f"{name}.parquet"
    process = subprocess.Popen(
        [
            Path(sys.executable).with_name("bill-pipeline"), "sandbox", "--json", "--port", "0",
            "--import", file, "--organization", name,
            "--uncoded-days", str(UNCODED_DAYS), "--truth", truth_file,
        ],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        where, _, company = [json.loads(process.stdout.readline()) for _ in range(3)]
        client = connect(home, where, company)
        started = time.perf_counter()
        for outcome in sync_clients(Registry(home), [client]):
            if isinstance(outcome, SyncFailure):
                raise SystemExit(str(outcome.client_error))
        seconds = time.perf_counter() - started
        again = next(iter(sync_clients(Registry(home), [client])))
    finally:
        process.terminate()
        process.wait()
    row = figures(home, client, file, name, truth_file)
    # Layers may be built again when a day has passed; history must not move.
    is_quiet = not isinstance(again, SyncFailure) and not (
        again.entries_posted or (again.imported and again.imported.changed)
    )
    return row | {"seconds": seconds, "is_quiet": is_quiet}


def connect(home: Home, where: dict[str, Any], company: dict[str, Any]) -> str:
    base_url, v2_url = base_urls(where["environment"])
    connection = Connection(
        organization_id=company["organization_id"],
        token_name=company["token_name"],
        token_password=SecretStr(company["token_password"]),
        dev_key=SecretStr(where["dev_key"]),
        base_url=base_url,
        v2_url=v2_url,
    )
    Registry(home).connect(company["client"], connection, environment=where["environment"])
    client: str = company["client"]
    return client


def figures(home: Home, client: str, file: Path, name: str, truth: Path) -> dict[str, Any]:
    expected = duckdb.execute(
        "select count(*), sum(amount) from read_parquet(?) where organization = ?",
        [str(file), name],
    ).fetchone()
    with open_ledger(home) as ledger:
        books = fetch_one(ledger, FIGURES, client)
    with duckdb.connect(str(home.ledger), read_only=True) as ledger:
        ledger.execute(f"create temp view truth as from '{truth}'")
        accuracy = fetch_one(ledger, ACCURACY, client)
    assert expected is not None
    is_exact = (
        (books["lines"], books["amount"]) == expected
        and books["trial_balance"] == Decimal(0)
        and books["control"] == books["aging"] == books["open_documents"]
    )
    return {
        "name": name, "file_lines": expected[0], "file_amount": expected[1],
        "is_exact": is_exact, **books, **accuracy,
    }  # fmt: skip


def fetch_one(ledger: duckdb.DuckDBPyConnection, sql: str, client: str) -> dict[str, Any]:
    result = ledger.execute(sql, {"client": client})
    names = [column[0] for column in result.description or []]
    return dict(zip(names, result.fetchone() or (), strict=True))


def report(rows: list[dict[str, Any]]) -> str:
    lines = [
        "# Real books",
        "",
        "Payables that English public bodies published under the Open Government Licence, carried",
        "through the product: look-alike → raw → staging → categorized → ledger → published.",
        f"The lines of each body's last {UNCODED_DAYS} days came without an account. Made by",
        "`python benchmarks/real_ledgers.py --data FOLDER --output docs/real-books.md`.",
        "",
        "| | " + " | ".join(row["name"] for row in rows) + " |",
        "|---|" + "---:|" * len(rows),
    ]
    shown = (
        ("documents in the ledger", "{documents:,}"),
        ("lines in the file", "{file_lines:,}"),
        ("lines in the ledger", "{lines:,}"),
        ("sum of amounts in the file", "{file_amount:,}"),
        ("sum of amounts in the ledger", "{amount:,}"),
        ("trial balance", "{trial_balance:,}"),
        ("payables control account", "{control:,}"),
        ("sum of open bills and credits", "{open_documents:,}"),
        ("sum of the aging report", "{aging:,}"),
        ("equal to the cent", "{is_exact}"),
        ("uncoded lines", "{uncoded:,}"),
        ("right account suggested", "{right_share:.1%}"),
        ("baseline: vendor's most frequent account", "{baseline_share:.1%}"),
        ("booked without asking", "{booked_share:.1%}"),
        ("of those right", "{booked_right_share:.1%}"),
        ("seconds from connect to published", "{seconds:.0f}"),
        ("a second sync brought and posted nothing", "{is_quiet}"),
    )
    for row in rows:
        uncoded = max(row["uncoded"], 1)
        row["right_share"] = row["right"] / uncoded
        row["baseline_share"] = row["baseline_right"] / uncoded
        row["booked_share"] = row["booked"] / uncoded
        row["booked_right_share"] = row["booked_right"] / max(row["booked"], 1)
    for label, form in shown:
        lines.append(f"| {label} | " + " | ".join(form.format(**row) for row in rows) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
