"""What is known of BILL's API, one row per fact, asked of the sandbox as any client would.

A row is (section of the facts, what is known, the request, what must be true of the answer). The
sections are those of BILL's API as we know it: 1 sessions, 2 v3, 4 pages and filters, 5 errors,
6 webhooks, 8 what a sandbox must have. v2 (section 3) is ``test_facts_v2.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest

from bill_pipeline.sandbox.lists import LISTS
from tests.sandbox.conftest import BillClient

ID = re.compile(r"[0-9a-z]{3}0[12][A-Z]{10}[a-z0-9]{5}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00")
MOMENT = "2026-01-01T00:00:00.000Z"


class Fact(NamedTuple):
    section: str
    known: str
    method: str
    path: str
    holds: Callable[[httpx.Response], bool]
    parameters: Mapping[str, Any] = MappingProxyType({})
    body: Any = None


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def is_page(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and isinstance(answer.json()["results"], list)


def is_array(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and isinstance(answer.json(), list)


def error(status: int, code: str = "BDC_1143") -> Callable[[httpx.Response], bool]:
    """An array of one error object with every field that BILL's samples show."""

    def holds(answer: httpx.Response) -> bool:
        (one,) = answer.json()
        fields = {"timestamp", "code", "severity", "category", "message", "params"}
        is_whole = fields <= set(one) and TIME.fullmatch(one["timestamp"]) is not None
        is_json = answer.headers["content-type"] == "application/json"
        return is_json and is_whole and (answer.status_code, one["code"]) == (status, code)

    return holds


def newest_first(answer: httpx.Response) -> bool:
    times = [row["updatedTime"] for row in rows(answer)]
    return len(times) > 1 and times == sorted(times, reverse=True)


def has(*names: str) -> Callable[[httpx.Response], bool]:
    return lambda answer: answer.status_code == 200 and set(names) <= set(answer.json())


FACTS = [
    # --- sessions
    Fact("1.3", "session", "GET", "login/session", has("organizationId", "userId", "mfaStatus")),
    Fact("1.3", "organizations", "GET", "login/organizations", is_page),
    Fact("1.3", "health", "GET", "health", has("appId", "appEnv", "appVersion", "bdcRegion")),
    Fact("1.3", "no session list", "GET", "session", error(404, "BDC_1121")),
    Fact("1.3", "no organization list", "GET", "organizations", error(404, "BDC_1121")),
    Fact("1.5", "tokens do not read the organization", "GET", "organizations/{org}",
         error(403, "BDC_1171")),
    Fact("1.5", "nor vendor bank accounts", "GET", "vendors/{vendor}/bank-account",
         error(403, "BDC_1171")),
    # --- lists and odd envelopes
    *(
        Fact("2.2", row.name, "GET", row.path.replace("{organization_id}", "{org}"), is_page)
        for row in LISTS.values()
    ),
    Fact("2.2", "contacts", "GET", "customers/{customer}/contacts", is_page),
    Fact("2.2", "customer banks", "GET", "customers/{customer}/bank-accounts", is_page),
    Fact("2.2", "bank users", "GET", "funding-accounts/banks/users", is_page,
         {"currentUser": "true"}),
    Fact("2.2", "card users", "GET", "funding-accounts/cards/users", is_page),
    Fact("2.2", "cards are an object", "GET", "funding-accounts/cards", has("rates", "cards")),
    Fact("2.2", "one card", "GET", "funding-accounts/cards/x", error(404, "BDC_1205")),
    Fact("2.2", "AP cards are an array", "GET", "funding-accounts/ap-cards", is_array),
    Fact("2.2", "permissions", "GET", "funding-accounts/permissions", has("organization", "user")),
    Fact("2.2", "documents", "GET", "documents/bills/{bill}", is_page, {"max": 5}),
    Fact("2.2", "attachments of vendors", "GET", "attachments/vendors/{vendor}", is_page),
    Fact("2.2", "attachments of customers", "GET", "attachments/customers/{customer}", is_page),
    Fact("2.2", "attachments of invoices", "GET", "attachments/invoices/{invoice}", is_page),
    Fact("2.2", "policies are an array", "GET", "bill-approvals/policies", is_array),
    Fact("2.2", "no user, nothing that waits for one", "GET",
         "bill-approvals/pending-user-approvals", error(403, "BDC_1171")),
    Fact("2.2", "audit trail is an array", "GET", "reports/audit-trail/vendor/{vendor}", is_array),
    Fact("2.2", "exports", "GET", "exports", is_page),
    Fact("2.2", "an export", "GET", "exports/x/download-link", error(404, "BDC_1205")),
    Fact("2.2", "statements by date take no page", "GET", "organizations/{org}/billing-statements",
         error(400), {"invoiceDateFrom": "2026-01-01", "max": 5}),
    Fact("2.2", "recurringbills has no hyphen", "GET", "recurring-bills", error(404, "BDC_1121")),
    Fact("2.2", "recurring-invoices has one", "GET", "recurringinvoices", error(404, "BDC_1121")),
    Fact("2.2", "not in v3", "GET", "money-movements", error(404, "BDC_1121")),
    # --- objects
    Fact("2.1", "ids", "GET", "bills", lambda a: all(ID.fullmatch(row["id"]) for row in rows(a))),
    Fact("2.1", "times", "GET", "bills",
         lambda a: all(TIME.fullmatch(row["updatedTime"]) for row in rows(a))),
    Fact("2.1", "unpopulated fields are left out", "GET", "bills", lambda a: "null" not in a.text,
         {"max": 100}),
    Fact("2.1", "money is a number", "GET", "bills",
         lambda a: all(type(r["amount"]) in (int, float) for r in rows(a))),
    Fact("2.3", "a bill", "GET", "bills/{bill}",
         has("id", "archived", "vendorId", "vendorName", "amount", "fundingAmount", "exchangeRate",
         "paidAmount",
             "dueAmount", "scheduledAmount", "creditAmount", "dueDate", "invoice", "billLineItems",
         "paymentStatus",
             "approvalStatus", "createdTime", "updatedTime")),
    Fact("2.3", "a payment", "GET", "payments/{payment}",
         has("id", "amount", "vendorId", "billPayments", "processDate", "fundingAccount", "status",
         "singleStatus",
             "disbursementType", "disbursementStatus", "onlinePayment", "createdTime",
         "updatedTime")),
    Fact("2.3", "payments are never archived", "GET", "payments",
         lambda a: all("archived" not in r for r in rows(a))),
    Fact("2.3", "credits are not restored", "POST", "vendor-credits/{credit}/restore",
         error(404, "BDC_1121")),
    Fact("2.4", "invoice lines have no amount", "GET", "invoices/{invoice}",
         lambda a: all("amount" not in line for line in a.json()["invoiceLineItems"])),
    Fact("2.4", "reads give customerId", "GET", "invoices/{invoice}",
         has("customerId", "totalAmount", "dueAmount")),
    Fact("2.4", "creates need customer", "POST", "invoices", error(400), {}, {"customerId": "x"}),
    Fact("2.5", "terms are not archived", "POST", "organizations/{org}/payment-terms/x/archive",
         error(404, "BDC_1121")),
    Fact("2.6", "banks name their account", "GET", "funding-accounts/banks",
         lambda a: all("chartOfAccountId" in row for row in rows(a))),
    # --- pages, filters, sort
    *(
        Fact("4.1", f"max={text}", "GET", "bills", error(400), {"max": text})
        for text in ("0", "101", "-1", "many")
    ),
    Fact("4.1", "20 rows unless asked", "GET", "bills", lambda a: len(rows(a)) == 20),
    Fact("4.1", "100 rows", "GET", "bills", lambda a: len(rows(a)) == 100, {"max": 100}),
    Fact("4.1", "nextPage", "GET", "bills", lambda a: isinstance(a.json()["nextPage"], str)),
    Fact("8.3", "unknown parameters", "GET", "bills", is_page,
         {"page": "1", "per_page": "100", "start": "0"}),
    *(
        Fact("4.2", f"date as {text}", "GET", "bills", lambda a: is_page(a) and len(rows(a)) > 0,
             {"filters": f"updatedTime:gte:{text}"})
        for text in (f'"{MOMENT}"', MOMENT, "2026-01-01T00:00:00.000", "2026-01-01T00:00:00",
        "2026-01-01T00:00",
                     "2026-01-01", '"2026-01-01T00:00:00.000+00:00"',
         '"2026-01-01T00:00:00.000+0000"',
                     "2026-01-01T00:00:00Z")
    ),
    Fact("4.2", "in", "GET", "vendors", is_page, {"filters": 'billCurrency:in:"USD,CAD"'}),
    Fact("4.2", "commas mean and", "GET", "bills", is_page,
         {"filters": f'archived:eq:false,updatedTime:gte:"{MOMENT}"'}),
    Fact("4.2", "dotted fields", "GET", "bills", is_page,
         {"filters": "classifications.departmentId:eq:x"}),
    Fact("4.2", "repeated filters", "GET", "bills", is_page,
         {"filters": ["archived:eq:false", "id:ne:x"]}),
    Fact("4.2", "unknown field", "GET", "bills", error(400), {"filters": "colour:eq:red"}),
    Fact("4.2", "unknown operator", "GET", "bills", error(400), {"filters": "archived:is:true"}),
    Fact("4.2", "recurring bills have no times", "GET", "recurringbills", error(400),
         {"filters": f'updatedTime:gte:"{MOMENT}"'}),
    Fact("4.2", "payments have no archived", "GET", "payments", error(400),
         {"filters": "archived:eq:true"}),
    Fact("4.3", "descending", "GET", "bills", newest_first, {"sort": "updatedTime:desc"}),
    Fact("4.3", "two sorts", "GET", "bills", is_page, {"sort": "dueDate:asc,updatedTime:desc"}),
    Fact("4.3", "a field alone", "GET", "vendors", is_page, {"sort": "archived"}),
    Fact("4.3", "unsortable", "GET", "bills", error(400), {"sort": "vendorId:asc"}),
    Fact("4.5", "archived are shown", "GET", "vendors",
         lambda a: any(r["archived"] for r in rows(a)), {"max": 100}),
    Fact("4.5", "archived only", "GET", "vendors", lambda a: all(r["archived"] for r in rows(a)),
         {"filters": "archived:eq:true"}),
    # --- errors
    Fact("5.2", "no such object", "GET", "bills/00n01AAAAAAAAAAaaaaa", error(404, "BDC_1205")),
    Fact("5.2", "ids are case-sensitive", "GET", "bills/{bill_upper}", error(404, "BDC_1205")),
    Fact("5.2", "no such path", "GET", "nothing/here", error(404, "BDC_1121")),
    *(
        Fact("5.2", f"{method} is nothing for a list", method, "bills", error(404, "BDC_1121"), {},
         {})
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS")
    ),
    Fact("5.2", "a required field", "POST", "vendors", error(400), {}, {"email": "a@example.com"}),
    Fact("5.2", "an array is no object", "POST", "vendors", error(400), {}, []),
    Fact("5.2", "tokens do not pay", "POST", "payments", error(403, "BDC_1171"), {},
         {"billId": "x"}),
    # --- in bulk, as BILL's own collection does
    Fact("2.5", "edit many", "PATCH", "classifications/departments/bulk",
         lambda a: [row["description"] for row in a.json()] == ["Invented"], {},
         [{"id": "{department}", "description": "Invented"}]),
    Fact("2.5", "archive many", "POST", "classifications/departments/bulk/archive",
         lambda a: [row["archived"] for row in a.json()] == [True], {"ids": "{department}"}),
    Fact("2.5", "restore many", "POST", "classifications/departments/bulk/restore",
         lambda a: [row["archived"] for row in a.json()] == [False], {"ids": "{department}"}),
    Fact("2.7", "upload status", "GET", "documents/upload-status", is_array,
         {"ids": "0du01AAAAAAAAAAaaaaa"}),
    Fact("1.5", "tokens nominate nobody", "POST", "funding-accounts/banks/users/nominate",
         error(403, "BDC_1171"), {}, {"userId": "x", "bankAccountId": "y"}),
    # --- how paths are written
    Fact("8.3", "a last slash", "GET", "bills/", is_page),
    Fact("8.3", "two slashes", "GET", "/bills", is_page),
]  # fmt: skip


def _filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda found: names[found[1]], value)
    if isinstance(value, Mapping):
        return {name: _filled(one, names) for name, one in value.items()}
    return [_filled(one, names) for one in value] if isinstance(value, list) else value


@pytest.fixture
def names(client: BillClient) -> dict[str, str]:
    """Ids to fill into paths."""
    lists = {
        "bill": "bills",
        "vendor": "vendors",
        "customer": "customers",
        "invoice": "invoices",
        "payment": "payments",
        "credit": "vendor-credits",
        "department": "classifications/departments",
    }
    found = {
        name: client.get(path, max=1).json()["results"][0]["id"] for name, path in lists.items()
    }
    return {
        **found,
        "org": client.company.organization_id,
        "bill_upper": found["bill"][:5] + found["bill"][5:].swapcase(),
    }


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.section} {fact.known}")
def test_v3(fact: Fact, client: BillClient, names: dict[str, str]) -> None:
    answer = client.send(
        fact.method,
        _filled(fact.path, names),
        _filled(fact.body, names),
        **_filled(fact.parameters, names),
    )
    assert fact.holds(answer), f"{answer.status_code} {answer.text[:500]}"


@pytest.mark.parametrize("spelling", ["devKey sessionId", "devkey sessionid", "DEVKEY SESSIONID"])
def test_headers_in_any_case(spelling: str, client: BillClient) -> None:
    dev_key, session = spelling.split()
    headers = {dev_key: client.server.dev_key, session: client.session_id}
    url = f"{client.server.base_url}/v3/bills"
    assert client.http.get(url, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"sessionId": "nobody"}, 401, "BDC_1109"),
        ({"sessionId": ""}, 401, "BDC_1109"),
        ({"devKey": "nobody"}, 401, "BDC_1102"),
    ],
)
def test_wrong_headers(headers: dict[str, str], status: int, code: str, client: BillClient) -> None:
    url = f"{client.server.base_url}/v3/bills"
    answer = client.http.get(url, headers=client.headers | headers)
    assert error(status, code)(answer)


@pytest.mark.slow
def test_malformed_bodies_are_never_a_system_error(client: BillClient) -> None:
    odd: tuple[Any, ...] = ("x", {"a": []}, ["x"])
    fields = (
        "name", "vendorId", "customer", "customerId", "invoice", "invoiceDate", "dueDate", "amount",
        "creditDate", "referenceNumber", "invoiceNumber", "classifications", "salesTaxPercentage",
        "paymentDate", "paymentType", "invoices", "account", "schedule", "processDate", "bills",
    )  # fmt: skip
    vendor, customer = (
        client.get(p, max=1).json()["results"][0]["id"] for p in ("vendors", "customers")
    )
    good: dict[str, Any] = {
        "name": "Invented", "vendorId": vendor, "customerId": customer,
        "customer": {"id": customer},
        "invoice": {"invoiceNumber": "1", "invoiceDate": "2026-06-01"}, "invoiceNumber": "1",
        "invoiceDate": "2026-06-01", "dueDate": "2026-07-01", "creditDate": "2026-06-01",
        "referenceNumber": "1", "paymentDate": "2026-06-01", "paymentType": "CHECK", "amount": 5,
    }  # fmt: skip
    for lines in ("billLineItems", "invoiceLineItems", "vendorCreditLineItems",
                  "creditMemoLineItems", "recurringBillLineItems",
         "recurringInvoiceLineItems"):  # fmt: skip
        good[lines] = [{"amount": 5, "price": 5, "quantity": 1}]
    paths = [row.path for row in LISTS.values() if row.writable and "{" not in row.path]
    failed = []
    for path in (*paths, "bills/record-payment", "invoices/record-payment"):
        lines = [name for name in good if name.endswith("LineItems")]
        for name in (*fields, *lines):
            for value in odd:
                answer = client.post(path, good | {name: value})
                if answer.status_code >= 500:
                    failed.append((path, name, value))
    assert failed == []
