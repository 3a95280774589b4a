"""Compare every list whole with BILL, a share at a time: what no updatedTime shows is found so.

A list is gone through from its beginning with a cursor of its own, over as many syncs as it takes.
A list is begun as late as the allowed requests permit while it still ends within ``WITHIN``: a
small client is compared in one go, a large one a little in every sync of all lists, and neither
uses more than its share of the requests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.clock import is_within
from bill_pipeline.bill.cursor import Cursor
from bill_pipeline.bill.list_reader import ListReader
from bill_pipeline.bill.lists import BillList

#: Of the requests that a client may make.
SHARE = 0.05
#: A day before every list is to have been compared whole: a client is synced once a day at least.
WITHIN = timedelta(days=6)
#: A list of so few pages is compared in one go.
FEW_PAGES = 5
#: What a first share may take, and a share after a long pause.
LONGEST_PAUSE = timedelta(days=7)


def requests_for_comparing(per_hour: float, last: datetime | None, now: datetime) -> int:
    """How many requests a client that may make ``per_hour`` spends on comparing now."""
    pause = LONGEST_PAUSE if last is None else min(max(now - last, timedelta()), LONGEST_PAUSE)
    return max(int(SHARE * per_hour * (pause / timedelta(hours=1))), 0)


def pages_by_list(
    rows: Iterable[BillList],
    cursors: Mapping[str, Cursor],
    count: Callable[[str], int],
    allowed: int,
    per_hour: float,
    now: datetime,
) -> dict[str, int]:
    """How many pages of which list to compare now, those compared longest ago first.

    ``count`` says how many documents of a list are stored. ``allowed`` is exceeded by less than a
    page, and by lists that BILL gives only in one go.
    """
    waiting = [row for row in rows if cursors[row.table].completions]
    pages = {row.table: _pages(row, count) for row in waiting}
    days = sum(pages.values()) / (SHARE * per_hour * 24)
    found: dict[str, int] = {}
    for row in sorted(waiting, key=lambda row: cursors[row.table].compared_at or ""):
        if allowed <= 0:
            break
        takes = timedelta(days=min(days, 6)) if pages[row.table] > FEW_PAGES else timedelta()
        if is_within(WITHIN - takes, cursors[row.table].compared_at, now):
            continue
        found[row.table] = min(pages[row.table], allowed)
        allowed -= found[row.table]
    return found


def _pages(row: BillList, count: Callable[[str], int]) -> int:
    if row.parent:
        return count(row.parent) + 1
    return math.ceil(count(row.table) / row.rows_per_page) + 1


class Rotation:
    """The lists that this import compares: ``pages`` of each, going on where the last one ended.

    ``stored`` is what ``as_dict`` gave.
    """

    def __init__(self, stored: Mapping[str, Any], pages: Mapping[str, int]) -> None:
        self.pages = dict(pages)
        self.cursors = {table: Cursor.stored(values) for table, values in stored.items()}
        self.readers: dict[str, ListReader] = {}

    def open(
        self,
        api: BillApi,
        rows: Iterable[BillList],
        now: datetime,
        next_parent: Callable[[str, str], str | None],
    ) -> list[ListReader]:
        """The readers of the lists whose share is not used up yet."""
        for row in rows:
            if row.table not in self.pages or row.table in self.readers:
                continue
            cursor = self.cursors.setdefault(row.table, Cursor())
            self.readers[row.table] = ListReader(
                api, row, cursor, now=now, full=True, next_parent=next_parent, catches_up=False
            )
        return [reader for reader in self.readers.values() if not self.is_over(reader)]

    def is_over(self, reader: ListReader) -> bool:
        """Whether a list was compared to its end, or as far as its share goes."""
        is_used_up = reader.outcome.pages >= self.pages.get(reader.row.table, 0)
        return reader.is_done or (is_used_up and reader.can_pause)

    def give_up(self, reader: ListReader, *, for_good: bool) -> None:
        """Leave a list for another import, which goes on here or (``for_good``) begins anew."""
        self.pages[reader.row.table] = 0
        reader.is_done = True
        if for_good:
            self.cursors.pop(reader.row.table, None)

    def note_ends(self, cursors: Mapping[str, Cursor]) -> None:
        """Tell the lists' own ``cursors`` which of them were compared to their end."""
        for table, mine in list(self.cursors.items()):
            if mine.compared_at:
                cursors[table].take_over(mine)
                del self.cursors[table]

    def as_dict(self) -> dict[str, Any]:
        return {table: cursor.as_dict() for table, cursor in sorted(self.cursors.items())}
