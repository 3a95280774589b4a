"""Faults on purpose: what can go wrong between BILL and a client, by rate or by script.

A fault is chosen per request here; how each kind looks on the wire is ``fault_delivery.py``, and
what it does to a row ``fault_rows.py``.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, fields, replace
from typing import Any

#: kind -> what the client meets.
KINDS: dict[str, str] = {
    "latency": "the answer comes `seconds` later",
    "error": "an error with `status` and `code` (BDC_1322, BDC_1144, BDC_1001, …)",
    "html": "an HTML page with `status` (500) from the gateway in front",
    "gateway_json": "a single JSON object {message} with `status` (503)",
    "truncated": "half of the body, then the connection ends",
    "drip": "the body in small pieces over `seconds`",
    "reset": "the connection is reset before the answer",
    "session_loss": "all sessions of the organization are forgotten",
    "duplicate_rows": "the last row of a page is repeated at the head of the page",
    "moved_rows": "documents of the list are touched between two pages",
    "missing_next_page": "a page that has a successor does not say so",
    "clock_skew": "the sandbox's clock jumps by `seconds` (negative: back)",
    "invalid_json": "the body is not JSON",
    "type_drift": "`field` of a row has another type",
    "missing_field": "`field` of a row is missing",
    "forbidden": "403: no permission for the list",
    "filter_refused": "400 on any filter",
    "half_surrogate": "`field` of a row holds half a surrogate pair",
    "nul": "`field` of a row holds a NUL",
    "control_characters": "`field` of a row holds control characters",
    "odd_number": "`field` of a row is written as `value` (`text`: quoted; `decimals`: too many)",
    "odd_date": "`field` of a row is the text `value`",
    "missing_row": "a row is not in its list, nor found by its id",
    "missing_news": "a row is not in its list where the list is filtered",
    "lagging_list": "what changed within the last `seconds` is not in its list yet",
    "shifted_time": "updatedTime of a row is `seconds` later (negative: earlier)",
    "backward_rows": "the rows of a page come last one first",
}
#: What a rule means that does not say its field, …
_FIELDS = {
    "half_surrogate": "description",
    "nul": "description",
    "control_characters": "description",
    "odd_date": "dueDate",
}
#: … and what stands there: one of these, by the seed, each time the rule strikes.
ODD_VALUES: dict[str, tuple[str, ...]] = {
    "odd_number": ("NaN", "Infinity", "-Infinity", "1e400", "1e18", "text", "decimals"),
    "odd_date": (
        "2024-02-30", "0000-00-00", "03/04/2024", "1926-03-04", "2126-03-04", "infinity", "",
    ),
}  # fmt: skip


@dataclass
class Fault:
    """One rule: which requests it hits and how often.

    ``match`` is a regular expression on the path (``/connect/v3/bills``); ``rate`` the share of
    matching requests hit; ``skip`` matching requests pass first; at most ``times`` are hit. Of
    a page, the row with the id ``row`` is hit, else the middle one; ``field`` may lead into it
    (``invoice.invoiceDate``, ``billLineItems.0.amount``).
    """

    kind: str
    match: str = ""
    rate: float = 1.0
    times: int | None = None
    skip: int = 0
    status: int = 0
    code: str = ""
    seconds: float = 0.0
    field: str = ""
    value: str | None = None
    row: str = ""
    organization: str = ""
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"No fault {self.kind!r}. Known: {', '.join(KINDS)}")
        self.field = self.field or _FIELDS.get(self.kind, "amount")
        re.compile(self.match)
        if not 0 <= self.rate <= 1:
            raise ValueError(f"A fault's rate is between 0 and 1, not {self.rate}")


def read_fault(values: dict[str, Any]) -> Fault:
    """A fault from a file or a request; raises ``ValueError`` for what it does not know."""
    known = {item.name for item in fields(Fault)} - {"hits"}
    unknown = set(values) - known
    if unknown or "kind" not in values:
        raise ValueError(
            f"A fault needs 'kind' and takes {', '.join(sorted(known))}; not {sorted(unknown)}"
        )
    return Fault(**values)


class Faults:
    """The active faults. The same seed and the same requests meet the same trouble."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 — trouble, not secrets
        self.active: list[Fault] = []

    def set(self, faults: list[Fault], seed: int | None = None) -> None:
        self.active = faults
        if seed is not None:
            self._random = random.Random(seed)  # noqa: S311 — trouble, not secrets

    def next(self, path: str, organization_id: str) -> Fault | None:
        """The fault this request meets: the first rule that matches and strikes."""
        return self._strike(self.active, path, organization_id)

    def next_without_session(self, path: str) -> Fault | None:
        """The fault of a login: only of rules that name its path, lest every rule stop a client
        before its first page."""
        return self._strike([fault for fault in self.active if fault.match], path, "")

    def _strike(self, rules: list[Fault], path: str, organization_id: str) -> Fault | None:
        for fault in rules:
            if fault.organization not in {"", organization_id}:
                continue
            if not re.search(fault.match, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times is not None and fault.hits >= fault.times:
                continue
            if self._random.random() < fault.rate:
                fault.hits += 1
                if fault.kind in ODD_VALUES and fault.value is None:
                    return replace(fault, value=self._random.choice(ODD_VALUES[fault.kind]))
                return fault
        return None
