"""Keep the payables of one organization: bills, vendor credits, payments, always consistent.

Every change goes through here, so that a bill's paid, scheduled, credited and due amounts are
those of its payments. When things happen is decided by the caller, who gives the time in
milliseconds; amounts are cents. Cash that moves because of a payment is ``cash.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from bill_pipeline.sandbox.clock import timestamp
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.money import cents, dollars
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.payment_effects import in_state, with_amounts, with_usage
from bill_pipeline.sandbox.switches import Switches


@dataclass(frozen=True)
class Line:
    """One line of a bill or vendor credit; ``classifications`` are BILL's ids by name."""

    amount: int
    description: str
    classifications: dict[str, str] = field(default_factory=dict)
    quantity: float = 0


@dataclass(frozen=True)
class Application:
    """What one payment does for one bill: cash, and credits used on top of it."""

    bill_id: str
    amount: int
    credits: tuple[tuple[str, int], ...] = ()


class Payables:
    """The payables ledger of one organization in BILL's documents."""

    def __init__(self, organization: Organization, switches: Switches) -> None:
        self._books = organization
        self._switches = switches
        self._payments_of_bill: dict[str, list[str]] = defaultdict(list)
        self._payments_of_credit: dict[str, list[str]] = defaultdict(list)
        #: Called with (event type, document) after a change, for webhooks.
        self.listeners: list[Callable[[str, Document], None]] = []

    def announce(self, event: str, document: Document) -> None:
        for listener in self.listeners:
            listener(event, document)

    def document(self, name: str, object_id: str) -> Document:
        """A document that must exist; raises ``KeyError`` naming list and id."""
        found = self._books[name].get(object_id)
        if found is None:
            raise KeyError(f"{self._books.client}: no {object_id} in {name}")
        return found

    def lines(self, lines: list[Line], prefix: str) -> list[Document]:
        """Lines as BILL writes them, each with a new id."""
        return [
            {
                "id": self._books.new_id(prefix),
                "amount": dollars(line.amount),
                **(
                    {
                        "quantity": line.quantity,
                        "price": round(dollars(line.amount) / line.quantity, 4),
                    }
                    if line.quantity
                    else {}
                ),
                "description": line.description,
                "classifications": dict(line.classifications),
            }
            for line in lines
        ]

    def enter_bill(
        self,
        vendor: Document,
        invoice_number: str,
        invoice_date: date,
        due_date: date,
        lines: list[Line],
        at_ms: int,
        **fields: object,
    ) -> Document:
        """A new open bill; ``fields`` are further fields of BILL's document."""
        amount = sum(line.amount for line in lines)
        document = {
            "archived": False,
            "vendorId": vendor["id"],
            "vendorName": vendor["name"],
            "amount": dollars(amount),
            "fundingAmount": dollars(amount),
            "exchangeRate": 1.0,
            "paidAmount": 0.0,
            "dueAmount": dollars(amount),
            "scheduledAmount": 0.0,
            "creditAmount": 0.0,
            "dueDate": due_date.isoformat(),
            "invoice": {"invoiceNumber": invoice_number, "invoiceDate": invoice_date.isoformat()},
            "billLineItems": self.lines(lines, "bli"),
            "paymentStatus": "UNPAID" if amount > 0 else "PAID",
            "approvalStatus": "UNASSIGNED",
            **fields,
        }
        bill = self._books["bills"].add(document, at_ms)
        self.announce("bill.created", bill)
        return bill

    def enter_credit(
        self,
        vendor: Document,
        reference: str,
        day: date,
        lines: list[Line],
        at_ms: int,
        **fields: object,
    ) -> Document:
        """A new vendor credit that is not applied yet; line amounts are positive."""
        return self._books["vendor-credits"].add(
            {
                "vendorId": vendor["id"],
                "referenceNumber": reference,
                "creditDate": day.isoformat(),
                "archived": False,
                "amount": dollars(sum(line.amount for line in lines)),
                "appliedAmount": 0.0,
                "status": "NOT_APPLIED",
                "vendorCreditLineItems": self.lines(lines, "vci"),
                **fields,
            },
            at_ms,
        )

    def pay(
        self,
        vendor: Document,
        applications: list[Application],
        process_date: date,
        at_ms: int,
        single_status: str = "SCHEDULED",
        **fields: object,
    ) -> Document:
        """A new payment of one or more bills of one vendor; ``fields`` complete the document."""
        amount = sum(application.amount for application in applications)
        document: Document = {
            "amount": dollars(amount),
            "vendorId": vendor["id"],
            "vendorName": vendor["name"],
            "billId": applications[0].bill_id if len(applications) == 1 else "",
            "billPayments": [
                {
                    "id": self._books.new_id("blp"),
                    "billId": application.bill_id,
                    "amount": dollars(application.amount),
                    "vendorCredits": [
                        {"id": credit_id, "amount": dollars(used)}
                        for credit_id, used in application.credits
                    ],
                }
                for application in applications
            ],
            "processDate": process_date.isoformat(),
            "fundingAmount": dollars(amount),
            "exchangeRate": 1.0,
            "onlinePayment": True,
            **fields,
        }
        payment = self._books["payments"].add(in_state(document, single_status), at_ms)
        for application in applications:
            self._payments_of_bill[application.bill_id].append(payment["id"])
            for credit_id, _ in application.credits:
                self._payments_of_credit[credit_id].append(payment["id"])
        self._refresh_applied(payment, at_ms)
        self.announce("payment.updated", payment)
        return payment

    def move(self, payment_id: str, single_status: str, at_ms: int, **fields: object) -> Document:
        """Take a payment to another state, and its bills and credits with it."""
        payment = in_state(self.document("payments", payment_id), single_status)
        payment |= fields
        self._books["payments"].replace(payment, at_ms)
        self._refresh_applied(payment, at_ms)
        failed = "FAILED" in single_status
        self.announce("payment.failed" if failed else "payment.updated", payment)
        return payment

    def note_void(
        self, payment_id: str, void_type: str, status: str, reason: str, at_ms: int
    ) -> Document:
        """Add a void request to a payment, or decide the one that is open."""
        payment = self.document("payments", payment_id)
        requests = payment.setdefault("voidInfo", [])
        if requests and requests[-1]["status"] == "TO_BE_PROCESSED":
            requests[-1] |= {"status": status, "updatedTime": timestamp(at_ms)}
        else:
            requests.append(
                {
                    "id": self._books.new_id("vdr"),
                    "requestedBy": payment.get("createdBy", ""),
                    "type": void_type,
                    "status": status,
                    "reason": reason,
                    "createdTime": timestamp(at_ms),
                    "updatedTime": timestamp(at_ms),
                }
            )
        return self._books["payments"].replace(payment, at_ms)

    def edit(self, name: str, document: Document, at_ms: int) -> Document:
        """Write back a document somebody edited (lines, dates, archived, names)."""
        if name == "bills":
            document["amount"] = dollars(sum(cents(x["amount"]) for x in document["billLineItems"]))
            rate = document.get("exchangeRate", 1.0)
            document["fundingAmount"] = dollars(round(cents(document["amount"]) * rate))
            document = with_amounts(document, self.payments_of(document["id"]))
        if name == "vendor-credits":
            lines = document["vendorCreditLineItems"]
            document["amount"] = dollars(sum(cents(line["amount"]) for line in lines))
            document = with_usage(document, self._payments_using(document["id"]))
        written = self._books[name].replace(document, at_ms)
        if name in {"bills", "vendors"}:
            self.announce(f"{name[:-1]}.updated", written)
        return written

    def payments_of(self, bill_id: str) -> list[Document]:
        """All payments that name a bill, void ones too."""
        return [self.document("payments", one) for one in self._payment_ids_of(bill_id)]

    def _payment_ids_of(self, bill_id: str) -> list[str]:
        position = self._books["bills"].position(bill_id)
        computed = self._books.computed_payments_of(position) if position is not None else []
        return computed + self._payments_of_bill.get(bill_id, [])

    def _refresh_applied(self, payment: Document, at_ms: int) -> None:
        bills_ms = None if self._switches.payments_leave_document_times else at_ms
        credits_ms = at_ms if self._switches.applications_move_credit_times else None
        for application in payment["billPayments"]:
            bill = self.document("bills", application["billId"])
            self._books["bills"].replace(with_amounts(bill, self.payments_of(bill["id"])), bills_ms)
            for used in application.get("vendorCredits", ()):
                self._refresh_credit(used["id"], credits_ms)

    def _payments_using(self, credit_id: str) -> list[Document]:
        using = dict.fromkeys(self._payments_of_credit.get(credit_id, ()))
        return [self.document("payments", one) for one in using]

    def _refresh_credit(self, credit_id: str, at_ms: int | None) -> None:
        payments = self._payments_using(credit_id)
        credit = with_usage(self.document("vendor-credits", credit_id), payments)
        self._books["vendor-credits"].replace(credit, at_ms)
