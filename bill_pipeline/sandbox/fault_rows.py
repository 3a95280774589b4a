"""Faults inside an otherwise good body: which row they hit, and what stands there instead.

Half of them are no JSON that a careful writer would make (NaN, half a surrogate pair), so the
odd part is put into the written bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.clock import timestamp, timestamp_ms
from bill_pipeline.sandbox.faults import Fault
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.v2_codes import v2_time

Row = dict[str, Any]
_ODD = "@@odd@@"
#: What is written into a text.
_ESCAPES = {
    "half_surrogate": rb"\ud83d",
    "nul": rb"\u0000",
    "control_characters": rb"\u0001\u001b\u0085",
}


def altered(call: Call, content: bytes) -> bytes:
    """The body that a client gets instead of ``content``, an answer of v3 or v2."""
    fault = call.fault
    if fault is None or (fault.kind == "missing_news" and not _is_filtered(call)):
        return content
    if fault.kind == "invalid_json":
        return content[:-1] + b",}"
    if fault.kind not in {*_SPOILERS, *_PAGE_SPOILERS, "lagging_list"}:
        return content
    body = orjson.loads(content)
    if fault.kind == "lagging_list":
        _drop_later_rows(_rows(body), call.state.clock.now_ms() - int(fault.seconds * 1_000))
        return orjson.dumps(body)
    if fault.kind in _PAGE_SPOILERS:
        _PAGE_SPOILERS[fault.kind](body, _rows(body), fault)
        return orjson.dumps(body)
    odd = b""
    for row in _hit(_rows(body), fault):
        odd = _SPOILERS[fault.kind](row, fault)
    content = orjson.dumps(body)
    if fault.kind in _ESCAPES:
        return content.replace(_ODD.encode(), odd)
    return content.replace(f'"{_ODD}"'.encode(), odd)


def _rows(body: Any) -> list[Row]:
    """The documents of an answer: v3's results, v2's response_data, a bare array or one object."""
    if isinstance(body, dict):
        found = body["response_data"] if "response_data" in body else body.get("results", body)
    else:
        found = body
    rows = found if isinstance(found, list) else [found]
    return rows if all(isinstance(row, dict) for row in rows) else []


def _hit(rows: list[Row], fault: Fault) -> list[Row]:
    """The row with the fault's id, else the middle one; a page without it is spared."""
    if fault.row:
        return [row for row in rows if row.get("id") == fault.row]
    return rows[len(rows) // 2 :][:1]


def _place(row: Row, path: str) -> tuple[Any, Any]:
    """(what holds a field, its name there) of a dotted path; ``(None, "")`` where it ends early."""
    *above, name = path.split(".")
    holder: Any = row
    for part in above:
        if isinstance(holder, list):
            holder = holder[int(part)] if int(part) < len(holder) else None
        elif isinstance(holder, dict):
            holder = holder.get(part)
    return (holder, name) if isinstance(holder, dict) else (None, "")


def _drift(row: Row, fault: Fault) -> bytes:
    """Another type; a field the row lacks stays absent."""
    holder, name = _place(row, fault.field)
    if holder is not None and name in holder:
        value = holder[name]
        # A scalar becomes an object and anything else a text: neither casts back by accident.
        holder[name] = {"value": value} if not isinstance(value, dict | list) else "changed"
    return b""


def _drop_field(row: Row, fault: Fault) -> bytes:
    holder, name = _place(row, fault.field)
    if holder is not None:
        holder.pop(name, None)
    return b""


def _spoil_text(row: Row, fault: Fault) -> bytes:
    """A text that holds what texts should not; one that is missing holds nothing else."""
    holder, name = _place(row, fault.field)
    if holder is not None:
        holder[name] = f"{holder.get(name, '')}{_ODD} end"
    return _ESCAPES[fault.kind]


def _spoil_number(row: Row, fault: Fault) -> bytes:
    """A number written otherwise, or no number at all."""
    holder, name = _place(row, fault.field)
    if holder is None or not isinstance(holder.get(name), int | float):
        return b""
    number = holder[name]
    holder[name] = _ODD
    if fault.value == "text":
        return f'"{cents(number) / 100:.2f}"'.encode()
    if fault.value == "decimals":
        return f"{cents(number) / 100:.2f}5".encode()
    return (fault.value or "null").encode()


def _spoil_date(row: Row, fault: Fault) -> bytes:
    holder, name = _place(row, fault.field)
    if holder is not None and name in holder:
        holder[name] = fault.value
    return b""


def _shift_time(row: Row, fault: Fault) -> bytes:
    """Another time of last change, in the words of its plane."""
    said = row.get("updatedTime")
    if isinstance(said, str):
        moved = timestamp(timestamp_ms(said) + int(fault.seconds * 1_000))
        row["updatedTime"] = moved if said[-3:-2] == ":" else v2_time(moved)
    return b""


def _drop_row(body: Any, rows: list[Row], fault: Fault) -> None:
    for row in _hit(rows, fault):
        rows.remove(row)


def _is_filtered(call: Call) -> bool:
    """Whether the request says what it wants: v3's filters, or v2's within ``data``."""
    sent = dict(call.parameters)
    return bool(sent.get("filters")) or '"filters":[{' in sent.get("data", "").replace(" ", "")


def _drop_later_rows(rows: list[Row], last_ms: int) -> None:
    def is_later(row: Row) -> bool:
        said = row.get("updatedTime")
        return isinstance(said, str) and timestamp_ms(said) > last_ms

    rows[:] = [row for row in rows if not is_later(row)]


def _turn_rows(body: Any, rows: list[Row], fault: Fault) -> None:
    rows.reverse()


def _drop_next_page(body: Any, rows: list[Row], fault: Fault) -> None:
    if isinstance(body, dict):
        body.pop("nextPage", None)


_SPOILERS: dict[str, Callable[[Row, Fault], bytes]] = {
    "type_drift": _drift,
    "missing_field": _drop_field,
    **dict.fromkeys(_ESCAPES, _spoil_text),
    "odd_number": _spoil_number,
    "odd_date": _spoil_date,
    "shifted_time": _shift_time,
}
_PAGE_SPOILERS: dict[str, Callable[[Any, list[Row], Fault], None]] = {
    "missing_row": _drop_row,
    "missing_news": _drop_row,
    "backward_rows": _turn_rows,
    "missing_next_page": _drop_next_page,
}
