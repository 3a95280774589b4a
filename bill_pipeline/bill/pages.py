"""One page of one list, over v3 or v2.

How to go from page to page is in ``list_reader``; what a document is, in ``documents``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.documents import Document, Stray, split_rows
from bill_pipeline.bill.lists import BillList

# More ids would make the URL longer than some proxies accept: 50 × 21 characters.
IDS_PER_REQUEST = 50


@dataclass(frozen=True)
class Query:
    """What to ask a list for. ``token`` is v3's page token, or v2's first row number."""

    updated_from: datetime | None = None
    is_sorted: bool = False
    only_archived: bool = False
    token: str | None = None
    parent_id: str = ""


@dataclass(frozen=True)
class Page:
    """What came: documents in BILL's order, and the token of the next page, if any."""

    documents: list[Document]
    strays: list[Stray]
    row_count: int
    next_token: str | None


def read_page(api: BillApi, row: BillList, query: Query) -> Page:
    """Ask for one page. Raises a ``BillError``; a body of another shape is MalformedAnswer."""
    if row.is_v2:
        return _read_v2_page(api, row, query)
    path = row.path.format(
        organization_id=api.connection.organization_id, parent_id=query.parent_id
    )
    params = _v3_params(row, query) if row.shape == "pages" else None
    body = api.get(path, params, subject=row.table)
    rows = _rows_in(api, row, body)
    if row.parent_field:
        rows = [_with_parent(child, row.parent_field, query.parent_id) for child in rows]
    documents, strays = split_rows(rows)
    token = body.get("nextPage") if isinstance(body, dict) else None
    return Page(documents, strays, len(rows), str(token) if token else None)


def read_by_ids(api: BillApi, row: BillList, ids: Iterable[str]) -> list[Document]:
    """The documents that a list shows for ``ids``; those it does not show are left out."""
    wanted = ",".join(ids)
    if row.is_v2:
        by_id = {"field": "id", "op": "in", "value": wanted}
        data = {"start": 0, "max": row.rows_per_page, "filters": [by_id]}
        return split_rows(
            _rows_in(api, row, api.call_v2(f"List/{row.entity}", data, subject=row.table))
        )[0]
    params = {"max": str(row.rows_per_page), "filters": f'id:in:"{wanted}"'}
    body = api.get(row.path, params, subject=row.table)
    return split_rows(_rows_in(api, row, body))[0]


def read_one(api: BillApi, row: BillList, document_id: str) -> Document:
    """One document by id. Raises ``DocumentGone`` when BILL no longer has it."""
    subject = f"{row.table} {document_id}"
    if row.is_v2:
        body = api.call_v2(f"Crud/Read/{row.entity}", {"id": document_id}, subject=subject)
    else:
        path = row.path.format(organization_id=api.connection.organization_id, parent_id="")
        body = api.get(f"{path}/{document_id}", subject=subject)
    documents, _ = split_rows([body])
    if not documents or documents[0].id != document_id:
        raise errors.MalformedAnswer(
            "BILL answered with another document",
            client=api.client,
            subject=subject,
        )
    return documents[0]


def api_time(moment: datetime) -> str:
    """``moment`` as v3 filters take it, with the zone: BILL does not say what it assumes."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def after(moment: datetime) -> datetime:
    """The next moment that BILL can tell from ``moment``: its times have milliseconds."""
    return moment + timedelta(milliseconds=1)


def _v3_params(row: BillList, query: Query) -> dict[str, str]:
    params = {"max": str(row.rows_per_page)}
    filters = []
    if query.updated_from is not None:
        filters.append(f'updatedTime:gte:"{api_time(query.updated_from)}"')
    if query.only_archived:
        filters.append("archived:eq:true")
    if filters:
        params["filters"] = ",".join(filters)
    if query.is_sorted:
        params["sort"] = "updatedTime:asc"
    if query.token is not None:
        params["page"] = query.token
    return params


def _rows_in(api: BillApi, row: BillList, body: Any) -> list[Any]:
    """The rows of a body, whichever envelope this list has."""
    if row.shape == "object":
        rows: Any = [body]
    elif isinstance(body, list):
        rows = body
    else:
        found = body if isinstance(body, dict) else {}
        rows = found.get(row.rows_field, found.get("results"))
    if not isinstance(rows, list):
        raise errors.MalformedAnswer(
            "BILL's page has no results", client=api.client, subject=row.table
        )
    return rows


def _with_parent(child: Any, parent_field: str, parent_id: str) -> Any:
    if isinstance(child, dict) and parent_field not in child:
        return {**child, parent_field: parent_id}
    return child


def _read_v2_page(api: BillApi, row: BillList, query: Query) -> Page:
    start = int(query.token or 0)
    data: dict[str, Any] = {"start": start, "max": row.rows_per_page}
    if query.updated_from is not None:
        moment = api_time(query.updated_from).removesuffix("Z") + "+0000"
        data["filters"] = [{"field": "updatedTime", "op": ">=", "value": moment}]
    if query.is_sorted:
        data["sort"] = [{"field": "updatedTime", "asc": True}]
    rows = api.call_v2(f"List/{row.entity}", data, subject=row.table)
    if not isinstance(rows, list):
        raise errors.MalformedAnswer(
            "BILL's v2 list is not an array", client=api.client, subject=row.table
        )
    documents, strays = split_rows(rows)
    # A step of the rows that came, not of ``max``: BILL may cap ``max`` below what was asked.
    token = str(start + len(rows)) if len(rows) >= row.rows_per_page else None
    return Page(documents, strays, len(rows), token)
