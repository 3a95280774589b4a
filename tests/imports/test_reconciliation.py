"""Reconciliation finds what no time stamp showed; the probe finds what a sync would."""

from __future__ import annotations

from dataclasses import asdict

import duckdb
import pytest

from bill_pipeline.bill.lists import POLLED
from bill_pipeline.ingest import open_documents
from bill_pipeline.ingest.change_check import changed_lists
from bill_pipeline.ingest.loading import ImportReport
from bill_pipeline.ingest.reconciliation import compare_lists
from tests.imports.books import Client
from tests.imports.conftest import MakeClient

pytestmark = pytest.mark.rotating(days=8)


def compare(client: Client) -> ImportReport:
    with client.api() as api:
        return compare_lists(api, database=client.database, with_v2=False)


def wrong(report: ImportReport) -> dict[str, dict[str, int]]:
    """List → counts of what comparing found, zeros left out."""
    return {
        table: {kind: count for kind, count in asdict(one).items() if count and kind != "compared"}
        for table, one in report.found.items()
        if one.is_wrong
    }


def probe(client: Client) -> list[str] | None:
    with client.api() as api:
        return changed_lists(api, client.folder / "dlt", client.database)


def test_a_silent_change_is_found_reported_and_repaired(client: Client) -> None:
    client.sync(with_v2=False)
    bills = client.organization["bills"]
    bill = next(b for b in client.raw("bills").values() if b["dueAmount"] and not b["archived"])
    bills.replace(bill | {"dueAmount": bill["dueAmount"] + 10.25})  # its time does not move
    assert client.sync(with_v2=False).changed == 0
    assert wrong(compare(client)) == {"bills": {"differing": 1}}
    assert set(client.differences()) == {"bills"}  # comparing alone keeps nothing
    assert wrong(client.sync(with_v2=False, full=True)) == {"bills": {"differing": 1}}
    assert client.differences() == {}
    assert wrong(compare(client)) == {}


def test_a_change_with_a_time_yet_to_come_is_not_said_to_come_by_itself(client: Client) -> None:
    client.sync(with_v2=False)
    bills = client.organization["bills"]
    bill = next(iter(client.raw("bills").values()))
    bills.replace(bill | {"updatedTime": "2099-01-01T00:00:00.000+00:00"})  # no filter shows it
    assert client.sync(with_v2=False).changed == 0
    assert wrong(compare(client)) == {"bills": {"differing": 1}}
    client.sync(with_v2=False, full=True)
    assert client.differences() == {}
    assert wrong(compare(client)) == {}


ONE = "id = (select min(id) from raw.bills where not is_deleted)"


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (f"delete from raw.bills where {ONE}", {"missing": 1}),
        (f"update raw.bills set document = '{{}}' where {ONE}", {"differing": 1}),
        (f"delete from raw.document_versions where list = 'bills' and {ONE}", {"missing": 1}),
        (
            f"insert into raw.bills select * replace ('ghost' as id) from raw.bills where {ONE}",
            {"gone": 1},
        ),
    ],
    ids=["missing", "altered", "not archived", "extra"],
)
def test_what_the_file_lost_or_gained_is_found_reported_and_repaired(
    client: Client, damage: str, found: dict[str, int]
) -> None:
    client.sync(with_v2=False)
    archived = (
        "select count(distinct id) from raw.document_versions "
        "where list = 'bills' and not is_deleted"
    )
    before = client.query(archived)
    with duckdb.connect(str(client.database)) as file:
        file.execute(damage)
    assert wrong(compare(client)) == {"bills": found}
    assert wrong(client.sync(with_v2=False, full=True)) == {"bills": found}
    assert client.differences() == {}
    assert wrong(compare(client)) == {}
    assert client.query(archived) == before


def test_open_documents_are_compared_in_a_few_requests(client: Client) -> None:
    client.sync(with_v2=False)
    expected = open_documents.open_documents(client.database)
    assert len(expected["bills"]) > 1
    with client.api() as api:
        assert open_documents.differing(api, expected) == {}
        assert api.requests <= 1 + sum(1 + len(ids) // 50 for ids in expected.values())
    bills = client.organization["bills"]
    opened = [b for b in client.raw("bills").values() if b["id"] in expected["bills"]]
    bills.replace(opened[0] | {"dueAmount": opened[0]["dueAmount"] + 10.25})  # in silence
    with client.api() as api:
        assert open_documents.differing(api, expected) == {"bills": [opened[0]["id"]]}


def test_a_document_that_bill_lost_is_recorded_as_deleted_once(client: Client) -> None:
    client.sync(with_v2=False)
    bills = client.organization["bills"]
    last = bills.at(len(bills) - 1)
    for values in (bills._stored, bills._updated, bills._created, bills._archived):
        values.pop()
    bills.version += 1
    assert wrong(compare(client)) == {"bills": {"gone": 1}}
    report = client.sync(with_v2=False, full=True)
    assert report.archive.deleted == {"bills": 1}
    assert client.query(
        "select version, is_deleted from raw.document_versions "
        f"where list = 'bills' and id = '{last['id']}' order by version"
    ) == [(1, False), (2, True)]
    assert client.differences() == {}
    assert wrong(compare(client)) == {}


def test_agreement_is_reported_as_agreement_and_writes_nothing(client: Client) -> None:
    client.sync(with_v2=False)
    report = compare(client)
    assert wrong(report) == {}
    assert report.found["bills"].compared == len(client.truth("bills"))
    assert client.sync(with_v2=False, full=True).loads == 0


def test_the_probe_finds_nothing_where_nothing_changed_and_leaves_the_file_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert probe(client) is None  # never imported
    client.sync(with_v2=False)
    monkeypatch.setattr(duckdb, "connect", None)
    client.sandbox.control.reset_statistics()
    assert probe(client) == []
    assert client.sandbox.control.statistics()["requests"] <= 2 * len(POLLED)


def test_the_probe_names_the_lists_that_changed(make_client: MakeClient) -> None:
    client = make_client(archived_in_lists=False)
    client.sync(with_v2=False)
    clock, vendors = client.sandbox.state.clock, client.organization["vendors"]
    clock.step_ms(1000)
    vendors.replace(vendors.at(0) | {"archived": True}, clock.stamp_ms())
    assert probe(client) == ["vendors"]
    client.sync(with_v2=False)
    assert probe(client) == []


def test_a_list_that_shows_archived_documents_spares_the_others_a_question(client: Client) -> None:
    client.sync(with_v2=False)
    clock, invoices = client.sandbox.state.clock, client.organization["invoices"]
    assert not any(invoice["archived"] for invoice in client.raw("invoices").values())
    client.sandbox.control.reset_statistics()
    assert probe(client) == []
    assert client.sandbox.control.statistics()["requests"] == len(POLLED)
    clock.step_ms(1000)
    invoices.replace(invoices.at(0) | {"archived": True}, clock.stamp_ms())
    assert probe(client) == ["invoices"]  # the list's first archived document
    client.sync(with_v2=False)
    assert probe(client) == []
    assert client.differences(("invoices",)) == {}
