"""v2's payables: vendors, bills, credits, payments and their parts, from the books' documents.

Each function writes one row (or the rows) of one document; the table of entities is
``v2_entities``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bill_pipeline.sandbox import v2_codes as codes
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.v2_codes import reference, timed
from bill_pipeline.sandbox.v2_lines import payable_lines, schedule


def vendor(books: Organization, v: Document) -> Document:
    address, pay = v.get("address", {}), v.get("paymentInformation", {})
    more = v.get("additionalInfo", {})
    return {
        "name": v.get("name"),
        "shortName": v.get("shortName"),
        "nameOnCheck": pay.get("payeeName"),
        "companyName": more.get("companyName", v.get("name")),
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
    invoice, whole = b.get("invoice", {}), b.get("classifications", {})
    return {
        "vendorId": reference(b.get("vendorId")),
        "invoiceNumber": invoice.get("invoiceNumber"),
        "approvalStatus": codes.APPROVAL.get(b["approvalStatus"], "0"),
        "invoiceDate": invoice.get("invoiceDate"),
        "dueDate": b.get("dueDate"),
        "glPostingDate": facts.get("glPostingDate", invoice.get("invoiceDate")),
        "amount": b["amount"],
        "localAmount": b["amount"],
        "exchangeRate": b.get("exchangeRate"),
        "scheduledAmount": b["scheduledAmount"],
        # Null, not zero, before anything is paid.
        "paidAmount": b["paidAmount"] or None,
        "dueAmount": b["dueAmount"],
        "creditAmount": b["creditAmount"],
        "paymentStatus": codes.BILL_PAYMENT.get(b["paymentStatus"], "1"),
        "description": b.get("description"),
        "poNumber": b.get("purchaseOrderNumber"),
        "payFromBankAccountId": ZERO_ID,
        "payFromChartOfAccountId": reference(b.get("payFromChartOfAccountId")),
        "paymentTermId": reference(b.get("paymentTermId")),
        "chartOfAccountId": reference(whole.get("chartOfAccountId")),
        "departmentId": reference(whole.get("departmentId")),
        "locationId": reference(whole.get("locationId")),
        "actgClassId": reference(whole.get("accountingClassId")),
        "billLineItems": payable_lines(b, "billLineItems", "BillLineItem", "billId"),
    }


def vendor_credit(books: Organization, c: Document) -> Document:
    return {
        "vendorId": reference(c.get("vendorId")),
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
    return {
        "vendorId": reference(r.get("vendorId")),
        **schedule(r),
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
            "paymentType": payment_type(p),
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


def payment_type(p: Document) -> str:
    return codes.PAYMENT_TYPE.get(p.get("disbursementType", ""), "0")


def sent_pay(books: Organization, p: Document) -> Document:
    funding = p.get("fundingAccount", {})
    bank_id = funding.get("id") if funding.get("type") == "BANK_ACCOUNT" else None
    return {
        "processDate": p["processDate"],
        "amount": p["amount"],
        "status": codes.SENT_PAY.get(p["status"], "1"),
        "description": p.get("description"),
        "txnNumber": p.get("transactionNumber"),
        "name": p.get("confirmationNumber"),
        "paymentType": payment_type(p),
        "vendorId": reference(p.get("vendorId")),
        "isOnline": p["onlinePayment"],
        "chartOfAccountId": reference(p.get("classifications", {}).get("chartOfAccountId")),
        "syncReference": None,
        "toPrintCheck": False,
        "bankAccountId": reference(bank_id),
        "source": "0",
        "voidRequests": [
            {name: row.get(name) for name in ("id", "type", "status", "reason")}
            for row in p.get("voidInfo", ())
        ],
        "billPays": [timed(row, p) for row in bill_pays(books, p)],
        "billCredits": [timed(row, p) for row in bill_credits(books, p)],
    }


@dataclass(frozen=True)
class Approvers:
    """The approvers of one kind of document, in their order."""

    entity: str
    prefix: str
    parent_field: str

    def __call__(self, books: Organization, document: Document) -> Iterable[Document]:
        for row in document.get("approvers", ()):
            yield {
                "entity": self.entity,
                "id": f"{self.prefix}{document['id'][3:15]}{row['approverOrder']:05d}",
                self.parent_field: document["id"],
                "usersId": row["userId"],
                "isActive": "1",
                "sortOrder": row["approverOrder"],
                "status": codes.APPROVER.get(row["status"], "0"),
                "statusChangedDate": codes.v2_time(row["statusChangedTime"]),
            }


#: Entity of the document → its approvers. BILL does not publish the recurring bills' prefix.
APPROVERS = {
    "Bill": Approvers("BillApprover", "0ba", "billId"),
    "VendorCredit": Approvers("VendorCreditApprover", "vca", "vendorCreditId"),
    "RecurringBill": Approvers("RecurringBillApprover", "rba", "recurringBillId"),
}
