"""One BILL organization: its lists, the people and tokens that may log in to it.

What its documents say is the business of ``bookkeeping`` and of the generators in ``companies``
and ``ledger_import``; this module only holds them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bill_pipeline.sandbox.documents import Document, DocumentList, LazyDocuments
from bill_pipeline.sandbox.ids import IdSeries
from bill_pipeline.sandbox.lists import LISTS, UNLISTED_PREFIXES

#: Objects that hang below another one: (kind, id prefix).
NESTED_PREFIXES = {
    "contacts": "cpu",
    "customer-bank-accounts": "cba",
    "documents": "00h",
    "attachments": "00h",
}


@dataclass(frozen=True)
class Credential:
    """A way to log in: a person (``kind`` "user") or an AP & AR sync token ("token")."""

    kind: str
    name: str
    password: str
    user_id: str
    is_administrator: bool = False


@dataclass
class Organization:
    """The books of one company on BILL, with everything that can be listed."""

    client: str
    name: str
    salt: str
    profile: Document = field(default_factory=dict)
    credentials: list[Credential] = field(default_factory=list)
    lists: dict[str, DocumentList] = field(default_factory=dict)
    nested: dict[tuple[str, str], DocumentList] = field(default_factory=dict)
    audit_trail: dict[str, list[Document]] = field(default_factory=dict)
    merged_into: dict[str, str] = field(default_factory=dict)
    #: v2-only facts per document id (``glPostingDate`` …): v3 does not show them.
    v2_facts: dict[str, Document] = field(default_factory=dict)
    #: Uploaded files by id, and those that were deleted.
    files: dict[str, bytes] = field(default_factory=dict)
    deleted_files: set[str] = field(default_factory=set)
    approval_policies: list[Document] = field(default_factory=list)
    #: Lists that its sync token may not read, beyond what no token may.
    refused_lists: set[str] = field(default_factory=set)
    is_api_enabled: bool = True
    #: For computed documents: the positions of the payments that pay the bill at a position.
    payments_of_position: Callable[[int], list[int]] | None = None

    def __post_init__(self) -> None:
        self.id = IdSeries("008", self.salt).at(0)
        prefixes = {row.name: row.prefix for row in LISTS.values()} | UNLISTED_PREFIXES
        for name, prefix in prefixes.items():
            self.lists.setdefault(name, DocumentList(name, IdSeries(prefix, self.salt)))
        self._line_numbers: dict[str, int] = {}
        self._line_ids: dict[str, IdSeries] = {}

    def __getitem__(self, name: str) -> DocumentList:
        return self.lists[name]

    def begin_with(self, name: str, lazy: LazyDocuments) -> None:
        """Replace a still empty list by one that begins with computed documents."""
        if len(self.lists[name]) > 0:
            raise ValueError(f"{self.client}: {name} already has documents")
        self.lists[name] = DocumentList(name, self.lists[name].ids, lazy)

    def new_id(self, prefix: str) -> str:
        """An id for a part of a document (a bill line, a bill payment)."""
        number = self._line_numbers.get(prefix, 0)
        self._line_numbers[prefix] = number + 1
        if prefix not in self._line_ids:
            self._line_ids[prefix] = IdSeries(prefix, self.salt)
        return self._line_ids[prefix].at(number)

    def computed_payments_of(self, bill_position: int) -> list[str]:
        """Ids of the computed payments of a bill (see ``volume.py``); [] for stored books."""
        if self.payments_of_position is None:
            return []
        return [self["payments"].ids.at(p) for p in self.payments_of_position(bill_position)]

    def below(self, kind: str, parent_id: str) -> DocumentList:
        """The documents of one kind that hang below one object."""
        key = (kind, parent_id)
        if key not in self.nested:
            salt = f"{self.salt}/{parent_id}"
            self.nested[key] = DocumentList(kind, IdSeries(NESTED_PREFIXES[kind], salt))
        return self.nested[key]

    def token(self) -> Credential:
        return next(c for c in self.credentials if c.kind == "token")

    def user(self) -> Credential:
        return next(c for c in self.credentials if c.kind == "user")
