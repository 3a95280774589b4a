"""From page to page without holes, and with an end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bill_pipeline.bill import errors
from bill_pipeline.bill.cursor import Cursor
from bill_pipeline.bill.list_reader import ListReader
from bill_pipeline.bill.lists import LISTS
from tests.bill.fake_bill import FakeBill, error, fake_api, page

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def vendor(number: int, minute: int = 0) -> dict[str, Any]:
    time = f"2026-06-01T{10 + minute // 60:02d}:{minute % 60:02d}:00.000+00:00"
    name = f"Vendor {number}"
    return {"id": f"v{number:04d}", "name": name, "billCurrency": "USD", "updatedTime": time}


def read(bill: FakeBill, table: str = "vendors", cursor: Cursor | None = None) -> list[str]:
    reader = ListReader(fake_api(bill), LISTS[table], cursor or Cursor(), now=NOW)
    ids: list[str] = []
    while not reader.is_done:
        documents, _ = reader.next_page()
        ids += [document.id for document in documents]
    return ids


def params(bill: FakeBill) -> list[dict[str, str]]:
    return [dict(request.url.params) for request in bill.requests[1:]]


@pytest.mark.parametrize("end", [None, ""])
def test_a_list_ends_where_bill_names_no_next_page(end: str | None) -> None:
    bill = FakeBill(page(vendor(1), vendor(2), token=end), page())
    assert read(bill) == ["v0001", "v0002"]
    assert len(bill.requests) == 3  # a login, the list, its archived documents


def test_a_full_page_without_next_page_is_not_taken_for_the_end() -> None:
    full = [vendor(n, minute=n) for n in range(100)]
    bill = FakeBill(page(*full), page(full[-1], vendor(100, 100)), page())
    assert len(set(read(bill))) == 101
    assert 'updatedTime:gte:"2026-06-01T11:39:00.000Z"' in params(bill)[1]["filters"]


def test_the_next_page_is_asked_for_by_time_so_that_moved_rows_are_not_skipped() -> None:
    full = [vendor(n, minute=n) for n in range(100)]
    bill = FakeBill(page(*full, token="t1"), page(full[-1], vendor(100, 100)), page())
    assert len(set(read(bill))) == 101
    assert "page" not in params(bill)[1]


def test_a_page_of_one_moment_is_followed_by_token() -> None:
    same = [vendor(n) for n in range(200)]
    bill = FakeBill(
        page(*same[:100], token="t1"),
        page(*same[:100], token="t2"),
        page(*same[100:], token="t3"),
        page(),
        page(),
    )
    assert len(set(read(bill))) == 200
    assert [p.get("page") for p in params(bill)] == [None, None, "t2", "t3", None]


def test_an_empty_page_with_a_next_page_is_followed() -> None:
    bill = FakeBill(page(token="t1"), page(vendor(1)), page())
    assert read(bill) == ["v0001"]


def test_pages_that_go_in_a_circle_end_with_an_error() -> None:
    bill = FakeBill(*[page({"id": "r1"}, token="t1") for _ in range(9)])
    with pytest.raises(errors.MalformedAnswer, match="circle"):
        read(bill, "roles")


def test_pages_that_never_bring_anything_new_end_with_an_error() -> None:
    bill = FakeBill(*[page({"id": "r1"}, token=f"t{n}") for n in range(99)])
    with pytest.raises(errors.MalformedAnswer, match="nothing new"):
        read(bill, "roles")
    assert len(bill.requests) < 40


def test_a_refused_time_filter_is_remembered_and_the_list_read_in_full() -> None:
    cursor = Cursor(watermark="2026-06-01T10:00:00+00:00", completions=1)
    refused = error(400, "BDC_1143", "updatedTime is not a filter field")
    bill = FakeBill(refused, refused, page(vendor(1)), page())
    assert read(bill, cursor=cursor) == ["v0001"]
    assert cursor.has_time_filter is False
    again = FakeBill(page(vendor(1)), page())
    read(again, cursor=Cursor.stored(cursor.as_dict()))
    assert "updatedTime" not in params(again)[0].get("filters", "")


def test_a_refusal_that_is_not_about_filters_is_an_error() -> None:
    bill = FakeBill(*[error(400, "BDC_1143", "no") for _ in range(9)])
    with pytest.raises(errors.RequestRefused):
        read(bill)


def test_a_walk_continues_where_its_cursor_was_stored() -> None:
    full = [vendor(n, minute=n) for n in range(100)]
    cursor = Cursor()
    bill = FakeBill(page(*full, token="t1"))
    reader = ListReader(fake_api(bill), LISTS["vendors"], cursor, now=NOW)
    reader.next_page()
    resumed = FakeBill(page(full[-1], vendor(100, 100)), page(), page(vendor(100, 100)), page())
    assert "v0100" in read(resumed, cursor=Cursor.stored(cursor.as_dict()))
    assert 'updatedTime:gte:"2026-06-01T11:39:00.000Z"' in params(resumed)[0]["filters"]


def test_the_watermark_overlaps_and_a_date_in_the_far_future_does_not_move_it() -> None:
    cursor = Cursor()
    mistake = {"id": "v9999", "name": "x", "updatedTime": "2099-01-01T00:00:00.000+00:00"}
    read(FakeBill(page(vendor(1), mistake), page()), cursor=cursor)
    assert cursor.watermark is not None
    assert cursor.watermark <= "2026-07-02T00:00:00+00:00"
    bill = FakeBill(page(), page())
    read(bill, cursor=Cursor(watermark="2026-06-01T10:00:00+00:00", completions=1))
    assert 'gte:"2026-06-01T09:50:00.000Z"' in params(bill)[0]["filters"]


def test_something_without_an_id_is_set_aside_and_the_rest_of_the_page_is_read() -> None:
    bill = FakeBill(page(vendor(1), {"name": "no id"}, vendor(2)), page())
    reader = ListReader(fake_api(bill), LISTS["vendors"], Cursor(), now=NOW)
    documents, strays = reader.next_page()
    assert [document.id for document in documents] == ["v0001", "v0002"]
    assert [stray.text for stray in strays] == ['{"name":"no id"}']


def test_a_bare_array_is_a_whole_list() -> None:
    bill = FakeBill(httpx.Response(200, json=[{"id": "app1"}, {"id": "app2"}]))
    assert read(bill, "approval_policies") == ["app1", "app2"]


def test_the_archived_are_asked_for_unless_the_list_is_known_to_show_them() -> None:
    """Known from itself, or in an ordinary sync from the organization's other lists."""
    archived = vendor(1) | {"archived": True}
    watermark = "2026-06-01T10:00:00+00:00"
    for shows, others_show, completions, asks in (
        (None, False, 1, True),
        (None, True, 1, False),
        (None, True, 0, True),
        (True, False, 1, False),
        (False, True, 1, True),
    ):
        cursor = Cursor(watermark=watermark, completions=completions, shows_archived=shows)
        bill = FakeBill(page(), page(archived))
        reader = ListReader(
            fake_api(bill), LISTS["vendors"], cursor, now=NOW, archived_are_shown=others_show
        )
        while not reader.is_done:
            reader.next_page()
        assert any("archived:eq:true" in p.get("filters", "") for p in params(bill)) is asks
        assert cursor.shows_archived is (False if asks else shows)


def thin(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "billCurrency"}


def test_vendors_that_a_list_shows_without_their_currency_are_read_one_by_one() -> None:
    rows = [vendor(1), vendor(2)]
    single = [httpx.Response(200, json=row) for row in rows]
    bill = FakeBill(page(*map(thin, rows)), *single, *single, page())
    cursor = Cursor()
    reader = ListReader(fake_api(bill), LISTS["vendors"], cursor, now=NOW)
    documents, _ = reader.next_page()
    assert [b"billCurrency" in document.text for document in documents] == [True, True]
    assert cursor.has_thin_rows is True
    cursor.forget_learned()
    assert cursor.has_thin_rows is None


def test_a_list_of_whole_vendors_costs_no_request_more() -> None:
    bill = FakeBill(page(vendor(1), thin(vendor(2))), page())
    assert read(bill) == ["v0001", "v0002"]
    assert len(bill.requests) == 3


def test_vendors_without_those_fields_are_asked_for_once_only() -> None:
    row = thin(vendor(1))
    cursor = Cursor()
    assert read(FakeBill(page(row), httpx.Response(200, json=row), page()), cursor=cursor)
    again = FakeBill(page(row), page())
    assert read(again, cursor=cursor) == ["v0001"]
    assert len(again.requests) == 3
