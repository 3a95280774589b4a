"""Build one table: as a whole, or the rows of the documents in scope and no others.

What a table is made from tells which way is right. Where nothing but documents in scope changed
since it was built, only their rows are built anew (``slices``) and put in place of those that are
there. Where a setting changed as well, the whole table is built and compared with the one that is
there: the documents that differ join the scope. Either way the rows are those of a whole build.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb

from bill_pipeline.warehouse.empty_tables import columns_of, comes_out_empty, make_empty
from bill_pipeline.warehouse.layer_report import LayerReport
from bill_pipeline.warehouse.scope import POSTED, BuildScope, touch
from bill_pipeline.warehouse.slices import over_temporary, temporary_name
from bill_pipeline.warehouse.transforms import Transform, load_transforms
from bill_pipeline.warehouse.unchanged import (
    Inputs,
    TableMemory,
    rows_and_hashes,
    state_of_rows,
    state_of_view,
)

#: What a temporary table's state is: it has none that another build could ask for.
_OF_THE_MOMENT = "of the moment"
#: What the temporary tables of one build and its appended rows are called.
_WHOLE, _FRESH = "whole", "fresh"
_POSTS = ("temporary", "append")


@dataclass
class _Change:
    """Rows that went and rows that came: their counts, hashes and sums of money."""

    rows: int = 0
    hashes: int = 0
    sums: list[Decimal] = field(default_factory=list)

    @classmethod
    def of(cls, rows: Sequence[Sequence[Any]], width: int) -> _Change:
        columns = [*zip(*rows, strict=True)] or [()] * (width + 1)
        return cls(
            len(rows), sum(columns[0]), [sum(filter(None, c), Decimal(0)) for c in columns[1:]]
        )


class Building:
    """The building of one layer's tables in one transaction."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        memory: TableMemory,
        report: LayerReport,
        scope: BuildScope | None,
        comment: Callable[[Transform], None],
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._report = report
        self._scope = scope
        self._comment = comment
        self._posts_in_scope: bool | None = None

    def build(self, transform: Transform, *, is_checked: bool) -> None:
        """Build ``transform``, and remember what it was made from when it ``is_checked``."""
        started = time.perf_counter()
        inputs = self._memory.inputs_of(transform)
        before = self._memory.state_of(transform)
        if self._is_narrow(transform, inputs):
            self._build_in_scope(transform, inputs)
        else:
            self._build_whole(transform, inputs, is_checked=is_checked)
        if is_checked and self._memory.state_of(transform) != before:
            self._report.changed.add(transform.key)
        self._report.table_seconds[transform.key] = time.perf_counter() - started

    def _is_narrow(self, transform: Transform, inputs: Inputs) -> bool:
        if transform.materialize not in _POSTS:
            return self._is_in_scope(transform, inputs)
        if self._posts_in_scope is None:
            # What is posted is of one piece: entries, their lines and what they are found by.
            pieces = [
                each for each in load_transforms().values()
                if each.schema == transform.schema and each.materialize in _POSTS
            ]  # fmt: skip
            self._posts_in_scope = all(
                self._is_in_scope(each, self._memory.inputs_of(each)) for each in pieces
            )
        return self._posts_in_scope

    def _is_in_scope(self, transform: Transform, inputs: Inputs) -> bool:
        """Whether only rows of documents in scope may come out differently."""
        scope, before = self._scope, self._memory.inputs_before(transform)
        if scope is None or scope.is_everything or before is None or inputs is None:
            return False
        if transform.follows is None or "*" in transform.whole:
            return False
        then, now = json.loads(before), json.loads(inputs)
        if transform.materialize in _POSTS:  # at a moment of their own each time
            then.pop("moment", None)
            now.pop("moment", None)
        return scope.explains(transform, then, now)

    # Rows of documents in scope.

    def _build_in_scope(self, transform: Transform, inputs: Inputs) -> None:
        assert self._scope is not None  # noqa: S101 - _is_narrow said so
        slices, key = self._scope.slices, transform.key
        if transform.materialize == "append":
            if slices.comes_out_empty(transform, self._memory.is_empty):
                self._report.appended[key] = 0
            else:
                sql = slices.narrowed(transform, self._memory.is_empty)
                in_scope = f"select * from ({sql}) where {transform.follows} in {POSTED}"
                self._append(transform, in_scope)
            self._add_up(transform, inputs)
            return
        slices.forget(key)
        if transform.materialize == "view":
            if transform.is_published:
                self._summarize(transform, inputs)
            else:
                self._memory.remember(transform, inputs, _OF_THE_MOMENT, {})
            return
        name = slices.of(key, self._memory.is_empty)
        if transform.materialize == "temporary":
            self._memory.remember(transform, inputs, _OF_THE_MOMENT, {})
            self._memory.note_rows(transform, slices.rows(key))
            self._report.rows[key] = slices.rows(key)
            return
        self._put_in_place(transform, inputs, name)

    def _put_in_place(self, transform: Transform, inputs: Inputs, name: str) -> None:
        """Replace the rows of the documents that are posted by those that ``name`` has of them."""
        key, column = transform.key, transform.follows
        money = self._money(transform)
        told = ", ".join((f"hash({transform.name})", *money))
        run = self._connection.execute
        state = self._memory.state_of(transform)
        went = _Change.of(
            run(f"delete from {key} where {column} in {POSTED} returning {told}").fetchall(),
            len(money),
        )
        came = _Change.of(
            run(
                f"insert into {key} select * from {name} where {column} in {POSTED} "
                f"returning {told}"
            ).fetchall(),
            len(money),
        )
        sums = self._memory.sums_of(transform)
        if state is None or sums.keys() != set(money):
            self._summarize(transform, inputs)
            return
        count, hashes = rows_and_hashes(state)
        count += came.rows - went.rows
        sums = {
            n: sums[n] + new - old for n, new, old in zip(money, came.sums, went.sums, strict=True)
        }
        self._remember(
            transform, inputs, state_of_rows(count, hashes + came.hashes - went.hashes), sums
        )
        self._memory.note_rows(transform, count)

    def _append(self, transform: Transform, sql: str) -> None:
        """Add rows to a table that only grows."""
        key, fresh = transform.key, temporary_name(transform.key, _FRESH)
        self._connection.execute(f"create or replace temp table {fresh} as {sql}")
        self._report.appended[key] = self._count(f"insert into {key} by name from {fresh}")
        self._memory.forget_counts()
        if self._scope is not None:
            self._scope.slices.forget(key)

    def _add_up(self, transform: Transform, inputs: Inputs) -> None:
        """Add what was appended to what was remembered."""
        added, money = self._report.appended[transform.key], self._money(transform)
        state, sums = self._memory.state_of(transform), self._memory.sums_of(transform)
        if state is None or sums.keys() != set(money):
            self._summarize(transform, inputs)
            return
        if added:
            told = ", ".join(("count(*)", *(f"sum({name})" for name in money)))
            fresh = temporary_name(transform.key, _FRESH)
            row: Any = self._connection.execute(f"select {told} from {fresh}").fetchone()
            sums = {n: sums[n] + (total or 0) for n, total in zip(money, row[1:], strict=True)}
        count = int(state.split(" ")[0]) + added
        self._remember(transform, inputs, state_of_rows(count), sums)

    # The whole table.

    def _build_whole(self, transform: Transform, inputs: Inputs, *, is_checked: bool) -> None:
        key, sql = transform.key, over_temporary(transform, _WHOLE)
        is_empty = transform.materialize in ("table", "append") and comes_out_empty(
            transform, self._memory.is_empty
        )
        if transform.materialize == "append":
            if is_empty:
                self._report.appended[key] = 0
            else:
                self._append(transform, sql)
                self._touch_appended(transform)
        elif transform.materialize == "temporary":
            name = temporary_name(key, _WHOLE)
            count = self._count(f"create or replace temp table {name} as {sql}")
            self._report.rows[key] = count
            self._memory.note_rows(transform, count)
            self._memory.remember(transform, inputs, _OF_THE_MOMENT, {})
            return
        elif transform.materialize == "view":
            self._connection.execute(f"create or replace view {key} as {sql}")
        elif self._is_compared(transform):
            self._replace_and_compare(transform, sql)
        else:
            count = 0
            if not (is_empty and make_empty(self._connection, transform)):
                count = self._count(f"create or replace table {key} as {sql}")
                if is_empty:
                    columns_of(self._connection, transform)
            self._memory.note_rows(transform, count)
            if self._scope is not None:
                self._scope.has_built(key)
                if transform.follows:
                    self._scope.touch([None])
        if not is_checked:
            self._memory.forget(transform)
            return
        self._summarize(transform, inputs, is_empty=is_empty)
        self._comment(transform)

    def _touch_appended(self, transform: Transform) -> None:
        if self._scope is not None and self._report.appended[transform.key]:
            ids = (
                f"select distinct {transform.follows} from {temporary_name(transform.key, _FRESH)}"
            )
            self._scope.touch(row[0] for row in self._connection.execute(ids).fetchall())

    def _is_compared(self, transform: Transform) -> bool:
        """Whether it matters which rows differ from those that are there, and these are right."""
        return (
            self._scope is not None
            and not self._scope.is_everything
            and bool(transform.follows or transform.named)
            and self._memory.state_of(transform) is not None
        )

    def _replace_and_compare(self, transform: Transform, sql: str) -> None:
        """Build the whole table, and take what differs from the one that is there into scope."""
        assert self._scope is not None  # noqa: S101 - _is_compared said so
        scope, key = self._scope, transform.key
        by_documents = transform.follows or (
            transform.named if transform.named in {c.name for c in transform.columns} else None
        )
        column = by_documents or transform.key_columns[0]
        fresh = temporary_name(key, _FRESH)
        run = self._connection.execute
        count = self._count(f"create or replace temp table {fresh} as {sql}")
        facts = (
            f"select {column} as id, count(*) as n, sum(hash(t)::hugeint) as h "
            "from {} as t group by 1"
        )
        differing = run(
            f"select coalesce(there.id, new.id), there.id is null "
            f"from ({facts.format(key)}) as there full join ({facts.format(fresh)}) as new "
            "on new.id is not distinct from there.id "
            "where (new.n, new.h) is distinct from (there.n, there.h)"
        ).fetchall()
        run(f"create or replace table {key} as from {fresh}")
        self._memory.note_rows(transform, count)
        scope.slices.forget(key)
        is_first = not scope.has_built(key)
        ids = [row[0] for row in differing]
        if by_documents:
            scope.built_whole.add(key)
            scope.touch(ids)
            if not transform.follows:
                scope.named.add(key)
        elif is_first and all(is_new for _, is_new in differing):
            scope.touch(scope.documents_naming(transform, ids))
            scope.named.add(key)

    # What is remembered.

    def _remember(
        self, transform: Transform, inputs: Inputs, state: str, sums: dict[str, Decimal]
    ) -> None:
        self._memory.remember(transform, inputs, state, sums)
        self._report.rows[transform.key] = int(state.removeprefix("about ").split(" ")[0])
        self._report.sums |= {f"{transform.key}.{name}": total for name, total in sums.items()}

    def _summarize(self, transform: Transform, inputs: Inputs, *, is_empty: bool = False) -> None:
        """Count and add up the whole table, and remember it by that."""
        if transform.materialize == "view":
            self._memory.remember(transform, inputs, state_of_view(inputs), {})
            self._report.rows[transform.key] = self._rows_of_view(transform)
            return
        money = self._money(transform)
        is_hashed = transform.materialize == "table"
        day = None
        if is_empty and is_hashed:
            row: Any = (0, *(None for _ in money), 0)
        else:
            sums = "".join(f", sum({name})" for name in money)
            state = ", sum(hash(t)::hugeint)" if is_hashed else ""
            rows = transform.key
            if moment := transform.moment:
                rows = f"(select * exclude ({moment}) from {rows})"
            row = self._connection.execute(
                f"select count(*){sums}{state} from {rows} as t"
            ).fetchone()
        if transform.moment:
            day = f"{self._report.as_of:%Y-%m-%d}"
        hashes = (row[-1] or 0) if is_hashed else None
        totals = {n: total or Decimal(0) for n, total in zip(money, row[1:], strict=False)}
        self._remember(transform, inputs, state_of_rows(row[0], hashes, day=day), totals)

    def _rows_of_view(self, transform: Transform) -> int | None:
        """How many rows it shows; not counted in a scope, which takes less time than counting."""
        if self._scope is not None:
            return None
        return self._count(f"select count(*) from {transform.key}")

    def _money(self, transform: Transform) -> list[str]:
        columns = columns_of(self._connection, transform)
        return [name for name, kind in columns if kind in ("DECIMAL(18,2)", "DECIMAL(18,3)")]

    def _count(self, statement: str) -> int:
        """How many rows ``statement`` wrote, or counted."""
        row = self._connection.execute(statement).fetchone()
        return row[0] if row else 0


def touch_all(connection: duckdb.DuckDBPyConnection, report: LayerReport) -> None:
    """What follows documents was built as a whole: rows of any document may have changed."""
    if any(load_transforms()[key].follows for key in report.changed):
        touch(connection, [None], report.as_of)
