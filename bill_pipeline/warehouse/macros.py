"""The table macros offered to analysts: made of the same SQL that builds the tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import sqlglot
from sqlglot import exp

from bill_pipeline.warehouse.transforms import (
    FOLDER,
    Transform,
    TransformError,
    address_of,
    load_transforms,
    names_in,
    parse,
)

#: Ends the name of a CTE in a macro: analysts' tables have bare names, which a CTE would hide.
_OF_MACRO = "_of_macro"


def macro_sql(
    transform: Transform,
    *,
    table_reference: Callable[[str], str],
    client_parameter: str = "of_client",
) -> str:
    """``create or replace macro`` for analysts, made of the same SQL that builds the table.

    ``table_reference`` turns a key ``schema.table`` into SQL that can stand after
    ``from``, already narrowed to the macro's first parameter ``client_parameter``. The variables
    named in the header's ``macro:`` become the other parameters; they default to null, which the
    reports read as "no limit" or "as of the last sync". Raises TransformError for a transform
    without a macro.
    """
    if transform.macro is None:
        raise TransformError(f"{transform.path}: the header has no `macro:` line.")
    select = parse(transform.path, transform.sql).copy()
    ctes = {cte.alias: cte for cte in select.find_all(exp.CTE)}
    for table in list(select.find_all(exp.Table)):
        if table.db or table.name not in ctes:
            address = address_of(table)
            rows = table_reference(address)
            if of_moment := _macro_call(transform, address, client_parameter):
                rows = _table_or_macro(address, rows, of_moment)
            source = sqlglot.parse_one(
                f"select * from {rows} as {table.alias or table.name}", dialect="duckdb"
            )
            table.replace(source.find(exp.From).this)  # type: ignore[union-attr]
        else:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
            table.set("this", exp.to_identifier(f"{table.name}{_OF_MACRO}"))
    for name, cte in ctes.items():
        cte.args["alias"].set("this", exp.to_identifier(f"{name}{_OF_MACRO}"))
    _spell_out_shared_functions(select)
    for call in list(select.find_all(exp.Anonymous)):
        if call.name.lower() == "getvariable" and call.expressions[0].name in (
            transform.macro.parameters
        ):
            call.replace(exp.column(call.expressions[0].name))
    parameters = [client_parameter, *(f"{name} := null" for name in transform.macro.parameters)]
    body = select.sql(dialect="duckdb", comments=False)
    return (
        f"create or replace macro {transform.macro.name}({', '.join(parameters)}) as table ({body})"
    )


def _spell_out_shared_functions(select: exp.Query) -> None:
    """Put what ``functions.sql`` says in place of its calls: others' databases lack it."""
    while calls := [
        c for c in select.find_all(exp.Anonymous) if c.name.lower() in shared_functions()
    ]:
        call = calls[-1]  # the innermost ones come last
        parameters, body = shared_functions()[call.name.lower()]
        given = dict(zip(parameters, call.expressions, strict=True))
        spelt_out = exp.paren(body.copy())
        for column in list(spelt_out.find_all(exp.Column)):
            column.replace(exp.paren(given[column.name].copy()))
        call.replace(spelt_out)


@cache
def shared_functions() -> dict[str, tuple[tuple[str, ...], exp.Expr]]:
    """Name → (parameters, body) of every function in ``functions.sql``."""
    text = (FOLDER / "functions.sql").read_text(encoding="utf-8")
    found = re.findall(r"macro (\w+)\(([^)]*)\) as\s+(.*?);", text, re.S)
    return {
        name: (names_in(parameters), sqlglot.parse_one(body, dialect="duckdb"))
        for name, parameters, body in found
    }


def _macro_call(reader: Transform, key: str, client_parameter: str) -> str | None:
    """How ``reader``'s macro reads the table ``key`` when that has a macro: of the same moment."""
    macro = transform.macro if (transform := load_transforms().get(key)) else None
    if macro is None or reader.macro is None:
        return None
    if unknown := set(macro.parameters) - set(reader.macro.parameters):
        raise TransformError(
            f"{reader.path}: the macro reads {key} and lacks {', '.join(sorted(unknown))}."
        )
    given = (f"{name} := {name}" for name in macro.parameters)
    return f"{macro.name}({', '.join((client_parameter, *given))})"


def _table_or_macro(key: str, rows: str, call: str) -> str:
    """The table ``key`` where no moment is asked for, as its macro would give the same rows."""
    transform = load_transforms()[key]
    parameters = transform.macro.parameters if transform.macro else ()
    columns = ", ".join(column.name for column in transform.columns)
    is_of_now = " and ".join(f"{name} is null" for name in parameters)
    return (
        f"(select {columns} from {rows} where {is_of_now} "
        f"union all select {columns} from {call} where not ({is_of_now}))"
    )
