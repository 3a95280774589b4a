"""Whatever else clients write: every list, files, approvals, contacts, and v2's Crud."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.sandbox.conftest import BillClient

LINE = {"amount": 12.5, "description": "Line"}
SALES_LINE = {"quantity": 2, "price": 6.25, "description": "Line"}


def body_of(client: BillClient, path: str) -> dict[str, Any]:
    """A body with which BILL would make a new object of a list."""
    vendor_id = client.get("vendors", max=1).json()["results"][0]["id"]
    customer_id = client.get("customers", max=1).json()["results"][0]["id"]
    invoice = {"invoiceNumber": "W-1", "invoiceDate": "2026-06-01"}
    bodies: dict[str, dict[str, Any]] = {
        "vendors": {"name": "Wren Supply", "address": {"line1": "1 A St", "country": "US"}},
        "customers": {"name": "Alder Clinic", "email": "ap@alder.example.com"},
        "bills": {
            "vendorId": vendor_id,
            "dueDate": "2026-07-01",
            "invoice": invoice,
            "billLineItems": [LINE],
        },
        "vendor-credits": {
            "vendorId": vendor_id,
            "referenceNumber": "VC-1",
            "creditDate": "2026-06-01",
            "vendorCreditLineItems": [LINE],
        },
        "recurringbills": {
            "vendorId": vendor_id,
            "recurringBillLineItems": [LINE],
            "schedule": {"period": "MONTHLY", "frequency": 1, "nextDueDate": "2026-08-01"},
        },
        "invoices": {
            "customer": {"id": customer_id},
            "invoiceNumber": "W-2",
            "invoiceDate": "2026-06-01",
            "dueDate": "2026-07-01",
            "invoiceLineItems": [SALES_LINE],
        },
        "credit-memos": {
            "customerId": customer_id,
            "referenceNumber": "CM-1",
            "creditDate": "2026-06-01",
            "creditMemoLineItems": [SALES_LINE],
        },
        "recurring-invoices": {
            "customerId": customer_id,
            "recurringInvoiceLineItems": [SALES_LINE],
            "schedule": {"period": "MONTHLY", "frequency": 1},
        },
        "classifications/chart-of-accounts": {"name": "Tea", "account": {"type": "EXPENSE"}},
        "classifications/items": {"name": "Pallet", "type": "SERVICE", "price": 3.0},
        "classifications/employees": {"firstName": "A", "lastName": "B"},
    }
    return bodies.get(path, {"name": f"New {path}"})


WRITTEN = (
    "vendors",
    "customers",
    "bills",
    "vendor-credits",
    "recurringbills",
    "invoices",
    "credit-memos",
    "recurring-invoices",
    *(
        f"classifications/{name}"
        for name in (
            "chart-of-accounts",
            "accounting-classes",
            "departments",
            "locations",
            "jobs",
            "employees",
            "items",
        )
    ),
)


@pytest.mark.parametrize("path", WRITTEN)
def test_create_edit_replace_archive_and_bulk(path: str, client: BillClient) -> None:
    body = body_of(client, path)
    answer = client.post(path, body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert client.get(f"{path}/{made['id']}").json() == made
    assert made["archived"] is False
    assert "" not in made.values()
    assert None not in made.values()
    for field, value in made.items():
        if field.endswith("LineItems"):
            assert all(len(line["id"]) == 20 for line in value)
            assert made.get("amount", made.get("totalAmount", 12.5)) == 12.5
    # An employee has no description.
    field = "shortName" if path.endswith("employees") else "description"
    edited = client.send("PATCH", f"{path}/{made['id']}", {field: "Edited"}).json()
    assert (edited[field], edited["id"]) == ("Edited", made["id"])
    assert edited["updatedTime"] > made["updatedTime"]
    replaced = client.send("PUT", f"{path}/{made['id']}", body)
    assert replaced.status_code == 200, replaced.text
    assert field not in replaced.json()
    assert client.post(f"{path}/{made['id']}/archive").json()["archived"] is True
    many = client.post(f"{path}/bulk", [body, body])
    assert many.status_code == 201
    assert len({row["id"] for row in many.json()}) == 2


def test_put_needs_the_whole_object(client: BillClient) -> None:
    bill = client.post("bills", body_of(client, "bills")).json()
    refused = client.send("PUT", f"bills/{bill['id']}", {"billLineItems": [LINE]})
    assert refused.status_code == 400
    assert refused.json()[0]["message"] == "vendorId: The vendorId field is required"


def test_amounts_follow_lines_on_every_document(client: BillClient) -> None:
    for path, lines, amount in (
        ("bills", "billLineItems", "amount"),
        ("vendor-credits", "vendorCreditLineItems", "amount"),
        ("credit-memos", "creditMemoLineItems", "amount"),
        ("invoices", "invoiceLineItems", "totalAmount"),
    ):
        made = client.post(path, body_of(client, path)).json()
        row = SALES_LINE if "price" in made[lines][0] else LINE
        changed = client.send("PATCH", f"{path}/{made['id']}", {lines: [row, row]}).json()
        assert changed[amount] == 25.0, path
        if "dueAmount" in changed:
            assert changed["dueAmount"] == 25.0, path
        assert changed[lines][0]["id"] != changed[lines][1]["id"]


def test_a_line_sent_without_classifications_loses_them(client: BillClient) -> None:
    body = body_of(client, "bills")
    account = client.get("classifications/chart-of-accounts").json()["results"][0]["id"]
    coded = {**LINE, "classifications": {"chartOfAccountId": account}}
    bill = client.post("bills", {**body, "billLineItems": [coded]}).json()
    line = bill["billLineItems"][0]
    assert line["classifications"]["chartOfAccountId"] == account
    sent = {"id": line["id"], "amount": 12.5, "description": "again"}
    [after] = client.send("PATCH", f"bills/{bill['id']}", {"billLineItems": [sent]}).json()[
        "billLineItems"
    ]
    assert after["id"] == line["id"]
    assert "classifications" not in after


def test_what_bill_decides_cannot_be_set(client: BillClient) -> None:
    bill = client.post("bills", body_of(client, "bills")).json()
    body = {"amount": 1.0, "paidAmount": 1.0, "paymentStatus": "PAID", "id": "other"}
    after = client.send("PATCH", f"bills/{bill['id']}", body).json()
    assert (after["id"], after["amount"], after["paidAmount"]) == (bill["id"], 12.5, 0.0)
    assert after["paymentStatus"] == "UNPAID"


@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        ("documents", "bills"),
        ("attachments", "vendors"),
        ("attachments", "customers"),
        ("attachments", "invoices"),
    ],
)
def test_files_are_uploaded_listed_and_downloaded(
    kind: str, parent: str, client: BillClient
) -> None:
    parent_id = client.get(parent, max=1).json()["results"][0]["id"]
    path = f"{kind}/{parent}/{parent_id}"
    made = client.send("POST", path, b"%PDF-1.4 content", name="scan.pdf")
    assert made.status_code == 201
    file = made.json()
    assert file["id"].startswith("00h")
    assert file["name"] == "scan.pdf"
    assert file in client.all(path, max=100)
    assert client.get(f"{kind}/{file['id']}").json() == file
    fetched = client.http.get(file["downloadLink"], headers=client.headers)
    assert fetched.content == b"%PDF-1.4 content"
    assert fetched.headers["content-type"] == "application/pdf"
    assert client.http.get(file["downloadLink"]).status_code == 401
    assert client.send("POST", path, b"x").json()[0]["message"].startswith("name:")
    if kind == "attachments":
        assert client.send("DELETE", f"attachments/{file['id']}").status_code == 200
        assert file not in client.all(path, max=100)
        assert client.get(f"attachments/{file['id']}").status_code == 404


def test_contacts_are_made_changed_and_archived(client: BillClient) -> None:
    customer_id = client.get("customers", max=1).json()["results"][0]["id"]
    path = f"customers/{customer_id}/contacts"
    made = client.post(path, {"firstName": "Ada", "email": "ada@example.com"})
    assert made.status_code == 201
    single = f"{path}/{made.json()['id']}"
    assert client.send("PATCH", single, {"phone": "555-0102"}).json()["phone"] == "555-0102"
    assert client.post(f"{single}/archive").json()["archived"] is True
    assert client.post(f"{single}/restore").json() in client.all(path, max=100)


def test_a_vendors_bank_account_is_for_people(client: BillClient, person: BillClient) -> None:
    vendor = client.post("vendors", {"name": "Bank Test"}).json()
    path = f"vendors/{vendor['id']}/bank-account"
    account = {"nameOnAccount": "Bank Test", "accountNumber": "12345678", "routingNumber": "0"}
    assert client.post(path, account).status_code == 403
    assert person.post(path, account).json()["accountNumber"] == "*****5678"
    assert client.get(path).status_code == 403
    assert person.get(path).json()["vendorId"] == vendor["id"]
    assert person.send("DELETE", path).status_code == 200
    assert person.get(path).status_code == 404


def test_a_policy_gives_new_bills_approvers_who_act(person: BillClient) -> None:
    users = [user["id"] for user in person.all("users", max=100)]
    policy = {
        "policyName": "Large bills",
        "rules": [{"key": "BILL_AMOUNT", "op": "gte", "values": ["1000"]}],
        "approvers": users[:2],
    }
    made = person.post("bill-approvals/policies", policy)
    assert made.status_code == 201
    policy_id = made.json()["id"]
    assert [row["userId"] for row in made.json()["approvers"]["users"]] == users[:2]
    try:
        assert made.json() in person.get("bill-approvals/policies").json()
        large = {**LINE, "amount": 1_500.0}
        body = {**body_of(person, "bills"), "billLineItems": [large]}
        bill = person.post("bills", body).json()
        assert bill["approvalStatus"] == "ASSIGNED"
        assert [row["status"] for row in bill["approvers"]] == ["WAITING", "WAITING"]
        waiting = person.get("bill-approvals/pending-user-approvals").json()["bills"]
        assert bill["id"] in {row["billId"] for row in waiting}
        action = {"billId": bill["id"], "action": "APPROVE", "comment": "yes"}
        assert person.post("bill-approvals/actions", [action]).status_code == 200
        assert person.get(f"bills/{bill['id']}").json()["approvalStatus"] == "APPROVING"
        done = person.post("bill-approvals/actions", {**action, "action": "deny"}).json()
        assert done["approvalStatus"] == "DENIED"
        small = person.post("bills", body_of(person, "bills")).json()
        assert "approvers" not in small
    finally:
        assert person.send("DELETE", f"bill-approvals/policies/{policy_id}").status_code == 200


def test_people_and_bank_accounts_are_not_a_tokens_to_write(
    client: BillClient, person: BillClient
) -> None:
    user = {"firstName": "New", "lastName": "User", "email": "new@example.com"}
    bank = {"nameOnAccount": "Us", "bankName": "Invented Bank", "accountNumber": "*****1"}
    assert client.post("users", user).status_code == 403
    made = person.post("users", user)
    assert made.status_code == 201
    assert made.json() in client.all("users", max=100)
    body = {**bank, "name": "Main"}
    assert client.post("funding-accounts/banks", body).status_code == 403
    assert person.post("funding-accounts/banks", body).status_code == 201


# --- v2 ------------------------------------------------------------------------------------------


def v2_objects(client: BillClient) -> dict[str, dict[str, Any]]:
    vendor_id = client.get("vendors", max=1).json()["results"][0]["id"]
    customer_id = client.get("customers", max=1).json()["results"][0]["id"]
    dates = {"invoiceDate": "2026-06-01", "dueDate": "2026-07-01"}
    line = {"entity": "BillLineItem", "amount": "12.50", "description": "Line"}
    sales = {"entity": "InvoiceLineItem", "quantity": 2, "price": 6.25, "itemId": "0" * 20}
    return {
        "Vendor": {"name": "V2 Vendor", "address1": "1 A St", "addressCity": "B", "payBy": "1"},
        "Customer": {"name": "V2 Customer", "billAddress1": "1 A St", "contactFirstName": "C"},
        "Bill": {
            "vendorId": vendor_id,
            "invoiceNumber": "V2-1",
            **dates,
            "glPostingDate": "2026-05-31",
            "billLineItems": [line],
        },
        "VendorCredit": {
            "vendorId": vendor_id,
            "refNumber": "V2-2",
            "creditDate": "2026-06-01",
            "vendorCreditLineItems": [line],
        },
        "Invoice": {"customerId": customer_id, **dates, "invoiceLineItems": [sales]},
        "CreditMemo": {
            "customerId": customer_id,
            "refNumber": "V2-3",
            "creditDate": "2026-06-01",
            "creditMemoLineItems": [sales],
        },
        "RecurringBill": {
            "vendorId": vendor_id,
            "timePeriod": "2",
            "frequencyPerTimePeriod": "1",
            "nextDueDate": "2026-08-01",
            "recurringBillLineItems": [line],
        },
        "ChartOfAccount": {"name": "V2 account", "accountType": "7", "accountNumber": "6999"},
        "ActgClass": {"name": "V2 class"},
        "Department": {"name": "V2 department"},
        "Location": {"name": "V2 location"},
        "Job": {"name": "V2 job"},
        "Employee": {"firstName": "V2", "lastName": "Employee"},
        "Item": {"name": "V2 item", "type": "1", "price": "3.00"},
    }


SAME_NAMES = ("name", "invoiceNumber", "refNumber", "accountType", "accountNumber", "timePeriod")


@pytest.mark.parametrize(
    "entity",
    [
        "Vendor",
        "Customer",
        "Bill",
        "VendorCredit",
        "Invoice",
        "CreditMemo",
        "RecurringBill",
        "ChartOfAccount",
        "ActgClass",
        "Department",
        "Location",
        "Job",
        "Employee",
        "Item",
    ],
)
def test_v2_crud_round_trips(entity: str, client: BillClient) -> None:
    given = {"entity": entity, **v2_objects(client)[entity]}
    made = client.v2(f"Crud/Create/{entity}", {"obj": given})
    assert made["response_status"] == 0, made
    row = made["response_data"]
    for name in SAME_NAMES:
        if name in given:
            assert row[name] == given[name]
    if "amount" in row:
        assert row["amount"] == 12.5
    if entity == "Bill":
        assert row["glPostingDate"] == "2026-05-31"
    data = {"id": row["id"]}
    assert client.v2(f"Crud/Read/{entity}", data)["response_data"] == row
    field = "shortName" if entity == "Employee" else "description"
    update = {**row, field: "Edited"}
    edited = client.v2(f"Crud/Update/{entity}", {"obj": update})["response_data"]
    assert edited.get(field, "Edited") == "Edited"
    assert edited["updatedTime"] > row["updatedTime"]
    for field in SAME_NAMES:
        assert edited.get(field) == row.get(field)
    assert client.v2(f"Crud/Delete/{entity}", data)["response_data"]["isActive"] == "2"
    assert client.v2(f"Crud/Undelete/{entity}", data)["response_data"]["isActive"] == "1"
    bulk = {"bulk": [{"obj": given}, {"obj": {"entity": entity}}]}
    [answer] = client.v2(f"Bulk/Crud/Create/{entity}", bulk)["response_data"]
    good, bad = answer["bulk"]
    assert good["response_data"]["id"] != row["id"]
    assert bad["response_status"] == (0 if entity == "Employee" else 1)


def test_v2_lists_its_errors_without_a_session(client: BillClient) -> None:
    client.session_id = ""
    codes = client.v2("Errors")["response_data"]
    assert {"BDC_1101", "BDC_1109", "BDC_1144"} <= {row["error_code"] for row in codes}


def test_v2_attachments_come_as_a_form_and_as_base64(client: BillClient) -> None:
    bill_id = client.get("bills", max=1).json()["results"][0]["id"]
    form = {
        "devKey": client.server.dev_key,
        "sessionId": client.session_id,
        "data": f'{{"id": "{bill_id}", "fileName": "form.pdf"}}',
    }
    made = client.http.post(
        f"{client.server.v2_url}/UploadAttachment.json",
        data=form,
        files={"file": ("form.pdf", b"%PDF form", "application/pdf")},
    ).json()
    assert made["response_status"] == 0, made
    text = base64.b64encode(b"%PDF base64").decode()
    data = {"id": bill_id, "fileName": "base64.pdf", "document": text}
    assert client.v2("UploadAttachment", data)["response_status"] == 0
    files = client.v2("GetDocuments", {"id": bill_id, "start": 0, "max": 99})["response_data"]
    by_name = {row["fileName"]: row for row in files["documents"]}
    for name, content in (("form.pdf", b"%PDF form"), ("base64.pdf", b"%PDF base64")):
        fetched = client.http.get(by_name[name]["fileUrl"], headers=client.headers)
        assert fetched.content == content


def test_v2_approvals(client: BillClient) -> None:
    bill = client.post("bills", body_of(client, "bills")).json()
    person = BillClient(client.server, client.company, kind="user")
    user_id = person.login.json()["userId"]
    target = {"entity": "Bill", "objectId": bill["id"]}
    assert client.v2("SetApprovers", {**target, "approvers": [user_id]})["response_status"] == 0
    [row] = client.v2("ListApprovers", target)["response_data"]
    assert (row["usersId"], row["status"]) == (user_id, "0")
    waiting = person.v2("ListUserApprovals", {"usersId": user_id})["response_data"]
    assert bill["id"] in {one["id"] for one in waiting}
    assert client.v2("Approve", target)["response_data"]["error_code"] == "BDC_1171"
    assert person.v2("Approve", target)["response_status"] == 0
    read = client.v2("Crud/Read/Bill", {"id": bill["id"]})["response_data"]
    assert read["approvalStatus"] == "3"
