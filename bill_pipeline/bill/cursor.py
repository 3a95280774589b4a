"""How far one list has been read, and what was learned about it. Plain data.

A cursor is stored beside the documents it counts and after them, so a sync that is killed
continues behind the last page that was stored.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Walk:
    """A pass over a list that has begun and not ended. Times are ISO texts, UTC."""

    started_at: str  # by whichever of our clock and BILL's is earlier
    begun_at: str  # by our clock
    only_archived: bool = False
    updated_from: str | None = None  # the next page starts at this updatedTime
    token: str | None = None  # … or at this page token
    spare_token: str | None = None  # should BILL refuse updated_from, go on with this token
    top: str | None = None  # the latest updatedTime seen
    used_tokens: bool = False  # then rows may have moved between pages unseen
    is_full: bool = True  # from the beginning, not from the watermark
    is_comparing: bool = False  # what is stored and not shown is asked for by its id
    stray_at: str | None = None  # the earliest time of what came without an id
    parent_after: str = ""  # per-parent lists: parents up to this id are done


@dataclass
class Cursor:
    """One list's place and what BILL does not document about it (``None``: not yet known)."""

    watermark: str | None = None  # complete up to this updatedTime, never later than OVERLAP ago
    stray_at: str | None = None  # read from here again: BILL may give this row its id later
    compared_at: str | None = None  # all of the list was compared with BILL then, or later
    completions: int = 0  # 1 from the first complete pass on
    walk: Walk | None = None
    has_time_filter: bool | None = None
    has_time_sort: bool | None = None
    has_archived_filter: bool | None = None
    shows_archived: bool | None = None  # an unfiltered list shows archived rows
    has_thin_rows: bool | None = None  # reading a document shows more than its row in the list
    pending_parents: list[str] = field(default_factory=list)

    @classmethod
    def stored(cls, values: dict[str, Any] | None) -> Cursor:
        """The cursor that ``as_dict`` stored; a field of another version is left out."""
        known = _known_fields(cls, values or {})
        if isinstance(known.get("walk"), dict):
            walk = {"begun_at": known["walk"].get("started_at"), **known["walk"]}
            known["walk"] = Walk(**_known_fields(Walk, walk))
        return cls(**known)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def forget_learned(self) -> None:
        """Find it out anew: a full read is the time to notice that BILL behaves differently now."""
        for name in _LEARNED:
            setattr(self, name, None)

    def take_over(self, comparison: Cursor) -> None:
        """Note that the list was compared whole, and what that showed of how it behaves."""
        self.compared_at = comparison.compared_at
        for name in _LEARNED:
            setattr(self, name, getattr(comparison, name))


_LEARNED = (
    "has_time_filter", "has_time_sort", "has_archived_filter", "shows_archived", "has_thin_rows",
)  # fmt: skip


def _known_fields(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    names = {item.name for item in fields(kind)}
    return {name: value for name, value in values.items() if name in names}
