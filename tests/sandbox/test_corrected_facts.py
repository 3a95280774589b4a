"""What was found out about BILL's answers by running clients of others and reading its collection.

One test per fact; the facts that were known before are ``test_facts.py`` and ``test_facts_v2.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import BillClient

ZERO_ID = "0" * 20
DAYS = {"invoiceNumber": "C-1", "invoiceDate": "2026-06-01"}


def first(client: BillClient, path: str) -> dict[str, Any]:
    row: dict[str, Any] = client.get(path, max=1).json()["results"][0]
    return row


def new_bill(client: BillClient, amount: float = 90.0, **more: Any) -> dict[str, Any]:
    vendor_id = more.pop("vendorId", None) or first(client, "vendors")["id"]
    lines = [{"amount": amount, "description": "Tea"}]
    body = {"vendorId": vendor_id, "dueDate": "2026-07-01", "invoice": DAYS, **more}
    bill: dict[str, Any] = client.post("bills", {"billLineItems": lines, **body}).json()
    return bill


def v2_rows(client: BillClient, entity: str, **data: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.v2(f"List/{entity}", data)["response_data"]
    return rows


def only(client: BillClient, entity: str, field: str, value: str) -> list[dict[str, Any]]:
    return v2_rows(client, entity, filters=[{"field": field, "op": "=", "value": value}])


# --- v2 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entity", "parent", "field", "path"),
    [
        ("Bill", "BillApprover", "billId", "bills"),
        ("VendorCredit", "VendorCreditApprover", "vendorCreditId", "vendor-credits"),
        ("RecurringBill", "RecurringBillApprover", "recurringBillId", "recurringbills"),
    ],
)
def test_an_approvers_place_in_the_order_is_a_number(
    entity: str, parent: str, field: str, path: str, client: BillClient
) -> None:
    if path == "recurringbills":
        body = {"vendorId": first(client, "vendors")["id"]}
        client.post(path, {**body, "recurringBillLineItems": [{"amount": 5.0}]})
    document = client.all(path, max=100)[-1]
    users = [user["id"] for user in client.all("users", max=100)[:2]]
    target = {"entity": entity, "objectId": document["id"]}
    client.v2("SetApprovers", {**target, "approvers": users})
    listed = only(client, parent, field, document["id"])
    assert [(row["usersId"], row["sortOrder"]) for row in listed] == [(users[0], 0), (users[1], 1)]
    assert [type(row["sortOrder"]) for row in listed] == [int, int]
    assert {row["entity"] for row in listed} == {parent}
    assert client.v2("ListApprovers", target)["response_data"] == [
        {name: value for name, value in row.items() if name not in ("createdTime", "updatedTime")}
        for row in listed
    ]


def test_v2_payments_carry_their_confirmation_and_their_kind(person: BillClient) -> None:
    bill = new_bill(person)
    data = {"billPays": [{"billId": bill["id"], "amount": 40.0}]}
    [sent] = person.v2("PayBills", data)["response_data"]["sentPays"]
    payment = person.get(f"payments/{sent['id']}").json()
    assert sent["name"] == payment["confirmationNumber"] != payment["vendorName"]
    assert sent["voidRequests"] == []
    kind = person.v2("GetDisbursementData", {"sentPayId": sent["id"]})["response_data"]
    assert sent["paymentType"] == kind["paymentType"]
    assert [row["paymentType"] for row in sent["billPays"]] == [sent["paymentType"]]
    [listed] = only(person, "SentPay", "id", sent["id"])
    assert listed == sent


def test_a_void_shows_among_the_void_requests(client: BillClient) -> None:
    bill = new_bill(client)
    pays = {"billPays": [{"billId": bill["id"], "amount": 90.0}], "processDate": "2026-06-20"}
    sent = client.v2("RecordAPPayment", pays)["response_data"]
    void = {"sentPayId": sent["id"], "voidRequestType": "VOID_ONLY", "reason": "twice"}
    [request] = client.v2("VoidAPPayment", void)["response_data"]["voidRequests"]
    assert (request["type"], request["reason"]) == ("VOID_ONLY", "twice")


@pytest.mark.parametrize("as_text", [True, False])
def test_the_paid_amount_of_an_unpaid_bill_is_null(as_text: bool, client: BillClient) -> None:
    client.server.control.switches(v2_paid_amount_text=as_text)
    bill = new_bill(client)
    [unpaid] = only(client, "Bill", "id", bill["id"])
    assert unpaid["paidAmount"] is None
    pays = {"billPays": [{"billId": bill["id"], "amount": 30.0}], "processDate": "2026-06-20"}
    client.v2("RecordAPPayment", pays)
    [partly] = only(client, "Bill", "id", bill["id"])
    assert partly["paidAmount"] == ("30.00" if as_text else 30.0)


def test_v2_writes_no_reference_as_zeros(client: BillClient, person: BillClient) -> None:
    """Every member of every row that names an object: an id, or the zero id."""
    new_bill(client)
    assert person.post("users", {"email": "no.role@example.com"}).status_code == 201
    bank = {"nameOnAccount": "Us", "accountNumber": "12345"}
    assert person.post("funding-accounts/banks", bank).status_code == 201
    client.v2("Crud/Create/RecurringInvoice", {"obj": {
        "customerId": first(client, "customers")["id"],
        "recurringInvoiceLineItems": [{"quantity": 1, "price": 2.0}]}})  # fmt: skip
    for entity in ("Vendor", "Customer", "Bill", "VendorCredit", "RecurringBill", "SentPay",
                   "BillPay", "Invoice", "ReceivedPay", "CreditMemo", "RecurringInvoice",
                   "ChartOfAccount", "Item", "BankAccount", "User", "MoneyMovement"):  # fmt: skip
        for row in v2_rows(client, entity, nested=True, max=50):
            assert _no_reference_is_zeros(row), (entity, row)


def _no_reference_is_zeros(row: dict[str, Any]) -> bool:
    parts = [part for value in row.values() if isinstance(value, list) for part in value]
    named = {name: value for name, value in row.items() if name.endswith("Id") and name != "taxId"}
    is_right = all(isinstance(value, str) and len(value) == 20 for value in named.values())
    return is_right and all(_no_reference_is_zeros(part) for part in parts)


@pytest.mark.parametrize("none", ["", ZERO_ID])
def test_empty_text_and_the_zero_id_both_mean_none(none: str, client: BillClient) -> None:
    account = first(client, "classifications/chart-of-accounts")["id"]
    bill = new_bill(client, payFromChartOfAccountId=account)
    for obj in ({"payFromChartOfAccountId": account}, {"payFromChartOfAccountId": none}):
        update = {"obj": {"entity": "Bill", "id": bill["id"], **obj}}
        row = client.v2("Crud/Update/Bill", update)["response_data"]
        wanted = obj["payFromChartOfAccountId"] or ZERO_ID
        assert row["payFromChartOfAccountId"] == wanted
        shown = client.get(f"bills/{bill['id']}").json().get("payFromChartOfAccountId", ZERO_ID)
        assert shown == wanted
    filters = [{"field": "payFromChartOfAccountId", "op": "=", "value": none},
               {"field": "id", "op": "=", "value": bill["id"]}]  # fmt: skip
    assert [row["id"] for row in v2_rows(client, "Bill", filters=filters)] == [bill["id"]]
    made = new_bill(client, payFromChartOfAccountId=none, classifications={"departmentId": none})
    assert {"payFromChartOfAccountId", "classifications"} & made.keys() == set()
    emptied = {"payFromChartOfAccountId": none}
    patched = new_bill(client, payFromChartOfAccountId=account)
    after = client.send("PATCH", f"bills/{patched['id']}", emptied).json()
    assert "payFromChartOfAccountId" not in after


# --- v3 lists ------------------------------------------------------------------------------------


def test_bills_are_filtered_by_their_approval(person: BillClient) -> None:
    bill = new_bill(person)
    user = person.login.json()["userId"]
    person.v2("SetApprovers", {"objectId": bill["id"], "approvers": [user]})
    asked = {"filters": "approvalStatus:eq:ASSIGNED", "sort": "createdTime:desc"}
    answer = person.get("bills", **asked)
    assert answer.status_code == 200
    found = answer.json()["results"]
    assert bill["id"] in [row["id"] for row in found]
    assert {row["approvalStatus"] for row in found} == {"ASSIGNED"}
    times = [row["createdTime"] for row in found]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("status", ["OPEN", "SCHEDULED", "PARTIAL_PAYMENT", "PAID_IN_FULL"])
def test_invoices_are_filtered_by_their_status(status: str, client: BillClient) -> None:
    answer = client.get("invoices", filters=f"status:eq:{status}", max=100)
    assert answer.status_code == 200
    shown = {row["id"] for row in client.all("invoices", filters=f"status:eq:{status}", max=100)}
    of_status = {row["id"] for row in client.all("invoices", max=100) if row["status"] == status}
    assert shown == of_status


# --- v3 writes -----------------------------------------------------------------------------------


def test_an_invoice_needs_only_a_customer_and_lines(client: BillClient) -> None:
    customer = first(client, "customers")
    lines = [{"quantity": 2, "description": "Sticks", "price": 14.99}]
    body = {"customer": {"id": customer["id"]}, "invoiceLineItems": lines}
    numbered = {**body, "invoiceNumber": "202502", "dueDate": "2026-12-31",
                "processingOptions": {"sendEmail": False}}  # fmt: skip
    answer = client.post("invoices", numbered)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["invoiceDate"], made["dueDate"]) == ("2026-06-30", "2026-12-31")
    assert (made["totalAmount"], made["invoiceNumber"]) == (29.98, "202502")
    least = client.post("invoices", body).json()
    assert least["invoiceNumber"]
    assert least["dueDate"] == "2026-06-30"
    [row] = only(client, "Invoice", "id", made["id"])
    assert row["invoiceDate"] == "2026-06-30"


def test_an_invoice_may_bring_its_customer(client: BillClient) -> None:
    customer = {"name": "Larch Studio", "email": "ap@larch.example.com"}
    body = {"customer": customer, "invoiceLineItems": [{"quantity": 1, "price": 5.0}]}
    made = client.post("invoices", body).json()
    read = client.get(f"customers/{made['customerId']}").json()
    assert {**read, **customer} == read
    nameless = {**body, "customer": {"email": "ap@larch.example.com"}}
    assert client.post("invoices", nameless).status_code == 400


def test_a_bank_account_made_over_v3_has_its_user(client: BillClient, person: BillClient) -> None:
    body = {"nameOnAccount": "Agatha Ffringe", "routingNumber": "074000010", "type": "CHECKING",
            "accountNumber": "111222333", "ownerType": "BUSINESS", "bankName": "Chase"}  # fmt: skip
    made = person.post("funding-accounts/banks", body)
    assert made.status_code == 201
    bank = made.json()
    assert (bank["accountNumber"], bank["status"]) == ("*****2333", "PENDING")
    user_id = person.login.json()["userId"]
    for one in (client, person):
        answer = one.get("funding-accounts/banks/users")
        assert answer.status_code == 200
        users = {row["bankAccountId"]: row["userId"] for row in answer.json()["results"]}
        assert users[bank["id"]] == user_id
    assert only(person, "BankAccount", "id", bank["id"])[0]["bankName"] == "Chase"


def test_permissions_say_what_the_organization_and_the_user_may(
    client: BillClient, person: BillClient
) -> None:
    shape = {"organization": {"card": {"payByCard", "fundingEnabled", "amexAllowed"},
                              "wallet": {"fundingEnabled"}}, "user": {"payOnline"}}  # fmt: skip
    for one, pays in ((client, False), (person, True)):
        answer = one.get("funding-accounts/permissions").json()
        assert answer.keys() == shape.keys()
        assert answer["organization"].keys() == {"card", "wallet"}
        assert set(answer["organization"]["card"]) == {"payByCard", "fundingEnabled", "amexAllowed"}
        assert set(answer["organization"]["wallet"]) == {"fundingEnabled"}
        assert answer["user"] == {"payOnline": pays}


def test_mfa_phones_show_their_last_four_digits(person: BillClient) -> None:
    assert person.get("mfa/phones").json() == {
        "results": [{"type": "MOBILE", "last4digits": "0100", "primary": True}]
    }


def test_policies_are_made_replaced_and_deleted(person: BillClient) -> None:
    user = person.get("users", max=1).json()["results"][0]
    body = {
        "policyName": "Large bills",
        "rules": [{"key": "BILL_AMOUNT", "op": "gte", "values": ["100000"]}],
        "approvers": [user["id"]],
    }
    made = person.post("bill-approvals/policies", body)
    assert made.status_code == 201
    policy, path = made.json(), f"bill-approvals/policies/{made.json()['id']}"
    name = f"{user['firstName']} {user['lastName']}"
    assert policy["approvers"]["users"] == [{"userId": user["id"], "fullName": name}]
    assert policy["rules"][0]["values"] == [{"value": "100000", "displayName": "100000"}]
    assert policy in person.get("bill-approvals/policies").json()
    edited = person.send("PUT", path, {**body, "policyName": "Larger bills"})
    assert (edited.status_code, edited.json()["policyName"]) == (200, "Larger bills")
    assert person.send("PUT", path, policy).json() == policy
    for spoilt in ({**body, "approvers": ["nobody"]}, {**body, "policyName": ""},
                   {**body, "rules": [{"key": "BILL_AMOUNT", "values": ["much"]}]}):  # fmt: skip
        assert person.post("bill-approvals/policies", spoilt).status_code == 400
    assert "id" in new_bill(person)
    assert person.send("DELETE", path).status_code == 200
    assert policy["id"] not in [one["id"] for one in person.get("bill-approvals/policies").json()]


def test_exchange_rates_are_of_a_vendors_currency(client: BillClient) -> None:
    vendor = client.post("vendors", {"name": "Kontor Nord", "billCurrency": "EUR"}).json()
    asked = {"vendorId": vendor["id"], "amount": "250", "baseCurrency": "USD"}
    answer = client.get("payments/exchange-rate", **asked)
    assert answer.status_code == 200, answer.text
    rate = answer.json()
    assert (rate["paymentCurrency"], rate["baseCurrency"]) == ("EUR", "USD")
    assert rate["exchangeRate"] > 0
    assert set(rate["amountRange"]) == {"from", "to"}
    assert rate["expirationTime"] > "2026-06-30T18:00"
    assert client.get("payments/exchange-rate").status_code == 400
    assert client.get("payments/exchange-rate", vendorId="009x").status_code == 404


def test_card_funding_has_its_purposes(client: BillClient) -> None:
    asked = {"vendorId": first(client, "vendors")["id"], "brand": "VISA"}
    results = client.get("funding-accounts/cards/funding-purposes", **asked).json()["results"]
    assert results
    assert all(set(row) == {"category", "subCategories"} for row in results)
    assert all(isinstance(row["subCategories"], list) for row in results)


def test_what_waits_for_a_user_is_no_tokens_to_read(client: BillClient, person: BillClient) -> None:
    refused = client.get("bill-approvals/pending-user-approvals")
    assert (refused.status_code, refused.json()[0]["code"]) == (403, "BDC_1171")
    assert "bills" in person.get("bill-approvals/pending-user-approvals").json()


# --- where money comes from and goes to ----------------------------------------------------------


def funding_accounts(client: BillClient) -> dict[str, dict[str, Any]]:
    [card] = client.get("funding-accounts/cards").json()["cards"]
    [ap_card] = client.get("funding-accounts/ap-cards").json()
    return {
        "WALLET": {"type": "WALLET"},
        "CARD_ACCOUNT": {"type": "CARD_ACCOUNT", "id": card["id"]},
        "AP_CARD": {"type": "AP_CARD", "id": ap_card["id"]},
    }


def test_cards_are_listed_and_read(client: BillClient) -> None:
    body = client.get("funding-accounts/cards").json()
    [card] = body["cards"]
    assert body["rates"]["defaultCardAccountId"] == card["id"]
    assert {"status", "last4", "brand", "type", "nameOnAccount", "expiration"} <= card.keys()
    assert client.get(f"funding-accounts/cards/{card['id']}").json() == card
    [user] = client.get("funding-accounts/cards/users").json()["results"]
    assert (user["cardAccountId"], user["verificationStatus"]) == (card["id"], "VERIFIED")
    [ap_card] = client.get("funding-accounts/ap-cards").json()
    assert {"id", "status", "nameOnAccount", "balance", "limit"} <= ap_card.keys()


@pytest.mark.parametrize("kind", ["WALLET", "CARD_ACCOUNT", "AP_CARD"])
def test_payments_are_funded_from_wallets_and_cards(kind: str, person: BillClient) -> None:
    funding = funding_accounts(person)[kind]
    bill = new_bill(person)
    body = {"billId": bill["id"], "amount": 90.0, "fundingAccount": funding}
    answer = person.post("payments", body)
    assert answer.status_code == 201, answer.text
    assert person.get(f"payments/{answer.json()['id']}").json()["fundingAccount"] == funding
    # v2 has no field for what is no bank account.
    [sent] = only(person, "SentPay", "id", answer.json()["id"])
    assert sent["bankAccountId"] == ZERO_ID


def test_what_funds_nothing_is_refused(person: BillClient) -> None:
    body = {"billId": new_bill(person)["id"], "amount": 90.0}
    card_id = funding_accounts(person)["CARD_ACCOUNT"]["id"]
    for funding in ({}, {"type": "PIGGY_BANK"}, {"type": "BANK_ACCOUNT", "id": "bac01NOBANK"},
                    {"type": "AP_CARD", "id": card_id}):  # fmt: skip
        assert person.post("payments", {**body, "fundingAccount": funding}).status_code == 400
    data = {"bankAccountId": "bac01NOBANK", "billPays": [body]}
    refused = person.v2("PayBills", data)["response_data"]
    assert refused["error_code"] == "BDC_1143"


@pytest.mark.parametrize("kind", ["WALLET", "CARD_ACCOUNT", "AP_CARD", "BANK_ACCOUNT"])
def test_receipts_come_from_and_go_into_any_account(kind: str, client: BillClient) -> None:
    bank = {"type": "BANK_ACCOUNT", "id": first(client, "funding-accounts/banks")["id"]}
    account = {**funding_accounts(client), "BANK_ACCOUNT": bank}[kind]
    invoice = next(one for one in client.all("invoices", max=100) if one["dueAmount"] > 5)
    made = client.server.control.edit(
        client.company.client, "receive", customer_id=invoice["customerId"], amount=5.0,
        invoices={invoice["id"]: 5.0}, funding=account, into=account,
    )  # fmt: skip
    receipt = client.get(f"receivable-payments/{made['id']}").json()
    assert (receipt["fundingAccount"], receipt["receivablesAccount"]) == (account, account)
    [row] = only(client, "ReceivedPay", "id", made["id"])
    assert row["payToBankAccountId"] == (bank["id"] if kind == "BANK_ACCOUNT" else ZERO_ID)
    assert row["depositToAccountId"] == ZERO_ID


@pytest.mark.parametrize("kind", ["WALLET", "CARD_ACCOUNT", "AP_CARD"])
def test_a_test_pays_from_any_account(kind: str, client: BillClient) -> None:
    """… and the refund of a void goes back where the money came from: there is but one account."""
    funding, bill = funding_accounts(client)[kind], new_bill(client)
    control, name = client.server.control, client.company.client
    paid = control.edit(name, "pay", bill_ids=[bill["id"]], funding=funding)
    assert paid["fundingAccount"] == funding
    movements = len(v2_rows(client, "MoneyMovement"))
    control.edit(name, "payments", payment_id=paid["id"], single_status="VOIDED",
                 void_type="VOID_ONLY")  # fmt: skip
    voided = client.get(f"payments/{paid['id']}").json()
    assert (voided["fundingAccount"], voided["status"]) == (funding, "VOID")
    assert len(v2_rows(client, "MoneyMovement")) == movements
