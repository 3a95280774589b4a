"""PyPI ``parsons``, written for BILL's v2, against the sandbox."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import Company
from tests.public_clients.conftest import Calls

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8, part=6, together=True)]
Row = dict[str, Any]


def money(value: object) -> Decimal:
    return Decimal(str(value)).quantize(Decimal("0.01"))


def invoice_v3(row: Row) -> Row:
    return {
        "id": row["id"],
        "number": row["invoiceNumber"],
        "customer": row["customerId"],
        "dates": (row["invoiceDate"], row["dueDate"]),
        "amounts": (money(row["totalAmount"]), money(row["dueAmount"])),
        "lines": [line["id"] for line in row["invoiceLineItems"]],
        "is_active": not row["archived"],
    }


def invoice_v2(row: Row) -> Row:
    return {
        "id": row["id"],
        "number": row["invoiceNumber"],
        "customer": row["customerId"],
        "dates": (row["invoiceDate"], row["dueDate"]),
        "amounts": (money(row["amount"]), money(row["amountDue"])),
        "lines": [line["id"] for line in row["invoiceLineItems"]],
        "is_active": row["isActive"] == "1",
    }


def test_customers_invoices_and_users_equal_the_books_over_many_pages(
    parsons: Calls, sandbox: SandboxServer, company: Company
) -> None:
    customers, invoices, users = parsons(
        ("get_customer_list", {"max_customer": 7}),
        ("get_invoice_list", {"max_invoice": 60}),
        ("get_user_list", {"max_user": 2}),
    )["answers"]
    books = sandbox.control.books(company.client)
    assert len(books["invoices"]) > 120, "the invoices must fill several pages"
    for rows, name in ((customers, "customers"), (invoices, "invoices"), (users, "users")):
        assert Counter(row["id"] for row in rows) == Counter(row["id"] for row in books[name])
    true_invoices = {row["id"]: invoice_v3(row) for row in books["invoices"]}
    assert {row["id"]: invoice_v2(row) for row in invoices} == true_invoices
    assert {row["id"]: (row["name"], row["email"], row["isActive"]) for row in customers} == {
        row["id"]: (row["name"], row.get("email"), "2" if row["archived"] else "1")
        for row in books["customers"]
    }


def listed(entity: str, most: int) -> tuple[str, Row]:
    """The call behind parsons' own lists, for an entity it gives no method to."""
    data = {"start": 0, "max": most, "nested": True}
    return "_get_request_response", {"data": data, "action": "List", "object_name": entity}


def test_payables_equal_the_books_over_many_pages(
    parsons: Calls, sandbox: SandboxServer, company: Company
) -> None:
    vendors, bills, payments, credits_ = parsons(
        listed("Vendor", 9), listed("Bill", 60), listed("SentPay", 60), listed("VendorCredit", 3)
    )["answers"]
    books = sandbox.control.books(company.client)
    assert len(books["bills"]) > 120, "the bills must fill several pages"
    for rows, name in (
        (vendors, "vendors"),
        (bills, "bills"),
        (payments, "payments"),
        (credits_, "vendor-credits"),
    ):
        assert Counter(row["id"] for row in rows) == Counter(row["id"] for row in books[name])
    assert {row["id"]: (money(row["amount"]), money(row["dueAmount"])) for row in bills} == {
        row["id"]: (money(row["amount"]), money(row["dueAmount"])) for row in books["bills"]
    }
    paid = {row["id"]: sorted(pay["billId"] for pay in row["billPays"]) for row in payments}
    assert paid == {
        row["id"]: sorted(pay["billId"] for pay in row["billPayments"]) for row in books["payments"]
    }


def test_a_vendor_and_a_bill_it_creates_read_back(
    parsons: Calls, sandbox: SandboxServer, company: Company
) -> None:
    def create(entity: str, **fields: Any) -> tuple[str, Row]:
        data = {"obj": fields}
        return "_get_request_response", {"data": data, "action": "Create", "object_name": entity}

    [vendor] = parsons(create("Vendor", name="Heron Hauling"))["answers"]
    lines = [{"entity": "BillLineItem", "amount": 51.25, "description": "Haul"}]
    dates = {"invoiceNumber": "HH-1", "invoiceDate": "2026-01-05", "dueDate": "2026-02-04"}
    [bill] = parsons(create("Bill", vendorId=vendor["id"], **dates, billLineItems=lines))["answers"]
    [read] = parsons(
        (
            "_get_request_response",
            {"data": {"id": bill["id"]}, "action": "Read", "object_name": "Bill"},
        )
    )["answers"]
    assert read == bill
    books = sandbox.control.books(company.client)
    [true] = [row for row in books["bills"] if row["id"] == bill["id"]]
    assert (true["vendorName"], money(true["amount"])) == ("Heron Hauling", money("51.25"))


def test_one_customer_and_one_invoice_read_as_in_their_lists(
    parsons: Calls, sandbox: SandboxServer, company: Company
) -> None:
    true = sandbox.control.books(company.client)["invoices"][0]
    invoice, customer = parsons(
        ("read_invoice", {"invoice_id": true["id"]}),
        ("read_customer", {"customer_id": true["customerId"]}),
    )["answers"]
    assert invoice_v2(invoice) == invoice_v3(true)
    assert customer["id"] == true["customerId"]


def test_what_it_creates_and_sends_is_in_the_books(
    parsons: Calls, sandbox: SandboxServer, company: Company
) -> None:
    given = {"customer_name": "Alder Row Clinic", "customer_email": "pay@alder.example.com"}
    created, again = parsons(("get_or_create_customer", given), ("get_or_create_customer", given))[
        "answers"
    ]
    assert again["id"] == created["id"], "a customer that exists must be found, not made twice"
    user = sandbox.control.books(company.client)["users"][0]
    [invoice] = parsons(
        (
            "create_invoice",
            {
                "customer_id": created["id"],
                "invoice_number": "PARSONS-1",
                "invoice_date": "2026-01-05",
                "due_date": "2026-02-04",
                "invoice_line_items": [{"quantity": 2, "price": 20.25}],
            },
        )
    )["answers"]
    [sent] = parsons(
        (
            "send_invoice",
            {
                "invoice_id": invoice["id"],
                "from_user_id": user["id"],
                "to_email_addresses": ["pay@alder.example.com"],
                "message_subject": "Invoice PARSONS-1",
                "message_body": "Attached.",
            },
        )
    )["answers"]
    assert "error_code" not in (sent or {}), sent
    books = sandbox.control.books(company.client)
    [customer] = [row for row in books["customers"] if row["id"] == created["id"]]
    assert customer["name"] == "Alder Row Clinic"
    [true] = [row for row in books["invoices"] if row["id"] == invoice["id"]]
    assert (true["customerId"], money(true["totalAmount"])) == (created["id"], money("40.50"))


def test_a_bad_password_is_the_error_that_parsons_makes_of_bills_refusal(parsons: Calls) -> None:
    # parsons takes the session from the answer unasked: BILL's refusal, HTTP 200, has none.
    error = parsons(("get_user_list", {}), password="not-the-password")["error"]
    assert error == {"type": "KeyError", "text": "'sessionId'"}
