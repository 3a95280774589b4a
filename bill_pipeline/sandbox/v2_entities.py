"""v2's entities, written from the same books as v3's lists.

One row of ``ENTITIES`` is one v2 entity: the list it comes from, how a document is written, and
whether one document gives many rows (a payment's ``BillPay``). What v3 does not show (posting
dates, merges, money movements) is added here. Paging and filters are ``v2.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bill_pipeline.sandbox import v2_codes as codes
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.v2_codes import reference
from bill_pipeline.sandbox.v2_lines import invoice_lines, payable_lines

Writer = Callable[[Organization, Document], Document]


def _vendor(books: Organization, v: Document) -> Document:
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


def _bill(books: Organization, b: Document) -> Document:
    facts = books.v2_facts.get(b["id"], {})
    invoice = b["invoice"]
    return {
        "vendorId": b["vendorId"],
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


def _vendor_credit(books: Organization, c: Document) -> Document:
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


def _recurring_bill(books: Organization, r: Document) -> Document:
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


def _bill_pays(books: Organization, p: Document) -> Iterable[Document]:
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


def _bill_credits(books: Organization, p: Document) -> Iterable[Document]:
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


def _sent_pay(books: Organization, p: Document) -> Document:
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
        "billPays": [_timed(row, p) for row in _bill_pays(books, p)],
        "billCredits": [_timed(row, p) for row in _bill_credits(books, p)],
    }


def _customer(books: Organization, c: Document) -> Document:
    billing, contact = c.get("billingAddress", {}), c.get("contact", {})
    return {
        "name": c["name"],
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


def _contacts(books: Organization, c: Document) -> Iterable[Document]:
    for contact in books.below("contacts", c["id"]):
        names = ("firstName", "lastName", "email", "phone")
        row = {"entity": "CustomerContact", "id": contact["id"], "customerId": c["id"]}
        yield row | {name: contact.get(name) for name in names}


def _invoice(books: Organization, i: Document) -> Document:
    whole = i.get("classifications", {})
    return {
        "customerId": i["customerId"],
        "invoiceNumber": i.get("invoiceNumber"),
        "invoiceDate": i["invoiceDate"],
        "dueDate": i.get("dueDate"),
        "glPostingDate": i["invoiceDate"],
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


def _invoice_pays(books: Organization, r: Document) -> Iterable[Document]:
    for number, row in enumerate(r.get("invoicePayments", ())):
        yield {
            "entity": "InvoicePay",
            "id": f"0ip{r['id'][3:15]}{number:05d}",
            "invoiceId": row["invoiceId"],
            "receivedPayId": r["id"],
            "amount": row["amount"],
            "status": codes.RECEIVED_PAY.get(r["status"], "0"),
        }


def _convenience_fees(books: Organization, r: Document) -> Iterable[Document]:
    if r.get("convenienceFeeAmount"):
        yield {
            "entity": "RPConvFee",
            "id": f"rpf{r['id'][3:]}",
            "receivedPayId": r["id"],
            "amount": r["convenienceFeeAmount"],
        }


def _received_pay(books: Organization, r: Document) -> Document:
    account = r.get("receivablesAccount") or {}
    return {
        "customerId": r["customerId"],
        "status": codes.RECEIVED_PAY.get(r["status"], "0"),
        "paymentDate": r["paymentDate"],
        "depositToAccountId": reference(account.get("id")),
        "isOnline": r["onlinePayment"],
        "paymentType": codes.RECEIVED_TYPE.get(r.get("receivablesType", ""), "5"),
        "amount": r["amount"],
        "unappliedAmount": r["unappliedAmount"],
        "description": r.get("description"),
        "refNumber": r.get("referenceNumber"),
        "convFeeAmount": r["convenienceFeeAmount"],
        "payToBankAccountId": reference(account.get("id")),
        "rPConvFee": [_timed(row, r) for row in _convenience_fees(books, r)],
        "invoicePays": [_timed(row, r) for row in _invoice_pays(books, r)],
    }


def _credit_memo(books: Organization, c: Document) -> Document:
    return {
        "customerId": c["customerId"],
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


def _invoice_credits(books: Organization, c: Document) -> Iterable[Document]:
    for number, row in enumerate(c.get("usage", ())):
        yield {
            "entity": "InvoiceCredit",
            "id": f"icr{c['id'][3:15]}{number:05d}",
            "invoiceId": row["invoiceId"],
            "creditMemoId": c["id"],
            "amount": row["amount"],
        }


def _bill_approvers(books: Organization, b: Document) -> Iterable[Document]:
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


def _account(books: Organization, a: Document) -> Document:
    kind = a["account"]
    return {
        "accountNumber": kind.get("number"),
        "accountType": codes.number_of(codes.ACCOUNT_TYPES, kind["type"]),
        "name": a["name"],
        "description": a.get("description"),
        "parentChartOfAccountId": reference(a.get("parentId")),
        "mergedIntoId": reference(books.merged_into.get(a["id"])),
    }


def _named(books: Organization, d: Document) -> Document:
    return {
        "name": d.get("name"),
        "shortName": d.get("shortName"),
        "description": d.get("description"),
    }


def _item(books: Organization, i: Document) -> Document:
    return {
        **_named(books, i),
        "type": codes.number_of(codes.ITEM_TYPES, i["type"]),
        "price": i.get("price"),
        "percentage": i.get("percentage"),
        "taxable": bool(i.get("taxable")),
        "chartOfAccountId": reference(i.get("chartOfAccountId")),
        "mergedIntoId": reference(books.merged_into.get(i["id"])),
    }


def _term(books: Organization, t: Document) -> Document:
    return {"name": t["name"], "dueMinDays": str(t.get("daysDue", 0)), "description": None}


def _bank(books: Organization, b: Document) -> Document:
    return {
        "bankName": b["bankName"],
        "nameOnAcct": b["nameOnAccount"],
        "routingNumber": b["routingNumber"],
        "accountNumber": b["accountNumber"],
        "status": "1",
        "chartOfAccountId": reference(b.get("chartOfAccountId")),
    }


def _user(books: Organization, u: Document) -> Document:
    return {
        "profileId": u["role"]["id"],
        "firstName": u["firstName"],
        "lastName": u["lastName"],
        "email": u["email"],
    }


def _movement(books: Organization, m: Document) -> Document:
    names = ("name", "type", "status", "amount", "processDate", "bankAccountId")
    return {name: m.get(name) for name in names}


def _timed(row: Document, parent: Document) -> Document:
    return {
        **row,
        "createdTime": codes.v2_time(parent["createdTime"]),
        "updatedTime": codes.v2_time(parent["updatedTime"]),
    }


@dataclass(frozen=True)
class Entity:
    """One v2 entity: ``write`` makes one row of a document, ``expand`` any number of parts."""

    list_name: str
    write: Writer | None = None
    expand: Callable[[Organization, Document], Iterable[Document]] | None = None
    #: Fields that only a list with ``nested`` shows.
    nested: str = ""

    def rows(self, name: str, books: Organization, document: Document) -> list[Document]:
        """The v2 rows of one document of the books."""
        if self.expand is not None:
            return [_timed(row, document) for row in self.expand(books, document)]
        if self.write is None:
            return []
        row = {
            "entity": name,
            "id": document["id"],
            "isActive": "2" if document.get("archived") else "1",
            **self.write(books, document),
        }
        return [_timed(row, document)]


ENTITIES: dict[str, Entity] = {
    "Vendor": Entity("vendors", _vendor),
    "Bill": Entity("bills", _bill),
    "BillApprover": Entity("bills", expand=_bill_approvers),
    "RecurringBill": Entity("recurringbills", _recurring_bill, nested="recurringBillLineItems"),
    "VendorCredit": Entity("vendor-credits", _vendor_credit, nested="vendorCreditLineItems"),
    "SentPay": Entity("payments", _sent_pay),
    "BillPay": Entity("payments", expand=_bill_pays),
    "BillCredit": Entity("payments", expand=_bill_credits),
    "Customer": Entity("customers", _customer),
    "Invoice": Entity("invoices", _invoice),
    "ReceivedPay": Entity("receivable-payments", _received_pay),
    "InvoicePay": Entity("receivable-payments", expand=_invoice_pays),
    "RPConvFee": Entity("receivable-payments", expand=_convenience_fees),
    "CreditMemo": Entity("credit-memos", _credit_memo, nested="creditMemoLineItems"),
    "InvoiceCredit": Entity("credit-memos", expand=_invoice_credits),
    "ChartOfAccount": Entity("chart-of-accounts", _account),
    "ActgClass": Entity("accounting-classes", _named),
    "Department": Entity("departments", _named),
    "Location": Entity("locations", _named),
    "Job": Entity("jobs", _named),
    "Employee": Entity("employees", _named),
    "Item": Entity("items", _item),
    "PaymentTerm": Entity("payment-terms", _term),
    "BankAccount": Entity("bank-accounts", _bank),
    "User": Entity("users", _user),
    "MoneyMovement": Entity("money-movements", _movement),
    # BILL lists these; no company of the sandbox has any.
    "RecurringInvoice": Entity("recurring-invoices", _named),
    "VendorBankAccount": Entity("organizations"),
    "CustomerBankAccount": Entity("organizations"),
    "CustomerContact": Entity("customers", expand=_contacts),
    "RecurringBillApprover": Entity("organizations"),
    "VendorCreditApprover": Entity("organizations"),
    "PurchaseOrder": Entity("organizations"),
    "ApprovalPolicy": Entity("organizations"),
}
