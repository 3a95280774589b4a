"""A sync that reads the lists with news only: as exact as a whole one, for a few requests."""

from __future__ import annotations

from typing import Any

import pytest

from bill_pipeline.bill.lists import with_companions
from bill_pipeline.ingest import loading
from bill_pipeline.ingest.raw import open_client_file
from bill_pipeline.ingest.references import unknown_lists
from tests.imports.books import Client

pytestmark = pytest.mark.rotating(days=8)


def unknown_to(client: Client) -> list[str]:
    with open_client_file(client.database) as connection:
        return unknown_lists(connection, client.as_of)


def add_bill(client: Client, **changes: Any) -> None:
    bills, clock = client.organization["bills"], client.sandbox.state.clock
    clock.step_ms(60_000)
    copy = {name: value for name, value in bills.at(0).items() if name != "id"}
    bills.add({**copy, **changes}, clock.stamp_ms())


def test_news_cost_a_few_requests_and_leave_nothing_out(client: Client) -> None:
    client.sync()
    add_bill(client)
    client.sandbox.control.reset_statistics()
    report = client.sync(tables=with_companions(("bills",)))
    assert report.archive.new["bills"] == report.archive.new["bill_details"] == 1
    assert client.sandbox.control.statistics()["requests"] <= 8
    assert client.differences() == {}
    assert unknown_to(client) == []
    assert client.sync().changed == 0


def test_what_a_killed_sync_loaded_is_archived_by_one_that_reads_other_lists(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.sync()
    vendors, clock = client.organization["vendors"], client.sandbox.state.clock
    clock.step_ms(60_000)
    vendors.replace(vendors.at(0) | {"name": "Renamed Supply Co"}, clock.stamp_ms())
    with monkeypatch.context() as killed:
        killed.setattr(loading, "archive_documents", _die)
        with pytest.raises(SystemExit):
            client.sync(tables=with_companions(("vendors",)))
    add_bill(client)
    report = client.sync(tables=with_companions(("bills",)))
    assert report.archive.changed["vendors"] == report.archive.new["bills"] == 1
    assert client.differences() == {}


def _die(*_: Any, **__: Any) -> None:
    raise SystemExit


def test_a_payment_in_the_news_brings_the_bills_it_paid(client: Client) -> None:
    client.sync()
    payments, bills = client.organization["payments"], client.organization["bills"]
    clock = client.sandbox.state.clock
    payment = next(p for p in payments if p.get("billPayments"))
    bill = bills.get(payment["billPayments"][0]["billId"])
    assert bill is not None
    clock.step_ms(60_000)
    payments.replace(payment | {"description": "Looked at again"}, clock.stamp_ms())
    bills.replace(bill | {"dueAmount": 1.23})  # BILL need not move its updatedTime
    report = client.sync(tables=with_companions(("payments",)))
    assert report.archive.changed["bills"] == 1
    assert client.differences() == {}


def test_a_bill_of_a_vendor_and_an_account_made_just_before_names_them_as_unknown(
    client: Client,
) -> None:
    client.sync()
    clock = client.sandbox.state.clock
    clock.step_ms(60_000)
    new = {}
    for table, store in (("vendors", "vendors"), ("accounts", "chart-of-accounts")):
        documents = client.organization[store]
        copy = {name: value for name, value in documents.at(0).items() if name != "id"}
        new[table] = documents.add({**copy, "name": f"New {table}"}, clock.stamp_ms())["id"]
    line = client.organization["bills"].at(0)["billLineItems"][0]
    coded = {**line, "classifications": {"chartOfAccountId": new["accounts"]}}
    assert unknown_to(client) == []
    add_bill(client, vendorId=new["vendors"], billLineItems=[coded])
    client.sync(tables=with_companions(("bills",)))
    assert unknown_to(client) == ["chart_of_accounts", "vendors"]
    client.sync()
    assert client.differences() == {}
    assert unknown_to(client) == []
