"""Create and change documents as clients ask for it, in v3's words, whatever plane they came by.

Which members an object has is the table in ``members.py``: only those are stored, read as what they
are. BILL fills in ids, amounts and states; what a client sends of those is ignored. Amounts are
checked and calculated by the ledgers (``payables.py``, ``receivables.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from bill_pipeline.sandbox import approvals, errors, fields
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.members import MEMBERS
from bill_pipeline.sandbox.money import cents, extended
from bill_pipeline.sandbox.payables import Line
from bill_pipeline.sandbox.receivables import SalesLine

#: What an object cannot be without, by list; the party of an invoice is ``_check_customer``.
_REQUIRED: dict[str, tuple[str, ...]] = {
    "vendors": ("name",),
    "customers": ("name",),
    "employees": (),
    "bills": ("vendorId", "dueDate", "billLineItems", "invoice", "invoice.invoiceDate"),
    "invoices": ("invoiceLineItems",),
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
    "payment-terms": {"daysDue": 0},
    "bank-accounts": {"status": "PENDING", "type": "CHECKING", "ownerType": "BUSINESS"},
}
_LINES = {
    "bills": "billLineItems",
    "vendor-credits": "vendorCreditLineItems",
    "recurringbills": "recurringBillLineItems",
    "invoices": "invoiceLineItems",
    "credit-memos": "creditMemoLineItems",
    "recurring-invoices": "recurringInvoiceLineItems",
}
_PARTIES = ("vendorId", "customerId")


def read_new(call: Call, name: str, body: Document) -> Document:
    """What a client says of a new object. Raises ``ApiError`` 400, also for what it lacks."""
    values = fields.read(call.signed_in().organization, MEMBERS[name], body)
    if name == "invoices":
        _check_customer(values)
    _check_required(name, values)
    return _completed(call, name, _in_stored_words(call, name, values))


def create(call: Call, name: str, body: Document) -> Document:
    """A new document of a list, as a read shows it. Raises ``ApiError`` 400."""
    return make(call, name, read_new(call, name, body))


def make(call: Call, name: str, values: Document) -> Document:
    """The new document of what ``read_new`` read."""
    made = _CREATORS.get(name, _create_plain)(call, name, values)
    return _stored(call, name, made["id"])


def change(
    call: Call, name: str, document: Document, body: Document, *, whole: bool = False
) -> Document:
    """The document with the members of ``body``; lines are replaced as a whole.

    ``whole`` (a ``PUT``): members that the body lacks are emptied.
    """
    books = call.signed_in().organization
    given = _in_stored_words(call, name, fields.read(books, MEMBERS[name], body))
    given.pop("customer", None)
    if whole:
        _check_required(name, given)
    for field in _PARTIES:
        if field in given and given[field] is None:
            raise errors.required(field)
    lines_field = _LINES.get(name, "")
    if lines_field in given:
        given[lines_field] = _changed_lines(call, name, document, given[lines_field])
    for field, value in given.items():
        both = isinstance(value, dict) and isinstance(document.get(field), dict)
        document[field] = {**document[field], **value} if both and not whole else value
    if whole:
        _empty_absent(name, document, given)
    _check_required(name, _completed(call, name, document))
    stamp = call.state.clock.stamp_ms()
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
    return date.fromisoformat(fields.day(value, field))


def masked(account_number: str) -> str:
    """A bank account's number as BILL shows it."""
    return f"*****{account_number[-4:]}"


def _check_required(name: str, values: Document) -> None:
    """Raises ``ApiError`` 400 naming the first member that an object lacks."""
    for path in _REQUIRED.get(name, ("name",)):
        value: Any = values
        for field in path.split("."):
            value = value.get(field)
        if value in (None, "", [], {}):
            raise errors.required(path)


def _check_customer(values: Document) -> None:
    """An invoice is for a ``customer`` with an id, or for a new one with a name and an email."""
    customer = values.get("customer") or {}
    if not customer.get("id") and not (customer.get("name") and customer.get("email")):
        raise errors.required("customer")
    values["customerId"] = customer.get("id")


def _in_stored_words(call: Call, name: str, values: Document) -> Document:
    """Members that are written under one name and read under another, or masked."""
    if (values.get("customer") or {}).get("id"):
        values["customerId"] = values.pop("customer")["id"]
    role = call.signed_in().organization["roles"].get(values.pop("roleId", None) or "")
    if role is not None:
        values["role"] = {field: role.get(field) for field in ("id", "type", "description")}
    bank = (values.get("paymentInformation") or {}).get("bankAccount") or {}
    for holder in (bank, values if name == "bank-accounts" else {}):
        if holder.get("accountNumber"):
            holder["accountNumber"] = masked(holder["accountNumber"])
    return values


def _completed(call: Call, name: str, document: Document) -> Document:
    """The document, changed in place, with what BILL fills in where a client says nothing."""
    for field, default in _DEFAULTS.get(name, {}).items():
        value = document.get(field)
        if isinstance(default, dict):
            said = {key: one for key, one in (value or {}).items() if one is not None}
            document[field] = default | said
        elif value is None:
            document[field] = default
    if name == "bank-accounts":
        document.setdefault("createdBy", call.signed_in().credential.user_id)
    if name == "invoices":
        number = f"INV-{len(call.signed_in().organization[name]) + 1:05d}"
        day = document.get("invoiceDate") or call.state.clock.now().date().isoformat()
        document["invoiceNumber"] = document.get("invoiceNumber") or number
        document |= {"invoiceDate": day, "dueDate": document.get("dueDate") or day}
    return document


def _stored(call: Call, name: str, object_id: str) -> Document:
    found = call.signed_in().organization[name].get(object_id)
    if found is None:
        raise errors.not_found(object_id)
    return found


def _create_plain(call: Call, name: str, values: Document) -> Document:
    books, stamp = call.signed_in().organization, call.state.clock.stamp_ms()
    document = {"archived": False, **values}
    lines_field = _LINES.get(name)
    if lines_field:
        document[lines_field] = _new_lines(call, name, document[lines_field])
    made = books[name].add(document, stamp)
    if name == "vendors":
        call.state.payables(books).announce("vendor.created", made)
    return made


def _create_bill(call: Call, name: str, values: Document) -> Document:
    books, invoice = call.signed_in().organization, values["invoice"]
    lines = [_line(row) for row in values["billLineItems"]]
    at_ms = call.state.clock.stamp_ms()
    approvers = approvals.approvers_for(books, sum(line.amount for line in lines), at_ms)
    return call.state.payables(books).enter_bill(
        _stored(call, "vendors", values["vendorId"]),
        invoice.get("invoiceNumber") or "",
        date.fromisoformat(invoice["invoiceDate"]),
        date.fromisoformat(values["dueDate"]),
        lines,
        at_ms,
        **_rest(values, "description purchaseOrderNumber payFromChartOfAccountId "
                "paymentTermId classifications"),
        approvalStatus="ASSIGNED" if approvers else "UNASSIGNED",
        approvers=approvers,
    )  # fmt: skip


def _create_credit(call: Call, name: str, values: Document) -> Document:
    return call.state.payables(call.signed_in().organization).enter_credit(
        _stored(call, "vendors", values["vendorId"]),
        values["referenceNumber"],
        date.fromisoformat(values["creditDate"]),
        [_line(row) for row in values["vendorCreditLineItems"]],
        call.state.clock.stamp_ms(),
        **_rest(values, "description applyToChartOfAccountId applyToBankAccountId"),
    )


def _create_invoice(call: Call, name: str, values: Document) -> Document:
    customer_id = values["customerId"]
    if customer_id is None:
        customer = {field: values["customer"][field] for field in ("name", "email")}
        customer_id = create(call, "customers", customer)["id"]
    percent = values.get("salesTaxPercentage") or 0
    return call.state.receivables(call.signed_in().organization).issue_invoice(
        customer_id,
        values["invoiceNumber"],
        date.fromisoformat(values["invoiceDate"]),
        date.fromisoformat(values["dueDate"]),
        [_sales_line(row, is_taxable=percent > 0) for row in values["invoiceLineItems"]],
        percent,
        call.state.clock.stamp_ms(),
        **_rest(values, "description classifications payToChartOfAccountId paymentTermId "
                "salesTaxItemId enableCardPayment"),
    )  # fmt: skip


def _create_memo(call: Call, name: str, values: Document) -> Document:
    percent = values.get("salesTaxPercentage") or 0
    rows = values["creditMemoLineItems"]
    return call.state.receivables(call.signed_in().organization).credit(
        values["customerId"],
        values.get("referenceNumber") or "",
        date.fromisoformat(values["creditDate"]),
        [_sales_line(row, is_taxable=bool(row.get("taxable")) or percent > 0) for row in rows],
        percent,
        call.state.clock.stamp_ms(),
        **_rest(values, "description classifications payToChartOfAccountId payToBankAccountId "
                "salesTaxItemId"),
    )  # fmt: skip


_CREATORS: dict[str, Callable[[Call, str, Document], Document]] = {
    "bills": _create_bill,
    "vendor-credits": _create_credit,
    "invoices": _create_invoice,
    "credit-memos": _create_memo,
}


def _rest(values: Document, names: str) -> Document:
    """The members that are stored as they are read."""
    return {name: values[name] for name in names.split() if name in values}


def _line(row: Document) -> Line:
    quantity, price = row.get("quantity") or 0, row.get("price") or 0
    fields.number(price * quantity, "price")
    amount = cents(row.get("amount") or 0) or extended(price, quantity)
    fields.number(amount / (quantity or 1), "quantity")
    return Line(amount, row.get("description") or "", row.get("classifications") or {}, quantity)


def _sales_line(row: Document, *, is_taxable: bool) -> SalesLine:
    quantity = row.get("quantity") or 1
    price = fields.number(row.get("price") or (row.get("amount") or 0) / quantity, "price")
    fields.number(price * quantity, "price")
    # A price may have fractions of a cent; a float's own noise is none.
    exact = round(price * 100, 6)
    codes = row.get("classifications") or {}
    return SalesLine(exact, quantity, row.get("description") or "", codes, is_taxable)


_LINE_PREFIXES = {
    "bills": "bli",
    "vendor-credits": "vci",
    "recurringbills": "tli",
    "invoices": "00f",
    "credit-memos": "cml",
    "recurring-invoices": "rli",
}


def _new_lines(call: Call, name: str, rows: list[Document]) -> list[Document]:
    books = call.signed_in().organization
    if name in {"bills", "vendor-credits", "recurringbills"}:
        lines = [_line(row) for row in rows]
        return call.state.payables(books).lines(lines, _LINE_PREFIXES[name])
    sales = [_sales_line(row, is_taxable=bool(row.get("taxable"))) for row in rows]
    receivables = call.state.receivables(books)
    with_amount = name != "invoices"
    return receivables.lines(sales, _LINE_PREFIXES[name], with_amount=with_amount)


def _changed_lines(
    call: Call, name: str, document: Document, rows: list[Document]
) -> list[Document]:
    """The new set of lines: known ids are kept, others get an id, the rest disappear.

    A line is written as it is sent: one that comes without classifications loses them.
    """
    known = {line["id"] for line in document.get(_LINES[name], ())}
    lines = _new_lines(call, name, rows)
    for row, line in zip(rows, lines, strict=True):
        if row.get("id") in known:
            line["id"] = row["id"]
    return lines


def _empty_absent(name: str, document: Document, given: Document) -> None:
    for field, member in MEMBERS[name].items():
        is_kept = member is fields.SHOWN or field in _PARTIES or field.startswith("salesTax")
        if field not in given and not is_kept:
            document.pop(field, None)
