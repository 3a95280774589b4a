"""Which tables of a client's file need not be built again, because they would come out the same.

A sync of one new bill leaves many of a client's tables as they are. The build state of each table
says what it was made from: its SQL, the state of every table it reads and, where it asks for it,
the day. When all of that is the same again, so is the table. Tables that people and imports write
are append-only, so their number of rows is their state; a built table's state is a sum over its
rows' hashes, taken in the same pass as its counts. Nothing here builds a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache

import duckdb
from sqlglot import exp

from bill_pipeline.decisions.tables import DATED_TABLES
from bill_pipeline.warehouse.empty_tables import ARCHIVE_TABLE, archives, lists_chosen
from bill_pipeline.warehouse.transforms import Transform, load_transforms, parse, shared_code

#: What must be known to tell that a table is the same; None when that cannot be told.
Inputs = str | None

#: Where the memory is kept in a client's file.
MEMORY = "upkeep.tables"
MEMORY_DDL = f"""
create schema if not exists upkeep;
create table if not exists {MEMORY} (
    name varchar not null, inputs varchar, state varchar not null
);
create table if not exists upkeep.checks (name varchar not null, row_count bigint not null);
"""
_NOTHING_YET = "none"
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
        for name, inputs, state in connection.execute(f"from {MEMORY}").fetchall():
            self._states[name] = state
            if inputs is not None:
                self._inputs[name] = inputs
        self._list_counts: dict[str, int] | None = None
        self._changed: set[str] = set()
        self._is_empty: dict[str, bool] = {}
        learnt_at = latest_knowledge(connection)
        # Built for a moment in the past, a table leaves out what the file knows by now.
        self._is_past = learnt_at is not None and learnt_at > as_of.replace(tzinfo=None)

    def is_built_from(self, transform: Transform, inputs: Inputs) -> bool:
        """True when building ``transform`` from ``inputs`` would give the table that is there."""
        return inputs is not None and self._inputs.get(transform.key) == inputs

    def inputs_of(self, transform: Transform) -> Inputs:
        """Everything ``transform`` is made from, as it is now."""
        facts = {
            "code": transform.code_version + shared_code(),
            **{table: self._state_of(table, transform) for table in transform.upstream},
            **{table: self._row_count(table) for table in transform.history},
        }
        if "getvariable('report_date')" in transform.sql:
            facts["day"] = f"{self._as_of:%Y-%m-%d}"
        if "getvariable('as_of')" in _KNOWN_UNTIL.sub("", transform.sql) or self._is_past:
            facts["moment"] = f"{self._as_of.replace(tzinfo=None)}"
        return None if None in facts.values() else json.dumps(facts, sort_keys=True)

    def remember(self, transform: Transform, inputs: Inputs, state: str) -> None:
        """``transform`` was built from ``inputs``, and this is its state now."""
        self.forget(transform)
        self._states[transform.key] = state
        if inputs is not None:
            self._inputs[transform.key] = inputs

    def forget(self, transform: Transform) -> None:
        """``transform`` was built; the next build makes it and what reads it anew."""
        self._changed.add(transform.key)
        self._inputs.pop(transform.key, None)
        self._states.pop(transform.key, None)

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
        # The journal grows and people decide meanwhile; only a build changes a built table.
        if built is not None and built.materialize == "table":
            self._is_empty[table] = is_empty
        return is_empty

    def note_rows(self, transform: Transform, count: int) -> None:
        """``transform``, a table, was built and has ``count`` rows."""
        self._is_empty[transform.key] = not count

    def note_checks(self, found: dict[str, int]) -> set[str]:
        """Remember how many rows each check found; returns those that found others before."""
        before = dict(self._connection.execute("from upkeep.checks").fetchall())
        changed = {name for name, count in found.items() if before.get(name) != count}
        self._connection.execute(
            "delete from upkeep.checks where name in (select unnest(?::varchar[]))", [[*changed]]
        )
        self._connection.execute(
            "insert into upkeep.checks select unnest(?::varchar[]), unnest(?::bigint[])",
            [[*changed], [found[name] for name in changed]],
        )
        return changed

    def save(self) -> None:
        """Write what changed into the file, within the caller's transaction."""
        names = sorted(self._changed)
        self._connection.execute(
            f"delete from {MEMORY} where name in (select unnest(?::varchar[]))", [names]
        )
        known = [name for name in names if name in self._states]
        columns = [known, [self._inputs.get(n) for n in known], [self._states[n] for n in known]]
        self._connection.execute(
            f"insert into {MEMORY} "
            "select unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[])",
            columns,
        )

    def _state_of(self, table: str, reader: Transform) -> str | None:
        if table in archives():
            counts = self._counts_by_list()
            lists = _lists_read(reader)
            return json.dumps({name: counts.get(name, 0) for name in lists or sorted(counts)})
        built = load_transforms().get(table)
        if built is not None:
            # A view has as many rows when what it reads has changed: it tells nothing. Nor does a
            # state tell more of the moment a table was built than the day.
            reads_moment = built.moment and re.search(rf"\b{built.moment}\b(?!::date)", reader.sql)
            is_silent = built.materialize == "view" or reads_moment
            return None if is_silent else self._states.get(table)
        return self._row_count(table) if table.startswith("decisions.") else None

    def _row_count(self, table: str) -> str:
        row = self._connection.execute(f"select count(*) from {table}").fetchone()
        return str(row[0]) if row else _NOTHING_YET

    def _counts_by_list(self) -> dict[str, int]:
        if self._list_counts is None:
            rows = self._connection.execute(
                f"select list, count(*) from {ARCHIVE_TABLE} group by list"
            ).fetchall()
            self._list_counts = dict(rows)
        return self._list_counts


def state_of_rows(count: int, hashes: int | None = None, *, is_exact: bool = True) -> str:
    """A table's state: of how many rows, and the sum of their ``hashes`` where that is known.

    Not ``is_exact`` when something in the rows may differ and the state be the same.
    """
    if hashes is None:
        return f"{count} rows"
    return f"{count} rows, {hashes}" if is_exact else f"about {count} rows, {hashes}"


def exact_states(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The states of the tables whose state tells of every value in them."""
    return dict(
        connection.execute(
            f"select name, state from {MEMORY} where state similar to '\\d+ rows, -?\\d+'"
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
def _lists_read(transform: Transform) -> tuple[str, ...]:
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
