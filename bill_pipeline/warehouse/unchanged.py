"""Which tables of a client's file need not be built again, because they would come out the same.

A sync of one new bill leaves many of a client's tables as they are. The build state of each table
says what it was made from: its SQL, the state of every table it reads and, where it asks for it,
the day. When all of that is the same again, so is the table. Tables that people and imports write
are append-only, so their number of rows is their state, from one time that a wrong clock was put
right to the next; a built table's state is a sum over its rows' hashes, taken in the same pass as
its counts. Nothing here builds a table.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache

import duckdb
from sqlglot import exp

from bill_pipeline.decisions.tables import DATED_TABLES
from bill_pipeline.errors import CheckResult
from bill_pipeline.warehouse.empty_tables import ARCHIVE_TABLE, archives, lists_chosen
from bill_pipeline.warehouse.transforms import (
    Check,
    Transform,
    load_transforms,
    parse,
    shared_code,
)

#: What must be known to tell that a table is the same; None when that cannot be told.
Inputs = str | None

#: Where the memory is kept in a client's file.
MEMORY = "upkeep.tables"
MEMORY_DDL = f"""
create schema if not exists upkeep;
create table if not exists {MEMORY} (
    name varchar not null, inputs varchar, state varchar not null
);
-- What adds up in each table: column → sum, as JSON.
alter table {MEMORY} add column if not exists sums varchar;
create table if not exists upkeep.checks (name varchar not null, row_count bigint not null);
alter table upkeep.checks add column if not exists inputs varchar;
alter table upkeep.checks add column if not exists rows varchar;
"""
#: Reading what was known until now gives the same again when nothing was learnt since.
_KNOWN_UNTIL = re.compile(r"(seen_at|decided_at) <= getvariable\('as_of'\)")


class TableMemory:
    """What the tables of one open file were built from; read, used and saved in one transaction."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, as_of: datetime) -> None:
        self._connection = connection
        self._as_of = as_of
        connection.execute(MEMORY_DDL)
        self._inputs: dict[str, str] = {}
        self._states: dict[str, str] = {}
        self._sums: dict[str, str] = {}
        for name, inputs, state, sums in connection.execute(
            f"select name, inputs, state, sums from {MEMORY}"
        ).fetchall():
            self._states[name] = state
            if inputs is not None:
                self._inputs[name] = inputs
            if sums is not None:
                self._sums[name] = sums
        self._checks: dict[str, tuple[str | None, int, str | None]] = {
            name: (inputs, row_count, rows)
            for name, inputs, row_count, rows in connection.execute(
                "select name, inputs, row_count, rows from upkeep.checks"
            ).fetchall()
        }
        self._checked: set[str] = set()
        #: Checks that found more or fewer rows than before.
        self.checks_changed: set[str] = set()
        self._list_counts: dict[str, int] | None = None
        self._row_counts: dict[str, str] = {}
        self._changed: set[str] = set()
        self._is_empty: dict[str, bool] = {}
        learnt_at = latest_knowledge(connection)
        # Built for a moment in the past, a table leaves out what the file knows by now.
        self._is_past = learnt_at is not None and learnt_at > as_of.replace(tzinfo=None)
        row = connection.execute(
            "select max(as_of)::varchar from decisions.batches where is_clock_put_right"
        ).fetchone()
        self._put_right_at: str | None = row[0] if row else None

    def is_built_from(self, transform: Transform, inputs: Inputs) -> bool:
        """True when building ``transform`` from ``inputs`` would give the table that is there."""
        return inputs is not None and self._inputs.get(transform.key) == inputs

    def inputs_of(self, transform: Transform | Check) -> Inputs:
        """Everything ``transform`` is made from, as it is now."""
        facts = {"code": transform.code_version + shared_code(), **self._facts_of(transform)}
        if self._is_past:
            facts["moment"] = f"{self._as_of.replace(tzinfo=None)}"
        if self._put_right_at:
            facts["clock put right"] = self._put_right_at
        return None if None in facts.values() else json.dumps(facts, sort_keys=True)

    def inputs_before(self, transform: Transform) -> Inputs:
        """What ``transform`` was made from last."""
        return self._inputs.get(transform.key)

    def sums_of(self, transform: Transform) -> dict[str, Decimal]:
        """What the columns of ``transform`` that hold money add up to, as remembered."""
        sums = json.loads(self._sums.get(transform.key, "{}"))
        return {name: Decimal(total) for name, total in sums.items()}

    def _facts_of(self, transform: Transform | Check) -> dict[str, str | None]:
        """State by table that ``transform`` reads, itself or through views and temporary tables."""
        facts: dict[str, str | None] = {
            table: self._row_count(table) for table in transform.history
        }
        for table in transform.upstream:
            read = load_transforms().get(table)
            if read is None or read.is_archive or read.materialize not in ("view", "temporary"):
                facts[table] = self._state_of(table, transform)
                continue
            facts |= {f"{table} code": read.code_version, **self._facts_of(read)}
        if "getvariable('report_date')" in transform.sql:
            facts["day"] = f"{self._as_of:%Y-%m-%d}"
        if "getvariable('as_of')" in _KNOWN_UNTIL.sub("", transform.sql):
            facts["moment"] = f"{self._as_of.replace(tzinfo=None)}"
        return facts

    def remember(
        self, transform: Transform, inputs: Inputs, state: str, sums: dict[str, Decimal]
    ) -> None:
        """``transform`` was built from ``inputs``, and this is its state now, with its sums."""
        self.forget(transform)
        self._states[transform.key] = state
        self._sums[transform.key] = json.dumps({name: str(total) for name, total in sums.items()})
        if inputs is not None:
            self._inputs[transform.key] = inputs

    def forget(self, transform: Transform) -> None:
        """``transform`` was built; the next build makes it and what reads it anew."""
        self._changed.add(transform.key)
        for memory in (self._inputs, self._states, self._sums):
            memory.pop(transform.key, None)

    def state_of(self, transform: Transform) -> str | None:
        """What ``transform``'s table is like; differs whenever its rows do."""
        return self._states.get(transform.key)

    def is_empty(self, table: str, lists: Sequence[str] = ()) -> bool:
        """Whether ``table`` has no rows now; of an archive, none of ``lists`` or of any list."""
        if table in archives():
            counts = self._counts_by_list()
            return not any(counts.get(name) for name in lists or counts)
        if table in self._is_empty:
            return self._is_empty[table]
        is_empty = self._connection.execute(f"select 1 from {table} limit 1").fetchone() is None
        built = load_transforms().get(table)
        # What is empty may get rows meanwhile, unless only a build changes it.
        if not is_empty or (built is not None and built.materialize == "table"):
            self._is_empty[table] = is_empty
        return is_empty

    def note_rows(self, transform: Transform, count: int) -> None:
        """``transform``, a table, was built and has ``count`` rows."""
        self._is_empty[transform.key] = not count

    def checked_before(self, check: Check) -> tuple[Inputs, CheckResult | None]:
        """What ``check`` was made from last and found; None when that is not known."""
        inputs, row_count, rows = self._checks.get(check.name, (None, 0, None))
        if rows is None:
            return inputs, None
        shown = tuple(json.loads(rows))
        return inputs, CheckResult(
            check.name, check.table, check.severity, check.summary, row_count, shown
        )

    def note_check(self, check: Check, inputs: Inputs, result: CheckResult) -> None:
        """Remember what ``check`` found."""
        before = self._checks.get(check.name)
        if before is None or before[1] != result.row_count:
            self.checks_changed.add(check.name)
        self._checks[check.name] = (inputs, result.row_count, json.dumps(result.rows))
        self._checked.add(check.name)

    def save(self) -> None:
        """Write what changed into the file, within the caller's transaction."""
        self._save_checks()
        names = sorted(self._changed)
        self._connection.execute(
            f"delete from {MEMORY} where name in (select unnest(?::varchar[]))", [names]
        )
        known = [name for name in names if name in self._states]
        columns = [
            known, [self._inputs.get(n) for n in known], [self._states[n] for n in known],
            [self._sums.get(n) for n in known],
        ]  # fmt: skip
        self._connection.execute(
            f"insert into {MEMORY} (name, inputs, state, sums) select unnest(?::varchar[]), "
            "unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[])",
            columns,
        )

    def _save_checks(self) -> None:
        names = sorted(self._checked)
        if not names:
            return
        self._connection.execute(
            "delete from upkeep.checks where name in (select unnest(?::varchar[]))", [names]
        )
        inputs, counts, rows = zip(*(self._checks[name] for name in names), strict=True)
        self._connection.execute(
            "insert into upkeep.checks (name, inputs, row_count, rows) select "
            "unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::bigint[]), unnest(?::varchar[])",
            [names, [*inputs], [*counts], [*rows]],
        )

    def _state_of(self, table: str, reader: Transform | Check) -> str | None:
        if table in archives():
            counts = self._counts_by_list()
            lists = _lists_read(reader)
            return json.dumps({name: counts.get(name, 0) for name in lists or sorted(counts)})
        built = load_transforms().get(table)
        if built is not None:
            # A state tells no more of the moment a table was built than the day, and to those who
            # do not read the moment not even that.
            if not built.moment:
                return self._states.get(table)
            if re.search(rf"\b{built.moment}\b(?!::date)", reader.sql):
                return None
            state = self._states.get(table)
            is_read = re.search(rf"\b{built.moment}\b", reader.sql)
            return state if is_read or state is None else state.rsplit(" on ", 1)[0]
        return self._row_count(table) if table.startswith("decisions.") else None

    def forget_counts(self) -> None:
        """Something was appended, or decided, that may be counted already."""
        self._row_counts.clear()

    def _row_count(self, table: str) -> str:
        if table not in self._row_counts:
            # All decisions at once: planning takes longer than counting.
            counted = {table, *(f"decisions.{name}" for name in (*DATED_TABLES, "batches"))}
            told = (f"select '{name}', count(*) from {name}" for name in sorted(counted))
            rows = self._connection.execute(" union all ".join(told)).fetchall()
            self._row_counts |= {name: str(count) for name, count in rows}
        return self._row_counts[table]

    def _counts_by_list(self) -> dict[str, int]:
        if self._list_counts is None:
            rows = self._connection.execute(
                f"select list, count(*) from {ARCHIVE_TABLE} group by list"
            ).fetchall()
            self._list_counts = dict(rows)
        return self._list_counts


def state_of_rows(count: int, hashes: int | None = None, *, day: str | None = None) -> str:
    """A table's state: of how many rows, and the sum of their ``hashes`` where that is known.

    With the ``day`` it was built on where the moment, which the hashes leave out, is in the rows.
    """
    if hashes is None:
        return f"{count} rows"
    return f"{count} rows, {hashes}" if day is None else f"about {count} rows, {hashes} on {day}"


def state_of_view(inputs: Inputs) -> str:
    """A view's state: made from the same, it shows the same."""
    if inputs is None:
        return "view"
    return f"view, {int.from_bytes(hashlib.sha256(inputs.encode()).digest()[:12], 'big')}"


def rows_and_hashes(state: str) -> tuple[int, int]:
    """What ``state_of_rows`` said of a table without a moment."""
    count, hashes = state.split(" rows, ")
    return int(count), int(hashes)


def exact_states(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The states of the tables whose state tells of every value in them."""
    return dict(
        connection.execute(
            f"select name, state from {MEMORY} where state similar to '(\\d+ rows|view), -?\\d+'"
        ).fetchall()
    )


def latest_knowledge(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """The latest time of anything the books are derived from, as naive UTC."""
    parts = [f"select max(seen_at) as moment from {ARCHIVE_TABLE}"]
    parts += [f"select max(decided_at) from decisions.{table}" for table in DATED_TABLES]
    parts += ["select max(as_of) from decisions.batches"]
    row = connection.execute(f"select max(moment) from ({' union all '.join(parts)})").fetchone()
    latest: datetime | None = row[0] if row else None
    return latest


@cache
def _lists_read(transform: Transform | Check) -> tuple[str, ...]:
    """The BILL lists ``transform`` reads from the archive; empty when it may read any."""
    found: set[str] = set()
    for select in parse(transform.path, transform.sql).find_all(exp.Select):
        source = select.args.get("from_") or select.args.get("from")
        tables = [source.this] if source else []
        tables += [join.this for join in select.args.get("joins") or []]
        names = [f"{t.db}.{t.name}" for t in tables if isinstance(t, exp.Table)]
        if archives() & set(names):
            lists = set(lists_chosen(select))
            if not lists or len(names) > 1:
                return ()
            found |= lists
    return tuple(sorted(found))
