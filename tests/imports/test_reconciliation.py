"""Reconciliation finds what no time stamp showed; the probe finds what a sync would."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bill_pipeline import open_documents
from bill_pipeline.bill.lists import PROBED
from bill_pipeline.probe import changed_lists
from bill_pipeline.reconciliation import ReconciliationReport, reconcile_lists
from tests.imports.books import Client
from tests.imports.conftest import MakeClient


def reconcile(client: Client, **more: Any) -> ReconciliationReport:
    with client.api() as api:
        return reconcile_lists(
            api,
            database=client.database,
            dlt_folder=client.folder / "dlt",
            as_of=client.as_of,
            with_v2=False,
            **more,
        )


def probe(client: Client) -> list[str]:
    with client.api() as api:
        return changed_lists(api, client.folder / "dlt")


def test_a_silent_change_is_found_reported_and_repaired(client: Client) -> None:
    client.sync(with_v2=False)
    bills = client.organization["bills"]
    bill = next(b for b in client.raw("bills").values() if b["dueAmount"] and not b["archived"])
    bills.replace(bill | {"dueAmount": bill["dueAmount"] + 10.25})  # its time does not move
    assert client.sync(with_v2=False).changed == 0
    report = reconcile(client)
    assert report.drifted == {"bills": 1}
    assert report.open_at_bill["bills"] - report.open_before["bills"] == Decimal("10.25")
    assert client.differences() == {}
    assert not reconcile(client).has_drift


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
    report = reconcile(client)
    assert report.vanished == {"bills": 1}
    assert client.query(
        "select version, is_deleted from raw.document_versions "
        f"where list = 'bills' and id = '{last['id']}' order by version"
    ) == [(1, False), (2, True)]
    assert client.differences() == {}
    assert not reconcile(client).has_drift


def test_agreement_is_reported_as_agreement_and_writes_nothing(client: Client) -> None:
    client.sync(with_v2=False)
    report = reconcile(client)
    assert not report.has_drift
    assert report.changed == 0
    assert report.open_before == report.open_at_bill
    assert report.compared["bills"] == len(client.truth("bills"))


def test_the_probe_finds_nothing_where_nothing_changed_and_leaves_the_file_alone(
    client: Client,
) -> None:
    assert probe(client) == list(PROBED)  # never imported
    client.sync(with_v2=False)
    client.database.rename(client.folder / "away")
    client.sandbox.control.reset_statistics()
    assert probe(client) == []
    assert not client.database.exists()
    assert client.sandbox.control.statistics()["requests"] <= 2 * len(PROBED)


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
    assert client.sandbox.control.statistics()["requests"] == len(PROBED)
    clock.step_ms(1000)
    invoices.replace(invoices.at(0) | {"archived": True}, clock.stamp_ms())
    assert probe(client) == ["invoices"]  # the list's first archived document
    client.sync(with_v2=False)
    assert probe(client) == []
    assert client.differences(("invoices",)) == {}
