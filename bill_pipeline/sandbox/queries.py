"""Read a v3 list query (max, page, sort, filters) and answer it from a document list.

The grammar is BILL's, read liberally: values quoted or not, lists in one pair of quotes or in
several, repeated ``filters`` parameters, dotted fields, unknown parameters ignored. Which fields
a list takes is the table in ``lists.py``.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.clock import to_ms
from bill_pipeline.sandbox.lists import TIMES, ListRow, filters_of
from bill_pipeline.sandbox.switches import Switches

MAX_ROWS = 100

_FILTER = re.compile(r"([A-Za-z][\w.]*):(eq|ne|gte?|lte?|in|nin|sw):")
_DATE_FORMATS = ("%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d")
_ZONE = re.compile(r"(?:Z|[+-]\d{2}(?::?\d{2})?)$")


@dataclass(frozen=True)
class Filter:
    """One condition; ``values`` are texts, or milliseconds for the two times."""

    field: str
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Query:
    """One page's worth of question: what to select, in which order, from where."""

    filters: tuple[Filter, ...]
    sort: tuple[tuple[str, bool], ...]
    """(field, descending) …"""
    rows: int
    offset: int
    source: dict[str, str]
    """``filters`` and ``sort`` as the client wrote them: the page token carries them on."""

    def token(self, offset: int) -> str:
        payload = orjson.dumps({**self.source, "o": offset, "m": self.rows})
        return base64.urlsafe_b64encode(payload).decode().rstrip("=")


def read_query(row: ListRow, parameters: list[tuple[str, str]], switches: Switches) -> Query:
    """The query in a request's parameters; raises ``ApiError`` 400 for what BILL refuses."""
    rows_text = _last(parameters, "max")
    page = _last(parameters, "page")
    source = {
        "f": ",".join(value for name, value in parameters if name == "filters" and value),
        "s": _last(parameters, "sort") or "",
    }
    offset, rows = 0, switches.default_max
    token = _read_token(page)
    if token is not None:
        # The token carries the query: clients that send only max and page work against BILL.
        if switches.page_tokens_carry_the_query:
            source = {"f": token["f"], "s": token["s"]}
        offset, rows = token["o"], token["m"]
    if rows_text is not None:
        rows = _rows(rows_text)
    if token is None and page:
        offset = _page_offset(page, rows, switches)
    return Query(
        filters=parse_filters(row, source["f"], switches),
        sort=parse_sort(row, source["s"], switches),
        rows=rows,
        offset=offset,
        source=source,
    )


def _last(parameters: list[tuple[str, str]], name: str) -> str | None:
    values = [value for key, value in parameters if key == name]
    return values[-1] if values else None


def _rows(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise errors.invalid(f"max: {text!r} is not a number")
    rows = int(text)
    if not 1 <= rows <= MAX_ROWS:
        raise errors.invalid(f"max: must be between 1 and {MAX_ROWS}")
    return rows


def _read_token(page: str | None) -> dict[str, Any] | None:
    if not page:
        return None
    try:
        token = orjson.loads(base64.urlsafe_b64decode(page + "=" * (-len(page) % 4)))
    except (binascii.Error, ValueError):
        return None
    if not isinstance(token, dict) or set(token) != {"f", "s", "o", "m"}:
        return None
    return token


def _page_offset(page: str, rows: int, switches: Switches) -> int:
    """Where a page parameter that is no token leads; see the switch ``invalid_page``."""
    if switches.invalid_page == "first":
        return 0
    if switches.invalid_page == "number" and page.isdecimal():
        return max(int(page) - 1, 0) * rows
    raise errors.invalid(f"page: {page!r} is not a valid page token")


def parse_filters(row: ListRow, text: str, switches: Switches) -> tuple[Filter, ...]:
    """``field:op:value,…``; a comma separates conditions only where a new one begins."""
    allowed = filters_of(row, documented_only=not switches.undocumented_lists_filter_by_time)
    starts = [match for match in _FILTER.finditer(text) if _begins_condition(text, match.start())]
    if text.strip() and (not starts or starts[0].start() != 0):
        raise errors.invalid(f"filters: cannot read {text!r}")
    conditions = []
    for index, match in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(text)
        raw = text[match.end() : end].rstrip().rstrip(",").strip()
        conditions.append(_filter(row, allowed, match[1], match[2], raw, switches))
    return tuple(conditions)


def _begins_condition(text: str, position: int) -> bool:
    before = text[:position]
    return (before.rstrip() == "" or before.rstrip().endswith(",")) and before.count('"') % 2 == 0


def _filter(
    row: ListRow,
    allowed: dict[str, frozenset[str]],
    name: str,
    operator: str,
    raw: str,
    switches: Switches,
) -> Filter:
    refused = name == "updatedTime" and row.name in switches.no_updated_time_lists
    if name not in allowed or refused:
        raise errors.invalid(f"filters: the field {name} cannot be filtered in {row.path}")
    if operator not in allowed[name]:
        raise errors.invalid(f"filters: {name} does not take the operator {operator}")
    values: tuple[Any, ...] = (raw.strip('"'),)
    if operator in {"in", "nin"}:
        values = tuple(part.strip().strip('"') for part in raw.strip('"').split(","))
    if not raw.strip('"'):
        raise errors.invalid(f"filters: {name} has no value")
    if name in TIMES:
        values = tuple(read_time_ms(value, switches.naive_time_offset_minutes) for value in values)
    if name == "archived" and values[0].lower() not in {"true", "false"}:
        raise errors.invalid(f"filters: archived is true or false, not {values[0]!r}")
    return Filter(name, operator, values)


def read_time_ms(text: str, naive_offset_minutes: int = 0) -> int:
    """Milliseconds of a date-time in any of BILL's formats; raises ``ApiError`` 400.

    A ``+`` that was not percent-encoded arrives as a space and is read as the plus it was.
    """
    text = re.sub(r" (?=\d{2}:?\d{2}$)", "+", text.strip())
    zone = _ZONE.search(text) if "T" in text else None
    naive_text = text[: zone.start()] if zone else text
    for form in _DATE_FORMATS:
        try:
            moment = datetime.strptime(naive_text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        offset = _offset_minutes(zone[0]) if zone else naive_offset_minutes
        return to_ms(moment - timedelta(minutes=offset))
    raise errors.invalid(f"filters: {text!r} is not a date-time")


def _offset_minutes(zone: str) -> int:
    if zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return -minutes if zone[0] == "-" else minutes


def parse_sort(row: ListRow, text: str, switches: Switches) -> tuple[tuple[str, bool], ...]:
    """``field:asc,field:desc``; a field alone is ascending."""
    sort = []
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, order = part.partition(":")
        refused = name == "updatedTime" and row.name in switches.no_updated_time_lists
        if name not in row.sorts or refused:
            raise errors.invalid(f"sort: the field {name} cannot be sorted in {row.path}")
        if order not in {"", "asc", "desc"}:
            raise errors.invalid(f"sort: the order is asc or desc, not {order!r}")
        if name != "updatedTime" or switches.lists_are_sorted_by_time:
            sort.append((name, order == "desc"))
    return tuple(sort)
