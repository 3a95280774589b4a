"""The accounts that a category decision names beside its own, as its JSON column holds them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypedDict


class Alternative(TypedDict):
    """An account that the model thought of, with the probability that it is the right one."""

    account_id: str
    confidence: float


def alternatives_as_json(alternatives: Iterable[Alternative] | None) -> str | None:
    """What ``decisions.categories.alternatives`` holds for them, the likeliest first."""
    return None if alternatives is None else json.dumps(list(alternatives))


def read_alternatives(text: str | None) -> list[Alternative]:
    """What ``alternatives_as_json`` wrote; nothing where nothing was written."""
    found: list[Alternative] = json.loads(text or "[]")
    return found
