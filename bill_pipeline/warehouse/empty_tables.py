"""Tell which tables come out empty, because there is nothing in what their SQL reads.

Most clients have documents of few lists, so half of their tables have no rows. DuckDB plans the SQL
of each all the same, which takes longer than running it; for a small client that is most of a
build. Where the joins and unions of a file's own ``select`` show that it cannot give a row, its
table is made by its columns alone. In doubt a table counts as one that has rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import duckdb
from sqlglot import exp

from bill_pipeline.warehouse.macros import shared_functions
from bill_pipeline.warehouse.transforms import Transform, load_transforms, parse

#: Every version of every document, as imported.
ARCHIVE_TABLE = "raw.document_versions"
#: Whether the table ``schema.name`` has no rows; of an archive, whether it has none of the BILL
#: lists named (none named: of any list).
IsEmpty = Callable[[str, Sequence[str]], bool]
#: Whether a query gives no rows, by what is empty.
_Empty = Callable[[IsEmpty], bool]
_columns_of: dict[Transform, tuple[tuple[str, str], ...]] = {}
_INNER = {"", "INNER", "CROSS", "SEMI"}
_AROUND_A_FUNCTION = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


@cache
def archives() -> frozenset[str]:
    """The archive, and what shows it as known at one moment: read in the same way, list by list."""
    return frozenset(
        {
            ARCHIVE_TABLE,
            *(key for key, transform in load_transforms().items() if transform.is_archive),
        }
    )


def comes_out_empty(transform: Transform, is_empty: IsEmpty) -> bool:
    """True only if building ``transform`` gives no rows; False also when that cannot be told."""
    return _emptiness(transform)(is_empty)


def columns_of(
    connection: duckdb.DuckDBPyConnection, transform: Transform
) -> tuple[tuple[str, str], ...]:
    """Name and type of each column of a table that this process built, in whatever client's file.

    The same code gives the same columns in all of them.
    """
    if transform not in _columns_of:
        described = connection.execute(f"describe {transform.key}").fetchall()
        _columns_of[transform] = tuple((row[0], row[1]) for row in described)
    return _columns_of[transform]


def make_empty(connection: duckdb.DuckDBPyConnection, transform: Transform) -> bool:
    """Make the table without rows and without planning its SQL; False: its columns are not known.

    They are once ``columns_of`` was asked for them.
    """
    if columns := _columns_of.get(transform):
        described = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        connection.execute(f"create or replace table {transform.key} ({described})")
    return bool(columns)


def lists_chosen(select: exp.Select, alias: str | None = None) -> tuple[str, ...]:
    """The lists named by ``list = '…'`` or ``list in (…)``, when that must hold for every row.

    With ``alias`` of that table's rows; without, a column of that name may be any table's.
    """
    where = select.args.get("where")
    if where is None:
        return ()
    for part in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        column = part.this if isinstance(part, exp.EQ | exp.In) else None
        if (
            isinstance(column, exp.Column)
            and column.name == "list"
            and alias in (None, column.table)
        ):
            values = part.expressions if isinstance(part, exp.In) else [part.expression]
            if values and all(isinstance(value, exp.Literal) for value in values):
                return tuple(sorted({value.name for value in values}))
    return ()


@cache
def _emptiness(transform: Transform) -> _Empty:
    return _of_query(parse(transform.path, transform.sql), {})


def _never(_: IsEmpty) -> bool:
    return False


def _any_of(*parts: _Empty) -> _Empty:
    return lambda is_empty: any(part(is_empty) for part in parts)


def _all_of(*parts: _Empty) -> _Empty:
    return lambda is_empty: all(part(is_empty) for part in parts)


def _of_query(query: Any, outer: Mapping[str, _Empty]) -> _Empty:
    ctes = dict(outer)
    if with_ := query.args.get("with_") or query.args.get("with"):
        for cte in with_.expressions:
            itself = {cte.alias: _never} if with_.args.get("recursive") else {}
            ctes[cte.alias] = _of_query(cte.this, {**ctes, **itself})
    match query:
        case exp.Subquery():
            return _of_source(query, None, ctes)
        case exp.Union():
            return _all_of(_of_query(query.left, ctes), _of_query(query.right, ctes))
        case exp.Except():
            return _of_query(query.left, ctes)
        case exp.Select():
            return _of_select(query, ctes)
    return _never


def _of_select(select: exp.Select, ctes: Mapping[str, _Empty]) -> _Empty:
    source = select.args.get("from_") or select.args.get("from")
    if source is None or _gives_a_row_of_nothing(select):
        return _never
    return _of_source(source.this, select, ctes, select.args.get("joins") or [])


def _of_source(
    source: Any,
    select: exp.Select | None,
    ctes: Mapping[str, _Empty],
    joins: Sequence[exp.Join] = (),
) -> _Empty:
    """What stands after ``from``, or is joined, with ``joins`` applied one after the other."""
    empty: _Empty = _never
    if not source.args.get("pivots"):
        if isinstance(source, exp.Subquery):
            empty = _of_query(source.this, ctes)
        elif isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            empty = _of_table(source, select, ctes, is_alone=not joins)
    for join in (*(source.args.get("joins") or ()), *joins):
        other = _of_source(join.this, select, ctes)
        side, kind = join.side.upper(), join.kind.upper()
        if side == "RIGHT":
            empty = other
        elif side == "FULL":
            empty = _all_of(empty, other)
        elif side == "" and kind in _INNER:
            empty = _any_of(empty, other)
        elif side != "LEFT" and kind != "ANTI":
            empty = _never
    return empty


def _of_table(
    table: exp.Table, select: exp.Select | None, ctes: Mapping[str, _Empty], *, is_alone: bool
) -> _Empty:
    if not table.db:
        return ctes.get(table.name, _never)
    key = f"{table.db}.{table.name}"
    lists: tuple[str, ...] = ()
    if key in archives() and select is not None:
        lists = lists_chosen(select, table.alias_or_name) or (
            lists_chosen(select) if is_alone and not select.args.get("joins") else ()
        )
    return lambda is_empty: is_empty(key, lists)


def _gives_a_row_of_nothing(select: exp.Select) -> bool:
    """Whether ``select`` may count or sum up all that it reads in one row."""
    group = select.args.get("group")
    if group is None:
        return bool(select.args.get("having")) or any(map(_aggregates, select.expressions))
    if group.find(exp.Rollup, exp.Cube, exp.GroupingSets) or group.args.get("totals"):
        return True
    if group.args.get("all"):
        return all(map(_aggregates, select.expressions))
    return all(isinstance(key, exp.Tuple | exp.Paren) for key in group.expressions)


def _aggregates(projection: exp.Expression) -> bool:
    """Whether ``projection`` aggregates rows; a function that is not known counts as doing so."""
    of_windows = set()
    for window in projection.find_all(exp.Window):
        function = window.this
        while isinstance(function, _AROUND_A_FUNCTION):
            function = function.this
        of_windows.add(id(function))
    for node in projection.walk(prune=lambda node: isinstance(node, exp.Query)):
        if id(node) in of_windows:
            continue
        if isinstance(node, exp.AggFunc) or type(node).__name__.endswith("Agg"):
            return True
        if isinstance(node, exp.Anonymous) and node.name.lower() not in _scalar_macros():
            return True
    return False


@cache
def _scalar_macros() -> frozenset[str]:
    """``getvariable`` and the functions of ``functions.sql`` that aggregate nothing."""
    shared = shared_functions().items()
    return frozenset(
        {"getvariable", *(name for name, (_, body) in shared if not body.find(exp.AggFunc))}
    )
