"""Clients that pay: MFA, payments of every kind, voids and cancellations, on both planes."""

from __future__ import annotations

from typing import Any

import pytest

from bill_pipeline.sandbox.trust import MFA_CODE
from tests.sandbox.conftest import BillClient

FUNDING = {"type": "BANK_ACCOUNT"}


def open_bill(client: BillClient, amount: float = 90.0, vendor: int = 0) -> dict[str, Any]:
    vendors = [v for v in client.get("vendors", max=50).json()["results"] if not v["archived"]]
    body = {
        "vendorId": vendors[vendor]["id"],
        "dueDate": "2026-07-20",
        "invoice": {"invoiceNumber": "PAY-1", "invoiceDate": "2026-06-20"},
        "billLineItems": [{"amount": amount, "description": "Paid by a client"}],
    }
    bill: dict[str, Any] = client.post("bills", body).json()
    return bill


def due(client: BillClient, bill: dict[str, Any]) -> float:
    amount: float = client.get(f"bills/{bill['id']}").json()["dueAmount"]
    return amount


def test_paying_needs_a_person_and_a_trusted_session(client: BillClient) -> None:
    bill = open_bill(client)
    body = {"billId": bill["id"], "amount": 90.0, "fundingAccount": FUNDING}
    refused = client.post("payments", body)
    assert (refused.status_code, refused.json()[0]["code"]) == (403, "BDC_1171")
    untrusted = BillClient(client.server, client.company, kind="user")
    refused = untrusted.post("payments", body)
    assert (refused.status_code, refused.json()[0]["code"]) == (403, "BDC_1361")
    assert untrusted.login.json()["trusted"] is False
    assert due(client, bill) == 90.0


def test_a_wrong_code_trusts_nobody_and_a_remembered_device_is_trusted(
    client: BillClient, person: BillClient
) -> None:
    challenge = person.post("mfa/challenge", {}).json()["challengeId"]
    wrong = person.post("mfa/challenge/validate", {"challengeId": challenge, "token": "000000"})
    assert (wrong.status_code, wrong.json()[0]["code"]) == (400, "BDC_1358")
    assert client.post("mfa/challenge", {}).status_code == 403
    company = person.company
    again = person.http.post(
        f"{person.server.base_url}/v3/login",
        json={
            "username": company.user_name,
            "password": company.user_password,
            "organizationId": company.organization_id,
            "devKey": person.server.dev_key,
            "rememberMeId": person.remember_id,
            "device": "test",
        },
    ).json()
    assert again["trusted"] is True


def test_a_payment_is_scheduled_and_can_be_cancelled(person: BillClient) -> None:
    bill = open_bill(person)
    body = {
        "billId": bill["id"],
        "amount": 40.0,
        "processDate": "2026-07-06",
        "fundingAccount": FUNDING,
        "description": "first half",
        "processingOptions": {"requestPayFaster": False},
    }
    answer = person.post("payments", body)
    assert answer.status_code == 201
    payment = answer.json()
    assert payment["billPayments"][0]["billId"] == bill["id"]
    assert (payment["status"], payment["singleStatus"]) == ("SCHEDULED", "SCHEDULED")
    assert (payment["amount"], payment["processDate"]) == (40.0, "2026-07-06")
    assert person.get(f"payments/{payment['id']}").json() == payment
    assert due(person, bill) == 50.0
    early = person.post(f"payments/{payment['id']}/void", {"type": "VOID_ONLY", "reason": "no"})
    assert early.status_code == 422
    cancelled = person.post(f"payments/{payment['id']}/cancel").json()
    assert (cancelled["status"], cancelled["singleStatus"]) == ("CANCELLED", "CANCELED")
    assert cancelled["cancelRequestSubmitted"] is True
    assert due(person, bill) == 90.0


def test_many_bills_are_paid_all_or_none_and_combined_per_vendor(person: BillClient) -> None:
    vendors = [v for v in person.all("vendors", max=100) if not v["archived"]]
    combining = next(
        n for n, v in enumerate(vendors) if v.get("additionalInfo", {}).get("combinePayments")
    )
    bills = [open_bill(person, 10.0 + n, vendor=combining) for n in range(3)]
    wanted = [{"billId": bill["id"], "amount": bill["amount"]} for bill in bills]
    body: dict[str, Any] = {"fundingAccount": FUNDING, "processDate": "2026-07-07"}
    too_much = [*wanted[:2], {"billId": bills[2]["id"], "amount": 9_999.0}]
    refused = person.post("payments/bulk", {**body, "payments": too_much})
    assert refused.status_code == 422
    assert [due(person, bill) for bill in bills] == [10.0, 11.0, 12.0]
    answer = person.post("payments/bulk", {**body, "payments": wanted})
    assert answer.status_code == 201
    [payment] = answer.json()
    assert (payment["amount"], len(payment["billPayments"])) == (33.0, 3)
    assert "billId" not in payment
    assert [due(person, bill) for bill in bills] == [0.0, 0.0, 0.0]


def test_a_payment_without_a_bill_makes_one(person: BillClient) -> None:
    vendor_id = person.get("vendors", max=1).json()["results"][0]["id"]
    body = {
        "vendorId": vendor_id,
        "amount": 17.5,
        "fundingAccount": FUNDING,
        "processingOptions": {"createBill": True},
    }
    payment = person.post("payments", body).json()
    bill = person.get(f"bills/{payment['billId']}").json()
    assert (bill["vendorId"], bill["amount"], bill["dueAmount"]) == (vendor_id, 17.5, 0.0)


def test_a_token_records_payments_made_elsewhere(client: BillClient) -> None:
    bills = [open_bill(client, 70.0), open_bill(client, 30.0)]
    body = {
        "vendorId": bills[0]["vendorId"],
        "processDate": "2026-06-25",
        "toPrintCheck": False,
        "syncReference": "check 1001",
        "payments": [{"billId": b["id"], "amount": b["amount"]} for b in bills],
    }
    answer = client.post("bills/record-payment", body)
    assert answer.status_code == 201
    payment = answer.json()
    assert (payment["amount"], payment["disbursementType"]) == (100.0, "OFFLINE")
    assert (payment["onlinePayment"], payment["status"]) == (False, "PAID")
    assert (payment["syncReference"], payment["toPrintCheck"]) == ("check 1001", False)
    assert [due(client, bill) for bill in bills] == [0.0, 0.0]


def test_a_vendor_credit_is_used_on_top_of_the_cash(client: BillClient) -> None:
    bill = open_bill(client, 60.0)
    credit = client.post(
        "vendor-credits",
        {
            "vendorId": bill["vendorId"],
            "referenceNumber": "CR-9",
            "creditDate": "2026-06-21",
            "vendorCreditLineItems": [{"amount": 25.0, "description": "Returned"}],
        },
    ).json()
    used = [{"id": credit["id"], "amount": 20.0}]
    body = {
        "vendorId": bill["vendorId"],
        "processDate": "2026-06-25",
        "payments": [{"billId": bill["id"], "amount": 40.0, "vendorCredits": used}],
    }
    assert client.post("bills/record-payment", body).status_code == 201
    assert due(client, bill) == 0.0
    after = client.get(f"vendor-credits/{credit['id']}").json()
    assert (after["appliedAmount"], after["status"]) == (20.0, "PARTIALLY_APPLIED")
    assert after["usage"][0]["billId"] == bill["id"]
    body["payments"] = [{"billId": open_bill(client)["id"], "amount": 1, "vendorCredits": used}]
    assert client.post("bills/record-payment", body).status_code == 422


def test_an_offline_payment_can_be_voided_by_a_token(client: BillClient) -> None:
    bill = open_bill(client, 12.0)
    body = {
        "vendorId": bill["vendorId"],
        "processDate": "2026-06-25",
        "payments": [{"billId": bill["id"], "amount": 12.0}],
    }
    payment = client.post("bills/record-payment", body).json()
    void = client.post(f"payments/{payment['id']}/void", {"type": "VOID_ONLY", "reason": "twice"})
    assert (void.json()["status"], void.json()["voidInfo"][0]["reason"]) == ("VOID", "twice")
    assert due(client, bill) == 12.0
    assert client.post(f"payments/{payment['id']}/void", {}).status_code == 422


# --- v2 ------------------------------------------------------------------------------------------


def test_v2_records_and_voids_payables(client: BillClient) -> None:
    bill = open_bill(client, 80.0)
    sent = client.v2(
        "RecordAPPayment",
        {
            "vendorId": bill["vendorId"],
            "processDate": "2026-06-26",
            "chartOfAccountId": client.get("classifications/chart-of-accounts").json()["results"][
                0
            ]["id"],
            "billPays": [{"billId": bill["id"], "amount": "80.00"}],
        },
    )["response_data"]
    assert (sent["entity"], sent["isOnline"], sent["status"]) == ("SentPay", False, "2")
    assert sent["billPays"][0]["billId"] == bill["id"]
    assert due(client, bill) == 0.0
    data = client.v2("GetDisbursementData", {"sentPayId": sent["id"]})["response_data"]
    assert data["sentPayId"] == sent["id"]
    voided = client.v2("VoidAPPayment", {"sentPayId": sent["id"]})["response_data"]
    assert voided["status"] == "4"
    assert due(client, bill) == 80.0


def test_v2_pays_bills_in_a_trusted_session_only(client: BillClient) -> None:
    bill = open_bill(client, 33.0)
    data = {"vendorId": bill["vendorId"], "billPays": [{"billId": bill["id"], "amount": 33.0}]}
    assert client.v2("PayBills", data)["response_data"]["error_code"] == "BDC_1171"
    person = BillClient(client.server, client.company, kind="user")
    assert person.v2("PayBills", data)["response_data"]["error_code"] == "BDC_1361"
    challenge = person.v2("MFAChallenge", {"useBackup": False})["response_data"]["challengeId"]
    answer = {"challengeId": challenge, "token": MFA_CODE, "deviceId": "d1", "machineName": "m"}
    mfa_id = person.v2("MFAAuthenticate", answer)["response_data"]["mfaId"]
    status = person.v2("MFAStatus", {"mfaId": mfa_id, "deviceId": "d1"})["response_data"]
    assert status == {"isTrusted": True}
    [sent] = person.v2("PayBills", data)["response_data"]["sentPays"]
    assert (sent["status"], sent["amount"]) == ("1", 33.0)
    cancelled = person.v2("CancelAPPayment", {"sentPayId": sent["id"]})["response_data"]
    assert cancelled["status"] == "3"
    assert due(client, bill) == 33.0


def test_v2_records_charges_and_voids_receivables(client: BillClient) -> None:
    invoice = next(i for i in client.all("invoices", max=100) if i["dueAmount"] > 5)
    data = {
        "customerId": invoice["customerId"],
        "paymentDate": "2026-06-28",
        "paymentType": "1",
        "amount": 5.0,
        "invoicePays": [{"invoiceId": invoice["id"], "amount": 5.0}],
    }
    received = client.v2("RecordARPayment", data)["response_data"]
    assert (received["entity"], received["status"], received["paymentType"]) == (
        "ReceivedPay",
        "0",
        "1",
    )
    left = client.get(f"invoices/{invoice['id']}").json()["dueAmount"]
    assert round(invoice["dueAmount"] - left, 2) == 5.0
    voided = client.v2("VoidARPayment", {"id": received["id"]})["response_data"]
    assert voided["status"] == "1"
    assert client.get(f"invoices/{invoice['id']}").json()["dueAmount"] == invoice["dueAmount"]
    assert client.v2("ChargeCustomer", data)["response_data"]["error_code"] == "BDC_1171"


def test_v2_money_on_account_needs_no_invoice(client: BillClient) -> None:
    customer_id = client.all("customers", max=100)[0]["id"]
    data = {"customerId": customer_id, "paymentDate": "2026-06-28", "paymentType": "5"}
    received = client.v2("RecordARPayment", {**data, "amount": 44.0})["response_data"]
    assert (received["unappliedAmount"], received["invoicePays"]) == (44.0, [])


@pytest.mark.parametrize("operation", ["VoidAPPayment", "CancelAPPayment", "GetDisbursementData"])
def test_v2_unknown_payments_are_not_found(operation: str, person: BillClient) -> None:
    envelope = person.v2(operation, {"sentPayId": "stp01ABCDEFGHIJabcde"})
    assert envelope["response_data"]["error_code"] == "BDC_1205"
