"""How to see what we believe of BILL's lists, pages, sessions and refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any

from bill_pipeline.bill import errors
from bill_pipeline.bill.beliefs.observer import (
    REFUSED_STATUSES,
    NotSeen,
    Observation,
    Observer,
    Row,
    rows_of,
)
from bill_pipeline.bill.documents import timestamp
from bill_pipeline.bill.lists import LISTS, BillList
from bill_pipeline.bill.page_requests import NOT_OFFERED

BeliefCheck = Callable[[Observer], Observation]

#: The lists of which BILL publishes that they filter by updatedTime.
_DOCUMENTED = frozenset({"vendors", "customers", "bills", "invoices", "bank_accounts"})
_MAY_BE_ARCHIVED = ("bills", "vendors", "customers", "invoices")
_NEVER_WAS = "00n01AAAAAAAAAAaaaaa"
_ZERO_ID = re.compile(r"0{20}")
_ZONED = re.compile(r"T.*(Z|[+-]\d{2}:?\d{2})$")
#: Daily life shows in these; they are asked for their order.
_DAILY = ("bills", "payments", "vendors", "invoices", "received_payments")


def session_opens_one_organization(observer: Observer) -> Observation:
    answer = observer.get("/v3/login/session")
    told = answer.get("organizationId") if isinstance(answer, dict) else None
    is_internal = told == observer.api.connection.organization_id
    return Observation(int(is_internal), int(not is_internal))


def tokens_log_in_at_v3(observer: Observer) -> Observation:
    if observer.budget.logins == 0:
        raise NotSeen("the session of the last sync was still open, so nobody had to log in")
    is_first_try = observer.budget.logins == 1
    return Observation(int(is_first_try), int(not is_first_try))


def sessions_serve_both_planes(observer: Observer) -> Observation:
    try:
        observer.v2("GetSessionInfo")
    except errors.SessionLost:
        return Observation(fails=1)
    return Observation(holds=1)


def readable(table: str) -> BeliefCheck:
    """A check that sees whether the token may read a list at all."""

    def check(observer: Observer) -> Observation:
        try:
            observer.sample(table)
        except errors.PermissionMissing:
            return Observation(fails=1, lists=(table,))
        except errors.RequestRefused as refusal:
            if refusal.code != NOT_OFFERED:
                raise
            return Observation(fails=1, lists=(table,))
        return Observation(holds=1)

    return check


def refusals_are_403(observer: Observer) -> Observation:
    with suppress(errors.PermissionMissing):
        # BILL documents that only administrators may read it.
        observer.get("/v3/organizations/{organization_id}")
    statuses = observer.refusal_statuses
    if not statuses:
        raise NotSeen("the token may read everything that was asked for")
    return Observation(statuses.count(403), len(statuses) - statuses.count(403))


def missing_documents_are_404(observer: Observer) -> Observation:
    try:
        observer.get(f"{LISTS['bills'].path}/{_NEVER_WAS}")
    except errors.DocumentGone as gone:
        return Observation(int(gone.status == 404), int(gone.status != 404))
    except errors.RequestRefused:
        return Observation(fails=1)
    return Observation(fails=1)


def archived_in_lists(observer: Observer) -> Observation:
    for table in _MAY_BE_ARCHIVED:
        for row in _archived(observer, table):
            moment = row.get("updatedTime")
            if not isinstance(moment, str):
                continue
            at = f'updatedTime:gte:"{moment}",updatedTime:lte:"{moment}"'
            shown = observer.page(table, max="100", filters=at)
            is_shown = any(other.get("id") == row.get("id") for other in shown)
            return Observation(int(is_shown), int(not is_shown))
    raise NotSeen("no bill, vendor, customer or invoice is archived")


def v2_lists_show_inactive(observer: Observer) -> Observation:
    for row in _archived(observer, "bills"):
        moment = timestamp(row.get("updatedTime"))
        if moment is None:
            continue
        at = moment.isoformat(timespec="milliseconds").replace("+00:00", "+0000")
        filters = [{"field": "updatedTime", "op": op, "value": at} for op in (">=", "<=")]
        shown = rows_of(observer.v2("List/Bill", start=0, max=100, filters=filters))
        is_shown = any(other.get("id") == row.get("id") for other in shown)
        return Observation(int(is_shown), int(not is_shown))
    raise NotSeen("no bill is archived")


def _archived(observer: Observer, table: str) -> list[Row]:
    """At most one archived document of a list."""
    try:
        rows = observer.page(table, max="1", filters="archived:eq:true")
    except errors.RequestRefused:
        return []
    return [row for row in rows if row.get("archived") is True][:1]


def undocumented_lists_filter_by_time(observer: Observer) -> Observation:
    accepting = 0
    refusing = []
    for row in _undocumented():
        try:
            observer.page(row.table, max="1", filters='updatedTime:gte:"2000-01-01T00:00:00.000Z"')
        except errors.PermissionMissing:
            continue
        except errors.RequestRefused as refusal:
            if refusal.status in REFUSED_STATUSES and refusal.code != NOT_OFFERED:
                refusing.append(row.table)
            continue
        accepting += 1
    return Observation(accepting, len(refusing), tuple(refusing))


def _undocumented() -> Iterator[BillList]:
    for row in LISTS.values():
        is_list = row.shape == "pages" and row.setting == "always" and not row.parent
        if is_list and row.has_time_filter is not False and row.table not in _DOCUMENTED:
            yield row


def lists_are_sorted_by_time(observer: Observer) -> Observation:
    in_order = 0
    disordered = []
    for table, rows in _readable_samples(observer, _DAILY):
        moments = [timestamp(row.get("updatedTime")) for row in rows]
        known = [moment for moment in moments if moment is not None]
        if len(set(known)) < 2:
            continue
        if all(a >= b for a, b in pairwise(known)):
            in_order += 1
        else:
            disordered.append(table)
    return Observation(in_order, len(disordered), tuple(disordered))


def _readable_samples(observer: Observer, tables: Iterable[str]) -> Iterator[tuple[str, list[Row]]]:
    for table in tables:
        try:
            yield table, observer.sample(table)
        except (errors.PermissionMissing, errors.RequestRefused):
            continue


def page_tokens_carry_the_query(observer: Observer) -> Observation:
    path, sort = LISTS["bills"].path, "updatedTime:desc"
    first = observer.get(path, max="5", sort=sort)
    token = first.get("nextPage") if isinstance(first, dict) else None
    if not token:
        raise NotSeen("there are not enough bills for two pages")
    repeated = observer.page("bills", max="5", sort=sort, page=str(token))
    try:
        alone = observer.page("bills", max="5", page=str(token))
    except errors.RequestRefused:
        return Observation(fails=1)
    is_same = [row.get("id") for row in alone] == [row.get("id") for row in repeated]
    return Observation(int(is_same), int(not is_same))


def last_next_page(observer: Observer) -> Observation:
    body = observer.get(LISTS["bills"].path, max="1", filters=f'id:in:"{_NEVER_WAS}"')
    if not isinstance(body, dict):
        return Observation(fails=1)
    is_left_out = "nextPage" not in body
    return Observation(int(is_left_out), int(not is_left_out))


def invalid_page(observer: Observer) -> Observation:
    try:
        observer.get(LISTS["bills"].path, max="1", page="not-a-page-token")
    except errors.RequestRefused as refusal:
        return Observation(
            int(refusal.status in REFUSED_STATUSES), int(refusal.status not in REFUSED_STATUSES)
        )
    return Observation(fails=1)


def list_rows_are_whole(observer: Observer) -> Observation:
    whole = thin = 0
    for row in observer.sample("vendors")[:3]:
        single = observer.get(f"{LISTS['vendors'].path}/{row['id']}")
        is_whole = isinstance(single, dict) and single.keys() <= row.keys()
        whole, thin = whole + is_whole, thin + (not is_whole)
    return Observation(whole, thin)


def times_name_their_zone(observer: Observer) -> Observation:
    zoned = naive = 0
    for _, rows in _readable_samples(observer, _DAILY):
        for row in rows:
            for name in ("createdTime", "updatedTime"):
                text = row.get(name)
                if isinstance(text, str):
                    is_zoned = bool(_ZONED.search(text))
                    zoned, naive = zoned + is_zoned, naive + (not is_zoned)
    return Observation(zoned, naive)


def empty_fields_are_left_out(observer: Observer) -> Observation:
    full = empty = 0
    for _, rows in _readable_samples(observer, _DAILY):
        for row in rows:
            has_empty = any(_empties(row))
            full, empty = full + (not has_empty), empty + has_empty
    return Observation(full, empty)


def _empties(value: Any) -> Iterator[bool]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _empties(item)
    elif isinstance(value, list):
        for item in value:
            yield from _empties(item)
    elif value is None or value == "" or (isinstance(value, str) and _ZERO_ID.fullmatch(value)):
        yield True
