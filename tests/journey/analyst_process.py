"""An analyst who asks the published ledger again and again, in a process of its own.

Every answer must show one state of all books, whole, and none older than an answer before it.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import duckdb
from click.testing import CliRunner

from bill_pipeline.cli import main

SECONDS_BETWEEN_QUESTIONS = 1.0
#: One row per client: how new its books are, how much is in them, and what does not fit together.
STATE = """
with
entries as (
    select client, entry_id, count(*) as line_count, sum(amount) as amount
    from journal_lines group by client, entry_id
),
journals as (
    select client, sum(line_count)::bigint as line_count,
        count(*) filter (where amount <> 0) as unbalanced_count
    from entries group by client
),
sums as (
    select client, account_id, sum(amount) as amount from journal_lines group by client, account_id
),
balances as (
    select client, account_id, sum(balance) as amount from trial_balance group by client, account_id
),
differences as (
    select client, count(*) as differing_account_count
    from sums full join balances using (client, account_id)
    where coalesce(sums.amount, 0) <> coalesce(balances.amount, 0) group by client
),
table_rows (client, row_count) as ({counts}),
shown as (select client, sum(row_count)::bigint as row_count from table_rows group by client)
select
    client,
    coalesce(epoch_us(books_as_of), 0) as books_as_of,
    coalesce(line_count, 0) as line_count,
    coalesce(unbalanced_count, 0) as unbalanced_count,
    coalesce(differing_account_count, 0) as differing_account_count,
    published_row_count - coalesce(row_count, 0) as missing_row_count
from sync_status
left join journals using (client)
left join differences using (client)
left join shown using (client)
order by client
"""
TABLES = """
select table_name from duckdb_columns() where column_name = 'client' and schema_name = 'main'
"""

Rows = list[dict[str, Any]]
Ask = Callable[[str], Rows]


class QueryFailed(Exception):
    """The command said so."""


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    answer = connection.execute(sql)
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


@contextlib.contextmanager
def held(home: Path) -> Iterator[Ask]:
    """One connection from the first question to the last."""
    with duckdb.connect(str(home / "ledger.duckdb"), read_only=True) as ledger:
        yield lambda sql: rows_of(ledger, sql)


@contextlib.contextmanager
def opened_anew(home: Path) -> Iterator[Ask]:
    """A connection for each question."""

    def ask(sql: str) -> Rows:
        with duckdb.connect(str(home / "ledger.duckdb"), read_only=True) as ledger:
            return rows_of(ledger, sql)

    yield ask


@contextlib.contextmanager
def attached(home: Path) -> Iterator[Ask]:
    """A session of the analyst's own, to which the ledger is attached for each question."""
    with duckdb.connect() as session:

        def ask(sql: str) -> Rows:
            session.execute(f"attach '{home}/ledger.duckdb' as books (read_only)")
            session.execute("use books")
            try:
                return rows_of(session, sql)
            finally:
                session.execute("use memory")
                session.execute("detach books")

        yield ask


@contextlib.contextmanager
def command_line(home: Path) -> Iterator[Ask]:
    """``bill-pipeline query``."""

    def ask(sql: str) -> Rows:
        result = CliRunner().invoke(main, ["query", sql, "--format", "json", "--home", str(home)])
        if result.exit_code != 0:
            raise QueryFailed(result.output) from result.exception
        return json.loads(result.output)  # type: ignore[no-any-return]

    yield ask


WAYS = (held, opened_anew, attached, command_line)


def what_is_wrong(before: Rows, rows: Rows, clients: Sequence[str]) -> list[str]:
    """Faults of one answer, given the one before it."""
    if [row["client"] for row in rows] != sorted(clients):
        return [f"clients {[row['client'] for row in rows]}"]
    wrong = []
    last = {row["client"]: row for row in before}
    for row in rows:
        earlier = last.get(row["client"], row)
        if any(
            row[name] for name in row if name.startswith(("unbalanced", "differing", "missing"))
        ):
            wrong.append(f"not one state: {row}")
        if bool(row["books_as_of"]) != bool(row["line_count"]):
            wrong.append(f"books without a journal, or the reverse: {row}")
        # The journal is never shortened: fewer lines are older books, whatever time they give.
        if any(row[name] < earlier[name] for name in ("books_as_of", "line_count")):
            wrong.append(f"went back: {earlier} → {row}")
    return wrong


def watch(home: str, way: str, clients: Sequence[str], stop: Event, log: str) -> None:
    """Ask until ``stop``; ``log`` gets what was found, as JSON.

    ``states``: answers that differed from the one before; ``seconds``: the time in questions.
    """
    found: dict[str, Any] = {"way": way, "answers": 0, "states": 0, "seconds": 0.0, "wrong": []}
    before: Rows = []
    state = ""
    [open_ledger] = [each for each in WAYS if each.__name__ == way]
    with open_ledger(Path(home)) as ask:
        while not stop.wait(SECONDS_BETWEEN_QUESTIONS):
            started = time.perf_counter()
            try:
                if not state:
                    counts = " union all ".join(
                        f"select client, count(*) from {row['table_name']} group by client"
                        for row in ask(TABLES)
                        if row["table_name"] not in ("clients", "sync_status")
                    )
                    state = STATE.format(counts=counts)
                rows = ask(state)
            except (duckdb.Error, QueryFailed) as error:
                found["wrong"].append(f"{type(error).__name__}: {error}")
                continue
            found["seconds"] += time.perf_counter() - started
            found["answers"] += 1
            found["states"] += rows != before
            found["wrong"] += what_is_wrong(before, rows, clients)
            before = rows
    Path(log).write_text(json.dumps(found))
