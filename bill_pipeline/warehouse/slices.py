"""Slices: the rows of documents in scope, of every table that follows documents, by the same SQL.

A slice is a temporary table. The SQL of a file reads the slices of what it reads, where that
follows documents too; the archive's slice is cut from the archive. So a slice costs what is in
scope, and is the same rows as the whole table's for every document whose links are in scope.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

import duckdb
from sqlglot import exp

from bill_pipeline.warehouse.empty_tables import (
    ARCHIVE_TABLE,
    IsEmpty,
    archives,
    comes_out_empty,
)
from bill_pipeline.warehouse.transforms import FOLDER, Check, Transform, load_transforms, parse

#: The documents in scope, and over how many links each was reached.
SCOPE = "scope_ids"
#: The SQL files beside the tables' own that find what is in scope.
SCOPE_FOLDER = FOLDER / "scope"
IN_SCOPE = f"(select id from {SCOPE})"


@cache
def scope_sql(name: str) -> str:
    """The SQL of ``transforms/scope/<name>.sql``."""
    return (SCOPE_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


@cache
def decided_about_documents() -> Mapping[str, str]:
    """Tables of decisions about one document each → the column that holds the document's id."""
    found = {}
    for select in parse(SCOPE_FOLDER / "seeds.sql", scope_sql("seeds")).find_all(exp.Select):
        source = select.args.get("from_") or select.args.get("from")
        if source and isinstance(source.this, exp.Table) and source.this.db == "decisions":
            found[f"decisions.{source.this.name}"] = select.selects[0].name
    return found


def followed_by(key: str) -> str | None:
    """The column of ``key`` that holds documents' ids; None: its rows follow no document."""
    if key == ARCHIVE_TABLE:
        return "id"
    if key in decided_about_documents():
        return decided_about_documents()[key]
    transform = load_transforms().get(key)
    return transform.follows if transform else None


def is_read_whole(reader: Transform | Check, key: str) -> bool:
    """Whether ``reader`` reads all of ``key`` although only some documents are built."""
    return "*" in reader.whole or key in reader.whole or followed_by(key) is None


def with_names(sql: str, names: Mapping[str, str]) -> str:
    """``sql`` reading other tables instead: ``schema.table`` → its name."""
    if not names:
        return sql
    longest_first = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b(?!\.)(\s+as\b)?")

    def other(found: re.Match[str]) -> str:
        key, alias = found[1], found[2] or f" as {found[1].split('.')[1]}"
        return f"{names[key]}{alias}"

    return pattern.sub(other, sql)


def temporary_name(key: str, prefix: str) -> str:
    """What the temporary table of ``key`` is called, of those that ``prefix`` tells from others."""
    return f"{prefix}_{key.replace('.', '_')}"


def over_temporary(transform: Transform, prefix: str) -> str:
    """The SQL of ``transform``, reading the temporary tables that ``prefix`` tells from others."""
    read = (load_transforms().get(key) for key in transform.upstream)
    temporary = (t.key for t in read if t and t.materialize == "temporary")
    return with_names(transform.sql, {key: temporary_name(key, prefix) for key in temporary})


class Slices:
    """The slices of one scope; made when they are first read."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, in_posted: str) -> None:
        self._connection = connection
        self._in_posted = in_posted
        self._rows: dict[str, int] = {}
        self._lists: set[str] | None = None

    def forget(self, key: str) -> None:
        """What ``key`` holds is another by now: its slice is made anew."""
        self._rows.pop(key, None)

    def forget_decisions(self) -> None:
        for key in decided_about_documents():
            self.forget(key)

    def rows(self, key: str) -> int:
        return self._rows[key]

    def of(self, key: str, is_empty: IsEmpty) -> str:
        """The name of the slice of ``key``."""
        name = temporary_name(key, "slice")
        if key not in self._rows:
            self._rows[key] = self._create(name, self._sql(key, is_empty))
        return name

    def names_for(self, transform: Transform, is_empty: IsEmpty) -> dict[str, str]:
        """What ``transform`` reads of slices: key → the slice's name."""
        read = (*transform.upstream, *transform.history)
        return {k: self.of(k, is_empty) for k in read if not is_read_whole(transform, k)}

    def narrowed(self, transform: Transform, is_empty: IsEmpty) -> str:
        """The transform's own SQL over slices."""
        names = self.names_for(transform, is_empty)
        return with_names(transform.sql, names)

    def comes_out_empty(self, transform: Transform, is_empty: IsEmpty) -> bool:
        """Whether the slice of ``transform`` has no rows, told without running its SQL."""
        names = self.names_for(transform, is_empty)

        def is_slice_empty(key: str, lists: Sequence[str]) -> bool:
            if key not in names:
                return is_empty(key, lists)
            if key in archives() and lists:
                return self._lists_in_scope().isdisjoint(lists)
            return not self._rows[key]

        return comes_out_empty(transform, is_slice_empty)

    def _lists_in_scope(self) -> set[str]:
        if self._lists is None:
            name = temporary_name(ARCHIVE_TABLE, "slice")
            rows = self._connection.execute(f"select distinct list from {name}").fetchall()
            self._lists = {row[0] for row in rows}
        return self._lists

    def _sql(self, key: str, is_empty: IsEmpty) -> str:
        column = followed_by(key)
        transform = load_transforms().get(key)
        if transform is None:
            known = "and seen_at <= getvariable('as_of')" if key == ARCHIVE_TABLE else ""
            return f"from {key} where {column} in {IN_SCOPE} {known} order by rowid"
        if transform.materialize == "append" or "*" in transform.whole:
            return f"from {key} where {column} in {IN_SCOPE}"
        if transform.materialize == "table" and self.comes_out_empty(transform, is_empty):
            return f"from {key} limit 0"
        sql = self.narrowed(transform, is_empty)
        if transform.materialize == "temporary" and any(
            c.name == column for c in transform.columns
        ):
            # What is posted is posted of documents whose links are all in scope.
            return f"select * from ({sql}) where {column} in {self._in_posted}"
        return sql

    def _create(self, name: str, sql: str) -> int:
        row = self._connection.execute(f"create or replace temp table {name} as {sql}").fetchone()
        return int(row[0]) if row else 0
