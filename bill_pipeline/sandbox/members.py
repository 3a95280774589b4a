"""THE TABLE of what clients may send: the members of every object that they can create or change.

Names are BILL's, from its published collection of requests and answers; what they mean is the
business of whoever stores them. ``SHOWN`` members come with every answer, so clients send them
back; they change nothing. How values are read is ``fields.py``.
"""

from __future__ import annotations

from bill_pipeline.sandbox.fields import (
    DAY,
    NUMBER,
    SHOWN,
    TEXT,
    TRUTH,
    WHOLE,
    Kind,
    Member,
    Members,
    Reference,
    Rows,
)


def _all(kind: Kind, names: str) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


_EVERY = _all(SHOWN, "id archived createdTime updatedTime createdBy")
_REFERENCES = {
    "chartOfAccountId": Reference("chart-of-accounts"),
    "accountingClassId": Reference("accounting-classes"),
    "departmentId": Reference("departments"),
    "locationId": Reference("locations"),
    "jobId": Reference("jobs"),
    "itemId": Reference("items"),
    "employeeId": Reference("employees"),
    "customerId": Reference("customers"),
}


def _codes(names: str) -> dict[str, Reference]:
    return {name: _REFERENCES[name] for name in names.split()}


_ACCOUNT = Reference("chart-of-accounts")
_BANK = Reference("bank-accounts")
_ADDRESS = _all(TEXT, "line1 line2 city stateOrProvince zipOrPostalCode country countryName")
_ACCOUNT_AT_BANK = _all(TEXT, "nameOnAccount accountNumber routingNumber type ownerType")
_VENDOR_BANK: dict[str, Member] = {**_ACCOUNT_AT_BANK, "paymentCurrency": TEXT, "vendorId": SHOWN}
_PURPOSE: dict[str, Member] = {"text": TEXT, "code": _all(TEXT, "name value")}
_LINE: dict[str, Member] = {
    "id": TEXT,
    "amount": NUMBER,
    "quantity": NUMBER,
    "price": NUMBER,
    "description": TEXT,
}
_PAYABLE_LINES = Rows({**_LINE, "classifications": _REFERENCES})
_SALES_LINES = Rows(
    {
        **_LINE,
        "ratePercent": NUMBER,
        "taxable": TRUTH,
        "classifications": _codes(
            "chartOfAccountId accountingClassId departmentId jobId locationId itemId"
        ),
    }
)
_SALES_CODES = _codes("accountingClassId departmentId jobId locationId")
_SCHEDULE: dict[str, Member] = {
    "period": TEXT,
    "frequency": WHOLE,
    "nextDueDate": DAY,
    "endDate": DAY,
    "daysInAdvance": WHOLE,
}
_TAX: dict[str, Member] = {
    "salesTaxItemId": Reference("items"),
    **_all(NUMBER, "salesTaxPercentage salesTaxTotal"),
}
_PARTY: dict[str, Member] = {
    **_EVERY,
    **_all(TEXT, "name accountType accountNumber email phone fax description"),
}
_NAMED: dict[str, Member] = {**_EVERY, **_all(TEXT, "name shortName description")}
_PAID = Rows({"billId": TEXT, "amount": NUMBER,
              "vendorCredits": Rows({"id": TEXT, "amount": NUMBER})})  # fmt: skip
_FUNDING: dict[str, Member] = {"type": TEXT, "id": TEXT}
_PAYING: dict[str, Member] = {
    "processDate": DAY,
    "fundingAccount": _FUNDING,
    "description": TEXT,
    "processingOptions": {
        **_all(TRUTH, "requestPayFaster createBill"),
        "requestCheckDeliveryType": TEXT,
    },
    "cardFundingPurpose": TEXT,
    "paymentPurpose": _PURPOSE,
    "exchangeRateBatchId": TEXT,
}
_V2_PAYS: dict[str, Member] = {
    "billPays": Rows({"billId": TEXT, "amount": NUMBER}),
    "billCredits": Rows({"billId": TEXT, "vendorCreditId": TEXT, "amount": NUMBER}),
}

MEMBERS: dict[str, Members] = {
    "vendors": {
        **_PARTY,
        **_all(TEXT, "shortName billCurrency rppsId"),
        **_all(SHOWN, "bankAccountStatus recurringPayments networkStatus balance paymentNetworkId "
               "transferMethod"),
        "address": _ADDRESS,
        "paymentInformation": {
            **_all(TEXT, "payeeName email payByType payBySubType"),
            **_all(SHOWN, "lastPaymentDate virtualCard"),
            "bankAccount": _VENDOR_BANK,
            "paymentPurpose": _PURPOSE,
        },
        "additionalInfo": {
            **_all(TEXT, "taxId taxIdType companyName"),
            **_all(TRUTH, "track1099 combinePayments"),
            "leadTimeInDays": WHOLE,
            "paymentTermId": Reference("payment-terms"),
        },
        "autoPay": {
            "enabled": TRUTH,
            "bankAccountId": _BANK,
            "createdBy": SHOWN,
            "maxAmount": NUMBER,
            "daysBeforeDueDate": WHOLE,
        },
    },
    "customers": {
        **_PARTY,
        **_all(TEXT, "companyName invoiceCurrency"),
        "balance": SHOWN,
        "contact": _all(TEXT, "firstName lastName"),
        "paymentTermId": Reference("payment-terms"),
        "billingAddress": _ADDRESS,
        "shippingAddress": _ADDRESS,
    },
    "bills": {
        **_EVERY,
        **_all(TEXT, "description purchaseOrderNumber"),
        **_all(SHOWN, "vendorName amount fundingAmount exchangeRate paidAmount dueAmount "
               "scheduledAmount creditAmount paymentStatus approvalStatus approvers"),
        "vendorId": Reference("vendors"),
        "dueDate": DAY,
        "invoice": {"invoiceNumber": TEXT, "invoiceDate": DAY},
        "billLineItems": _PAYABLE_LINES,
        "payFromChartOfAccountId": _ACCOUNT,
        "paymentTermId": Reference("payment-terms"),
        "classifications": _codes(
            "chartOfAccountId accountingClassId departmentId locationId itemId"
        ),
    },
    "vendor-credits": {
        **_EVERY,
        **_all(TEXT, "referenceNumber description"),
        **_all(SHOWN, "amount appliedAmount status usage"),
        "vendorId": Reference("vendors"),
        "creditDate": DAY,
        "vendorCreditLineItems": _PAYABLE_LINES,
        "applyToChartOfAccountId": _ACCOUNT,
        "applyToBankAccountId": _BANK,
    },
    "recurringbills": {
        **_EVERY,
        "vendorId": Reference("vendors"),
        "description": TEXT,
        "recurringBillLineItems": _PAYABLE_LINES,
        "schedule": _SCHEDULE,
        "processingOptions": {"autoPayment": TRUTH},
        "paymentInformation": {"bankAccountId": _BANK},
    },
    "invoices": {
        **_EVERY,
        **_TAX,
        **_all(TEXT, "invoiceNumber description"),
        **_all(DAY, "invoiceDate dueDate"),
        **_all(SHOWN, "totalAmount dueAmount scheduledAmount creditAmount status exchangeRate "
               "payments convenienceFee invoicePdfId processingOptions"),
        "customer": {"id": Reference("customers"), **_all(TEXT, "name email")},
        "customerId": Reference("customers"),
        "invoiceLineItems": _SALES_LINES,
        "payToChartOfAccountId": _ACCOUNT,
        "paymentTermId": Reference("payment-terms"),
        "classifications": _SALES_CODES,
        "enableCardPayment": TRUTH,
    },
    "credit-memos": {
        **_EVERY,
        **_TAX,
        **_all(TEXT, "referenceNumber description"),
        **_all(SHOWN, "amount appliedAmount status usage"),
        "customerId": Reference("customers"),
        "creditDate": DAY,
        "creditMemoLineItems": _SALES_LINES,
        "payToChartOfAccountId": _ACCOUNT,
        "payToBankAccountId": _BANK,
        "classifications": _SALES_CODES,
    },
    "recurring-invoices": {
        **_EVERY,
        "customer": {"id": Reference("customers")},
        "customerId": Reference("customers"),
        "description": TEXT,
        "recurringInvoiceLineItems": _SALES_LINES,
        "schedule": _SCHEDULE,
        "classifications": _SALES_CODES,
        "sendEmail": TRUTH,
        "processingOptions": SHOWN,
    },
    "chart-of-accounts": {
        **_NAMED,
        "parentId": _ACCOUNT,
        "account": _all(TEXT, "type number"),
    },
    **{
        name: {**_NAMED, "parentId": Reference(name)}
        for name in ("accounting-classes", "departments", "locations", "jobs")
    },
    "employees": {
        **_EVERY,
        **_all(TEXT, "firstName lastName shortName"),
        "parentId": Reference("employees"),
    },
    "items": {
        **_NAMED,
        **_all(TEXT, "type purchaseDescription"),
        **_all(NUMBER, "price purchaseCost percentage"),
        "taxable": TRUTH,
        "parentId": Reference("items"),
        "chartOfAccountId": _ACCOUNT,
        "expenseChartOfAccountId": _ACCOUNT,
    },
    "payment-terms": {**_EVERY, "name": TEXT, "daysDue": WHOLE},
    "bank-accounts": {
        **_EVERY,
        **_ACCOUNT_AT_BANK,
        "bankName": TEXT,
        "accessToAdmins": TRUTH,
        "default": _all(TRUTH, "payables receivables"),
        "chartOfAccountId": _ACCOUNT,
        "status": SHOWN,
    },
    "users": {
        **_EVERY,
        **_all(TEXT, "firstName lastName email"),
        "roleId": Reference("roles"),
        **_all(SHOWN, "role acceptTermsOfService"),
    },
    # --- what hangs below another object -------------------------------------------------------
    "contacts": {
        **_EVERY,
        "customerId": SHOWN,
        **_all(TEXT, "firstName lastName email phone altPhone alternateEmail"),
    },
    "customer-bank-accounts": {**_EVERY, **_ACCOUNT_AT_BANK, "bankName": TEXT, "customerId": SHOWN},
    "vendor-bank-account": _VENDOR_BANK,
    # --- requests that are no object -----------------------------------------------------------
    "organizations": {
        **_EVERY,
        **_all(TEXT, "name phone taxId taxIdType industry businessCategory accountType"),
        "address": _ADDRESS,
        "mailingAddress": _ADDRESS,
        "companyOwner": {"name": TEXT, "dateOfBirth": DAY},
        "processingOptions": _all(
            TRUTH, "mailingAddressSameAsPhysical individualTransferOut individualTransferIn"
        ),
        "partnerName": SHOWN,
    },
    "payment": {
        **_PAYING,
        "vendorId": Reference("vendors"),
        "billId": TEXT,
        "amount": NUMBER,
        "vendorCredits": Rows({"id": TEXT, "amount": NUMBER}),
        "billPayments": SHOWN,
    },
    "payments": {**_PAYING, "payments": _PAID, "billPayments": _PAID},
    "payment-record": {
        "vendorId": Reference("vendors"),
        "processDate": DAY,
        "payments": _PAID,
        "classifications": {"chartOfAccountId": _ACCOUNT},
        **_all(TEXT, "description syncReference"),
        **_all(TRUTH, "toPrintCheck allowExport"),
    },
    "receipt-record": {
        "customerId": Reference("customers"),
        "paymentDate": DAY,
        "amount": NUMBER,
        "invoices": Rows({"id": TEXT, "amount": NUMBER}),
        **_all(TEXT, "paymentType description referenceNumber"),
    },
    "policy": {
        **_EVERY,
        "policyName": TEXT,
        "status": SHOWN,
        "rules": Rows({"key": TEXT, "op": TEXT,
                       "values": Rows({"value": TEXT, "displayName": SHOWN})}),
        "approvers": {
            "users": Rows({"userId": Reference("users"), "fullName": SHOWN}),
            "groups": Rows({"groupId": TEXT, "groupName": TEXT, "users": SHOWN}),
        },
    },
    "bank-user": {"bankAccountId": TEXT, "userId": TEXT},
    "deposit": {"depositAmount": NUMBER},
    # --- v2's named operations -----------------------------------------------------------------
    "PayBills": {"bankAccountId": _BANK, "processDate": DAY, **_V2_PAYS},
    "RecordAPPayment": {
        "vendorId": Reference("vendors"),
        "chartOfAccountId": _ACCOUNT,
        "processDate": DAY,
        **_all(TEXT, "description syncReference"),
        "toPrintCheck": TRUTH,
        **_V2_PAYS,
    },
    "RecordARPayment": {
        "customerId": Reference("customers"),
        "depositToAccountId": _ACCOUNT,
        "paymentDate": DAY,
        "amount": NUMBER,
        **_all(TEXT, "paymentType description refNumber"),
        "invoicePays": Rows({"invoiceId": TEXT, "amount": NUMBER}),
    },
}  # fmt: skip
