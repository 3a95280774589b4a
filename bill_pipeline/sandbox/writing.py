"""Create and change documents as clients ask for it, in v3's words, whatever plane they came by.

BILL fills in ids, amounts and states; what a client sends of those is ignored. Amounts are
checked and calculated by the ledgers (``payables.py``, ``receivables.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from bill_pipeline.sandbox import approvals, errors
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.endpoint import Call
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.payables import Line
from bill_pipeline.sandbox.receivables import SalesLine

#: What a new object must have, by list.
_REQUIRED: dict[str, tuple[str, ...]] = {
    "vendors": ("name",),
    "customers": ("name",),
    "employees": (),
    "bills": ("vendorId", "dueDate", "billLineItems", "invoice"),
    "invoices": ("customer", "invoiceNumber", "invoiceDate", "dueDate", "invoiceLineItems"),
    "vendor-credits": ("vendorId", "referenceNumber", "creditDate", "vendorCreditLineItems"),
    "credit-memos": ("customerId", "creditDate", "creditMemoLineItems"),
    "recurringbills": ("vendorId", "recurringBillLineItems"),
    "recurring-invoices": ("customerId", "recurringInvoiceLineItems"),
    "users": ("email",),
    "bank-accounts": ("nameOnAccount", "accountNumber"),
}
#: What BILL fills in.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "vendors": {
        "accountType": "NONE",
        "billCurrency": "USD",
        "networkStatus": "NOT_CONNECTED",
        "bankAccountStatus": "NO_ACCOUNT",
        "recurringPayments": False,
    },
    "customers": {"accountType": "NONE", "invoiceCurrency": "USD"},
    "chart-of-accounts": {"account": {"type": "UNSPECIFIED"}},
    "items": {"type": "SERVICE", "taxable": False},
    "bank-accounts": {"status": "PENDING", "type": "CHECKING", "ownerType": "BUSINESS"},
}
#: What a client cannot set.
_OWN_FIELDS = frozenset({"id", "createdTime", "updatedTime", "archived"})
_LINES = {
    "bills": "billLineItems",
    "vendor-credits": "vendorCreditLineItems",
    "recurringbills": "recurringBillLineItems",
    "invoices": "invoiceLineItems",
    "credit-memos": "creditMemoLineItems",
    "recurring-invoices": "recurringInvoiceLineItems",
}
#: Amounts and states that follow from lines, payments and credits.
_DERIVED = frozenset(
    {"amount", "fundingAmount", "paidAmount", "dueAmount", "scheduledAmount", "creditAmount",
     "totalAmount", "appliedAmount", "usage", "payments", "paymentStatus", "approvalStatus",
     "status", "approvers", "vendorName", "balance", "networkStatus"}
)  # fmt: skip
_STATES = frozenset({"bank-accounts", "users"})


def check_required(name: str, body: dict[str, Any]) -> None:
    """Raises ``ApiError`` 400 naming the first field that a new object lacks."""
    for field in _REQUIRED.get(name, ("name",)):
        if body.get(field) in (None, "", [], {}):
            raise errors.required(field)


def create(call: Call, name: str, body: dict[str, Any]) -> Document:
    """A new document of a list, as a read shows it. Raises ``ApiError`` 400."""
    check_required(name, body)
    made = _CREATORS.get(name, _create_plain)(call, name, body)
    return _stored(call, name, made["id"])


def change(
    call: Call, name: str, document: Document, body: dict[str, Any], *, whole: bool = False
) -> Document:
    """The document with the fields of ``body``; lines are replaced as a whole.

    ``whole`` (a ``PUT``): plain fields that the body lacks are emptied.
    """
    derived = _OWN_FIELDS if name in _STATES else _OWN_FIELDS | _DERIVED
    given = {field: value for field, value in body.items() if field not in derived}
    _check_references(call, given)
    if isinstance(given.get("customer"), dict):
        given["customerId"] = given.pop("customer").get("id")
    lines_field = _LINES.get(name, "")
    if lines_field in given:
        given[lines_field] = _changed_lines(call, name, document, given[lines_field])
    for field, value in given.items():
        both = isinstance(value, dict) and isinstance(document.get(field), dict)
        document[field] = {**document[field], **value} if both and not whole else value
    if whole:
        _empty_absent(document, given)
    books, stamp = call.signed_in().organization, call.state.clock.stamp_ms()
    if name in {"invoices", "credit-memos", "recurring-invoices"}:
        call.state.receivables(books).edit(name, document, stamp)
    else:
        call.state.payables(books).edit(name, document, stamp)
    return _stored(call, name, document["id"])


def set_archived(call: Call, name: str, document: Document, archived: bool) -> Document:
    """Archive or restore; doing it twice changes nothing."""
    if bool(document.get("archived")) == archived:
        return document
    document["archived"] = archived
    books = call.signed_in().organization
    books[name].replace(document, call.state.clock.stamp_ms())
    event = f"{name.removesuffix('s')}.{'archived' if archived else 'restored'}"
    call.state.payables(books).announce(event, document)
    return document


def day_of(value: object, field: str) -> date:
    """A calendar date of a request; raises ``ApiError`` 400."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise errors.required(field) from None


def _stored(call: Call, name: str, object_id: str) -> Document:
    found = call.signed_in().organization[name].get(object_id)
    if found is None:
        raise errors.not_found(object_id)
    return found


def _create_plain(call: Call, name: str, body: dict[str, Any]) -> Document:
    fields = {field: value for field, value in body.items() if field not in _OWN_FIELDS}
    books, stamp = call.signed_in().organization, call.state.clock.stamp_ms()
    document = {"archived": False, **_DEFAULTS.get(name, {}), **fields}
    lines_field = _LINES.get(name)
    if lines_field:
        document[lines_field] = _new_lines(call, name, document[lines_field])
    made = books[name].add(document, stamp)
    if name == "vendors":
        call.state.payables(books).announce("vendor.created", made)
    return made


def _create_bill(call: Call, name: str, body: dict[str, Any]) -> Document:
    books, invoice = call.signed_in().organization, body["invoice"]
    if not isinstance(invoice, dict):
        raise errors.required("invoice")
    lines = [_line(row) for row in _rows(body["billLineItems"], "billLineItems")]
    at_ms = call.state.clock.stamp_ms()
    approvers = approvals.approvers_for(books, sum(line.amount for line in lines), at_ms)
    return call.state.payables(books).enter_bill(
        _party(call, "vendors", body["vendorId"], "vendorId"),
        str(invoice.get("invoiceNumber") or ""),
        day_of(invoice.get("invoiceDate"), "invoice.invoiceDate"),
        day_of(body["dueDate"], "dueDate"),
        lines,
        at_ms,
        description=body.get("description"),
        purchaseOrderNumber=body.get("purchaseOrderNumber"),
        payFromChartOfAccountId=body.get("payFromChartOfAccountId"),
        classifications=_codes(body) or None,
        approvalStatus="ASSIGNED" if approvers else "UNASSIGNED",
        approvers=approvers,
    )


def _create_credit(call: Call, name: str, body: dict[str, Any]) -> Document:
    books = call.signed_in().organization
    rows = _rows(body["vendorCreditLineItems"], "vendorCreditLineItems")
    return call.state.payables(books).enter_credit(
        _party(call, "vendors", body["vendorId"], "vendorId"),
        str(body["referenceNumber"]),
        day_of(body["creditDate"], "creditDate"),
        [_line(row) for row in rows],
        call.state.clock.stamp_ms(),
        description=body.get("description"),
        applyToChartOfAccountId=body.get("applyToChartOfAccountId"),
        applyToBankAccountId=body.get("applyToBankAccountId"),
    )


def _create_invoice(call: Call, name: str, body: dict[str, Any]) -> Document:
    # A read gives customerId; a create needs the nested customer.
    customer = body["customer"] if isinstance(body["customer"], dict) else {}
    party = _party(call, "customers", str(customer.get("id", "")), "customer")
    rows = _rows(body["invoiceLineItems"], "invoiceLineItems")
    percent = _number(body, "salesTaxPercentage")
    return call.state.receivables(call.signed_in().organization).issue_invoice(
        party["id"],
        str(body["invoiceNumber"]),
        day_of(body["invoiceDate"], "invoiceDate"),
        day_of(body["dueDate"], "dueDate"),
        [_sales_line(row, is_taxable=percent > 0) for row in rows],
        percent,
        call.state.clock.stamp_ms(),
        description=body.get("description"),
        classifications=_codes(body) or None,
        payToChartOfAccountId=body.get("payToChartOfAccountId"),
        salesTaxItemId=body.get("salesTaxItemId"),
        enableCardPayment=body.get("enableCardPayment"),
    )


def _create_memo(call: Call, name: str, body: dict[str, Any]) -> Document:
    party = _party(call, "customers", str(body["customerId"]), "customerId")
    rows = _rows(body["creditMemoLineItems"], "creditMemoLineItems")
    percent = _number(body, "salesTaxPercentage")
    return call.state.receivables(call.signed_in().organization).credit(
        party["id"],
        str(body.get("referenceNumber") or ""),
        day_of(body["creditDate"], "creditDate"),
        [_sales_line(row, is_taxable=bool(row.get("taxable")) or percent > 0) for row in rows],
        percent,
        call.state.clock.stamp_ms(),
        description=body.get("description"),
        classifications=_codes(body) or None,
        payToChartOfAccountId=body.get("payToChartOfAccountId"),
        payToBankAccountId=body.get("payToBankAccountId"),
    )


_CREATORS: dict[str, Callable[[Call, str, dict[str, Any]], Document]] = {
    "bills": _create_bill,
    "vendor-credits": _create_credit,
    "invoices": _create_invoice,
    "credit-memos": _create_memo,
}


def _party(call: Call, name: str, object_id: object, field: str) -> Document:
    found = call.signed_in().organization[name].get(str(object_id))
    if found is None:
        raise errors.invalid(f"{field}: no object {object_id}")
    return found


def _check_references(call: Call, given: dict[str, Any]) -> None:
    for field, name in (("vendorId", "vendors"), ("customerId", "customers")):
        if field in given:
            _party(call, name, given[field], field)


def _rows(value: Any, field: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise errors.invalid(f"{field}: must be an array of objects")
    return value


def _number(row: dict[str, Any], field: str) -> float:
    try:
        return float(row.get(field) or 0)
    except (TypeError, ValueError):
        raise errors.invalid(f"{field}: {row.get(field)!r} is not a number") from None


def _money(row: dict[str, Any], field: str) -> int:
    return cents(_number(row, field))


def _codes(row: dict[str, Any]) -> dict[str, Any]:
    """``classifications`` of a line or document: ids by name."""
    codes = row.get("classifications") or {}
    if not isinstance(codes, dict):
        raise errors.invalid("classifications: must be an object")
    return dict(codes)


def _line(row: dict[str, Any]) -> Line:
    quantity, price = _number(row, "quantity"), _money(row, "price")
    amount = _money(row, "amount") or round(price * quantity)
    return Line(amount, str(row.get("description") or ""), _codes(row), int(quantity))


def _sales_line(row: dict[str, Any], *, is_taxable: bool) -> SalesLine:
    quantity = int(_number(row, "quantity")) or 1
    price = _money(row, "price") or round(_money(row, "amount") / quantity)
    return SalesLine(price, quantity, str(row.get("description") or ""), _codes(row), is_taxable)


_LINE_PREFIXES = {
    "bills": "bli",
    "vendor-credits": "vci",
    "recurringbills": "tli",
    "invoices": "00f",
    "credit-memos": "cml",
    "recurring-invoices": "rli",
}


def _new_lines(call: Call, name: str, value: Any) -> list[Document]:
    rows = _rows(value, _LINES[name])
    books = call.signed_in().organization
    if name in {"bills", "vendor-credits", "recurringbills"}:
        lines = [_line(row) for row in rows]
        return call.state.payables(books).lines(lines, _LINE_PREFIXES[name])
    sales = [_sales_line(row, is_taxable=bool(row.get("taxable"))) for row in rows]
    receivables = call.state.receivables(books)
    with_amount = name != "invoices"
    return receivables.lines(sales, _LINE_PREFIXES[name], with_amount=with_amount)


def _changed_lines(call: Call, name: str, document: Document, value: Any) -> list[Document]:
    """The new set of lines: known ids are kept, others get an id, the rest disappear.

    A line is written as it is sent: one that comes without classifications loses them.
    """
    known = {line["id"] for line in document.get(_LINES[name], ())}
    lines = _new_lines(call, name, value)
    for row, line in zip(value, lines, strict=True):
        if row.get("id") in known:
            line["id"] = row["id"]
    return lines


_ALWAYS = frozenset({"exchangeRate", "vendorId", "customerId", "createdBy"})


def _empty_absent(document: Document, given: dict[str, Any]) -> None:
    for field in set(document) - set(given) - _OWN_FIELDS - _DERIVED - _ALWAYS:
        if not field.startswith("salesTax"):
            del document[field]
