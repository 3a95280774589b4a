"""What can be asked of BILL to see whether a belief holds: read only, and never many requests.

A check asks the ``Observer`` and counts; nothing of what BILL answers leaves here but counts and
our own names of lists.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.budget import RequestBudget
from bill_pipeline.bill.lists import LISTS
from bill_pipeline.bill.pages import IDS_PER_REQUEST

#: All requests of one report together, logins and what BILL made us ask twice included.
MOST_REQUESTS = 80
#: How many of a list's newest documents are looked at: one page.
SAMPLE = 100
REFUSED_STATUSES = (400, 422)

Row = dict[str, Any]


@dataclass(frozen=True)
class Observation:
    """What was seen of one belief: how often it held and how often not, and nothing of what."""

    holds: int = 0
    fails: int = 0
    lists: tuple[str, ...] = ()  # our names of the lists in which it does not hold
    because: str = ""  # why nothing could be seen

    @property
    def verdict(self) -> str:
        if self.fails:
            return "contradicted"
        return "seen" if self.holds else "could not be seen"


class NotSeen(Exception):
    """Nothing can be said of a belief, for this reason; it never names what BILL answered."""


class CappedBudget:
    """The home's budget, of which no more than ``most`` requests may be used."""

    def __init__(self, budget: RequestBudget, most: int = MOST_REQUESTS) -> None:
        self.requests = 0
        self.logins = 0
        self.most = most
        self._budget = budget
        self._lock = threading.Lock()

    @property
    def is_spent(self) -> bool:
        return self.requests >= self.most

    @contextmanager
    def place(
        self, dev_key: str, organization_id: str, *, is_login: bool, patience_seconds: float
    ) -> Iterator[None]:
        with self._lock:
            if self.is_spent:
                raise errors.HourlyLimit(f"The {self.most} requests of this report are spent")
            self.requests += 1
            self.logins += is_login
        with self._budget.place(
            dev_key, organization_id, is_login=is_login, patience_seconds=patience_seconds
        ):
            yield

    def spend_hour(self, dev_key: str, *, is_login: bool) -> None:
        self._budget.spend_hour(dev_key, is_login=is_login)


class Observer:
    """Asks BILL for one client, remembers the pages it has, and counts how lists are refused."""

    def __init__(self, api: BillApi, budget: CappedBudget, *, with_v2: bool = True) -> None:
        self.api = api
        self.budget = budget
        self.with_v2 = with_v2
        self.refusal_statuses: list[int] = []  # v3's, of what the token may not read
        self.unanswered: errors.BillError | None = None  # the last question that got no answer
        self._samples: dict[str, list[Row] | errors.BillError] = {}

    def get(self, path: str, **params: str) -> Any:
        """The answer to ``GET path``. Raises ``RequestRefused`` and its kin, or ``NotSeen``."""
        path = path.format(organization_id=self.api.connection.organization_id)
        try:
            return self._asked(lambda: self.api.get(path, params, subject="beliefs"))
        except errors.PermissionMissing as refusal:
            if refusal.status is not None:
                self.refusal_statuses.append(refusal.status)
            raise

    def v2(self, operation: str, **data: Any) -> Any:
        """The answer of v2. Raises ``RequestRefused`` and its kin, or ``NotSeen``."""
        if not self.with_v2:
            raise NotSeen("BILL's v2 is switched off here")
        return self._asked(lambda: self.api.call_v2(operation, data, subject="beliefs"))

    def page(self, table: str, **params: str) -> list[Row]:
        """The rows of one page of a v3 list."""
        return rows_of(self.get(LISTS[table].path, **params))

    def sample(self, table: str) -> list[Row]:
        """A list's newest documents, asked for once. Raises as ``get`` does, every time."""
        if table not in self._samples:
            try:
                self._samples[table] = self._newest(table)
            except (errors.PermissionMissing, errors.RequestRefused) as refusal:
                self._samples[table] = refusal
        found = self._samples[table]
        if isinstance(found, errors.BillError):
            raise found
        return found

    def samples(self) -> dict[str, list[Row]]:
        """The pages seen so far, by list."""
        return {name: rows for name, rows in self._samples.items() if isinstance(rows, list)}

    def by_ids(self, table: str, ids: Iterable[str], field: str = "id") -> list[Row]:
        """Documents by id, or by that of another document in ``field``; one request."""
        wanted = sorted(set(ids))[:IDS_PER_REQUEST]
        if not wanted:
            return []
        return self.page(table, max=str(SAMPLE), filters=f'{field}:in:"{",".join(wanted)}"')

    def _newest(self, table: str) -> list[Row]:
        row = LISTS[table]
        if row.is_v2:
            sort = [{"field": "updatedTime", "asc": False}]
            rows = self.v2(f"List/{row.entity}", start=0, max=SAMPLE, sort=sort)
            return [one for one in rows if isinstance(one, dict)]
        params = {"max": str(SAMPLE)}
        if not row.has_time_sort:
            return self.page(table, **params)
        try:
            return self.page(table, **params, sort="updatedTime:desc")
        except errors.RequestRefused as refusal:
            if refusal.status not in REFUSED_STATUSES:
                raise
            return self.page(table, **params)

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except errors.LimitReached:
            spent = f"the {self.budget.most} requests of a report are spent"
            raise NotSeen(spent if self.budget.is_spent else "BILL's limit is reached") from None
        except (errors.BillUnavailable, errors.MalformedAnswer) as error:
            self.unanswered = error
            raise NotSeen("BILL did not answer the question") from None


def rows_of(body: Any) -> list[Row]:
    """The documents in a page of whichever envelope."""
    rows = body.get("results") if isinstance(body, dict) else body
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def amount(value: Any) -> Decimal | None:
    """A JSON number as an exact amount; ``None`` for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else None


def amounts(rows: Any, name: str) -> Decimal:
    """The sum of a field over the objects of an array; what is no number counts as nothing."""
    found = (amount(row.get(name)) for row in rows or () if isinstance(row, dict))
    return sum((one for one in found if one is not None), Decimal(0))
