"""What BILL's times do not show: stamps from the future, hidden rows, files of another day."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bill_pipeline.bill.lists import LISTS
from bill_pipeline.ingest import loading
from bill_pipeline.ingest.change_check import changed_lists
from tests.imports.books import Client
from tests.imports.conftest import MakeClient
from tests.imports.test_reconciliation import wrong

pytestmark = pytest.mark.rotating(days=8)

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    client = make_client(documents=120)
    client.sync(with_v2=False)
    return client


def change(client: Client, name: str, position: int, *, at_ms: int | None = None) -> str:
    """Change a document of a list, now or at another time; its id."""
    documents, clock = client.organization[name], client.sandbox.state.clock
    document = documents.at(position) | {"description": f"Changed at {clock.now_ms()}"}
    documents.replace(document, at_ms or clock.stamp_ms())
    return str(document["id"])


def step(client: Client, milliseconds: int = HOUR_MS) -> None:
    client.sandbox.state.clock.step_ms(milliseconds)


def stored_cursor(client: Client, table: str) -> dict[str, Any]:
    [(state,)] = client.query(f"select state->'$.lists.{table}' from raw.reading")
    import orjson

    return dict(orjson.loads(state))


@pytest.mark.parametrize("ahead_ms", [3 * HOUR_MS, 73 * 365 * DAY_MS], ids=["3-hours", "2099"])
@pytest.mark.parametrize("name", ["bills", "payments", "vendors", "vendor-credits"])
def test_a_document_from_the_future_blinds_its_list_to_nothing(
    client: Client, name: str, ahead_ms: int
) -> None:
    table = name.replace("-", "_")
    now_ms = client.sandbox.state.clock.now_ms()
    change(client, name, 0, at_ms=now_ms + ahead_ms)
    assert client.sync(with_v2=False).archive.changed == {table: 1}
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    watermark = stored_cursor(client, table)["watermark"]
    assert datetime.fromisoformat(watermark) <= now - timedelta(minutes=10)
    step(client)
    change(client, name, 1)
    assert client.sync(with_v2=False).archive.changed == {table: 1}
    assert client.differences() == {}


def test_a_movement_of_v2_from_the_future_blinds_its_list_to_nothing(
    make_client: MakeClient,
) -> None:
    client = make_client(documents=300)
    client.sync()
    movements, clock = client.organization["money-movements"], client.sandbox.state.clock
    first, second = movements.at(0), movements.at(1)
    movements.replace(first | {"name": "Changed"}, clock.now_ms() + 3 * HOUR_MS)
    assert client.sync().archive.changed == {"money_movements": 1}
    step(client)
    movements.replace(second | {"name": "Changed"}, clock.stamp_ms())
    assert client.sync().archive.changed == {"money_movements": 1}


def test_a_clock_of_ours_that_is_ahead_moves_no_watermark_past_bills(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bills_now = client.clock.time()
    monkeypatch.setattr(client.clock, "time", lambda: bills_now + 7 * 86_400)
    change(client, "bills", 0, at_ms=int(bills_now * 1000) + 2 * HOUR_MS)
    client.sync(with_v2=False)
    watermark = datetime.fromisoformat(stored_cursor(client, "bills")["watermark"])
    assert watermark.timestamp() <= bills_now - 600


def test_a_watermark_that_an_earlier_release_put_into_the_future_is_read_in_full(
    client: Client,
) -> None:
    client.query(
        "update raw.reading set state = json_merge_patch(state, "
        """'{"lists": {"bills": {"watermark": "2099-01-01T00:00:00+00:00"}}}')"""
    )
    step(client)
    change(client, "bills", 1)
    assert client.sync(with_v2=False).archive.changed == {"bills": 1}
    assert client.differences() == {}


def test_a_probe_knows_documents_from_the_future_however_many_there_are(client: Client) -> None:
    bills, clock = client.organization["bills"], client.sandbox.state.clock
    for position in range(len(bills)):
        bills.replace(bills.at(position), clock.now_ms() + DAY_MS + position)
    client.sync(with_v2=False)

    def probe() -> list[str] | None:
        with client.api() as api:
            return changed_lists(api, client.folder / "dlt", client.database)

    assert probe() == []
    step(client)
    change(client, "bills", 1)
    assert probe() == ["bills"]


def lose(client: Client, name: str, count: int) -> list[str]:
    """Take the last documents out of BILL's books, as it never does; their ids."""
    documents = client.organization[name]
    lost = [documents.at(len(documents) - 1 - number)["id"] for number in range(count)]
    for values in (
        documents._stored, documents._updated, documents._created, documents._archived,
    ):  # fmt: skip
        del values[-count:]
    documents.version += 1
    return lost


def test_what_a_full_read_no_longer_meets_is_asked_for_and_gone_or_refused(client: Client) -> None:
    count = len(client.raw("bills"))
    _, _, refused = lose(client, "bills", 3)
    client.sandbox.control.faults([{"kind": "forbidden", "match": f"/bills/{refused}$"}])
    report = client.sync(with_v2=False, full=True)
    assert report.archive.deleted == {"bills": 2}
    assert report.refused_documents == {"bills": 1}
    assert "does not let us read 1 documents (each sync asks again" in report.what_is_missing
    assert len(client.raw("bills")) == count - 2
    client.sandbox.control.faults([])
    report = client.sync(with_v2=False, full=True)  # now BILL says that it is gone, too
    assert report.archive.deleted == {"bills": 1}
    assert report.refused_documents == {}
    assert client.differences() == {}


def test_what_bill_refused_is_asked_for_again_by_each_sync_the_longest_waiting_first(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment settles a bill without moving its time: no list would ever show it again."""
    monkeypatch.setattr(loading, "REFUSED_PER_SYNC", 2)
    bills = client.organization["bills"]
    ids = [str(bills.at(position)["id"]) for position in (2, 0, 1)]
    for one in ids:
        bills.replace(bills.get(one) | {"description": "Settled"})
    waiting = "select json_extract_string(state, '$.refused.bills[*]') from raw.reading"
    listed = '", "'.join(ids)
    client.query(
        "update raw.reading set state = json_merge_patch(state, "
        f"""'{{"refused": {{"bills": ["{listed}"]}}}}')"""
    )
    client.sandbox.control.faults([{"kind": "forbidden", "match": "v3/bills", "skip": 1}])
    assert client.sync(with_v2=False).refused_documents == {"bills": 3}
    assert client.query(waiting) == [([ids[2], *sorted(ids[:2])],)]
    assert client.differences() != {}
    client.sandbox.control.faults([])
    for left in ({"bills": 1}, {}):
        report = client.sync(with_v2=False)
        assert report.refused_documents == left
        assert not any(found.is_wrong for found in report.found.values())
    assert client.differences() == {}
    assert client.sync(with_v2=False).requests < report.requests  # they wait no more


def test_a_wrong_answer_to_a_question_by_id_stands_for_a_day_at_most(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    bills, now_ms = client.organization["bills"], client.sandbox.state.clock.now_ms()
    closed = [b for b in bills if not b["dueAmount"] and _stamp(b) < now_ms - 10 * DAY_MS]
    right = closed[0]
    bills.replace(right | {"description": "Wrong, once"})
    client.query(
        "update raw.reading set state = json_merge_patch(state, "
        f"""'{{"touched": {{"bills": ["{right["id"]}"]}}}}')"""
    )
    client.sync(with_v2=False)
    bills.replace(right)
    assert client.differences() != {}
    monkeypatch.setattr(loading, "pages_by_list", lambda *_: {})
    step(client, DAY_MS)
    assert wrong(client.sync(with_v2=False, requests_per_hour=20)) == {"bills": {"differing": 1}}
    assert client.differences() == {}


def hide(client: Client, name: str, count: int) -> Callable[[], None]:
    """``lose``, and what shows them again as if nothing had been."""
    documents = client.organization[name]
    parts = (documents._stored, documents._updated, documents._created, documents._archived)
    last = [values[-count:] for values in parts]
    lose(client, name, count)

    def show() -> None:
        for values, hidden in zip(parts, last, strict=True):
            values.extend(hidden)
        documents.version += 1

    return show


def test_what_bill_hid_for_a_while_comes_back_by_itself(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "pages_by_list", lambda *_: {})
    client.sync(with_v2=False)
    show = hide(client, "bills", 3)
    assert client.sync(with_v2=False, full=True).archive.deleted == {"bills": 3}
    step(client, DAY_MS)
    still = client.sync(with_v2=False, requests_per_hour=20_000)
    assert "bills" not in wrong(still)
    show()
    step(client, DAY_MS)
    back = client.sync(with_v2=False, requests_per_hour=20_000)
    assert back.found["bills"].missing == 3
    assert client.differences() == {}
    step(client, DAY_MS)
    assert client.sync(with_v2=False, requests_per_hour=20_000).changed == 0


def test_a_movement_that_v2_no_longer_lists_is_asked_for_by_its_id(make_client: MakeClient) -> None:
    client = make_client(documents=300)
    client.sync()
    lose(client, "money-movements", 1)
    assert client.sync(full=True).archive.deleted == {"money_movements": 1}


def test_a_full_read_begins_anew_where_a_short_one_was_cut_off(client: Client) -> None:
    """It went on with the short one's rest, and called that the whole list."""
    bill_id = change(client, "bills", 0, at_ms=client.sandbox.state.clock.now_ms() - 90 * DAY_MS)
    client.query(
        """
        update raw.reading set state = json_merge_patch(state, '{"lists": {"bills": {"walk":
        {"started_at": "2026-06-30T00:00:00+00:00", "updated_from": "2026-06-30T00:00:00+00:00",
        "is_full": false}}}}')
        """
    )
    assert client.sync(with_v2=False, full=True).archive.changed == {"bills": 1}
    assert bill_id in client.raw("bills")
    assert client.differences() == {}


def test_a_list_that_lagged_behind_is_right_a_day_later(client: Client) -> None:
    """A document appears with a time that the watermark has passed already."""
    lag = {"kind": "missing_news", "match": "/bills$"}
    step(client)
    late = change(client, "bills", 0)
    client.sandbox.control.faults([lag | {"row": late}])
    step(client)
    change(client, "bills", 1)
    assert client.sync(with_v2=False, requests_per_hour=20).archive.changed == {"bills": 1}
    client.sandbox.control.faults([])
    step(client, DAY_MS)
    change(client, "bills", 2)
    report = client.sync(with_v2=False, requests_per_hour=20)
    assert wrong(report) == {"bills": {"differing": 1, "news": 1}}
    assert client.differences() == {}


def test_books_that_bill_put_back_are_found_within_a_week(client: Client) -> None:
    """Old bills are as they were, with the times that they had."""
    bills = client.organization["bills"]
    before = bills.at(0)
    step(client)
    change(client, "bills", 0)
    client.sync(with_v2=False)
    bills.replace(before, _stamp(before))
    client.sandbox.state.clock.step_ms(4 * DAY_MS)
    client.sync(with_v2=False, requests_per_hour=1000)
    assert set(client.differences()) <= {"bills"}
    client.sandbox.state.clock.step_ms(3 * DAY_MS)
    client.sync(with_v2=False, requests_per_hour=1000)
    assert client.differences() == {}


def _stamp(document: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(document["updatedTime"]).timestamp() * 1000)


def test_every_list_is_compared_whole_within_a_week_of_daily_syncs(make_client: MakeClient) -> None:
    client = make_client(documents=600)
    client.sync()
    hidden = change(client, "bills", 0, at_ms=client.sandbox.state.clock.now_ms() - 90 * DAY_MS)
    lose(client, "bills", 1)
    requests = []
    for _ in range(7):
        step(client, DAY_MS)
        client.sandbox.control.reset_statistics()
        report = client.sync(requests_per_hour=40)
        requests.append(report.requests)
        assert report.compared_at is not None
        age = client.clock.time() - report.compared_at.timestamp()
        assert age <= 7 * 86_400
    assert hidden in client.raw("bills")
    assert client.differences() == {}
    without = client.sync().requests
    assert sum(requests) - 7 * without <= 0.05 * 40 * 24 * 7 + 7 * 6  # what is open, each day


def test_a_comparison_of_more_pages_than_its_share_goes_on_in_the_next_sync(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(documents=900)
    client.sync(with_v2=False)
    bills, now_ms = client.organization["bills"], client.sandbox.state.clock.now_ms()
    closed = [b for b in bills if not b["dueAmount"] and _stamp(b) < now_ms - 10 * DAY_MS]
    bills.replace(max(closed, key=_stamp) | {"description": "In silence"})
    monkeypatch.setattr(loading, "pages_by_list", lambda *_: {"bills": 1})
    syncs = range(len(bills) // 100 + 1)
    found = [wrong(client.sync(with_v2=False, requests_per_hour=20)) for _ in syncs]
    assert found.count({"bills": {"differing": 1}}) == 1
    assert found[0] == {}
    assert client.differences() == {}


def damaged(client: Client, what: str) -> None:
    backup = client.folder / "backup.duckdb"
    shutil.copy2(client.database, backup)
    scratch = client.folder / "dlt of then"
    shutil.copytree(client.folder / "dlt", scratch)
    step(client)
    client.live(20)
    client.sync(with_v2=False)
    if what == "backup put back":
        shutil.copy2(backup, client.database)
    elif what == "file deleted":
        client.database.unlink()
    elif what == "folder deleted":
        shutil.rmtree(client.folder / "dlt")
    elif what == "folder of another day":
        shutil.rmtree(client.folder / "dlt")
        shutil.copytree(scratch, client.folder / "dlt")
    elif what == "folder of garbage":
        for path in (client.folder / "dlt").rglob("*"):
            if path.is_file():
                path.write_bytes(b"{garbage")


@pytest.mark.parametrize(
    "what",
    [
        "backup put back", "file deleted", "folder deleted", "folder of another day",
        "folder of garbage",
    ],
)  # fmt: skip
def test_what_was_read_stands_in_the_file_and_nowhere_else(client: Client, what: str) -> None:
    damaged(client, what)
    with client.api() as api:
        found = changed_lists(api, client.folder / "dlt", client.database)
    # Nobody takes an older file, or none, for what the last import left.
    assert (found is None) == (what != "folder of another day" or found is None)
    if what in {"backup put back", "file deleted"}:
        assert found is None
    client.sync(with_v2=False)
    assert client.differences() == {}
    assert client.query("select count(*) from raw.document_versions") > [(0,)]


def test_a_load_that_died_half_way_is_archived_and_its_payments_touch_their_bills(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bill_pipeline.ingest.loader import Loader

    client.live(30)
    load = Loader.load

    def dies(self: Loader, documents: dict[str, Any]) -> None:
        load(self, {"payments": documents["payments"]})
        raise KeyboardInterrupt

    monkeypatch.setattr(Loader, "load", dies)
    with pytest.raises(KeyboardInterrupt):
        client.sync(with_v2=False)
    monkeypatch.setattr(Loader, "load", load)
    shutil.rmtree(client.folder / "dlt")
    client.sync(with_v2=False)
    assert client.differences() == {}
    archived = "select count(distinct id) from raw.document_versions where list = 'payments'"
    assert client.query(archived) == [(len(client.truth("payments")),)]


def test_a_row_without_an_id_heals_when_bill_gives_it_one(client: Client) -> None:
    step(client)
    bill_id = change(client, "bills", 0)
    fault = {"kind": "missing_field", "field": "id", "match": "/bills$", "row": bill_id}
    client.sandbox.control.faults([fault])
    assert client.sync(with_v2=False).quarantined == 1
    step(client, HOUR_MS)
    change(client, "bills", 1)
    client.sync(with_v2=False)
    waiting = "select count(*) from raw.quarantine where healed_at is null"
    assert client.query(waiting) == [(1,)]
    client.sandbox.control.faults([])  # its time stays, and the watermark has passed it
    step(client, HOUR_MS)
    report = client.sync(with_v2=False)
    assert report.archive.healed == {"bills": 1}
    assert client.query(waiting) == [(0,)]
    assert client.differences() == {}
    client.sandbox.control.faults([fault])
    step(client, DAY_MS)
    change(client, "bills", 0)
    assert client.sync(with_v2=False).quarantined == 1  # the same trouble is news again


def test_every_list_is_in_the_comparison() -> None:
    from bill_pipeline.bill.comparing import pages_by_list
    from bill_pipeline.bill.cursor import Cursor

    now = datetime(2026, 7, 1, tzinfo=UTC)
    cursors = {table: Cursor(completions=1) for table in LISTS}
    pages = pages_by_list(LISTS.values(), cursors, lambda table: 250, 10_000, 20_000, now)
    assert pages.keys() == LISTS.keys()
    assert (pages["bills"], pages["bill_details"], pages["customer_contacts"]) == (4, 2, 251)
    assert sum(pages_by_list(LISTS.values(), cursors, len, 7, 20_000, now).values()) == 7
