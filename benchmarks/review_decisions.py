"""How many answers the review queue asks a person for, month by month, before and after grouping.

    python benchmarks/review_decisions.py --home FOLDER [--client NAME …] [--months 3]

Reads the published books of a home as the console does, for instance those of a real organisation
whose ledger was imported through `bill-pipeline sandbox --import`. Before grouping, every line
asked about is a decision of its own; after it, one answer settles a group.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from bill_pipeline.console.queries.ledger import Ledger
from bill_pipeline.console.queries.review_queue import read_queue
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home

EVERYTHING = 1_000_000
MONTHS = """
select
    strftime(date, '%Y-%m') as month, count(*) as lines,
    count(*) filter (where bill_account_id is null) as uncoded
from transactions where client = ? group by all order by month desc limit ?
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--client", action="append")
    parser.add_argument("--months", type=int, default=3)
    options = parser.parse_args()
    home = Home.at(options.home)
    ledger = Ledger(home)
    print("| client | month | lines | not coded in BILL | asked | answers | asked per 1,000 lines "
          "| answers per 1,000 lines |\n|---|---|---:|---:|---:|---:|---:|---:|")  # fmt: skip
    for client in options.client or Registry(home).names():
        show(ledger, client, options.months)
    ledger.close()


def show(ledger: Ledger, client: str, months: int) -> None:
    with ledger.reading([client]) as books:
        known = books.rows(MONTHS, [client, months])
        queue = read_queue(books, [client], set(), limit=EVERYTHING, examples=EVERYTHING)
    asked: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    for group in queue.groups:
        in_month = Counter(f"{line['date']:%Y-%m}" for line in group.examples)
        asked.update(in_month)
        answers.update(in_month.keys())
    for row in known:
        lines, month = row["lines"], row["month"]
        print(
            f"| {client} | {month} | {lines:,} | {row['uncoded']:,} | {asked[month]:,} "
            f"| {answers[month]:,} | {1000 * asked[month] / lines:.1f} "
            f"| {1000 * answers[month] / lines:.1f} |"
        )


if __name__ == "__main__":
    main()
