"""Choose and order the positions of a document list that answer a query.

Times and ``archived`` come from arrays; any other field is read from the documents, once per
query and version of the list. What a query is, is ``queries.py``.
"""

from __future__ import annotations

import operator
from collections import OrderedDict
from typing import Any

import numpy as np

from bill_pipeline.sandbox.documents import Document, DocumentList
from bill_pipeline.sandbox.lists import ListRow
from bill_pipeline.sandbox.queries import Filter, Query

_COMPARE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
_KEPT_SELECTIONS = 64


class Selections:
    """Positions per query, kept while the list does not change, so paging costs no new scan."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], np.ndarray] = OrderedDict()

    def positions(
        self, row: ListRow, documents: DocumentList, query: Query, archived_in_lists: bool
    ) -> np.ndarray:
        """(n_matches,) int64 positions in the order asked for."""
        key = (id(documents), documents.version, query.filters, query.sort, archived_in_lists)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        hide_archived = (
            row.has_archived
            and not archived_in_lists
            and all(item.field not in {"archived", "id"} for item in query.filters)
        )
        chosen = _choose(documents, query.filters, hide_archived)
        ordered = _order(documents, chosen, query.sort)
        # What was selected from an older version of the list will not be asked for again.
        for old in [one for one in self._kept if one[0] == key[0] and one[1] != key[1]]:
            del self._kept[old]
        self._kept[key] = ordered
        if len(self._kept) > _KEPT_SELECTIONS:
            self._kept.popitem(last=False)
        return ordered


def _choose(
    documents: DocumentList, conditions: tuple[Filter, ...], hide_archived: bool
) -> np.ndarray:
    by_id = next((c for c in conditions if c.field == "id" and c.operator in {"eq", "in"}), None)
    if by_id is not None:
        found = {documents.position(value) for value in by_id.values}
        chosen = np.array(sorted(p for p in found if p is not None), dtype=np.int64)
    else:
        chosen = np.arange(len(documents), dtype=np.int64)
    if hide_archived:
        chosen = chosen[~documents.archived()[chosen]]
    for condition in conditions:
        if condition is not by_id:
            chosen = chosen[_matches(documents, chosen, condition)]
    return chosen


def _matches(documents: DocumentList, chosen: np.ndarray, condition: Filter) -> np.ndarray:
    """(n,) bool: which of the chosen positions meet one condition."""
    if condition.field in {"updatedTime", "createdTime"}:
        by_time = condition.field == "updatedTime"
        times = (documents.updated_ms() if by_time else documents.created_ms())[chosen]
        matches: np.ndarray = _COMPARE[condition.operator](times, condition.values[0])
        return matches
    if condition.field == "archived":
        wanted = (condition.values[0].lower() == "true") == (condition.operator == "eq")
        return documents.archived()[chosen] == wanted
    return np.fromiter(
        (_document_matches(documents.at(int(p)), condition) for p in chosen),
        dtype=bool,
        count=len(chosen),
    )


def _document_matches(document: Document, condition: Filter) -> bool:
    name = "id" if condition.field == "bankAccountId" else condition.field
    texts = [_text(value) for value in field_values(document, name)] or [""]
    return any(_text_matches(text, condition) for text in texts)


def field_values(document: Document, dotted: str) -> list[Any]:
    """Every value at a dotted path.

    A bill's ``classifications.…`` also looks into its lines: that is where people code.
    """
    value: Any = document
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    values = [] if value is None else [value]
    if dotted.startswith("classifications."):
        for lines in ("billLineItems", "invoiceLineItems"):
            for line in document.get(lines, ()):
                values += field_values({"classifications": line.get("classifications")}, dotted)
    return values


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text_matches(text: str, condition: Filter) -> bool:
    wanted = condition.values
    match condition.operator:
        case "eq" | "in":
            return text in wanted
        case "ne" | "nin":
            return text not in wanted
        case "sw":
            return text.lower().startswith(str(wanted[0]).lower())
        case comparison:
            # The dates left here are ISO texts, which compare as they read.
            return text != "" and _COMPARE[comparison](text, wanted[0])


def _order(
    documents: DocumentList, chosen: np.ndarray, sort: tuple[tuple[str, bool], ...]
) -> np.ndarray:
    """Stable order by the sort fields; ties and no sort keep the order of creation."""
    for name, descending in reversed(sort):
        keys = _sort_keys(documents, chosen, name)
        if descending:
            # Reverse twice, so that equal rows keep their order under a stable sort.
            order = len(keys) - 1 - np.argsort(keys[::-1], kind="stable")[::-1]
        else:
            order = np.argsort(keys, kind="stable")
        chosen = chosen[order]
    return chosen


def _sort_keys(documents: DocumentList, chosen: np.ndarray, name: str) -> np.ndarray:
    if name == "updatedTime":
        return documents.updated_ms()[chosen]
    if name == "createdTime":
        return documents.created_ms()[chosen]
    if name == "archived":
        return documents.archived()[chosen]
    values = [(field_values(documents.at(int(p)), name) or [""])[0] for p in chosen]
    if all(isinstance(value, int | float) for value in values):
        return np.array(values, dtype=float)
    return np.array([str(value).lower() for value in values], dtype=object)
