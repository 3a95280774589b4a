"""v2's receivables: customers, invoices, received payments, credit memos and their parts.

As ``v2_payables``; the table of entities is ``v2_entities``.
"""

from __future__ import annotations

from collections.abc import Iterable

from bill_pipeline.sandbox import v2_codes as codes
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.v2_codes import reference, timed
from bill_pipeline.sandbox.v2_lines import invoice_lines, schedule


def customer(books: Organization, c: Document) -> Document:
    billing, contact = c.get("billingAddress", {}), c.get("contact", {})
    return {
        "name": c.get("name"),
        "companyName": c.get("companyName"),
        "contactFirstName": contact.get("firstName"),
        "contactLastName": contact.get("lastName"),
        "accNumber": c.get("accountNumber"),
        "billAddress1": billing.get("line1"),
        "billAddressCity": billing.get("city"),
        "billAddressState": billing.get("stateOrProvince"),
        "billAddressCountry": billing.get("countryName"),
        "billAddressZip": billing.get("zipOrPostalCode"),
        "email": c.get("email"),
        "phone": c.get("phone"),
        "description": c.get("description"),
        "parentCustomerId": ZERO_ID,
        "mergedIntoId": reference(books.merged_into.get(c["id"])),
        "accountType": "1",
    }


def invoice(books: Organization, i: Document) -> Document:
    whole = i.get("classifications", {})
    return {
        "customerId": reference(i.get("customerId")),
        "invoiceNumber": i.get("invoiceNumber"),
        "invoiceDate": i.get("invoiceDate"),
        "dueDate": i.get("dueDate"),
        "glPostingDate": i.get("invoiceDate"),
        "amount": i["totalAmount"],
        "amountDue": i["dueAmount"],
        "paymentStatus": codes.INVOICE_PAYMENT.get(i["status"], "1"),
        "description": i.get("description"),
        "itemSalesTax": reference(i.get("salesTaxItemId")),
        "salesTaxPercentage": i.get("salesTaxPercentage", 0),
        "salesTaxTotal": i.get("salesTaxTotal", 0),
        "departmentId": reference(whole.get("departmentId")),
        "locationId": reference(whole.get("locationId")),
        "actgClassId": reference(whole.get("accountingClassId")),
        "jobId": reference(whole.get("jobId")),
        "payToBankAccountId": ZERO_ID,
        "payToChartOfAccountId": reference(i.get("payToChartOfAccountId")),
        "invoiceLineItems": invoice_lines(i, "invoiceLineItems", "InvoiceLineItem", "invoiceId"),
    }


def invoice_pays(books: Organization, r: Document) -> Iterable[Document]:
    for number, row in enumerate(r.get("invoicePayments", ())):
        yield {
            "entity": "InvoicePay",
            "id": f"0ip{r['id'][3:15]}{number:05d}",
            "invoiceId": row["invoiceId"],
            "receivedPayId": r["id"],
            "amount": row["amount"],
            "status": codes.RECEIVED_PAY.get(r["status"], "0"),
        }


def convenience_fees(books: Organization, r: Document) -> Iterable[Document]:
    if r.get("convenienceFeeAmount"):
        yield {
            "entity": "RPConvFee",
            "id": f"rpf{r['id'][3:]}",
            "receivedPayId": r["id"],
            "amount": r["convenienceFeeAmount"],
        }


def received_pay(books: Organization, r: Document) -> Document:
    # Money may go into a wallet or card too: v2 has no field for these.
    account = r.get("receivablesAccount") or {}
    ids = {account.get("type"): account.get("id")}
    return {
        "customerId": reference(r.get("customerId")),
        "status": codes.RECEIVED_PAY.get(r["status"], "0"),
        "paymentDate": r["paymentDate"],
        "depositToAccountId": reference(ids.get("GL_ACCOUNT")),
        "isOnline": r["onlinePayment"],
        "paymentType": codes.RECEIVED_TYPE.get(r.get("receivablesType", ""), "5"),
        "amount": r["amount"],
        "unappliedAmount": r["unappliedAmount"],
        "description": r.get("description"),
        "refNumber": r.get("referenceNumber"),
        "convFeeAmount": r["convenienceFeeAmount"],
        "payToBankAccountId": reference(ids.get("BANK_ACCOUNT")),
        "rPConvFee": [timed(row, r) for row in convenience_fees(books, r)],
        "invoicePays": [timed(row, r) for row in invoice_pays(books, r)],
    }


def credit_memo(books: Organization, c: Document) -> Document:
    return {
        "customerId": reference(c.get("customerId")),
        "refNumber": c.get("referenceNumber"),
        "creditDate": c["creditDate"],
        "amount": c["amount"],
        "appliedAmount": c["appliedAmount"],
        "creditStatus": codes.CREDIT.get(c["status"], "0"),
        "salesTaxTotal": c.get("salesTaxTotal", 0),
        "salesTaxPercentage": c.get("salesTaxPercentage", 0),
        "creditMemoLineItems": invoice_lines(
            c, "creditMemoLineItems", "CreditMemoLineItem", "creditMemoId"
        ),
    }


def recurring_invoice(books: Organization, r: Document) -> Document:
    return {
        "customerId": reference(r.get("customerId")),
        **schedule(r),
        "description": r.get("description"),
        "recurringInvoiceLineItems": invoice_lines(
            r, "recurringInvoiceLineItems", "RecurringInvoiceLineItem", "recurringInvoiceId"
        ),
    }


def invoice_credits(books: Organization, c: Document) -> Iterable[Document]:
    for number, row in enumerate(c.get("usage", ())):
        yield {
            "entity": "InvoiceCredit",
            "id": f"icr{c['id'][3:15]}{number:05d}",
            "invoiceId": row["invoiceId"],
            "creditMemoId": c["id"],
            "amount": row["amount"],
        }
