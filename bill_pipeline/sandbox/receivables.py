"""Keep the receivables of one organization: invoices, received payments, credit memos.

As ``payables.py``: every change goes through here and amounts stay consistent; amounts are cents,
times milliseconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from bill_pipeline.sandbox.clock import from_ms
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import cents, dollars, extended
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.payment_states import credit_status
from bill_pipeline.sandbox.switches import Switches


@dataclass(frozen=True)
class SalesLine:
    """One line of an invoice or credit memo: price (in cents) × quantity."""

    price: float
    quantity: float
    description: str
    classifications: dict[str, str]
    is_taxable: bool = True

    @property
    def amount(self) -> int:
        """In cents."""
        return extended(dollars(self.price), self.quantity)


class Receivables:
    """The receivables ledger of one organization in BILL's documents."""

    def __init__(self, organization: Organization, switches: Switches) -> None:
        self._books = organization
        self._switches = switches
        self._receipts_of: dict[str, list[str]] = defaultdict(list)
        self._invoice_payment_ids: dict[tuple[str, str], str] = {}
        self.listeners: list[Callable[[str, Document], None]] = []

    def lines(self, lines: list[SalesLine], prefix: str, *, with_amount: bool) -> list[Document]:
        """Lines as BILL writes them, each with a new id; an invoice's show no amount."""
        written = []
        for line in lines:
            row: Document = {
                "id": self._books.new_id(prefix),
                "description": line.description,
                "price": dollars(line.price),
                "quantity": line.quantity,
            }
            if with_amount:
                row |= {"amount": dollars(line.amount), "taxable": line.is_taxable}
            written.append({**row, "classifications": dict(line.classifications)})
        return written

    def issue_invoice(
        self,
        customer_id: str,
        number: str,
        invoice_date: date,
        due_date: date,
        lines: list[SalesLine],
        tax_percent: float,
        at_ms: int,
        **fields: object,
    ) -> Document:
        """A new open invoice; sales tax is on the taxable lines, rounded once."""
        net = sum(line.amount for line in lines)
        taxable = sum(line.amount for line in lines if line.is_taxable)
        tax = round(taxable * tax_percent / 100)
        invoice = self._books["invoices"].add(
            {
                "archived": False,
                "invoiceNumber": number,
                "invoiceDate": invoice_date.isoformat(),
                "dueDate": due_date.isoformat(),
                "customerId": customer_id,
                "totalAmount": dollars(net + tax),
                "dueAmount": dollars(net + tax),
                "scheduledAmount": 0.0,
                "creditAmount": 0.0,
                "status": "OPEN",
                "exchangeRate": 1.0,
                "invoiceLineItems": self.lines(lines, "00f", with_amount=False),
                "salesTaxTotal": dollars(tax),
                "salesTaxPercentage": tax_percent if tax else 0.0,
                **fields,
            },
            at_ms,
        )
        self._announce("invoice.created", invoice)
        return invoice

    def receive(
        self,
        customer_id: str,
        amount: int,
        applied: list[tuple[str, int]],
        day: date,
        at_ms: int,
        **fields: object,
    ) -> Document:
        """A customer's payment of ``amount``, of which ``applied`` (invoice, cents) is used."""
        receipt = self._books["receivable-payments"].add(
            {
                "customerId": customer_id,
                "amount": dollars(amount),
                "unappliedAmount": dollars(amount - sum(used for _, used in applied)),
                "convenienceFeeAmount": 0.0,
                "paymentDate": day.isoformat(),
                "invoicePayments": [
                    {
                        "invoiceId": invoice_id,
                        "amount": dollars(used),
                        "paymentDate": day.isoformat(),
                    }
                    for invoice_id, used in applied
                ],
                "onlinePayment": False,
                "status": "PAID",
                **fields,
            },
            at_ms,
        )
        for invoice_id, _ in applied:
            self._receipts_of[invoice_id].append(receipt["id"])
            self._refresh_invoice(invoice_id, at_ms)
        return receipt

    def apply_rest(self, receipt_id: str, invoice_id: str, amount: int, at_ms: int) -> None:
        """Use a received payment's unapplied money on an invoice."""
        receipt = self._need("receivable-payments", receipt_id)
        receipt["unappliedAmount"] = dollars(cents(receipt["unappliedAmount"]) - amount)
        receipt.setdefault("invoicePayments", []).append(
            {
                "invoiceId": invoice_id,
                "amount": dollars(amount),
                "paymentDate": from_ms(at_ms).date().isoformat(),
            }
        )
        self._books["receivable-payments"].replace(receipt, at_ms)
        self._receipts_of[invoice_id].append(receipt_id)
        self._refresh_invoice(invoice_id, at_ms)

    def settle(self, receipt_id: str, status: str, at_ms: int) -> None:
        """A received payment becomes PAID, VOID or CANCELED."""
        receipt = self._need("receivable-payments", receipt_id)
        receipt["status"] = status
        self._books["receivable-payments"].replace(receipt, at_ms)
        for application in receipt.get("invoicePayments", ()):
            self._refresh_invoice(application["invoiceId"], at_ms)

    def credit(
        self,
        customer_id: str,
        reference: str,
        day: date,
        lines: list[SalesLine],
        tax_percent: float,
        at_ms: int,
        **fields: object,
    ) -> Document:
        """A credit memo that is not applied yet."""
        net = sum(line.amount for line in lines)
        tax = round(sum(x.amount for x in lines if x.is_taxable) * tax_percent / 100)
        return self._books["credit-memos"].add(
            {
                "customerId": customer_id,
                "referenceNumber": reference,
                "creditDate": day.isoformat(),
                "archived": False,
                "amount": dollars(net + tax),
                "appliedAmount": 0.0,
                "status": "NOT_APPLIED",
                "salesTaxTotal": dollars(tax),
                "salesTaxPercentage": tax_percent if tax else 0.0,
                "creditMemoLineItems": self.lines(lines, "cml", with_amount=True),
                **fields,
            },
            at_ms,
        )

    def apply_credit(self, memo_id: str, invoice_id: str, amount: int, at_ms: int) -> None:
        """Use a credit memo on an invoice of the same customer."""
        memo = self._need("credit-memos", memo_id)
        memo.setdefault("usage", []).append({"invoiceId": invoice_id, "amount": dollars(amount)})
        applied = sum(cents(row["amount"]) for row in memo["usage"])
        status = credit_status(cents(memo["amount"]), applied, is_processing=False)
        memo |= {"appliedAmount": dollars(applied), "status": status}
        moved_ms = at_ms if self._switches.applications_move_credit_times else None
        self._books["credit-memos"].replace(memo, moved_ms)
        invoice = self._need("invoices", invoice_id)
        invoice["creditAmount"] = dollars(cents(invoice["creditAmount"]) + amount)
        self._books["invoices"].replace(invoice)
        self._refresh_invoice(invoice_id, at_ms)

    def edit(self, name: str, document: Document, at_ms: int) -> Document:
        """Write back a document somebody edited, with the amounts that follow from its lines."""
        if name == "invoices":
            document["totalAmount"] = dollars(_net(document, "invoiceLineItems") + _tax(document))
        if name == "credit-memos":
            document["amount"] = dollars(_net(document, "creditMemoLineItems") + _tax(document))
        written = self._books[name].replace(document, at_ms)
        if name == "invoices":
            self._refresh_invoice(document["id"], at_ms)
        return written

    def _refresh_invoice(self, invoice_id: str, at_ms: int) -> None:
        """Give an invoice the payments and amounts its receipts and credits give it."""
        invoice = self._need("invoices", invoice_id)
        payments: list[Document] = []
        sums = {"PAID": 0, "SCHEDULED": 0}
        for receipt_id in dict.fromkeys(self._receipts_of[invoice_id]):
            receipt = self._need("receivable-payments", receipt_id)
            for application in receipt.get("invoicePayments", ()):
                if application["invoiceId"] != invoice_id:
                    continue
                key = (receipt_id, invoice_id)
                if key not in self._invoice_payment_ids:
                    self._invoice_payment_ids[key] = self._books.new_id("0ip")
                payments.append(
                    {
                        "id": self._invoice_payment_ids[key],
                        "amount": application["amount"],
                        "status": receipt["status"],
                        "date": application["paymentDate"],
                    }
                )
                if receipt["status"] in sums:
                    sums[receipt["status"]] += cents(application["amount"])
        total, credited = cents(invoice["totalAmount"]), cents(invoice["creditAmount"])
        due = total - credited - sums["PAID"] - sums["SCHEDULED"]
        invoice |= {
            "payments": payments,
            "scheduledAmount": dollars(sums["SCHEDULED"]),
            "dueAmount": dollars(due),
            "status": _invoice_status(total, due, sums["SCHEDULED"]),
        }
        stays = self._switches.payments_leave_document_times
        self._books["invoices"].replace(invoice, None if stays else at_ms)
        self._announce("invoice.updated", invoice)

    def _announce(self, event: str, document: Document) -> None:
        for listener in self.listeners:
            listener(event, document)

    def _need(self, name: str, object_id: str) -> Document:
        found = self._books[name].get(object_id)
        if found is None:
            raise KeyError(f"{self._books.client}: no {object_id} in {name}")
        return found


def _net(document: Document, lines: str) -> int:
    return sum(extended(x["price"], x["quantity"]) for x in document.get(lines, ()))


def _tax(document: Document) -> int:
    return cents(document.get("salesTaxTotal", 0.0))


def _invoice_status(total: int, due: int, scheduled: int) -> str:
    if due <= 0:
        return "SCHEDULED" if scheduled else "PAID_IN_FULL"
    return "PARTIAL_PAYMENT" if due < total else "OPEN"
