"""How the values of a client's status stand in the registry's columns: times, counts, objects."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any, TypedDict

_TIMES = {"connected_at", "last_attempt_at", "last_success_at", "last_change_at", "next_sync_at",
          "last_whole_sync_at", "unpublished_since", "compared_at"}  # fmt: skip
#: Columns with a JSON object, and of which type its values are.
_DOCUMENTS = {"skipped_lists": str, "progress": object, "activity": object, "looked_at": str,
              "quarantined": int, "refused_documents": int}  # fmt: skip
_COUNTS = {"failure_count", "document_count", "review_count"}


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


def read_value(name: str, value: Any) -> Any:
    """A column's value as ``ClientStatus`` has it. Raises ValueError, TypeError."""
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


def _fits(name: str, value: Any) -> bool:
    """Whether ``value`` may stand in the JSON object of column ``name``."""
    if name != "looked_at" or value == "":
        return isinstance(value, _DOCUMENTS[name])
    with contextlib.suppress(ValueError, TypeError):
        return datetime.fromisoformat(value).tzinfo is not None
    return False
