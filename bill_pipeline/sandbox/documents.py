"""One list of documents of one organization: stored encoded, indexed by time, cheap to page.

A document is kept as the JSON bytes that go over the wire; only what paging needs at speed
(times, archived) is kept beside it in arrays. A list may begin with documents that are not
stored at all but computed when they are asked for (``LazyDocuments``): so an organization of a
million documents starts at once. Nothing here knows what a bill is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import orjson

from bill_pipeline.sandbox.clock import timestamp, timestamp_ms
from bill_pipeline.sandbox.ids import IdSeries

Document = dict[str, Any]
_EMPTIABLE = frozenset({str, dict, list})


class LazyDocuments(Protocol):
    """Documents at positions 0 … n-1 that are computed from their position alone."""

    def updated_ms(self) -> np.ndarray:
        """(n,) int64: when each document was last changed, ascending not required."""

    def created_ms(self) -> np.ndarray:
        """(n,) int64."""

    def document(self, position: int) -> Document:
        """The document without its id and times."""


def without_empty(value: Any, keeps_ids: bool = False) -> Any:
    """BILL leaves unpopulated fields out: None, "", {} and [] vanish at every depth.

    ``keeps_ids``: but for references, which old documents show as "".
    """
    if type(value) is list:
        return [without_empty(item, keeps_ids) for item in value]
    if type(value) is not dict:
        return value
    kept = {}
    for key, item in value.items():
        kind = type(item)
        if kind is dict or kind is list:
            item = without_empty(item, keeps_ids)
        # Zero and false are values.
        is_value = item or (item is not None and kind not in _EMPTIABLE)
        if is_value or (keeps_ids and item == "" and key.endswith("Id")):
            kept[key] = item
    return kept


class DocumentList:
    """The documents of one BILL list, by position (order of creation) and by id."""

    def __init__(self, name: str, ids: IdSeries, lazy: LazyDocuments | None = None) -> None:
        self.name = name
        #: References to nothing are shown as "" rather than left out.
        self.shows_empty_ids = False
        self.version = 0
        self.ids = ids
        self._lazy = lazy
        self._changed: dict[int, bytes] = {}
        self._stored: list[bytes] = []
        self._updated = array("q")
        self._created = array("q")
        self._archived = bytearray()
        if lazy is not None:
            self._updated.frombytes(lazy.updated_ms().astype("<i8").tobytes())
            self._created.frombytes(lazy.created_ms().astype("<i8").tobytes())
            self._archived = bytearray(len(self._updated))
        self._lazy_count = len(self._updated)

    def __len__(self) -> int:
        return len(self._updated)

    def next_id(self) -> str:
        return self.ids.at(len(self))

    def add(self, document: Document, created_ms: int, updated_ms: int | None = None) -> Document:
        """Append; gives the document its id and times, and returns it."""
        document = {"id": self.next_id(), **document}
        stamped = created_ms if updated_ms is None else updated_ms
        document["createdTime"] = timestamp(created_ms)
        document["updatedTime"] = timestamp(stamped)
        self._stored.append(orjson.dumps(without_empty(document, self.shows_empty_ids)))
        self._created.append(created_ms)
        self._updated.append(stamped)
        self._archived.append(bool(document.get("archived")))
        self.version += 1
        return document

    def add_all(self, documents: list[Document], times_ms: list[int]) -> None:
        """Append many documents that have no empty fields, in order; for imports."""
        first = len(self)
        for number, (document, at_ms) in enumerate(zip(documents, times_ms, strict=True)):
            stamp = timestamp(at_ms)
            complete = {
                "id": self.ids.at(first + number),
                **document,
                "createdTime": stamp,
                "updatedTime": stamp,
            }
            self._stored.append(orjson.dumps(complete))
        self._created.extend(times_ms)
        self._updated.extend(times_ms)
        self._archived.extend(bool(document.get("archived")) for document in documents)
        self.version += 1

    def replace(self, document: Document, updated_ms: int | None = None) -> Document:
        """Write a changed document back; its updatedTime moves only if ``updated_ms`` is given."""
        position = self.position(document["id"])
        if position is None:
            raise KeyError(f"{self.name} has no document {document['id']}")
        if updated_ms is not None:
            document["updatedTime"] = timestamp(updated_ms)
            self._updated[position] = updated_ms
        self._archived[position] = bool(document.get("archived"))
        encoded = orjson.dumps(without_empty(document, self.shows_empty_ids))
        if position < self._lazy_count:
            self._changed[position] = encoded
        else:
            self._stored[position - self._lazy_count] = encoded
        self.version += 1
        return document

    def position(self, object_id: str) -> int | None:
        number = self.ids.number(object_id)
        return number if number is not None and number < len(self) else None

    def get(self, object_id: str) -> Document | None:
        position = self.position(object_id)
        return None if position is None else self.at(position)

    def at(self, position: int) -> Document:
        document: Document = orjson.loads(self.encoded(position))
        return document

    def encoded(self, position: int) -> bytes:
        """The document's JSON as it goes over the wire."""
        if position >= self._lazy_count:
            return self._stored[position - self._lazy_count]
        changed = self._changed.get(position)
        if changed is not None:
            return changed
        if self._lazy is None:
            raise IndexError(f"{self.name} has no document at position {position}")
        document = {"id": self.ids.at(position), **self._lazy.document(position)}
        document["createdTime"] = timestamp(self._created[position])
        document["updatedTime"] = timestamp(self._updated[position])
        return orjson.dumps(document)

    def updated_ms(self) -> np.ndarray:
        """(n,) int64 copy of every document's updatedTime."""
        return np.array(self._updated, dtype=np.int64)

    def created_ms(self) -> np.ndarray:
        return np.array(self._created, dtype=np.int64)

    def archived(self) -> np.ndarray:
        """(n,) bool."""
        return np.frombuffer(bytes(self._archived), dtype=np.uint8).astype(bool)

    def __iter__(self) -> Iterator[Document]:
        return (self.at(position) for position in range(len(self)))


def updated_time_ms(document: Document) -> int:
    return timestamp_ms(document["updatedTime"])
