"""The top-level fields BILL documents for each list: any other is new, kept, and reported once.

Lists that are missing here have no published field list; nothing is reported for them.
"""

from __future__ import annotations

_EVERY = "id archived createdTime updatedTime"
_NAMED = f"{_EVERY} name shortName description parentId"
_CREDIT = f"{_EVERY} referenceNumber creditDate description amount appliedAmount status usage"
_TAX = "salesTaxItemId salesTaxTotal salesTaxPercentage"

_TEXT: dict[str, str] = {
    "vendors": f"{_EVERY} name shortName accountNumber accountType email phone address "
    "paymentInformation additionalInfo rppsId bankAccountStatus recurringPayments billCurrency "
    "balance autoPay networkStatus transferMethod paymentNetworkId",
    "bills": f"{_EVERY} vendorId vendorName amount fundingAmount exchangeRate paidAmount dueAmount "
    "scheduledAmount creditAmount description dueDate invoice billLineItems "
    "payFromChartOfAccountId paymentStatus approvalStatus classifications approvers "
    "purchaseOrderNumber createdBy paymentTermId",
    "recurring_bills": f"{_EVERY} vendorId description recurringBillLineItems schedule "
    "processingOptions paymentInformation",
    "vendor_credits": f"{_CREDIT} vendorId applyToChartOfAccountId applyToBankAccountId "
    "vendorCreditLineItems",
    "payments": "id amount vendorId vendorName billId billPayments description processDate "
    "fundingAccount fundingAmount exchangeRate exchangeRateBatchId transactionNumber "
    "confirmationNumber onlinePayment status disbursementType disbursementStatus singleStatus "
    "disbursementInfo voidInfo remittanceEmail processingOptions paymentPurpose "
    "cardFundingPurpose cancelRequestSubmitted createdBy createdTime updatedTime "
    "toPrintCheck classifications syncReference allowExport",
    "customers": f"{_EVERY} name companyName contact email phone fax description invoiceCurrency "
    "accountType paymentTermId accountNumber billingAddress shippingAddress balance",
    "customer_contacts": f"{_EVERY} customerId firstName lastName email phone altPhone "
    "alternateEmail",
    "invoices": f"{_EVERY} invoiceNumber invoiceDate dueDate customerId totalAmount dueAmount "
    "scheduledAmount creditAmount status exchangeRate invoiceLineItems payToChartOfAccountId "
    f"payments classifications {_TAX} enableCardPayment convenienceFee invoicePdfId "
    "paymentTermId",
    "received_payments": "id customerId amount unappliedAmount convenienceFeeAmount paymentDate "
    "invoicePayments description referenceNumber fundingAccount receivablesAccount "
    "receivablesType onlinePayment status createdTime updatedTime",
    "credit_memos": f"{_CREDIT} customerId {_TAX} payToChartOfAccountId payToBankAccountId "
    "creditMemoLineItems classifications",
    "recurring_invoices": f"{_EVERY} customerId description schedule recurringInvoiceLineItems "
    "classifications sendEmail",
    "chart_of_accounts": f"{_EVERY} name description parentId account",
    "accounting_classes": _NAMED,
    "departments": _NAMED,
    "locations": _NAMED,
    "jobs": _NAMED,
    "employees": f"{_EVERY} firstName lastName shortName parentId",
    "items": f"{_NAMED} type price percentage taxable chartOfAccountId expenseChartOfAccountId "
    "purchaseDescription purchaseCost",
    "payment_terms": f"{_EVERY} name daysDue",
    "bank_accounts": f"{_EVERY} status createdBy routingNumber accountNumber nameOnAccount type "
    "ownerType bankName accessToAdmins default chartOfAccountId",
    "users": f"{_EVERY} firstName lastName email role",
    "organizations": f"{_EVERY} name address mailingAddress phone companyOwner taxId taxIdType "
    "industry businessCategory accountType processingOptions partnerName",
    "approval_policies": f"{_EVERY} policyName status rules approvers",
}

DOCUMENTED_FIELDS: dict[str, frozenset[str]] = {
    table: frozenset(names.split()) for table, names in _TEXT.items()
}
