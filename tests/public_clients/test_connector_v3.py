"""npm ``@memberjunction/connector-bill-com``, written for BILL's v3, against the sandbox."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import Company
from tests.public_clients.conftest import PAYABLES, Calls

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8, part=2, together=True)]
LISTS = ("customers", "invoices", "receivable-payments")


def fetch(name: str, **context: Any) -> tuple[str, dict[str, Any]]:
    return "FetchChanges", {"ObjectName": name, **context}


def test_every_list_it_reads_equals_the_books(
    connector: Calls, sandbox: SandboxServer, company: Company
) -> None:
    answers = connector(*[fetch(name) for name in LISTS])["answers"]
    books = sandbox.control.books(company.client)
    assert len(books["invoices"]) > 200, "the invoices must fill several pages"
    for name, answer in zip(LISTS, answers, strict=True):
        assert not answer["HasMore"]
        assert Counter(r["ExternalID"] for r in answer["Records"]) == Counter(
            row["id"] for row in books[name]
        )
        read = {record["ExternalID"]: record["Fields"] for record in answer["Records"]}
        assert read == {row["id"]: row for row in books[name]}


def test_payables_equal_the_books_too(
    connector: Calls, sandbox: SandboxServer, company: Company
) -> None:
    answers = connector(*[fetch(name) for name in PAYABLES])["answers"]
    books = sandbox.control.books(company.client)
    assert len(books["bills"]) > 200, "the bills must fill several pages"
    for name, answer in zip(PAYABLES, answers, strict=True):
        read = {record["ExternalID"]: record["Fields"] for record in answer["Records"]}
        assert len(answer["Records"]) == len(books[name])
        for row in books[name]:
            # A vendor's bank account is shown on its own path only.
            row.get("paymentInformation", {}).pop("bankAccount", None)
        assert read == {row["id"]: row for row in books[name]}


def test_a_bill_it_enters_edits_and_archives_is_in_the_books(
    connector: Calls, sandbox: SandboxServer, company: Company
) -> None:
    [made] = connector(
        ("CreateRecord", {"ObjectName": "vendors", "Attributes": {"name": "Finch Freight"}})
    )["answers"]
    assert made["Success"], made
    bill = {
        "vendorId": made["ExternalID"],
        "dueDate": "2026-02-04",
        "invoice": {"invoiceNumber": "FF-1", "invoiceDate": "2026-01-05"},
        "billLineItems": [{"amount": 88.5, "description": "Freight"}],
    }
    [entered] = connector(("CreateRecord", {"ObjectName": "bills", "Attributes": bill}))["answers"]
    assert entered["Success"], entered
    given = {"ObjectName": "bills", "ExternalID": entered["ExternalID"]}
    lines = [{"amount": 90.0, "description": "Freight and fuel"}]
    changed, read = connector(
        ("UpdateRecord", {**given, "Attributes": {**bill, "billLineItems": lines}}),
        ("GetRecord", given),
    )["answers"]
    assert changed["Success"], changed
    assert (read["Fields"]["amount"], read["Fields"]["dueAmount"]) == (90.0, 90.0)
    [kept] = [
        row
        for row in sandbox.control.books(company.client)["bills"]
        if row["id"] == entered["ExternalID"]
    ]
    assert kept == read["Fields"]


def test_a_fetch_cut_into_batches_goes_on_where_it_stopped(
    connector: Calls, sandbox: SandboxServer, company: Company
) -> None:
    seen: list[str] = []
    cursor: dict[str, Any] = {"BatchSize": 100}
    for _ in range(100):
        [page] = connector(fetch("invoices", **cursor))["answers"]
        seen += [record["ExternalID"] for record in page["Records"]]
        if not page["HasMore"]:
            break
        cursor["CurrentCursor"] = page["NextCursor"]
    assert Counter(seen) == Counter(
        row["id"] for row in sandbox.control.books(company.client)["invoices"]
    )


def test_what_it_creates_changes_archives_and_restores_is_in_the_books(
    connector: Calls, sandbox: SandboxServer, company: Company
) -> None:
    customer = {"name": "Wren Street Library", "email": "accounts@wren.example.com"}
    [created] = connector(("CreateRecord", {"ObjectName": "customers", "Attributes": customer}))[
        "answers"
    ]
    assert created["Success"], created
    customer_id = created["ExternalID"]
    invoice = {
        "customer": {"id": customer_id},
        "invoiceNumber": "PUBLIC-1",
        "invoiceDate": "2026-01-05",
        "dueDate": "2026-02-04",
        "invoiceLineItems": [{"quantity": 3, "price": 41.25, "description": "Shelving"}],
    }
    changed, issued = connector(
        (
            "UpdateRecord",
            {
                "ObjectName": "customers",
                "ExternalID": customer_id,
                "Attributes": {"phone": "555-0100"},
            },
        ),
        ("CreateRecord", {"ObjectName": "invoices", "Attributes": invoice}),
    )["answers"]
    assert changed["Success"], changed
    assert issued["Success"], issued
    invoice_id = issued["ExternalID"]
    record = {"ObjectName": "invoices", "ExternalID": invoice_id}
    archived, during, restored, after = connector(
        ("ArchiveInvoice", {"ExternalID": invoice_id}),
        ("GetRecord", record),
        ("RestoreInvoice", {"ExternalID": invoice_id}),
        ("GetRecord", record),
    )["answers"]
    assert archived["Success"], archived
    assert restored["Success"], restored
    assert (during["Fields"]["archived"], after["Fields"]["archived"]) == (True, False)
    books = sandbox.control.books(company.client)
    [kept] = [row for row in books["customers"] if row["id"] == customer_id]
    assert (kept["name"], kept["phone"]) == ("Wren Street Library", "555-0100")
    [kept] = [row for row in books["invoices"] if row["id"] == invoice_id]
    assert (kept["customerId"], kept["totalAmount"]) == (customer_id, 123.75)


def test_a_refused_invoice_comes_out_with_bills_words(connector: Calls) -> None:
    [refused] = connector(("CreateRecord", {"ObjectName": "invoices", "Attributes": {}}))["answers"]
    assert (refused["Success"], refused["StatusCode"]) == (False, 400)
    assert "customer" in refused["ErrorMessage"]


def test_a_bad_password_is_its_own_login_error(connector: Calls) -> None:
    [tested] = connector(("TestConnection", {}), password="not-the-password")["answers"]
    assert not tested["Success"]
    assert tested["Message"].startswith("Bill.com connection failed: Bill.com login failed (HTTP 4")
    error = connector(fetch("customers"), password="not-the-password")["error"]
    assert "Bill.com login failed (HTTP 4" in error["text"]


def test_a_lost_session_is_renewed_by_one_login(connector: Calls, sandbox: SandboxServer) -> None:
    script = [{"kind": "session_loss", "match": "/invoices", "times": 1}]
    sandbox.control.faults(script)
    try:
        [answer] = connector(fetch("invoices"))["answers"]
        assert [fault["hits"] for fault in sandbox.control.active_faults()] == [1]
    finally:
        sandbox.control.faults([])
    assert answer["Records"]
