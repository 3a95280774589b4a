"""How the values of a client's status stand in the registry's columns: times, counts, objects."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from bill_pipeline.bill.clock import CLOCKS_DIFFER

_TIMES = {"connected_at", "last_attempt_at", "last_success_at", "last_change_at", "next_sync_at",
          "last_whole_sync_at", "unpublished_since", "compared_at"}  # fmt: skip
#: Columns with a JSON object, and of which type its values are.
_DOCUMENTS = {"skipped_lists": str, "progress": object, "activity": object, "looked_at": str,
              "quarantined": int, "refused_documents": int}  # fmt: skip
_COUNTS = {"failure_count", "document_count", "review_count"}
#: Instead of a moment that cannot be read and whose absence would say what is not so.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_AGO = {"connected_at", "last_whole_sync_at"}
_AFTER_CONNECTING = {"last_attempt_at", "last_success_at", "unpublished_since"}
#: Nobody plans a client's next sync for later than this.
LATEST_NEXT_SYNC = timedelta(hours=6)


class SyncProgress(TypedDict, total=False):
    """What a sync is doing now; empty while none is at work on the client."""

    doing: str  # "waiting to start", the name of the list that is read, or "building " and a layer
    documents: int  # read so far, of all lists
    lists: dict[str, int]  # the same, list by list


def stored(value: Any) -> Any:
    """What the registry's column holds for ``value`` of a status."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        return json.dumps(value, default=str)
    return value


def read_values(row: sqlite3.Row, names: Iterable[str], now: datetime) -> dict[str, Any]:
    """Those of the columns ``names`` that can be read, as ``ClientStatus`` has them.

    Nor can a moment be read that is yet to come at ``now`` (UTC): this machine's clock was ahead
    when it was written.
    """
    values: dict[str, Any] = {}
    unread = set()
    for name in names:
        try:
            values[name] = _without_future(name, _read(name, row[name]), now)
        except (ValueError, TypeError):
            unread.add(name)
    values |= dict.fromkeys(unread & _LONG_AGO, _EPOCH)
    return values | dict.fromkeys(unread & _AFTER_CONNECTING, values["connected_at"])


def _read(name: str, value: Any) -> Any:
    """The column's value. Raises ValueError, TypeError."""
    if name in _DOCUMENTS:
        # Mostly empty, and a list of a thousand clients is a page.
        found = {} if value == "{}" else json.loads(value)
        if not isinstance(found, dict):
            raise TypeError
        return {key: each for key, each in found.items() if _fits(name, each)}
    if name in _COUNTS:
        return int(value)
    if value is not None and not isinstance(value, str):
        raise TypeError
    if name not in _TIMES or value is None:
        return value
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _without_future(name: str, value: Any, now: datetime) -> Any:
    """``value`` without moments yet to come. Raises ValueError where it is one itself."""
    latest = now + CLOCKS_DIFFER
    if name == "next_sync_at":
        latest += LATEST_NEXT_SYNC
    if isinstance(value, datetime) and value > latest:
        raise ValueError
    if name == "looked_at":
        asked = {table: at and datetime.fromisoformat(at) for table, at in value.items()}
        return {table: value[table] for table, at in asked.items() if not at or at <= latest}
    return value


def _fits(name: str, value: Any) -> bool:
    """Whether ``value`` may stand in the JSON object of column ``name``."""
    if name != "looked_at" or value == "":
        return isinstance(value, _DOCUMENTS[name])
    with contextlib.suppress(ValueError, TypeError):
        return datetime.fromisoformat(value).tzinfo is not None
    return False
