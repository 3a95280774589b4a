"""v2's ``List/<Entity>.json``: filters, sort and paging over the books."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bill_pipeline.sandbox import errors, fields
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document, DocumentList
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.otherwise import as_sent
from bill_pipeline.sandbox.queries import read_time_ms
from bill_pipeline.sandbox.v2_entities import ENTITIES
from bill_pipeline.sandbox.v2_writing import data_of, page_bounds

#: v2 documents 999; clients ask for a thousand and get it.
MAX_ROWS = 1_000
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_TIMES = ("createdTime", "updatedTime")
#: What a sync token may not read: bank accounts of vendors.
_PEOPLE_ONLY = frozenset({"VendorBankAccount"})


def list_entity(call: Call, name: str) -> list[Document]:
    """One page: a bare array, shorter than ``max`` on the last page."""
    data, books, entity = data_of(call), call.signed_in().organization, ENTITIES[name]
    refused = call.state.switches.denied_to_tokens() | books.refused_lists
    if name in _PEOPLE_ONLY or entity.list_name in refused:
        call.signed_in_person()
    start, rows = page_bounds(data)
    if rows > MAX_ROWS:
        raise errors.invalid(f"max: must not be greater than {MAX_ROWS - 1}")
    documents = books[entity.list_name]
    times, others = _split(_objects(data, "filters"))
    offset = call.state.switches.naive_time_offset_minutes
    positions = _within(documents, [] if entity.own_times else times, offset)
    is_asked = any(item.get("field") == "isActive" for item in others)
    if not (is_asked or call.state.switches.v2_lists_show_inactive):
        positions = positions[~documents.archived()[positions]]
    sort = [(str(s.get("field", "")), _ascending(s)) for s in _objects(data, "sort")]
    positions = _sorted_by_times(documents, positions, sort)
    is_simple = entity.expand is None and not others and all(f in _TIMES for f, _ in sort)
    if is_simple:
        positions = positions[start : start + rows]
    found: list[Document] = []
    for position in positions:
        found += entity.rows(name, books, documents.at(int(position)))
    if not is_simple:
        if entity.own_times:
            found = [row for row in found if all(_is_timely(row, item, offset) for item in times)]
        found = [row for row in found if all(_matches(row, item) for item in others)]
        for field, ascending in reversed([item for item in sort if item[0] not in _TIMES]):
            found.sort(key=partial(_key, field), reverse=not ascending)
        found = found[start : start + rows]
    for row in found:
        _as_sent(row, entity.nested if not _truth(data.get("nested")) else "", call)
    return found


def _as_sent(row: Document, hidden: str, call: Call) -> None:
    row.pop(hidden, None)
    if call.state.switches.v2_paid_amount_text and row.get("paidAmount") is not None:
        row["paidAmount"] = f"{row['paidAmount']:.2f}"
    if row.get("entity") == "MoneyMovement":
        as_sent(call.state.switches, "money-movements", row)


def _objects(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = data.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise errors.invalid(f"{name}: must be an array of objects")
    return rows


def _truth(value: Any) -> bool:
    return value is True or str(value).lower() == "true"


def _ascending(sort: dict[str, Any]) -> bool:
    """``asc`` comes as a boolean and as text."""
    return _truth(sort.get("asc", True))


def _split(filters: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(filters on the two times, other filters); raises ``ApiError`` for an unknown operator."""
    for item in filters:
        if str(item.get("op")) not in {*_COMPARE, "in", "nin", "sw"}:
            raise errors.invalid(f"filters: unknown operator {item.get('op')!r}")
        if "field" not in item or "value" not in item:
            raise errors.invalid("filters: each needs a field, an op and a value")
    times = [item for item in filters if item.get("field") in _TIMES and item["op"] in _COMPARE]
    return times, [item for item in filters if item not in times]


def _within(documents: DocumentList, times: list[dict[str, Any]], offset: int) -> np.ndarray:
    chosen = np.ones(len(documents), dtype=bool)
    for item in times:
        by_update = item["field"] == "updatedTime"
        values = documents.updated_ms() if by_update else documents.created_ms()
        chosen &= _COMPARE[item["op"]](values, read_time_ms(str(item["value"]), offset))
    return np.flatnonzero(chosen)


def _is_timely(row: Document, item: dict[str, Any], offset: int) -> bool:
    own_ms = read_time_ms(str(row[item["field"]]))
    return bool(_COMPARE[item["op"]](own_ms, read_time_ms(str(item["value"]), offset)))


def _sorted_by_times(
    documents: DocumentList, positions: np.ndarray, sort: list[tuple[str, bool]]
) -> np.ndarray:
    for field, ascending in reversed(sort):
        if field in _TIMES:
            by_update = field == "updatedTime"
            values = (documents.updated_ms() if by_update else documents.created_ms())[positions]
            positions = positions[np.argsort(values if ascending else -values, kind="stable")]
    return positions


def _matches(row: Document, item: dict[str, Any]) -> bool:
    actual, wanted = row.get(str(item["field"])), item.get("value")
    match item["op"]:
        case "in" | "nin":
            values = wanted if isinstance(wanted, list) else str(wanted).split(",")
            is_in = str(actual) in {str(value).strip() for value in values}
            return bool(is_in == (item["op"] == "in"))
        case "sw":
            return str(actual or "").lower().startswith(str(wanted).lower())
    if wanted == "" and actual == ZERO_ID:
        wanted = ZERO_ID  # "" and the zero id both say: no reference.
    if isinstance(actual, bool):
        return bool(_COMPARE[item["op"]](actual, _truth(wanted)))
    if isinstance(actual, int | float):
        return bool(_COMPARE[item["op"]](actual, fields.number(wanted, "filters")))
    return bool(_COMPARE[item["op"]](str(actual or ""), str(wanted)))


def _key(field: str, row: Document) -> tuple[int, Any]:
    value = row.get(field)
    return (0, value) if isinstance(value, int | float) else (1, str(value or ""))
