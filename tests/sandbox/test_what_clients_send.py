"""Whatever a client sends in a create or an edit, of every object on both planes.

One whole body per object; every value and member of it is taken and spoilt in turn, so that what
holds for one object holds for all: BILL's members and no others are stored, a number is a number
however it was written, a reference exists or there is none, and nothing that was accepted makes
any later read fail.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from bill_pipeline.sandbox.lists import LISTS
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.v2_entities import ENTITIES
from tests.sandbox.conftest import BillClient

pytestmark = pytest.mark.rotating(days=8)

ZERO_ID = "0" * 20
#: Never a number, though some of it looks like one to a programming language.
NO_NUMBERS = ("NaN", "Infinity", "-inf", "12,50", "1_000", "0x1F", "１２", "twelve", True, [1],
              {"value": 1}, 1e300, "1e400")  # fmt: skip
#: What no member of BILL's takes in every place, and what some take.
JUNK = (None, "", "x", ZERO_ID, 0, -1, 2.5, 1e-300, 1e15, True, [], {}, ["x"], [{}], {"x": "y"},
        "2026-02-30")  # fmt: skip
#: What empties or misshapes a member of what is there already.
EDIT_JUNK = (None, "", ZERO_ID, 1e15, [], {}, ["x"])
Path = tuple[str | int, ...]


def first_ids(client: BillClient) -> dict[str, str]:
    """One existing object of every list that others name."""
    paths = {name: LISTS[name].path for name in LISTS}
    paths["payment-terms"] = f"organizations/{client.company.organization_id}/payment-terms"
    found = {}
    for name in ("vendors", "customers", "chart-of-accounts", "bank-accounts", "roles",
                 "payment-terms"):  # fmt: skip
        found[name] = client.get(paths[name], max=1).json()["results"][0]["id"]
    for name in ("accounting-classes", "departments", "locations", "jobs", "items"):
        found[name] = client.post(paths[name], {"name": f"First of {name}"}).json()["id"]
    found["employees"] = client.post(paths["employees"], {"firstName": "Ada"}).json()["id"]
    return found


def v3_bodies(ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """A body with every kind of member, by path."""
    codes = {
        "chartOfAccountId": ids["chart-of-accounts"],
        "accountingClassId": ids["accounting-classes"],
        "departmentId": ids["departments"],
        "locationId": ids["locations"],
        "jobId": ids["jobs"],
        "itemId": ids["items"],
    }
    whole = {name: codes[name] for name in ("accountingClassId", "departmentId", "locationId")}
    line = {
        "amount": 12.5,
        "quantity": 2.5,
        "price": 5.0,
        "description": "Line",
        "classifications": {**codes, "employeeId": ids["employees"],
                            "customerId": ids["customers"]},
    }  # fmt: skip
    sales = {"quantity": 2.5, "price": 5.0, "description": "Line", "classifications": codes}
    schedule = {"period": "MONTHLY", "frequency": 1, "nextDueDate": "2026-08-01",
                "endDate": "2027-08-01", "daysInAdvance": 5}  # fmt: skip
    address = {"line1": "1 A St", "city": "B", "zipOrPostalCode": "01234", "country": "US"}
    bank = {"nameOnAccount": "Us", "accountNumber": "111222333", "routingNumber": "074000010",
            "type": "CHECKING", "ownerType": "BUSINESS"}  # fmt: skip
    memo = {**sales, "taxable": True}
    return {
        "vendors": {
            "name": "Wren Supply",
            "accountType": "BUSINESS",
            "email": "ap@wren.example.com",
            "address": address,
            "paymentInformation": {"payeeName": "Wren", "payByType": "ACH", "bankAccount": bank},
            "additionalInfo": {
                "taxId": "12-3456789",
                "track1099": True,
                "leadTimeInDays": 3,
                "paymentTermId": ids["payment-terms"],
            },
            "autoPay": {"enabled": False, "maxAmount": 250.75, "daysBeforeDueDate": 2},
            "billCurrency": "USD",
        },
        "customers": {
            "name": "Alder Clinic",
            "contact": {"firstName": "A", "lastName": "B"},
            "paymentTermId": ids["payment-terms"],
            "billingAddress": address,
        },
        "bills": {
            "vendorId": ids["vendors"],
            "dueDate": "2026-07-01",
            "invoice": {"invoiceNumber": "W-1", "invoiceDate": "2026-06-01"},
            "billLineItems": [line],
            "description": "Tea",
            "purchaseOrderNumber": "PO-1",
            "payFromChartOfAccountId": ids["chart-of-accounts"],
            "classifications": whole,
        },
        "vendor-credits": {
            "vendorId": ids["vendors"],
            "referenceNumber": "VC-1",
            "creditDate": "2026-06-01",
            "applyToChartOfAccountId": ids["chart-of-accounts"],
            "vendorCreditLineItems": [line],
        },
        "recurringbills": {
            "vendorId": ids["vendors"],
            "schedule": schedule,
            "recurringBillLineItems": [line],
            "processingOptions": {"autoPayment": True},
            "paymentInformation": {"bankAccountId": ids["bank-accounts"]},
        },
        "invoices": {
            "customer": {"id": ids["customers"]},
            "invoiceNumber": "W-2",
            "invoiceDate": "2026-06-01",
            "dueDate": "2026-07-01",
            "invoiceLineItems": [sales],
            "salesTaxItemId": ids["items"],
            "salesTaxPercentage": 8.25,
            "classifications": whole,
            "enableCardPayment": False,
        },
        "credit-memos": {
            "customerId": ids["customers"],
            "referenceNumber": "CM-1",
            "creditDate": "2026-06-01",
            "creditMemoLineItems": [memo],
            "payToBankAccountId": ids["bank-accounts"],
        },
        "recurring-invoices": {
            "customerId": ids["customers"],
            "recurringInvoiceLineItems": [memo],
            "schedule": schedule,
            "classifications": whole,
        },
        "classifications/chart-of-accounts": {
            "name": "Tea",
            "account": {"type": "EXPENSE", "number": "6100"},
            "parentId": ids["chart-of-accounts"],
        },
        "classifications/items": {
            "name": "Pallet",
            "type": "SERVICE",
            "price": 3.25,
            "purchaseCost": 2.5,
            "percentage": 1.5,
            "taxable": True,
            "chartOfAccountId": ids["chart-of-accounts"],
        },
        "classifications/employees": {"firstName": "A", "lastName": "B"},
        **{
            f"classifications/{name}": {"name": "New", "description": "One", "parentId": ids[name]}
            for name in ("accounting-classes", "departments", "locations", "jobs")
        },
        "organizations/{org}/payment-terms": {"name": "Net 7", "daysDue": 7},
        "users": {"firstName": "A", "lastName": "B", "email": "a@b.example.com",
                  "roleId": ids["roles"]},
        "funding-accounts/banks": {
            **bank,
            "bankName": "Invented Bank",
            "accessToAdmins": True,
            "default": {"payables": False, "receivables": False},
            "chartOfAccountId": ids["chart-of-accounts"],
        },
        "customers/{customer}/contacts": {"firstName": "Ada", "email": "ada@example.com"},
        "customers/{customer}/bank-accounts": {**bank, "bankName": "Theirs"},
        "vendors/{vendor}/bank-account": bank,
    }  # fmt: skip


V3 = (
    "vendors", "customers", "bills", "vendor-credits", "recurringbills", "invoices",
    "credit-memos", "recurring-invoices", "users", "funding-accounts/banks",
    "organizations/{org}/payment-terms", "customers/{customer}/contacts",
    "customers/{customer}/bank-accounts", "vendors/{vendor}/bank-account",
    *(f"classifications/{name}" for name in (
        "chart-of-accounts", "accounting-classes", "departments", "locations", "jobs",
        "employees", "items")),
)  # fmt: skip
#: v3 path → the v2 entity of the same object, and its body in v2's words.
V2 = {
    "Vendor": {"name": "V2", "address1": "1 A St", "payBy": "1", "track1099": "true",
               "paymentTermId": "{payment-terms}"},
    "Customer": {"name": "V2", "billAddress1": "1 A St", "contactFirstName": "C"},
    "Bill": {"vendorId": "{vendors}", "invoiceNumber": "V2-1", "invoiceDate": "2026-06-01",
             "dueDate": "2026-07-01", "glPostingDate": "2026-05-31",
             "departmentId": "{departments}",
             "billLineItems": [{"entity": "BillLineItem", "amount": 12.5, "quantity": 2.5,
                                "unitPrice": 5.0, "chartOfAccountId": "{chart-of-accounts}",
                                "actgClassId": "{accounting-classes}"}]},
    "VendorCredit": {"vendorId": "{vendors}", "refNumber": "V2-2", "creditDate": "2026-06-01",
                     "vendorCreditLineItems": [{"amount": 12.5, "itemId": "{items}"}]},
    "RecurringBill": {"vendorId": "{vendors}", "timePeriod": "2", "frequencyPerTimePeriod": 1,
                      "nextDueDate": "2026-08-01", "daysInAdvance": 5,
                      "recurringBillLineItems": [{"amount": 12.5, "jobId": "{jobs}"}]},
    "Invoice": {"customerId": "{customers}", "invoiceDate": "2026-06-01", "dueDate": "2026-07-01",
                "jobId": "{jobs}", "salesTaxPercentage": 8.25,
                "invoiceLineItems": [{"quantity": 2.5, "price": 5.0, "itemId": "{items}"}]},
    "CreditMemo": {"customerId": "{customers}", "refNumber": "V2-3", "creditDate": "2026-06-01",
                   "creditMemoLineItems": [{"quantity": 2.5, "price": 5.0}]},
    "RecurringInvoice": {"customerId": "{customers}", "timePeriod": "2",
                         "frequencyPerTimePeriod": 1, "nextDueDate": "2026-08-01",
                         "recurringInvoiceLineItems": [{"quantity": 2.5, "price": 5.0}]},
    "ChartOfAccount": {"name": "V2", "accountType": "7", "accountNumber": "6999",
                       "parentChartOfAccountId": "{chart-of-accounts}"},
    "Item": {"name": "V2", "type": "1", "price": 3.25, "chartOfAccountId": "{chart-of-accounts}"},
    "Employee": {"firstName": "V2", "lastName": "Employee"},
    "PaymentTerm": {"name": "V2", "dueMinDays": 7},
    "User": {"firstName": "A", "lastName": "B", "email": "a@b.example.com", "profileId": "{roles}"},
    "BankAccount": {"nameOnAcct": "Us", "accountNumber": "111222333", "bankName": "Bank",
                    "routingNumber": "074000010", "chartOfAccountId": "{chart-of-accounts}"},
    "CustomerContact": {"customerId": "{customers}", "firstName": "Ada", "phone": "1"},
    **{name: {"name": "V2", "description": "One"}
       for name in ("ActgClass", "Department", "Location", "Job")},
}  # fmt: skip


@pytest.fixture(scope="module")
def person(server: SandboxServer) -> BillClient:
    """One session for all: thousands of requests, of which none pays anything."""
    server.control.switches(hourly_limit=1_000_000)
    return BillClient(server, server.companies[1], kind="user")


@pytest.fixture(scope="module")
def ids(person: BillClient) -> dict[str, str]:
    return first_ids(person)


def v3_path(path: str, client: BillClient, ids: dict[str, str]) -> str:
    return path.format(
        org=client.company.organization_id, customer=ids["customers"], vendor=ids["vendors"]
    )


def v2_body(entity: str, ids: dict[str, str]) -> dict[str, Any]:
    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [filled(one) for one in value]
        return value.format(**ids) if isinstance(value, str) else value

    return {"entity": entity, **filled(V2[entity])}


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every member and every plain value of a body."""
    if path:
        yield path, value
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = enumerate(value)
    for name, one in pairs:
        yield from leaves(one, (*path, name))


def spoilt(body: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The body with another value at a path; ``...`` takes the member away."""
    body = copy.deepcopy(body)
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return body


def numbers(body: dict[str, Any]) -> list[Path]:
    return [path for path, value in leaves(body) if type(value) in (int, float)]


def references(body: dict[str, Any]) -> list[Path]:
    return [
        path for path, _ in leaves(body) if str(path[-1]).endswith("Id") and path[-1] != "taxId"
    ]


def shape(document: dict[str, Any]) -> Any:
    """A document without what differs between two creates of the same body."""
    if isinstance(document, list):
        return [shape(one) for one in document]
    if isinstance(document, dict):
        other = {"id", "createdTime", "updatedTime", "billId", "invoiceNumber", "refNumber"}
        other |= {f"{name}Id" for name in ("vendorCredit", "recurringBill", "invoice",
                                           "creditMemo", "recurringInvoice")}  # fmt: skip
        return {name: shape(one) for name, one in document.items() if name not in other}
    return document


def names_in(value: Any) -> set[str]:
    return {str(name) for path, _ in leaves(value) for name in path}


def create(client: BillClient, plane: str, name: str, body: dict[str, Any]) -> tuple[int, Any]:
    """(v3's status, the document): v2 answers 200 always, and says by its code what is wrong."""
    if plane == "v3":
        answer = client.post(name, body)
        return answer.status_code, answer.json()
    envelope = client.v2(f"Crud/Create/{name}", {"obj": body})
    data = envelope["response_data"]
    if envelope["response_status"] == 0:
        return 201, data
    return {"BDC_1143": 400, "BDC_1205": 404}.get(data["error_code"], 500), data


def everything_reads(client: BillClient) -> None:
    """Every list of both planes, and what else follows from objects, is still answered."""
    paths = [row.path.replace("{organization_id}", client.company.organization_id)
             for row in LISTS.values()]  # fmt: skip
    paths += ["funding-accounts/banks/users", "funding-accounts/cards/users",
              "funding-accounts/permissions", "bill-approvals/pending-user-approvals"]  # fmt: skip
    failed = [path for path in paths if client.get(path, max=100).status_code != 200]
    made_here = [{"field": "updatedTime", "op": ">", "value": "2026-06-30T18:00:00.000+0000"}]
    data = {"nested": True, "filters": made_here, "max": 1_000}
    lists = {one: client.v2(f"List/{one}", data) for one in ENTITIES}
    failed += [one for one, envelope in lists.items() if envelope["response_status"] != 0]
    assert failed == []


PLANES = [*(("v3", path) for path in V3), *(("v2", entity) for entity in V2)]


@pytest.fixture
def named(
    request: pytest.FixtureRequest, person: BillClient, ids: dict[str, str]
) -> tuple[str, str, dict[str, Any]]:
    plane, name = request.param
    if plane == "v3":
        return plane, v3_path(name, person, ids), v3_bodies(ids)[name]
    return plane, name, v2_body(name, ids)


def with_some(parts: Callable[[dict[str, Any]], list[Path]]) -> list[tuple[str, str]]:
    """The objects that have any such parts."""
    bodies = {"v3": v3_bodies(defaultdict(str)), "v2": V2}
    return [(plane, name) for plane, name in PLANES if parts(bodies[plane][name])]


def objects(planes: list[tuple[str, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("named", planes, ids="-".join, indirect=True)


Named = tuple[str, str, dict[str, Any]]


@objects(with_some(numbers))
def test_a_number_as_text_is_stored_as_the_number(named: Named, person: BillClient) -> None:
    plane, name, body = named
    status, made = create(person, plane, name, body)
    assert status == 201, made
    for path in numbers(body):
        value = dict(leaves(body))[path]
        for text in (str(value), f" {value}", f"{value}e0", f"+{value}"):
            status, again = create(person, plane, name, spoilt(body, path, text))
            assert (status, shape(again)) == (201, shape(made)), (path, text)


@objects(with_some(numbers))
def test_what_is_no_number_is_refused_by_name(named: Named, person: BillClient) -> None:
    plane, name, body = named
    for path in numbers(body):
        for value in NO_NUMBERS:
            status, error = create(person, plane, name, spoilt(body, path, value))
            assert status == 400, (path, value, error)


@objects(PLANES)
def test_unknown_members_are_not_stored_and_refused_only_if_switched(
    named: Named, person: BillClient
) -> None:
    plane, name, body = named
    objects = [(), *(path for path, value in leaves(body) if isinstance(value, dict))]
    spoilt_bodies = [spoilt(body, (*path, "colour"), {"hue": 7}) for path in objects]
    for one in spoilt_bodies:
        status, made = create(person, plane, name, one)
        assert (status, "colour" in names_in(made)) == (201, False), made
    person.server.control.switches(unknown_members_refused=True)
    try:
        for one in spoilt_bodies:
            status, error = create(person, plane, name, one)
            assert (status, "colour: unknown field" in str(error)) == (400, True), error
        assert create(person, plane, name, body)[0] == 201
    finally:
        person.server.control.switches(unknown_members_refused=False)


@objects(with_some(references))
def test_a_reference_exists_or_there_is_none(named: Named, person: BillClient) -> None:
    plane, name, body = named
    for path in references(body):
        for value in ("00n01NOSUCHOBJECTxyz", "x", 7, ["x"]):
            status, error = create(person, plane, name, spoilt(body, path, value))
            assert status in (400, 404), (path, value, error)
        absent = create(person, plane, name, spoilt(body, path, ...))
        for value in ("", ZERO_ID, None):
            status, made = create(person, plane, name, spoilt(body, path, value))
            assert (status, shape(made)) == (absent[0], shape(absent[1])), (path, value)


@objects(PLANES)
def test_nothing_accepted_breaks_a_later_read(named: Named, person: BillClient) -> None:
    plane, name, body = named
    for path, _ in leaves(body):
        for value in (..., *JUNK):
            status, made = create(person, plane, name, spoilt(body, path, value))
            assert status in (200, 201, 400, 404, 422), (path, value, made)
    everything_reads(person)


@objects([one for one in PLANES if not one[1].endswith("/bank-account")])
def test_nothing_edited_breaks_a_later_read(named: Named, person: BillClient) -> None:
    plane, name, body = named
    object_id = create(person, plane, name, body)[1]["id"]
    for path, _ in leaves(body):
        for value in (..., *EDIT_JUNK):
            whole = {"id": object_id, **spoilt(body, path, value)}
            if plane == "v2":
                assert _code(person.v2(f"Crud/Update/{name}", {"obj": whole})) != "BDC_1001"
                continue
            top = str(path[0])
            for method, change in (("PATCH", {top: whole.get(top)}), ("PUT", whole)):
                answer = person.send(method, f"{name}/{object_id}", change)
                assert answer.status_code in (200, 400, 404, 422), (method, path, value)
    everything_reads(person)


def _code(envelope: dict[str, Any]) -> str:
    return str((envelope["response_data"] or {}).get("error_code", ""))


def operations(client: BillClient, ids: dict[str, str]) -> dict[str, tuple[str, str, Any]]:
    """What is no create of an object: (method or "v2", path, a body that would do)."""
    bill = client.post("bills", v3_bodies(ids)["bills"]).json()
    invoice = client.post("invoices", v3_bodies(ids)["invoices"]).json()
    user, amount = client.login.json()["userId"], 1.5
    paid = {"billId": bill["id"], "amount": amount}
    funding = {"type": "BANK_ACCOUNT", "id": ids["bank-accounts"]}
    paying = {"processDate": "2026-07-06", "fundingAccount": funding}
    options = {"requestPayFaster": False, "createBill": False}
    policy = {"policyName": "P", "rules": [{"key": "BILL_AMOUNT", "op": "gte", "values": ["1e9"]}],
              "approvers": [user]}  # fmt: skip
    received = {"customerId": invoice["customerId"], "paymentDate": "2026-06-29"}
    pays = {"vendorId": bill["vendorId"], "processDate": "2026-07-06", "billPays": [paid]}
    used = {"billId": bill["id"], "vendorCreditId": "x", "amount": amount}
    listing = {"start": 0, "max": 5, "nested": True, "sort": [{"field": "amount", "asc": True}],
               "filters": [{"field": "amount", "op": ">", "value": 1}]}  # fmt: skip
    address = {"line1": "1 Invented Way", "city": "Elm"}
    return {
        "pay": ("POST", "payments", {**paying, **paid, "processingOptions": options}),
        "pay many": ("POST", "payments/bulk", {**paying, "payments": [paid]}),
        "record payment": ("POST", "bills/record-payment", {
            "vendorId": bill["vendorId"], "processDate": "2026-06-29", "toPrintCheck": False,
            "payments": [{**paid, "vendorCredits": [{"id": "x", "amount": amount}]}]}),
        "record receipt": ("POST", "invoices/record-payment", {
            **received, "paymentType": "CHECK", "amount": amount,
            "invoices": [{"id": invoice["id"], "amount": amount}]}),
        "policy": ("POST", "bill-approvals/policies", policy),
        "act": ("POST", "bill-approvals/actions", [{"billId": bill["id"], "action": "APPROVE"}]),
        "nominate": ("POST", "funding-accounts/banks/users/nominate", {
            "bankAccountId": ids["bank-accounts"], "userId": user}),
        "verify": ("POST", f"funding-accounts/banks/{ids['bank-accounts']}/verify", {
            "depositAmount": 0.5}),
        "organization": ("PATCH", f"organizations/{client.company.organization_id}", {
            "address": address, "phone": "555-0100"}),
        "v2 list": ("v2", "List/Bill", listing),
        "v2 payments": ("v2", "ListPayments", {"disbursementStatus": "0", "start": 0, "max": 5}),
        "v2 files": ("v2", "GetDocuments", {"id": bill["id"], "start": 0, "max": 5}),
        "v2 upload": ("v2", "UploadAttachment", {"id": bill["id"], "fileName": "a.pdf",
                                                 "document": "QQ=="}),
        "v2 pay": ("v2", "PayBills", {**pays, "bankAccountId": ids["bank-accounts"]}),
        "v2 record payment": ("v2", "RecordAPPayment", {
            **pays, "chartOfAccountId": ids["chart-of-accounts"], "billCredits": [used],
            "toPrintCheck": "false"}),
        "v2 record receipt": ("v2", "RecordARPayment", {
            **received, "paymentType": "1", "amount": amount,
            "depositToAccountId": ids["chart-of-accounts"],
            "invoicePays": [{"invoiceId": invoice["id"], "amount": amount}]}),
        "v2 void": ("v2", "VoidAPPayment", {"sentPayId": "x", "voidRequestType": "1"}),
        "v2 approvers": ("v2", "SetApprovers", {"entity": "Bill", "objectId": bill["id"],
                                                "approvers": [user]}),
        "v2 vendor bank": ("v2", "Crud/Create/VendorBankAccount", {"obj": {
            "vendorId": ids["vendors"], "accountNumber": "12345", "routingNumber": "074000010",
            "isSavings": False}}),
        "v2 bulk": ("v2", "Bulk/Crud/Create/Vendor", {"bulk": [{"obj": {"name": "Bulk"}}]}),
    }  # fmt: skip


def test_no_operation_fails_on_what_it_is_told(person: BillClient, ids: dict[str, str]) -> None:
    person.server.control.switches(users_are_trusted=True)
    for name, (method, path, body) in operations(person, ids).items():
        spoilt_bodies = [spoilt({"": body}, ("", *at), value)[""]
                         for at, _ in leaves(body) for value in (..., *JUNK)]  # fmt: skip
        for one in spoilt_bodies:
            if method == "v2":
                assert "BDC_1001" not in str(person.v2(path, one)), (name, one)
            else:
                answer = person.send(method, path, one)
                assert answer.status_code < 500, (name, one, answer.text)
    everything_reads(person)
    assert person.post("bills", v3_bodies(ids)["bills"]).status_code == 201


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_json_does_not_have_are_refused(
    literal: str, person: BillClient, ids: dict[str, str]
) -> None:
    line = f'"billLineItems": [{{"amount": {literal}}}]'
    bill = f'{{"vendorId": "{ids["vendors"]}", "dueDate": "2026-07-01", {line}, '
    v3 = bill + '"invoice": {"invoiceNumber": "1", "invoiceDate": "2026-06-01"}}'
    answer = person.send("POST", "bills", v3.encode())
    assert (answer.status_code, answer.json()[0]["code"]) == (400, "BDC_1143")
    v2 = '{"obj": ' + bill + '"invoiceNumber": "1", "invoiceDate": "2026-06-01"}}'
    form = {"devKey": person.server.dev_key, "sessionId": person.session_id, "data": v2}
    url = f"{person.server.v2_url}/Crud/Create/Bill.json"
    envelope: httpx.Response = person.http.post(url, data=form)
    assert _code(envelope.json()) == "BDC_1143"
