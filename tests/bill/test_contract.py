"""What we rely on of BILL: the same claims against the sandbox and against BILL's own.

BILL's sandbox is asked when these are set: BILL_SANDBOX_ORGANIZATION_ID, BILL_SANDBOX_TOKEN_NAME,
BILL_SANDBOX_TOKEN_PASSWORD and BILL_SANDBOX_DEV_KEY. Without them the run says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.connection import SANDBOX_URL, SANDBOX_V2_URL, Connection
from bill_pipeline.bill.cursor import Cursor
from bill_pipeline.bill.list_reader import ListReader
from bill_pipeline.bill.lists import LISTS, BillList
from bill_pipeline.bill.pages import Query, read_by_ids, read_one, read_page
from bill_pipeline.sandbox.server import SandboxServer

_NAMES = ("ORGANIZATION_ID", "TOKEN_NAME", "TOKEN_PASSWORD", "DEV_KEY")
_VALUES = [os.environ.get(f"BILL_SANDBOX_{name}", "") for name in _NAMES]
HAS_CREDENTIALS = all(_VALUES)
LISTED = [row for row in LISTS.values() if row.path and not row.parent]


@pytest.fixture(scope="module", params=["sandbox", "bill"])
def api(request: pytest.FixtureRequest) -> Iterator[BillApi]:
    if request.param == "bill":
        if not HAS_CREDENTIALS:
            print("not run against BILL: set BILL_SANDBOX_… to reach its own sandbox")
            pytest.skip("not run against BILL: no credentials in the environment")
        organization_id, name, password, dev_key = _VALUES
        connection = Connection(
            organization_id=organization_id,
            token_name=name,
            token_password=SecretStr(password),
            dev_key=SecretStr(dev_key),
            base_url=SANDBOX_URL,
            v2_url=SANDBOX_V2_URL,
        )
        with BillApi(connection, client="contract") as opened:
            yield opened
        return
    with SandboxServer(companies=2, documents=400, seed=3) as sandbox:
        company = sandbox.companies[1]
        connection = Connection(
            organization_id=company.organization_id,
            token_name=company.token_name,
            token_password=company.token_password,
            dev_key=sandbox.dev_key,
            base_url=sandbox.base_url,
            v2_url=sandbox.v2_url,
        )
        with BillApi(connection, client="contract") as opened:
            yield opened


@pytest.mark.parametrize("row", LISTED, ids=lambda row: row.table)
def test_every_list_answers_or_says_that_the_token_may_not(api: BillApi, row: BillList) -> None:
    try:
        page = read_page(api, row, Query())
    except errors.PermissionMissing as refusal:
        pytest.skip(str(refusal))
    assert page.strays == []
    for document in page.documents:
        assert document.id
        for name in row.required:
            assert f'"{name}":'.encode() in document.text


@pytest.mark.parametrize(
    "row", [r for r in LISTED if r.has_time_filter and r.has_time_sort], ids=lambda row: row.table
)
def test_lists_obey_sort_and_filter_by_time(api: BillApi, row: BillList) -> None:
    try:
        first = read_page(api, row, Query(is_sorted=True))
    except errors.PermissionMissing as refusal:
        pytest.skip(str(refusal))
    times = [document.updated_at for document in first.documents if document.updated_at]
    assert times == sorted(times)
    if not times:
        return
    rest = read_page(api, row, Query(updated_from=times[-1], is_sorted=True))
    assert first.documents[-1].id in {document.id for document in rest.documents}
    assert all(d.updated_at is not None and d.updated_at >= times[-1] for d in rest.documents)


@pytest.mark.parametrize("row", [r for r in LISTED if r.has_id_filter], ids=lambda row: row.table)
def test_documents_read_by_id_are_those_of_the_list(api: BillApi, row: BillList) -> None:
    listed = {document.id: document for document in read_page(api, row, Query()).documents}
    some = list(listed)[:5]
    if not some:
        return
    assert {d.id: d.text for d in read_by_ids(api, row, some)} == {
        document_id: listed[document_id].text for document_id in some
    }
    assert read_one(api, row, some[0]).id == some[0]


def test_a_document_that_never_was_is_gone(api: BillApi) -> None:
    with pytest.raises(errors.DocumentGone):
        read_one(api, LISTS["bills"], "00n01AAAAAAAAAAaaaaa")


def test_a_list_read_page_by_page_has_each_document_once(api: BillApi) -> None:
    now = datetime.now(UTC) + timedelta(days=1)
    reader = ListReader(api, LISTS["bills"], Cursor(), now=now)
    ids: list[str] = []
    while not reader.is_done:
        documents, _ = reader.next_page()
        ids += [document.id for document in documents]
    assert ids
    assert len(set(ids)) >= len(ids) - 2 * reader.outcome.pages  # page seams overlap by a row
