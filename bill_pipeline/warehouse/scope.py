"""The scope of a build: which documents may be booked otherwise than when all was built last.

The seeds are documents with new versions or decisions (``transforms/scope/seeds.sql``). What pays,
settles or uses one of them is linked with it; rules read over a few links, never further. So rows
of documents within ``POSTED_LINKS`` are built anew, and to make those right, documents within
``READ_LINKS`` are read. Following links to their end is no way: payments on account link a
vendor's whole history.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

import duckdb

from bill_pipeline.warehouse.empty_tables import ARCHIVE_TABLE
from bill_pipeline.warehouse.slices import SCOPE, Slices, decided_about_documents, scope_sql
from bill_pipeline.warehouse.transforms import Check, Transform, load_transforms

#: No rule reads over more than five links, and what reads the journal over two more.
POSTED_LINKS = 7
READ_LINKS = POSTED_LINKS + 5
#: Of all versions of documents; more documents than that are built faster as a whole.
LARGEST_SHARE = 0.5
POSTED = f"(select id from {SCOPE} where links <= {POSTED_LINKS})"
_LINKS = """
create schema if not exists upkeep;
create table if not exists upkeep.links (id varchar not null, other_id varchar not null);
create table if not exists upkeep.linked (as_of timestamp not null);
-- Documents that a build found to change, beside those with news; null: any may have.
create table if not exists upkeep.touched (id varchar, seen_at timestamp not null);
"""


def update_links(connection: duckdb.DuckDBPyConnection, as_of: datetime) -> None:
    """Bring the links up to what was known at ``as_of``, in the caller's transaction."""
    connection.execute(_LINKS)
    # What comes is later than what is known, yet not than a build under a clock that was ahead.
    row: Any = connection.execute(
        "select (select max(as_of) from upkeep.linked), "
        f"(select max(seen_at) from {ARCHIVE_TABLE} where seen_at <= ?)",
        [as_of.replace(tzinfo=None)],
    ).fetchone()
    linked_at, seen_at = row[0] or datetime(1, 1, 1), row[1]  # noqa: DTZ001 - UTC
    if seen_at is None or linked_at >= seen_at:
        return
    connection.execute(f"set variable linked_at = timestamp '{linked_at}'")
    connection.execute(
        f"insert into upkeep.links ({scope_sql('links')}) "
        "except select id, other_id from upkeep.links"
    )
    connection.execute("delete from upkeep.linked")
    connection.execute("insert into upkeep.linked values (?)", [seen_at])


def touch(
    connection: duckdb.DuckDBPyConnection, ids: Iterable[str | None], as_of: datetime
) -> None:
    """Remember that rows of the documents ``ids`` changed, until every layer was built."""
    connection.execute(_LINKS)
    connection.execute(
        "insert into upkeep.touched select unnest(?::varchar[]), ?",
        [list(ids), as_of.replace(tzinfo=None)],
    )


class BuildScope:
    """What changed since ``built_at``, the last moment at which every layer was built.

    ``is_everything``: so much that all is built as a whole.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, built_at: datetime, as_of: datetime
    ) -> None:
        self._connection = connection
        self.built_at, self.as_of = built_at, as_of
        self.is_everything = False
        self.seeds: set[str] = set()
        self.slices = Slices(connection, POSTED)
        #: Tables that follow no document; the documents that name what is new in them are in scope.
        self.named: set[str] = set()
        #: Tables that follow documents and were built as a whole all the same.
        self.built_whole: set[str] = set()
        self._built: set[str] = set()
        self._since: dict[str, dict[str, int]] = {}
        connection.execute(f"create or replace temp table {SCOPE} (id varchar, links integer)")

    def refresh(self) -> None:
        """Take up what was decided and touched meanwhile."""
        run = self._connection.execute
        run(f"set variable built_at = timestamp '{self.built_at}'")
        update_links(self._connection, self.as_of)
        run("delete from upkeep.touched where seen_at <= getvariable('built_at')")
        touched = "union select id from upkeep.touched where seen_at > getvariable('built_at')"
        found = {row[0] for row in run(f"{scope_sql('seeds')} {touched}").fetchall()}
        self.slices.forget_decisions()
        self._since.clear()
        self._extend(found)

    def touch(self, ids: Iterable[str | None]) -> None:
        """Rows of ``ids`` changed beside those of the scope: they are in scope from now on."""
        new = set(ids) - self.seeds
        if new:
            touch(self._connection, new, self.as_of)
            self._extend(new)

    def _extend(self, found: set[str | None]) -> None:
        if None in found:
            self.is_everything = True
        new = {each for each in found if each is not None} - self.seeds
        if not new or self.is_everything:
            return
        self.seeds |= new
        self.slices = Slices(self._connection, POSTED)
        self._close()

    def _close(self) -> None:
        run = self._connection.execute
        run(f"truncate {SCOPE}")
        run(f"insert into {SCOPE} select unnest(?::varchar[]), 0", [sorted(self.seeds)])
        for links in range(1, READ_LINKS + 1):
            last = f"(select id from {SCOPE} where links = {links - 1})"
            row = run(
                f"insert into {SCOPE} select distinct id, {links} from ("
                f"select other_id as id from upkeep.links where id in {last} union all "
                f"select id from upkeep.links where other_id in {last}) "
                f"where id not in (select id from {SCOPE})"
            ).fetchone()
            if not row or not row[0]:
                break
        sizes = run(
            f"select (select count(*) from {SCOPE}), (select count(*) from {ARCHIVE_TABLE})"
        ).fetchone()
        if sizes and sizes[0] > LARGEST_SHARE * sizes[1]:
            self.is_everything = True

    def explains(
        self, reader: Transform | Check, before: dict[str, str], now: dict[str, str]
    ) -> bool:
        """Whether what ``reader`` is made from differs by documents in scope alone."""
        return before.keys() == now.keys() and all(
            before[name] == now[name] or self.covers(reader, name, before[name], now[name])
            for name in now
        )

    def covers(self, transform: Transform | Check, table: str, before: str, now: str) -> bool:
        """Whether what differs in ``table`` now matters to documents in scope alone."""
        if table in _read_whole(transform):
            return table not in self.built_whole
        if table in decided_about_documents():
            since = self._count_since(table, "decided_at").get("", 0)
            return _is_new(int(before), int(now), since)
        if table.startswith(("raw.", "staging.")) and now.startswith("{"):
            return self._are_all_new(before, now)
        if table in self.named:
            return True
        known = load_transforms().get(table)
        return known is not None and known.follows is not None

    def _are_all_new(self, before: str, now: str) -> bool:
        since = self._count_since(ARCHIVE_TABLE, "seen_at")
        counts, earlier = json.loads(now), json.loads(before)
        return all(_is_new(earlier.get(k, 0), n, since.get(k, 0)) for k, n in counts.items())

    def _count_since(self, table: str, moment: str) -> dict[str, int]:
        if table not in self._since:
            by = "list" if table == ARCHIVE_TABLE else "''"
            rows = self._connection.execute(
                f"select {by}, count(*) from {table} where {moment} > ? group by 1", [self.built_at]
            ).fetchall()
            self._since[table] = dict(rows)
        return self._since[table]

    def documents_naming(self, transform: Transform, keys: Iterable[str]) -> set[str | None]:
        """The ids of documents that name one of the new ``keys`` of ``transform``."""
        run = self._connection.execute
        run(
            "create or replace temp table new_keys as select unnest(?::varchar[]) as key", [[*keys]]
        )
        return {row[0] for row in run(scope_sql(transform.named or "")).fetchall()}

    def has_built(self, key: str) -> bool:
        """Whether ``key`` was built as a whole in this scope before; it has been by now.

        The second time it may differ in more than what was new at the first.
        """
        was_built = key in self._built
        self._built.add(key)
        self.named.discard(key)
        return was_built


@cache
def _read_whole(transform: Transform | Check) -> frozenset[str]:
    """What ``transform``, or a temporary table that it reads, says that it reads as a whole."""
    found = set(transform.whole)
    for key in transform.upstream:
        read = load_transforms().get(key)
        if read and read.materialize == "temporary":
            found |= _read_whole(read)
    return frozenset(found)


def _is_new(before: int, now: int, since: int) -> bool:
    """Whether a table that only grows had all rows of earlier moments when it had ``before``."""
    return now - since <= before <= now
