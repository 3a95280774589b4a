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
    return lambda value: names[int(value)] if str(value).isdecimal() else value


def _truth(value: Any) -> bool:
    return value is True or str(value).lower() in {"true", "1"}


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) and value else value


_CONVERT: dict[str, Convert] = {
    "track1099": _truth,
    "taxable": _truth,
    "paymentInformation.payByType": _names(codes.PAY_BY),
    "account.type": _listed(codes.ACCOUNT_TYPES),
    "type": _listed(codes.ITEM_TYPES),
    "schedule.period": _names(codes.PERIOD),
    "schedule.frequency": lambda value: int(float(value)),
    "schedule.daysInAdvance": lambda value: int(float(value)),
    "daysDue": lambda value: int(float(value)),
    "accountType": _names({"NONE": "0", "BUSINESS": "1", "PERSON": "2"}),
    "price": _number,
    "percentage": _number,
}


def _address(v2: str, v3: str) -> dict[str, str]:
    parts = {"City": "city", "State": "stateOrProvince", "Zip": "zipOrPostalCode"}
    lines = {f"{v2}1": f"{v3}.line1", f"{v2}2": f"{v3}.line2"}
    named = {f"{v2}{part}": f"{v3}.{name}" for part, name in parts.items()}
    return {**lines, **named, f"{v2}Country": f"{v3}.countryName"}


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
    },
    "VendorCredit": {"refNumber": "referenceNumber"},
    "CreditMemo": {"refNumber": "referenceNumber"},
    "Invoice": {"itemSalesTax": "salesTaxItemId"},
    "RecurringBill": _SCHEDULE,
    "RecurringInvoice": _SCHEDULE,
    "ChartOfAccount": {
        "accountNumber": "account.number",
        "accountType": "account.type",
        "parentChartOfAccountId": "parentId",
    },
    "PaymentTerm": {"dueMinDays": "daysDue"},
    "BankAccount": {"nameOnAcct": "nameOnAccount"},
    "User": {"profileId": "role.id"},
}
_SAME = (
    *_NAMED, "email", "phone", "fax", "companyName", "vendorId", "customerId", "dueDate",
    "creditDate", "invoiceNumber", "invoiceDate", "payFromChartOfAccountId",
    "payToChartOfAccountId", "applyToChartOfAccountId", "applyToBankAccountId",
    "salesTaxPercentage", "salesTaxTotal", "firstName", "lastName", "altPhone", "price",
    "percentage", "taxable", "type", "chartOfAccountId", "billCurrency", "accountType",
    "accountNumber", "routingNumber", "bankName", "nameOnAccount", "parentId",
)  # fmt: skip
_LINES = (
    "billLineItems",
    "vendorCreditLineItems",
    "recurringBillLineItems",
    "invoiceLineItems",
    "creditMemoLineItems",
    "recurringInvoiceLineItems",
)


def to_v3(entity: str, values: Document) -> Document:
    """The body that a v3 client would send for the same object."""
    table = _FIELDS.get(entity, {})
    body: Document = {}
    for v2_field, value in values.items():
        path = table.get(v2_field) or (v2_field if v2_field in _SAME else "")
        if path and value not in (None, ZERO_ID):
            _put(body, path, _CONVERT.get(path, lambda same: same)(value))
    for lines in _LINES:
        if isinstance(values.get(lines), list):
            body[lines] = [_line(row) for row in values[lines] if isinstance(row, dict)]
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
