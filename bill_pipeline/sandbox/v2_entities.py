"""v2's entities, written from the same books as v3's lists.

One row of ``ENTITIES`` is one v2 entity: the list it comes from, how a document is written, and
whether one document gives many rows (a payment's ``BillPay``). What v3 does not show (posting
dates, merges, money movements) is added here. Paging and filters are ``v2.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bill_pipeline.sandbox import v2_below, v2_dimensions, v2_payables, v2_receivables
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.v2_codes import timed

Writer = Callable[[Organization, Document], Document]


@dataclass(frozen=True)
class Entity:
    """One v2 entity: ``write`` makes one row of a document, ``expand`` any number of parts."""

    list_name: str
    write: Writer | None = None
    expand: Callable[[Organization, Document], Iterable[Document]] | None = None
    #: ``expand`` gives rows with times of their own, by which a list filters.
    own_times: bool = False
    #: Fields that only a list with ``nested`` shows.
    nested: str = ""

    def rows(self, name: str, books: Organization, document: Document) -> list[Document]:
        """The v2 rows of one document of the books."""
        if self.expand is not None and self.own_times:
            return list(self.expand(books, document))
        if self.expand is not None:
            return [timed(row, document) for row in self.expand(books, document)]
        if self.write is None:
            return []
        row = {
            "entity": name,
            "id": document["id"],
            "isActive": "2" if document.get("archived") else "1",
            **self.write(books, document),
        }
        return [timed(row, document)]


ENTITIES: dict[str, Entity] = {
    "Vendor": Entity("vendors", v2_payables.vendor),
    "Bill": Entity("bills", v2_payables.bill),
    "BillApprover": Entity("bills", expand=v2_payables.APPROVERS["Bill"]),
    "RecurringBill": Entity(
        "recurringbills", v2_payables.recurring_bill, nested="recurringBillLineItems"
    ),
    "VendorCredit": Entity(
        "vendor-credits", v2_payables.vendor_credit, nested="vendorCreditLineItems"
    ),
    "SentPay": Entity("payments", v2_payables.sent_pay),
    "BillPay": Entity("payments", expand=v2_payables.bill_pays),
    "BillCredit": Entity("payments", expand=v2_payables.bill_credits),
    "Customer": Entity("customers", v2_receivables.customer),
    "Invoice": Entity("invoices", v2_receivables.invoice),
    "ReceivedPay": Entity("receivable-payments", v2_receivables.received_pay),
    "InvoicePay": Entity("receivable-payments", expand=v2_receivables.invoice_pays),
    "RPConvFee": Entity("receivable-payments", expand=v2_receivables.convenience_fees),
    "CreditMemo": Entity("credit-memos", v2_receivables.credit_memo, nested="creditMemoLineItems"),
    "InvoiceCredit": Entity("credit-memos", expand=v2_receivables.invoice_credits),
    "ChartOfAccount": Entity("chart-of-accounts", v2_dimensions.account),
    "ActgClass": Entity("accounting-classes", v2_dimensions.named),
    "Department": Entity("departments", v2_dimensions.named),
    "Location": Entity("locations", v2_dimensions.named),
    "Job": Entity("jobs", v2_dimensions.named),
    "Employee": Entity("employees", v2_dimensions.employee),
    "Item": Entity("items", v2_dimensions.item),
    "PaymentTerm": Entity("payment-terms", v2_dimensions.term),
    "BankAccount": Entity("bank-accounts", v2_dimensions.bank),
    "User": Entity("users", v2_dimensions.user),
    "MoneyMovement": Entity("money-movements", v2_dimensions.movement),
    "RecurringInvoice": Entity(
        "recurring-invoices", v2_receivables.recurring_invoice, nested="recurringInvoiceLineItems"
    ),
    "CustomerContact": Entity("customers", expand=v2_below.contacts, own_times=True),
    "VendorBankAccount": Entity("vendors", expand=v2_below.bank_accounts),
    "RecurringBillApprover": Entity(
        "recurringbills", expand=v2_payables.APPROVERS["RecurringBill"]
    ),
    "VendorCreditApprover": Entity("vendor-credits", expand=v2_payables.APPROVERS["VendorCredit"]),
    # BILL lists these; no company of the sandbox has any.
    "CustomerBankAccount": Entity("organizations"),
    "PurchaseOrder": Entity("organizations"),
    "ApprovalPolicy": Entity("organizations"),
}
