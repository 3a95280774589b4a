"""Documents from BILL that cannot be read: why, since when, and when they healed.

What a list's documents must have is in ``bill.lists``. The archive calls this while it appends the
good versions; everything happens in its transaction.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bill_pipeline.bill.documents import Stray, timestamp
from bill_pipeline.bill.lists import BillList, JsonType

if TYPE_CHECKING:
    import duckdb

# What DuckDB's json_type says for each type of the table of lists. A number may come as text, also
# where no float could hold it (``bill.documents``); that it is one is asked of its value.
_JSON_TYPES: dict[JsonType, tuple[str, ...]] = {
    "text": ("VARCHAR",),
    "number": ("DOUBLE", "BIGINT", "UBIGINT", "HUGEINT", "VARCHAR"),
    "boolean": ("BOOLEAN",),
    "array": ("ARRAY",),
    "object": ("OBJECT",),
}


def unreadable_reason(row: BillList) -> str:
    """SQL for why a document cannot be read: a sentence, or null.

    The document is read once for all its fields' types and once for their values. One expression
    per field would each keep its own copy of thousands of documents: with bills of many lines more
    than an import may use.
    """
    paths = ", ".join(f"'$.{name}'" for name in row.guarded)
    problems = [
        _problem(f"coalesce(d.types[{number}], 'NULL')", name, kind, name in row.required)
        for number, (name, kind) in enumerate(row.guarded.items(), start=1)
    ]
    numbers = [name for name, kind in row.guarded.items() if kind == "number"]
    arrays = {name for name, kind in row.guarded.items() if kind == "array"} | {"statementDetails"}
    amounts, days = [*numbers, *row.amounts], list(row.days)
    positions = {name: number for number, name in enumerate(row.guarded, start=1)}
    problems += [_amount_problem(name, arrays, positions.get(name)) for name in amounts]
    problems += [_day_problem(name, arrays) for name in days]
    if not problems:
        return "null"
    # JSON of a shape without fields is refused.
    shape = _shape([*amounts, *days], arrays) or {"id": "VARCHAR"}
    types = f"json_type(r.document, [{paths}]::varchar[])"
    values = f"from_json(r.document, '{json.dumps(shape)}')"
    return (
        f"list_transform([struct_pack(types := {types}, v := {values})], "
        f"lambda d: nullif(concat_ws('; ', {', '.join(problems)}), ''))[1]"
    )


def _shape(names: list[str], arrays: set[str]) -> dict[str, Any]:
    """What ``from_json`` reads: each of ``names`` as text, where it lies."""
    shape: dict[str, Any] = {}
    for name in names:
        outer, _, inner = name.rpartition(".")
        if not outer:
            shape[inner] = "VARCHAR"
        elif outer in arrays:
            shape.setdefault(outer, [{}])[0][inner] = "VARCHAR"
        else:
            shape.setdefault(outer, {})[inner] = "VARCHAR"
    return shape


def _amount_problem(name: str, arrays: set[str], position: int | None) -> str:
    """SQL for why a value at ``name`` is no amount; ``position`` where its type is asked too."""
    is_scalar = f"d.types[{position}] not in ('OBJECT', 'ARRAY', 'BOOLEAN')" if position else "true"
    wrong = _first_value(name, arrays, f"{is_scalar} and text <> '' and amount_of(text) is null")
    return f"'the field {name} is no number below 10^15: ' || {wrong}"


def _day_problem(name: str, arrays: set[str]) -> str:
    wrong = _first_value(name, arrays, "text <> '' and day_of(text) is null")
    return f"'the field {name} is no day, year first: ' || {wrong}"


def _first_value(name: str, arrays: set[str], condition: str) -> str:
    """SQL for the first value at ``name`` that meets ``condition``, else null."""
    outer, _, inner = name.rpartition(".")
    if outer in arrays:
        values = f"list_transform(d.v.{outer}, lambda one: one.{inner})"
    else:
        values = f"[d.v.{name}]"
    return f"list_filter({values}, lambda text: {condition})[1]"


def _problem(found: str, name: str, kind: JsonType, is_required: bool) -> str:
    allowed = ", ".join(f"'{json_type}'" for json_type in _JSON_TYPES[kind])
    missing = f"'the field {name} is missing'" if is_required else "null"
    if kind == "number" and is_required:
        found = f"if(d.v.{name} = '', 'NULL', {found})"
    wrong = f"'the field {name} is not a {kind}: ' || lower({found})"
    return (
        f"case when {found} = 'NULL' then {missing} "
        f"when {found} not in ({allowed}) then {wrong} end"
    )


def set_aside(connection: duckdb.DuckDBPyConnection, values: dict[str, Any]) -> int:
    """Set aside what the archive's view ``changed`` says cannot be read; how many are new.

    ``values``: the ``list`` and the sync's ``as_of``.
    """
    added = connection.execute(
        """
        insert into raw.quarantine
        select $list, id, reason, content_hash, document, $as_of, null
        from changed
        where
            reason is not null
            and not exists (
                select 1 from raw.quarantine as q
                where q.list = $list and q.id = changed.id
                    and q.content_hash = changed.content_hash and q.healed_at is null
            )
        returning id
        """,
        values,
    ).fetchall()
    return len(added)


def heal(connection: duckdb.DuckDBPyConnection, values: dict[str, Any]) -> int:
    """Close the quarantine of documents whose current state is archived; how many there were."""
    waiting = connection.execute(
        "select distinct id from raw.quarantine where list = $list and healed_at is null",
        {"list": values["list"]},
    ).fetchall()
    if not waiting:
        return 0
    healed = connection.execute(
        f"""
        with last as (
            select id, arg_max(content_hash, version) as content_hash
            from raw.document_versions
            where list = $list and id in (select unnest($waiting::varchar[]))
            group by id
        )
        update raw.quarantine set healed_at = $as_of
        where
            list = $list
            and healed_at is null
            and id in (
                select r.id
                from raw.{values["list"]} as r
                join last using (id)
                where r.content_hash = last.content_hash
            )
        returning id
        """,
        {**values, "waiting": [document_id for (document_id,) in waiting]},
    ).fetchall()
    return len(healed)


def set_strays_aside(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    strays: list[Stray],
    as_of: datetime,
) -> int:
    """Keep what came in a list without an id, each once while it waits; how many are new."""
    count = 0
    for stray in strays:
        content_hash = _hash(stray)
        added = connection.execute(
            """
            insert into raw.quarantine
            select $list, '', $reason, $hash, $text, $as_of, null
            where not exists (
                select 1 from raw.quarantine
                where list = $list and content_hash = $hash and healed_at is null
            )
            returning id
            """,
            {
                "list": table,
                "reason": stray.reason,
                "hash": content_hash,
                "text": stray.text,
                "as_of": as_of.replace(tzinfo=None),
            },
        ).fetchall()
        count += len(added)
    return count


def heal_strays(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    strays: list[Stray],
    start: datetime | None,
    as_of: datetime,
) -> int:
    """Close the quarantine of what had no id and is not among ``strays``; how many there were.

    ``strays`` are those of a list that was read to its end, from the updatedTime ``start`` on.
    """
    waiting = connection.execute(
        "select content_hash, document->>'$.updatedTime' from raw.quarantine "
        "where list = ? and id = '' and healed_at is null",
        [table],
    ).fetchall()
    still_there = {_hash(stray) for stray in strays}
    healed = [
        content_hash
        for content_hash, text in waiting
        if content_hash not in still_there
        and (start is None or ((moment := timestamp(text)) is not None and moment >= start))
    ]
    connection.execute(
        "update raw.quarantine set healed_at = ? where list = ? and id = '' "
        "and healed_at is null and content_hash in (select unnest(?::varchar[]))",
        [as_of.replace(tzinfo=None), table, healed],
    )
    return len(healed)


def waiting_strays(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether anything that came without an id waits for one."""
    found = connection.execute(
        "select 1 from raw.quarantine where id = '' and healed_at is null limit 1"
    ).fetchone()
    return found is not None


def _hash(stray: Stray) -> str:
    return hashlib.blake2b(stray.text.encode(), digest_size=16).hexdigest()


def unreadable_ids(connection: duckdb.DuckDBPyConnection, row: BillList, most: int) -> list[str]:
    """Documents that were loaded as they are now, cannot be read and may not be in quarantine yet.

    A sync that died before it archived leaves such documents behind, and its cursor has passed
    them: nothing but asking for them again would ever heal them.
    """
    found = connection.execute(
        f"""
        select r.id from raw.{row.table} as r
        where not r.is_deleted and {unreadable_reason(row)} is not null
        order by r.id limit $most
        """,
        {"most": most},
    ).fetchall()
    return [document_id for (document_id,) in found]


def quarantined_ids(
    connection: duckdb.DuckDBPyConnection, most_per_list: int
) -> dict[str, list[str]]:
    """Documents in quarantine by list, the longest waiting first, to be asked for again."""
    rows = connection.execute(
        """
        select list, id from raw.quarantine
        where healed_at is null and id <> ''
        group by list, id
        qualify row_number() over (partition by list order by min(first_seen_at), id) <= ?
        order by list, min(first_seen_at), id
        """,
        [most_per_list],
    ).fetchall()
    found: dict[str, list[str]] = {}
    for table, document_id in rows:
        found.setdefault(table, []).append(document_id)
    return found


def quarantined_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many documents of each list wait for a version that can be read."""
    rows = connection.execute(
        "select list, count(distinct id) from raw.quarantine where healed_at is null "
        "group by list order by list"
    ).fetchall()
    return dict(rows)
