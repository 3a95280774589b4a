"""Read what a client sends: each member as the kind of value it is, and nothing that BILL has not.

An object's members are a table (``members.py``) from name to kind. Numbers may come as text, as
public clients send them, and are numbers from here on; "no reference" is None, whether a client
writes null, "" or v2's zero id. Whatever is no value of its kind is 400 BDC_1143 with its name.

    NUMBER, WHOLE, TEXT, TRUTH, DAY   kinds of plain values
    SHOWN                             BILL's own: clients send it back, and it is ignored
    Reference("vendors")              the id of an object that must exist
    Rows({…})                         an array of objects; a table in a table is an object
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.organization import Organization


class Kind(Enum):
    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    TRUTH = "true or false"
    DAY = "date (yyyy-MM-dd)"
    SHOWN = "shown"


TEXT, NUMBER, WHOLE, TRUTH, DAY, SHOWN = Kind


@dataclass(frozen=True)
class Reference:
    list_name: str


@dataclass(frozen=True)
class Rows:
    members: Members


Member = Kind | Reference | Rows | Mapping[str, Any]
Members = Mapping[str, Member]

#: Beyond this a double no longer holds cents (see ``money.dollars``).
_LARGEST = 9e13
_NUMBER = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(T.*)?", re.ASCII | re.DOTALL)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def read(books: Organization, members: Members, body: Document, path: str = "") -> Document:
    """The members of ``body`` that a client may set; raises ``ApiError`` 400 naming a bad one."""
    return {
        name: _value(books, member, body[name], path + name)
        for name, member in members.items()
        if name in body and member is not SHOWN
    }


def refuse_unknown(members: Members, body: Document) -> None:
    """Raises ``ApiError`` 400 naming the first member that BILL does not have."""
    for name in _unknown(members, body, ""):
        raise errors.invalid(f"{name}: unknown field")


def _unknown(members: Members, body: Document, path: str) -> Iterator[str]:
    for name, value in body.items():
        member = members.get(name)
        if member is None:
            yield path + name
        elif isinstance(member, Mapping) and isinstance(value, dict):
            yield from _unknown(member, value, f"{path}{name}.")
        elif isinstance(member, Rows) and isinstance(value, list):
            for row in value:
                if isinstance(row, dict):
                    yield from _unknown(member.members, row, f"{path}{name}.")


def _value(books: Organization, member: Member, value: Any, path: str) -> Any:
    if isinstance(member, Rows):
        return [read(books, member.members, row, f"{path}.") for row in _objects(value, path)]
    if value is None or value == "":
        return None
    if isinstance(member, Mapping):
        if not isinstance(value, dict):
            raise errors.invalid(f"{path}: must be an object")
        return read(books, member, value, f"{path}.")
    if isinstance(member, Reference):
        return _known(books, member.list_name, value, path)
    return _PLAIN[member](value, path)


def _objects(value: Any, path: str) -> list[Document]:
    rows = [] if value is None else value
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise errors.invalid(f"{path}: must be an array of objects")
    return rows


def _known(books: Organization, list_name: str, value: Any, path: str) -> str | None:
    object_id = text(value, path)
    if object_id == ZERO_ID:
        return None
    if books[list_name].position(object_id) is None:
        raise errors.invalid(f"{path}: no object {object_id}")
    return object_id


def text(value: Any, path: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise errors.invalid(f"{path}: must be text")
    return str(value)


def number(value: Any, path: str) -> int | float:
    """A JSON number, or one written as text; never text, NaN or infinity."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise errors.invalid(f"{path}: must be a number")
    if abs(value) > _LARGEST:
        raise errors.invalid(f"{path}: the number is too large")
    return value


def whole(value: Any, path: str) -> int:
    found = number(value, path)
    if found != int(found):
        raise errors.invalid(f"{path}: must be a whole number")
    return int(found)


def truth(value: Any, path: str) -> bool:
    found = _TRUTHS.get(str(value).lower()) if isinstance(value, str | int) else None
    if found is None:
        raise errors.invalid(f"{path}: must be true or false")
    return found


def day(value: Any, path: str) -> str:
    """A calendar date, as text; of a date-time its date."""
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(match[1] if match else "").isoformat()
    except ValueError:
        raise errors.invalid(f"{path}: must be a date (yyyy-MM-dd)") from None


_PLAIN = {TEXT: text, NUMBER: number, WHOLE: whole, TRUTH: truth, DAY: day}
