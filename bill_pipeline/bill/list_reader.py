"""Read one list page by page, without holes, from wherever its cursor stands.

Where a list can be sorted and filtered by updatedTime, the next page is asked for by the last
row's updatedTime instead of by BILL's page token. A row that changes while we page moves to the
end of the list and all others move up; behind a token, one of them would be skipped. Asking by
time also survives a missing ``nextPage`` and a token that expired while we were away.

Elsewhere tokens are followed, with an end: a token that repeats, or pages that bring nothing new.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.chunks import ListOutcome
from bill_pipeline.bill.clock import CLOCKS_DIFFER, is_within
from bill_pipeline.bill.cursor import Cursor, Walk
from bill_pipeline.bill.documents import Document, Stray
from bill_pipeline.bill.lists import BillList
from bill_pipeline.bill.page_requests import Asker
from bill_pipeline.bill.pages import Page, Query, after
from bill_pipeline.bill.spans import Shown, Span
from bill_pipeline.bill.thin_rows import whole

# What is read twice is recognised by its hash.
OVERLAP = CLOCKS_DIFFER
# A row without an id is waited for so long; then the comparison of the whole list finds it.
STRAYS_WAIT = timedelta(days=7)
COMPARED_AT_MOST_EVERY = timedelta(hours=20)
MOST_PAGES_WITHOUT_NEWS = 25

Parents = Callable[[str, str], str | None]


class ListReader:
    """Reads one list. ``next_parent(table, id)`` is the id after ``id`` in a parent table.

    ``archived_are_shown``: other lists of this organization show archived documents unasked.
    ``recent`` reads again what changed within so long before the watermark, and compares it.
    ``catches_up``: what an earlier run left half read is finished, then read from its end to now.
    """

    def __init__(
        self,
        api: BillApi,
        row: BillList,
        cursor: Cursor,
        *,
        now: datetime,
        full: bool = False,
        since: datetime | None = None,
        next_parent: Parents | None = None,
        archived_are_shown: bool = False,
        recent: timedelta | None = None,
        catches_up: bool = True,
    ) -> None:
        self.row = row
        self.cursor = cursor
        self.outcome = ListOutcome()
        self.is_done = False
        self._api = api
        self._now = now
        self._since = since
        self._full = full
        self._next_parent = next_parent
        self._archived_are_shown = archived_are_shown
        self._asker = Asker(api, row)
        self._tokens: set[str] = set()
        self._last_ids: set[str] = set()
        self._pages_without_news = 0
        self._asked_again = False
        # What an earlier run left half read is finished first, then read from its end to now.
        if full and cursor.walk is not None and not cursor.walk.is_full:
            cursor.walk = None  # the full read goes over it all anyway
        self._recent = recent
        self._is_resumed = cursor.walk is not None and catches_up
        if full and cursor.walk is None:
            cursor.forget_learned()
        self._is_first = cursor.completions == 0 and catches_up
        if cursor.walk is None:
            cursor.walk = self._new_walk()
        walk = cursor.walk
        #: Whether what is stored of the list and is not shown is to be asked for by its id.
        self.is_comparing = walk.is_comparing
        #: From where this import reads the list to its end; ``None``: from its beginning.
        self.reads_from = _lower(walk)
        self._shown = Shown(_lower(walk), is_known=walk.token is None)
        self._shown_below: dict[str, set[str]] = {}

    def next_page(self) -> tuple[list[Document], list[Stray]]:
        """The next page's documents; sets ``is_done`` behind the last. Raises ``BillError``."""
        walk = self.cursor.walk
        if walk is None:
            self.is_done = True
            return [], []
        query = self._query(walk)
        if query is None:  # no parent left
            self._end_pass(walk)
            return [], []
        asked_at = monotonic()
        try:
            page, query = self._asker.ask(self.cursor, walk, query, self._tokens)
        except errors.RequestRefused as refusal:
            if not walk.only_archived or refusal.status not in (400, 422):
                raise
            self.cursor.has_archived_filter = False
            self._end_pass(walk)
            return [], []
        except errors.DocumentGone:
            if not self.row.parent:
                raise
            self._end_parent(walk, query)  # the parent vanished between two requests
            return [], []
        page = replace(page, documents=whole(self._api, self.row, self.cursor, page.documents))
        if not self.outcome.pages:
            self.outcome.first_page_seconds = monotonic() - asked_at
        self.outcome.pages += 1
        self.outcome.documents += len(page.documents)
        self._learn_archived(walk, page)
        self._look_at_times(walk, page)
        self._advance(walk, page, query)
        return page.documents, page.strays

    # --- passes ----------------------------------------------------------------------------

    @property
    def _present(self) -> datetime:
        """When this import began, by whichever of our clock and BILL's is earlier."""
        return min(self._now, self._api.now())

    def _new_walk(self) -> Walk:
        watermark = _moment(self.cursor.watermark) if self.cursor.watermark else None
        is_full = self._full or self.cursor.completions == 0
        if watermark is not None and watermark > self._present:
            # A clock was wrong when it was noted: nobody knows up to where the list is complete.
            is_full, self.cursor.watermark = True, None
        lower = self._since
        if watermark is not None and not is_full:
            resumed = self._resume_from(watermark)
            lower = min(resumed, self._since) if self._since else resumed
        may_filter = not self.row.parent and self.row.shape == "pages" and self._may_filter
        if not may_filter:
            lower = None
        return Walk(
            started_at=self._now.isoformat(),
            begun_at=self._now.isoformat(),
            updated_from=lower.isoformat() if lower else None,
            is_full=is_full,
            is_comparing=not self._is_first
            and self._since is None
            and (is_full or self._recent is not None or lower is None),
        )

    def _resume_from(self, watermark: datetime) -> datetime:
        moments = [watermark - OVERLAP]
        if self._recent is not None:
            moments.append(watermark - self._recent)
        if self.cursor.stray_at:
            stray = _moment(self.cursor.stray_at)
            if stray >= self._present - STRAYS_WAIT:
                moments.append(stray)
        return min(moments)

    def _end_pass(self, walk: Walk) -> None:
        self._forget_position()
        if not walk.only_archived:
            archived_walk = replace(
                self._new_walk(),
                started_at=walk.started_at,
                begun_at=walk.begun_at,
                only_archived=True,
                is_full=walk.is_full,
                is_comparing=walk.is_comparing,
            )
            if not self.row.parent:
                self._shown.is_complete_up_to(None, None if self._shows_archived else False)
            self.cursor.watermark = self._new_watermark(walk)
            self.cursor.stray_at = walk.stray_at
            if self._needs_archived_pass(walk):
                self.cursor.walk = archived_walk
                self._shown.begin(_lower(archived_walk))
                return
        else:
            self._shown.is_complete_up_to(None, True)
        self.cursor.walk = None
        self.cursor.completions = 1
        self._note_comparison(walk)
        if self._is_resumed and self.row.shape == "pages" and not self.row.parent:
            self._is_resumed = False
            self._full = False
            self.cursor.walk = self._new_walk()
            self.reads_from = _lower(self.cursor.walk)
            self._shown.begin(self.reads_from)
            return
        self.is_done = True

    def _note_comparison(self, walk: Walk) -> None:
        is_whole = walk.is_full or (self.reads_from is None and not self.row.parent)
        if not is_whole or self._since is not None:
            return
        # A short list is read whole by every sync: noting each would write whatever it brought.
        last = self.cursor.compared_at
        if not is_within(COMPARED_AT_MOST_EVERY, last, _moment(walk.begun_at)):
            self.cursor.compared_at = walk.begun_at

    @property
    def _shows_archived(self) -> bool:
        return self.row.shape != "pages" or self.cursor.shows_archived is True

    def take_spans(self) -> list[Span]:
        """What was shown since this was last asked; see ``spans``."""
        return self._shown.take()

    def take_parents(self) -> dict[str, set[str]]:
        """Of a list below another: parent → the ids shown, since this was last asked."""
        taken, self._shown_below = self._shown_below, {}
        return taken

    @property
    def can_pause(self) -> bool:
        """Whether the pass can go on another day: a page token may have expired by then."""
        return self.cursor.walk is None or self.cursor.walk.token is None

    def _needs_archived_pass(self, walk: Walk) -> bool:
        if self.row.is_v2 or self.row.parent or self.row.shape != "pages":
            return False
        if self.row.has_archived_filter is False or self.cursor.has_archived_filter is False:
            return False
        if self.cursor.shows_archived is None and not walk.is_full and self._archived_are_shown:
            return False  # as in the organization's other lists; a full read makes sure
        return self.cursor.shows_archived is not True

    def _new_watermark(self, walk: Walk) -> str | None:
        tops = [moment for moment in (walk.top, self.cursor.watermark) if moment]
        if not tops:
            return None
        top = max(_moment(moment) for moment in tops)
        latest = self._present
        if walk.used_tokens and walk.top:
            # Rows that changed while we paged by token may have been missed: start there again.
            latest = min(latest, _moment(walk.started_at))
        latest -= OVERLAP
        return min(top, latest).isoformat()

    def _look_at_times(self, walk: Walk, page: Page) -> None:
        present = self._api.now()
        walk.started_at = min(_moment(walk.started_at), present).isoformat()
        moments = [document.updated_at for document in page.documents]
        # A document from the future says nothing of how far the list was read.
        top = max((moment for moment in moments if moment and moment <= present), default=None)
        if top is not None and (walk.top is None or top > _moment(walk.top)):
            walk.top = top.isoformat()
        strays = [stray.updated_at for stray in page.strays if stray.updated_at]
        if strays:
            before = [_moment(walk.stray_at)] if walk.stray_at else []
            walk.stray_at = min(strays + before).isoformat()
        self._shown.add(page.documents)

    def _learn_archived(self, walk: Walk, page: Page) -> None:
        if walk.only_archived:
            is_obeyed = all(document.is_archived for document in page.documents)
            self.cursor.has_archived_filter = is_obeyed
            if is_obeyed and page.documents:
                self.cursor.shows_archived = False  # the unfiltered pass showed none of them
        elif self.row.shape == "pages" and any(d.is_archived for d in page.documents):
            self.cursor.shows_archived = True

    # --- one page --------------------------------------------------------------------------

    @property
    def _may_filter(self) -> bool:
        return self.row.has_time_filter is not False and self.cursor.has_time_filter is not False

    @property
    def _may_sort(self) -> bool:
        return self.row.has_time_sort is not False and self.cursor.has_time_sort is not False

    def _query(self, walk: Walk) -> Query | None:
        parent_id = ""
        if self.row.parent:
            parent = self._parent(walk)
            if parent is None:
                return None
            parent_id = parent
        lower = _moment(walk.updated_from) if walk.updated_from else None
        return Query(
            updated_from=lower,
            is_sorted=self._may_sort and not self.row.parent,
            only_archived=walk.only_archived,
            token=walk.token,
            parent_id=parent_id,
        )

    def _parent(self, walk: Walk) -> str | None:
        """The next parent: any of all in a first or full read, else the changed ones."""
        if walk.is_full:
            if self._next_parent is None:
                return None
            return self._next_parent(self.row.parent, walk.parent_after)
        return self.cursor.pending_parents[0] if self.cursor.pending_parents else None

    # --- from page to page -------------------------------------------------------------------

    def _advance(self, walk: Walk, page: Page, query: Query) -> None:
        moments = [document.updated_at for document in page.documents]
        latest = max((moment for moment in moments if moment is not None), default=None)
        is_full_page = page.row_count >= self.row.rows_per_page
        if self.row.parent:
            shown = self._shown_below.setdefault(query.parent_id, set())
            shown.update(document.id for document in page.documents)
        if not page.next_token and (not is_full_page or self.row.shape != "pages"):
            self._end_parent(walk, query) if self.row.parent else self._end_pass(walk)
            return
        self._check_for_news(page)
        if latest is not None and self._is_in_order(page, query):
            if query.updated_from is None or latest > query.updated_from:
                self._go_on_at(walk, latest, page.next_token)
                return
            if not page.next_token and self._asked_again:
                # A whole page of one moment and no way to its rest: reconciliation looks there.
                self._go_on_at(walk, after(latest), None)
                return
        if page.next_token:
            self._go_on_behind(walk, page.next_token)
        elif self._asked_again:
            self._end_parent(walk, query) if self.row.parent else self._end_pass(walk)
        else:
            self._asked_again = True  # a full page without nextPage: make sure that it is the last

    def _is_in_order(self, page: Page, query: Query) -> bool:
        """Whether BILL obeyed sort and filter, so that going on by time leaves no hole."""
        moments = [document.updated_at for document in page.documents]
        if not (query.is_sorted and self._may_filter) or page.strays or None in moments:
            return False
        known = [moment for moment in moments if moment is not None]
        is_sorted = all(a <= b for a, b in itertools.pairwise(known))
        return is_sorted and (query.updated_from is None or known[0] >= query.updated_from)

    def _go_on_at(self, walk: Walk, moment: datetime, spare_token: str | None) -> None:
        is_archived = True if walk.only_archived else None if self._shows_archived else False
        self._shown.is_complete_up_to(moment, is_archived)
        walk.updated_from = moment.isoformat()
        walk.token = None
        walk.spare_token = spare_token
        self._tokens.clear()
        self._asked_again = False

    def _go_on_behind(self, walk: Walk, token: str) -> None:
        if token in self._tokens:
            raise errors.MalformedAnswer(
                "BILL's pages go in a circle", client=self._api.client, subject=self.row.table
            )
        self._tokens.add(token)
        walk.token = token
        walk.used_tokens = True
        self._asked_again = False

    def _check_for_news(self, page: Page) -> None:
        ids = {document.id for document in page.documents}
        has_news = bool(ids - self._last_ids)
        self._pages_without_news = 0 if has_news else self._pages_without_news + 1
        self._last_ids = ids or self._last_ids
        if self._pages_without_news > MOST_PAGES_WITHOUT_NEWS:
            raise errors.MalformedAnswer(
                f"{MOST_PAGES_WITHOUT_NEWS} pages in a row brought nothing new",
                client=self._api.client,
                subject=self.row.table,
            )

    def _end_parent(self, walk: Walk, query: Query) -> None:
        if query.parent_id in self.cursor.pending_parents:
            self.cursor.pending_parents.remove(query.parent_id)
        walk.parent_after = max(walk.parent_after, query.parent_id)
        walk.token = None
        self._forget_position()

    def _forget_position(self) -> None:
        self._tokens.clear()
        self._last_ids = set()
        self._pages_without_news = 0
        self._asked_again = False
        self._asker.may_restart = True


def _lower(walk: Walk) -> datetime | None:
    return _moment(walk.updated_from) if walk.updated_from else None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
