"""Ask for a page; when BILL refuses its filter, sort or token, find out what it accepts.

BILL does not document which lists can be filtered and sorted by updatedTime. What is refused is
remembered in the list's cursor, so that it is refused once and not in every sync.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.cursor import Cursor, Walk
from bill_pipeline.bill.lists import BillList
from bill_pipeline.bill.pages import Page, Query, read_page

# BILL's code for an operation it does not have; no other filter would help.
NOT_OFFERED = "BDC_1121"
# The statuses with which BILL refuses a filter.
REFUSED = (400, 422)


class Asker:
    """Asks for the pages of one list. ``may_restart``: an expired token begins the pass anew."""

    def __init__(self, api: BillApi, row: BillList) -> None:
        self.may_restart = True
        self._api = api
        self._row = row

    def ask(self, cursor: Cursor, walk: Walk, query: Query, tokens: set[str]) -> tuple[Page, Query]:
        """The page for ``query``, or for what of it BILL accepts, and the query it accepted.

        ``tokens``, those followed in this pass, are forgotten when the pass begins anew. Raises
        ``BillError``.
        """
        refusal: errors.RequestRefused | None = None
        for variant in self._variants(walk, query):
            try:
                page = read_page(self._api, self._row, variant)
            except errors.RequestRefused as error:
                if error.status not in REFUSED or error.code == NOT_OFFERED:
                    raise
                refusal = refusal or error
                continue
            if query.token is not None and variant.token is None:
                walk.token = None
                tokens.clear()
            _learn(cursor, walk, query, variant)
            return page, variant
        raise refusal or AssertionError("there is always a variant")

    def _variants(self, walk: Walk, query: Query) -> Iterator[Query]:
        """``query``, then what is left of it when BILL does not accept all of it."""
        yield query
        if query.token is not None and self.may_restart:
            self.may_restart = False
            yield replace(query, token=None)
        if query.updated_from is not None:
            if query.is_sorted:
                yield replace(query, is_sorted=False)
            unfiltered = replace(query, updated_from=None, token=walk.spare_token)
            yield unfiltered
            if query.is_sorted:
                yield replace(unfiltered, is_sorted=False)
        elif query.is_sorted:
            yield replace(query, is_sorted=False)


def _learn(cursor: Cursor, walk: Walk, asked: Query, accepted: Query) -> None:
    if asked.updated_from is not None and accepted.updated_from is None:
        cursor.has_time_filter = False
        walk.updated_from = None
    if asked.is_sorted and not accepted.is_sorted:
        cursor.has_time_sort = False
