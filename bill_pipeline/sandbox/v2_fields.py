"""What v2 clients send, in v3's words: the reverse of what ``v2_payables`` and its kin write.

A table of fields per entity; codes become names again, flat addresses become objects, lines are
translated row by row. What to do with the result is ``writing.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bill_pipeline.sandbox import v2_codes as codes
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.v2_lines import LINE_REFERENCES

Convert = Callable[[Any], Any]


def _names(by_name: dict[str, str]) -> Convert:
    """Code → name; what is no code stays as it is."""
    by_code: dict[str, str] = {}
    for name, code in by_name.items():
        by_code.setdefault(code, name)
    return lambda value: by_code.get(str(value), value)


def _listed(names: tuple[str, ...]) -> Convert:
    return _names({name: str(number) for number, name in enumerate(names)})


_CONVERT: dict[str, Convert] = {
    "paymentInformation.payByType": _names(codes.PAY_BY),
    "account.type": _listed(codes.ACCOUNT_TYPES),
    "type": _listed(codes.ITEM_TYPES),
    "schedule.period": _names(codes.PERIOD),
    "accountType": _names({"NONE": "0", "BUSINESS": "1", "PERSON": "2"}),
}


def _address(v2: str, v3: str) -> dict[str, str]:
    parts = {"City": "city", "State": "stateOrProvince", "Zip": "zipOrPostalCode"}
    lines = {f"{v2}1": f"{v3}.line1", f"{v2}2": f"{v3}.line2"}
    named = {f"{v2}{part}": f"{v3}.{name}" for part, name in parts.items()}
    return {**lines, **named, f"{v2}Country": f"{v3}.countryName"}


def _codes(*names: str) -> dict[str, str]:
    return {name: f"classifications.{LINE_REFERENCES[name]}" for name in names}


_NAMED = {"name": "name", "shortName": "shortName", "description": "description"}
_PERSON = {"contactFirstName": "contact.firstName", "contactLastName": "contact.lastName"}
_SCHEDULE = {
    "timePeriod": "schedule.period",
    "frequencyPerTimePeriod": "schedule.frequency",
    "nextDueDate": "schedule.nextDueDate",
    "endDate": "schedule.endDate",
    "daysInAdvance": "schedule.daysInAdvance",
}
#: v2 field → dotted v3 field. Fields with the same name in both are in ``_SAME``.
_FIELDS: dict[str, dict[str, str]] = {
    "Vendor": {
        "accNumber": "accountNumber",
        **_address("address", "address"),
        "nameOnCheck": "paymentInformation.payeeName",
        "payBy": "paymentInformation.payByType",
        "paymentEmail": "paymentInformation.email",
        "track1099": "additionalInfo.track1099",
        "taxId": "additionalInfo.taxId",
        "companyName": "additionalInfo.companyName",
        "paymentTermId": "additionalInfo.paymentTermId",
        "combinePayments": "additionalInfo.combinePayments",
    },
    "Customer": {
        "accNumber": "accountNumber",
        **_PERSON,
        **_address("billAddress", "billingAddress"),
        **_address("shipAddress", "shippingAddress"),
    },
    "Bill": {
        "invoiceNumber": "invoice.invoiceNumber",
        "invoiceDate": "invoice.invoiceDate",
        "poNumber": "purchaseOrderNumber",
        **_codes("chartOfAccountId", "departmentId", "locationId", "actgClassId"),
    },
    "VendorCredit": {"refNumber": "referenceNumber"},
    "CreditMemo": {"refNumber": "referenceNumber"},
    "Invoice": {
        "itemSalesTax": "salesTaxItemId",
        **_codes("departmentId", "locationId", "actgClassId", "jobId"),
    },
    "RecurringBill": _SCHEDULE,
    "RecurringInvoice": _SCHEDULE,
    "ChartOfAccount": {
        "accountNumber": "account.number",
        "accountType": "account.type",
        "parentChartOfAccountId": "parentId",
    },
    "PaymentTerm": {"dueMinDays": "daysDue"},
    "BankAccount": {"nameOnAcct": "nameOnAccount"},
    "User": {"profileId": "roleId"},
}
_SAME = (
    *_NAMED, "email", "phone", "fax", "companyName", "vendorId", "customerId", "dueDate",
    "creditDate", "invoiceNumber", "invoiceDate", "payFromChartOfAccountId",
    "payToChartOfAccountId", "applyToChartOfAccountId", "applyToBankAccountId",
    "salesTaxPercentage", "salesTaxTotal", "firstName", "lastName", "altPhone", "price",
    "percentage", "taxable", "type", "chartOfAccountId", "billCurrency", "accountType",
    "accountNumber", "routingNumber", "bankName", "nameOnAccount", "parentId", "paymentTermId",
)  # fmt: skip
_LINES = (
    "billLineItems",
    "vendorCreditLineItems",
    "recurringBillLineItems",
    "invoiceLineItems",
    "creditMemoLineItems",
    "recurringInvoiceLineItems",
)


#: What v2 shows, or takes, of entities and their lines without a place in v3's objects.
_SHOWN = frozenset(
    {"entity", "id", "isActive", "createdTime", "updatedTime", "createdBy", "glPostingDate",
     "amount", "localAmount", "exchangeRate", "scheduledAmount", "paidAmount", "dueAmount",
     "amountDue", "creditAmount", "appliedAmount", "approvalStatus", "paymentStatus",
     "creditStatus", "uiPaymentStatus", "status", "source", "mergedIntoId", "parentCustomerId",
     "payFromBankAccountId", "payToBankAccountId", "isToBePrinted", "isToBeEmailed",
     "lastSentTime", "terms", "salesRep", "FOB", "shipDate", "shipMethod", "address3", "address4",
     "paymentPhone", "printAs", "hasAuthorizedToCharge", "contactFirstName", "contactLastName",
     "ca1099FormType", "ca1099Type", "balance", "lastBalanceUpdate", "prefPmtMethod",
     "hasBankAccountAutoPay", "enabledCombinePayments", "billAddress3", "billAddress4",
     "shipAddress3", "shipAddress4", "lastPaymentDate", "fullPaymentDate", "hasAutoPay",
     "eBillCreated", "poNumber", "refNumber", "salesTaxTotal", "jobId", "departmentId",
     "locationId", "actgClassId"}
)  # fmt: skip
_LINE_SHOWN = frozenset(
    {"entity", "id", "description", "amount", "quantity", "price", "unitPrice", "taxable",
     "ratePercent", "jobBillable", "lineType", "createdTime", "updatedTime", "billId",
     "vendorCreditId", "recurringBillId", "invoiceId", "creditMemoId", "recurringInvoiceId",
     *LINE_REFERENCES}
)  # fmt: skip


def unknown(entity: str, values: Document) -> str:
    """The first member that v2 has not, of the object or of a line; "" if it has all."""
    known = {*_FIELDS.get(entity, {}), *_SAME, *_LINES, *_SHOWN}
    rows = [row for name in _LINES for row in values.get(name) or () if isinstance(row, dict)]
    found = [name for name in values if name not in known]
    found += [name for row in rows for name in row if name not in _LINE_SHOWN]
    return found[0] if found else ""


def to_v3(entity: str, values: Document) -> Document:
    """The body that a v3 client would send for the same object; the zero id is "" there."""
    table = _FIELDS.get(entity, {})
    body: Document = {}
    for v2_field, value in values.items():
        path = table.get(v2_field) or (v2_field if v2_field in _SAME else "")
        if path and value is not None:
            said = "" if value == ZERO_ID else _CONVERT.get(path, lambda same: same)(value)
            _put(body, path, said)
    for lines in _LINES:
        if isinstance(values.get(lines), list):
            body[lines] = [_line(row) if isinstance(row, dict) else row for row in values[lines]]
        elif values.get(lines):
            body[lines] = values[lines]
    if entity in {"Invoice", "RecurringInvoice"} and "customerId" in body:
        body["customer"] = {"id": body["customerId"]}
    return body


def _put(body: Document, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value


def _line(row: Document) -> Document:
    kept = {
        name: row[name]
        for name in ("id", "description", "amount", "quantity", "price", "taxable")
        if row.get(name) not in (None, "")
    }
    if row.get("unitPrice") not in (None, "", 0):
        kept["price"] = row["unitPrice"]
    chosen = {
        v3: row[v2] for v2, v3 in LINE_REFERENCES.items() if row.get(v2) not in (None, "", ZERO_ID)
    }
    return {**kept, "classifications": chosen}
