"""v2's payables: vendors, bills, credits, payments and their parts, from the books' documents.

Each function writes one row (or the rows) of one document; the table of entities is
``v2_entities``.
"""

from __future__ import annotations

from collections.abc import Iterable

from bill_pipeline.sandbox import v2_codes as codes
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.v2_codes import reference, timed
from bill_pipeline.sandbox.v2_lines import payable_lines


def vendor(books: Organization, v: Document) -> Document:
    address, pay = v.get("address", {}), v.get("paymentInformation", {})
    more = v.get("additionalInfo", {})
    return {
        "name": v["name"],
        "shortName": v.get("shortName"),
        "nameOnCheck": pay.get("payeeName"),
        "companyName": more.get("companyName", v["name"]),
        "accNumber": v.get("accountNumber"),
        "taxId": more.get("taxId"),
        "track1099": bool(more.get("track1099")),
        "address1": address.get("line1"),
        "address2": address.get("line2"),
        "addressCity": address.get("city"),
        "addressState": address.get("stateOrProvince"),
        "addressZip": address.get("zipOrPostalCode"),
        "addressCountry": address.get("countryName"),
        "email": v.get("email"),
        "phone": v.get("phone"),
        "payBy": codes.PAY_BY.get(pay.get("payByType", ""), "0"),
        "paymentEmail": pay.get("email"),
        "mergedIntoId": reference(books.merged_into.get(v["id"])),
        "accountType": "1",
        "paymentTermId": reference(more.get("paymentTermId")),
        "billCurrency": v.get("billCurrency"),
    }


def bill(books: Organization, b: Document) -> Document:
    facts = books.v2_facts.get(b["id"], {})
    invoice = b["invoice"]
    return {
        "vendorId": b.get("vendorId"),
        "invoiceNumber": invoice.get("invoiceNumber"),
        "approvalStatus": codes.APPROVAL.get(b["approvalStatus"], "0"),
        "invoiceDate": invoice["invoiceDate"],
        "dueDate": b.get("dueDate"),
        "glPostingDate": facts.get("glPostingDate", invoice["invoiceDate"]),
        "amount": b["amount"],
        "localAmount": b["amount"],
        "exchangeRate": b.get("exchangeRate"),
        "scheduledAmount": b["scheduledAmount"],
        "paidAmount": b["paidAmount"],
        "dueAmount": b["dueAmount"],
        "creditAmount": b["creditAmount"],
        "paymentStatus": codes.BILL_PAYMENT.get(b["paymentStatus"], "1"),
        "description": b.get("description"),
        "poNumber": b.get("purchaseOrderNumber"),
        "payFromBankAccountId": ZERO_ID,
        "payFromChartOfAccountId": reference(b.get("payFromChartOfAccountId")),
        "billLineItems": payable_lines(b, "billLineItems", "BillLineItem", "billId"),
    }


def vendor_credit(books: Organization, c: Document) -> Document:
    return {
        "vendorId": c["vendorId"],
        "refNumber": c.get("referenceNumber"),
        "creditDate": c["creditDate"],
        "glPostingDate": c["creditDate"],
        "approvalStatus": "0",
        "amount": c["amount"],
        "appliedAmount": c["appliedAmount"],
        "creditStatus": codes.CREDIT.get(c["status"], "0"),
        "description": c.get("description"),
        "applyToBankAccountId": reference(c.get("applyToBankAccountId")),
        "applyToChartOfAccountId": reference(c.get("applyToChartOfAccountId")),
        "vendorCreditLineItems": payable_lines(
            c, "vendorCreditLineItems", "VendorCreditLineItem", "vendorCreditId"
        ),
    }


def recurring_bill(books: Organization, r: Document) -> Document:
    schedule = r.get("schedule", {})
    return {
        "vendorId": r["vendorId"],
        "timePeriod": codes.PERIOD.get(schedule.get("period", ""), "9"),
        "frequencyPerTimePeriod": str(schedule.get("frequency", 1)),
        "nextDueDate": schedule.get("nextDueDate"),
        "endDate": schedule.get("endDate"),
        "daysInAdvance": str(schedule.get("daysInAdvance", 0)),
        "description": r.get("description"),
        "recurringBillLineItems": payable_lines(
            r, "recurringBillLineItems", "RecurringBillLineItem", "recurringBillId"
        ),
    }


def bill_pays(books: Organization, p: Document) -> Iterable[Document]:
    for row in p["billPayments"]:
        yield {
            "entity": "BillPay",
            "id": row["id"],
            "billId": row["billId"],
            "name": p.get("vendorName"),
            "paymentStatus": codes.BILL_PAY.get(p["status"], "1"),
            "amount": row["amount"],
            "description": p.get("description"),
            "processDate": p["processDate"],
            "syncReference": None,
            "toPrintCheck": False,
            "chartOfAccountId": reference(p.get("classifications", {}).get("chartOfAccountId")),
            "paymentType": codes.PAY_BY.get(p.get("disbursementType", ""), "0"),
            "sentPayId": p["id"],
            "allowExport": True,
        }


def bill_credits(books: Organization, p: Document) -> Iterable[Document]:
    for row in p["billPayments"]:
        for used in row.get("vendorCredits", ()):
            yield {
                "entity": "BillCredit",
                # v3 gives the row no id; v2's follows from what it joins.
                "id": f"bcr{row['id'][3:13]}{used['id'][8:15]}",
                "billId": row["billId"],
                "sentPayId": p["id"],
                "vendorCreditId": used["id"],
                "amount": used["amount"],
            }


def sent_pay(books: Organization, p: Document) -> Document:
    funding = p.get("fundingAccount", {})
    return {
        "processDate": p["processDate"],
        "amount": p["amount"],
        "status": codes.SENT_PAY.get(p["status"], "1"),
        "description": p.get("description"),
        "txnNumber": p.get("transactionNumber"),
        "name": p.get("vendorName"),
        "vendorId": p["vendorId"],
        "isOnline": p["onlinePayment"],
        "chartOfAccountId": reference(p.get("classifications", {}).get("chartOfAccountId")),
        "syncReference": None,
        "toPrintCheck": False,
        "bankAccountId": reference(funding.get("id")),
        "source": "0",
        "billPays": [timed(row, p) for row in bill_pays(books, p)],
        "billCredits": [timed(row, p) for row in bill_credits(books, p)],
    }


def bill_approvers(books: Organization, b: Document) -> Iterable[Document]:
    for row in b.get("approvers", ()):
        yield {
            "entity": "BillApprover",
            "id": f"0ba{b['id'][3:15]}{row['approverOrder']:05d}",
            "billId": b["id"],
            "usersId": row["userId"],
            "isActive": "1",
            "sortOrder": str(row["approverOrder"]),
            "status": codes.APPROVER.get(row["status"], "0"),
            "statusChangedDate": codes.v2_time(row["statusChangedTime"]),
        }
