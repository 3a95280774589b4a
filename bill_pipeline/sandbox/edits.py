"""What a test does to a company's books through the control plane, as its people would.

Each function takes the sandbox, the client and the request's values, and returns what changed.
Amounts in requests are dollars, as BILL writes them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from bill_pipeline.sandbox import cards
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.errors import ApiError
from bill_pipeline.sandbox.money import cents, dollars
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.payables import Application, Line
from bill_pipeline.sandbox.state import SandboxState

Edit = Callable[[SandboxState, Organization, dict[str, Any]], dict[str, Any]]


def _chosen(state: SandboxState, books: Organization, values: dict[str, Any]) -> list[Document]:
    """The documents of ``list`` by ``ids``, or ``count`` of them chosen by ``seed``."""
    name = values.get("list", "bills")
    if name not in books.lists:
        raise ValueError(f"No list {name!r}. There are: {', '.join(books.lists)}")
    documents = books[name]
    if "ids" in values:
        return [state.payables(books).document(name, one) for one in values["ids"]]
    count = int(values.get("count", 1))
    if count > len(documents):
        raise ValueError(f"{name} has only {len(documents)} documents")
    chooser = random.Random(values.get("seed", state.seed))  # noqa: S311
    return [documents.at(p) for p in sorted(chooser.sample(range(len(documents)), count))]


def change(state: SandboxState, books: Organization, values: dict[str, Any]) -> dict[str, Any]:
    """``{"list", "ids" | "count", "set": {…}, "silent": false}``: edit fields of documents.

    Without ``set`` the description of the first line (or of the document) is changed; a
    ``silent`` change does not move updatedTime. Returns the ids.
    """
    name = values.get("list", "bills")
    changed = _chosen(state, books, values)
    for document in changed:
        if "set" in values:
            document |= values["set"]
        else:
            lines = next((v for k, v in document.items() if k.endswith("LineItems")), [document])
            lines[0]["description"] = f"Edited {state.clock.now_ms() + len(document['id'])}"
        if values.get("silent"):
            books[name].replace(document)
        else:
            state.payables(books).edit(name, document, state.clock.stamp_ms())
    return {"ids": [document["id"] for document in changed]}


def set_archived(
    state: SandboxState, books: Organization, values: dict[str, Any]
) -> dict[str, Any]:
    """``{"list", "ids" | "count", "archived": true}``: archive or restore."""
    name = values.get("list", "bills")
    changed = _chosen(state, books, values)
    archived = bool(values.get("archived", True))
    for document in changed:
        document["archived"] = archived
        books[name].replace(document, state.clock.stamp_ms())
        event = "archived" if archived else "restored"
        state.payables(books).announce(f"{name.removesuffix('s')}.{event}", document)
    return {"ids": [document["id"] for document in changed]}


def recode(state: SandboxState, books: Organization, values: dict[str, Any]) -> dict[str, Any]:
    """``{"lines": {line id: account id, …}}``: code lines of bills, as a person does in BILL."""
    wanted: dict[str, str] = values["lines"]
    changed = []
    for bill in books["bills"]:
        lines = [line for line in bill["billLineItems"] if line["id"] in wanted]
        for line in lines:
            codes = line.setdefault("classifications", {})
            codes["chartOfAccountId"] = wanted[line["id"]]
        if lines:
            state.payables(books).edit("bills", bill, state.clock.stamp_ms())
            changed.append(bill["id"])
    return {"ids": changed}


def enter_bill(state: SandboxState, books: Organization, values: dict[str, Any]) -> dict[str, Any]:
    """``{"vendor_id", "lines": [{"amount", "description", "account_id"}], "date", "number"}``."""
    vendor = state.payables(books).document("vendors", values["vendor_id"])
    today = state.clock.now().date()
    day = date.fromisoformat(values["date"]) if "date" in values else today
    lines = [
        Line(
            cents(line["amount"]),
            line.get("description", ""),
            {"chartOfAccountId": line["account_id"]} if line.get("account_id") else {},
        )
        for line in values["lines"]
    ]
    number = values.get("number", f"NEW-{len(books['bills'])}")
    due_date = day + timedelta(days=30)
    stamp = state.clock.stamp_ms()
    return state.payables(books).enter_bill(vendor, number, day, due_date, lines, stamp)


def pay(state: SandboxState, books: Organization, values: dict[str, Any]) -> dict[str, Any]:
    """``{"bill_ids", "amount"?, "credits"?: {credit id: amount}, "single_status"?, "online"?,
    "funding"?}``.

    Bills of one vendor are paid in full unless ``amount`` (for one bill) says less, and from a
    bank account unless ``funding`` (``{"type", "id"}``) names another account.
    """
    payables = state.payables(books)
    bills = [payables.document("bills", one) for one in values["bill_ids"]]
    used = tuple((one, cents(amount)) for one, amount in values.get("credits", {}).items())
    applications = []
    for bill in bills:
        due = cents(bill["dueAmount"]) - sum(amount for _, amount in used)
        amount = cents(values["amount"]) if "amount" in values else due
        if not 0 < amount <= due:
            raise ValueError(f"Bill {bill['id']} has {dollars(due)} due, not {dollars(amount)}")
        applications.append(Application(bill["id"], amount, used))
        used = ()
    vendor = payables.document("vendors", bills[0]["vendorId"])
    return payables.pay(
        vendor,
        applications,
        state.clock.now().date(),
        state.clock.stamp_ms(),
        single_status=values.get("single_status", "CLEARED"),
        onlinePayment=bool(values.get("online", True)),
        fundingAccount=_account(books, values.get("funding", {"type": "BANK_ACCOUNT"})),
        disbursementType="ACH" if values.get("online", True) else "OFFLINE",
    )


def receive(state: SandboxState, books: Organization, values: dict[str, Any]) -> dict[str, Any]:
    """``{"customer_id", "amount", "invoices"?: {invoice id: amount}, "type"?, "status"?,
    "funding"?, "into"?}``: a customer pays, from and into accounts (``{"type", "id"}``)."""
    accounts = {
        field: _account(books, values[name])
        for field, name in (("fundingAccount", "funding"), ("receivablesAccount", "into"))
        if name in values
    }
    return state.receivables(books).receive(
        values["customer_id"],
        cents(values["amount"]),
        [(one, cents(amount)) for one, amount in values.get("invoices", {}).items()],
        state.clock.now().date(),
        state.clock.stamp_ms(),
        receivablesType=values.get("type", "OTHER"),
        status=values.get("status", "PAID"),
        **accounts,
    )


def _account(books: Organization, account: Document) -> Document:
    try:
        return cards.funding_account(books, account, "funding")
    except ApiError as error:
        raise ValueError(error.message) from None


def move_payment(
    state: SandboxState, books: Organization, values: dict[str, Any]
) -> dict[str, Any]:
    """``{"payment_id", "single_status", "void_type"?}``: with a type, a void is noted first."""
    payables = state.payables(books)
    if "void_type" in values:
        stamp = state.clock.stamp_ms()
        payables.note_void(values["payment_id"], values["void_type"], "ACCEPTED", "Test", stamp)
    return payables.move(values["payment_id"], values["single_status"], state.clock.stamp_ms())


def merge_vendors(
    state: SandboxState, books: Organization, values: dict[str, Any]
) -> dict[str, Any]:
    """``{"from_id", "into_id"}``: the first is archived and, in v2, points to the second."""
    payables = state.payables(books)
    payables.document("vendors", values["into_id"])
    books.merged_into[values["from_id"]] = values["into_id"]
    return set_archived(state, books, {"list": "vendors", "ids": [values["from_id"]]})


EDITS: dict[str, Edit] = {
    "change": change,
    "archive": set_archived,
    "recode": recode,
    "bills": enter_bill,
    "pay": pay,
    "receive": receive,
    "payments": move_payment,
    "merge": merge_vendors,
}
