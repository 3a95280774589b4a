"""What Dagster's errors tell of this server, taken out of an answer for those who only look."""

from __future__ import annotations

from typing import Any

#: Lists in Dagster's errors that hold stack traces, with paths of this server's files.
TRACES = frozenset({"stack", "errorChain", "causes"})


def without_traces(given: Any) -> Any:
    """``given``, an answer's JSON as read, with empty stack traces and without extensions."""
    if isinstance(given, list):
        return [without_traces(part) for part in given]
    if not isinstance(given, dict):
        return given
    return {
        name: [] if name in TRACES else without_traces(part)
        for name, part in given.items()
        if name != "extensions"
    }
