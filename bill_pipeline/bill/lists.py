"""THE TABLE of BILL's lists: one row is an API call, a raw table and the rules for reading it.

To read one more list, add one row. How a list is paged is in ``list_reader``; what happens to a
document that breaks its ``required``, ``types``, ``amounts`` or ``days`` is decided in ``ingest``:
``document_versions``, ``quarantine``. Fields that BILL documents are in ``fields``.

``stage`` puts lists in order. A first import reads what changes other documents (payments,
receipts, credits) before what is changed by them (bills, invoices), so that no document is
older than the payment that touched it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

# v3 pages hold at most 100 rows; v2 pages at most 999.
ROWS_PER_PAGE = 100
V2_ROWS_PER_PAGE = 999

JsonType = Literal["text", "number", "boolean", "array", "object"]
Shape = Literal["pages", "array", "object"]
Setting = Literal["always", "v2", "documents"]

TEXT: JsonType = "text"
NUMBER: JsonType = "number"
ARRAY: JsonType = "array"
OBJECT: JsonType = "object"
BOOLEAN: JsonType = "boolean"


@dataclass(frozen=True)
class Touch:
    """Documents of ``table`` are to be read again when a document names them at ``path``."""

    table: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class BillList:
    """One list. ``path`` is a v3 path, or ``entity`` a v2 entity; never both.

    ``None`` in a ``has_…`` field means that BILL does not document it: the reader finds out
    and remembers.
    """

    table: str  # raw.<table>
    path: str = ""
    entity: str = ""
    shape: Shape = "pages"
    rows_field: str = "results"  # what an answer that is an object calls its rows
    stage: int = 1
    parent: str = ""  # table whose every document has a list of its own; {parent_id} in path
    parent_field: str = ""  # where a child names its parent; added when BILL leaves it out
    has_time_filter: bool | None = None
    has_time_sort: bool | None = None
    has_archived_filter: bool | None = None
    has_id_filter: bool = False  # id:in, to read many by id in one request
    read_whole_for: tuple[str, ...] = ()  # fields that the list may leave out of its rows
    required: Mapping[str, JsonType] = field(default_factory=dict)
    types: Mapping[str, JsonType] = field(default_factory=dict)  # guarded where present
    # Guarded where present, each a field, a field within an object, or of each object in an array:
    amounts: tuple[str, ...] = ()  # beside the numbers above
    days: tuple[str, ...] = ()
    touches: tuple[Touch, ...] = ()
    follows: str = ""  # read only when this table changed (and in every full read)
    setting: Setting = "always"
    is_dimension: bool = False
    can_vanish: bool = False  # BILL deletes documents of this list for good
    is_beside_the_books: bool = False  # no rule of the books reads an amount from it

    @property
    def can_be_missed(self) -> bool:
        """Whether a document that the list does not show may be there, and is read by its id."""
        return self.shape == "pages" and not self.parent and not self.can_vanish

    @property
    def is_v2(self) -> bool:
        return bool(self.entity)

    @property
    def is_half_of(self) -> str:
        """The v3 list whose documents v2 shows here under the same ids, if any."""
        return self.follows if self.table.endswith("_details") else ""

    @property
    def rows_per_page(self) -> int:
        return V2_ROWS_PER_PAGE if self.is_v2 else ROWS_PER_PAGE

    @property
    def guarded(self) -> dict[str, JsonType]:
        """Every field whose type is checked, required or not."""
        return {**self.types, **self.required}


def _timed(table: str, path: str, **more: object) -> BillList:
    """A list that BILL documents as filterable and sortable by updatedTime."""
    return BillList(table, path, has_time_filter=True, has_time_sort=True, **more)  # type: ignore[arg-type]


def _dimension(table: str, **more: object) -> BillList:
    path = f"/v3/classifications/{table.replace('_', '-')}"
    named: dict[str, object] = {"required": {"name": TEXT}, **more}
    return BillList(table, path, has_time_sort=True, is_dimension=True, stage=0, **named)  # type: ignore[arg-type]


def _beside(table: str, path: str, **more: object) -> BillList:
    return BillList(table, path, is_dimension=True, stage=0, is_beside_the_books=True, **more)  # type: ignore[arg-type]


def _v2(table: str, entity: str, **more: object) -> BillList:
    return BillList(
        table,
        entity=entity,
        has_time_sort=True,
        setting="v2",
        stage=5,
        **more,  # type: ignore[arg-type]
    )


def _sold(lines: str) -> tuple[str, ...]:
    return tuple(f"{lines}.{name}" for name in ("amount", "price", "quantity"))


_DATED_CREDIT: dict[str, JsonType] = {"amount": NUMBER, "creditDate": TEXT}

_ROWS = (
    # --- dimensions and people -----------------------------------------------------------
    _dimension("chart_of_accounts", types={"account": OBJECT}),
    _dimension("accounting_classes"),
    _dimension("departments"),
    _dimension("locations"),
    _dimension("jobs"),
    _dimension("employees", required={}),
    _dimension("items", types={"price": NUMBER}),
    _beside(
        "payment_terms",
        "/v3/organizations/{organization_id}/payment-terms",
        has_archived_filter=False,  # terms cannot be archived
        required={"name": TEXT},
    ),
    _timed("bank_accounts", "/v3/funding-accounts/banks", is_dimension=True, stage=0),
    _beside(
        "card_accounts",
        "/v3/funding-accounts/cards?cardUserStatus=VERIFIED",
        shape="array",
        rows_field="cards",
    ),
    _beside("ap_cards", "/v3/funding-accounts/ap-cards", shape="array"),
    _beside("users", "/v3/users", has_time_sort=True),
    _beside("roles", "/v3/roles", has_archived_filter=False),
    _beside("organizations", "/v3/organizations/{organization_id}", shape="object"),
    _beside("approval_policies", "/v3/bill-approvals/policies", shape="array", can_vanish=True),
    BillList(
        "billing_statements",
        "/v3/organizations/{organization_id}/billing-statements",
        has_time_filter=False,
        has_archived_filter=False,
        amounts=("amount", "totalAmount", "statementDetails.amount"),
        days=("invoiceDate", "paymentDate"),
        is_dimension=True,
        stage=0,
    ),
    # --- parties ---------------------------------------------------------------------------
    _timed(
        "vendors",
        "/v3/vendors",
        has_id_filter=True,
        read_whole_for=("billCurrency", "additionalInfo"),
        required={"name": TEXT},
    ),
    _timed("customers", "/v3/customers", has_id_filter=True, required={"name": TEXT}),
    # --- what settles documents ------------------------------------------------------------
    _timed(
        "payments",
        "/v3/payments",
        has_archived_filter=False,  # payments are voided, never archived
        has_id_filter=True,
        required={"vendorId": TEXT, "amount": NUMBER},
        types={"billPayments": ARRAY, "processDate": TEXT, "fundingAmount": NUMBER},
        amounts=("billPayments.amount",),
        days=("processDate",),
        touches=(
            Touch("bills", ("billPayments", "billId")),
            Touch("bills", ("billId",)),
            Touch("vendor_credits", ("billPayments", "vendorCredits", "id")),
        ),
    ),
    _timed(
        "received_payments",
        "/v3/receivable-payments",
        has_archived_filter=False,
        required={"customerId": TEXT, "amount": NUMBER},
        types={"invoicePayments": ARRAY, "paymentDate": TEXT, "unappliedAmount": NUMBER},
        amounts=("invoicePayments.amount", "convenienceFeeAmount", "fundingAmount", "exchangeRate"),
        days=("paymentDate", "invoicePayments.paymentDate"),
        touches=(Touch("invoices", ("invoicePayments", "invoiceId")),),
    ),
    BillList(
        "vendor_credits",
        "/v3/vendor-credits",
        stage=2,
        has_time_sort=True,
        required={"vendorId": TEXT, "amount": NUMBER},
        types={**_DATED_CREDIT, "vendorCreditLineItems": ARRAY, "usage": ARRAY},
        amounts=("fundingAmount", "vendorCreditLineItems.amount", "usage.amount"),
        days=("creditDate",),
        touches=(Touch("bills", ("usage", "billId")),),
    ),
    BillList(
        "credit_memos",
        "/v3/credit-memos",
        stage=2,
        has_time_sort=True,
        required={"customerId": TEXT, "amount": NUMBER},
        types={**_DATED_CREDIT, "creditMemoLineItems": ARRAY, "usage": ARRAY},
        amounts=("exchangeRate", "salesTaxTotal", *_sold("creditMemoLineItems"), "usage.amount"),
        days=("creditDate",),
        touches=(Touch("invoices", ("usage", "invoiceId")),),
    ),
    # --- what is owed ----------------------------------------------------------------------
    _timed(
        "bills",
        "/v3/bills",
        stage=3,
        has_id_filter=True,
        required={"vendorId": TEXT, "amount": NUMBER},
        types={
            "billLineItems": ARRAY,
            "invoice": OBJECT,
            "dueDate": TEXT,
            "dueAmount": NUMBER,
            "paidAmount": NUMBER,
            "fundingAmount": NUMBER,
            "exchangeRate": NUMBER,
        },
        amounts=("scheduledAmount", "billLineItems.amount"),
        days=("invoice.invoiceDate", "dueDate"),
    ),
    _timed(
        "invoices",
        "/v3/invoices",
        stage=3,
        has_id_filter=True,
        required={"customerId": TEXT, "totalAmount": NUMBER},
        types={
            "invoiceLineItems": ARRAY,
            "invoiceDate": TEXT,
            "dueDate": TEXT,
            "dueAmount": NUMBER,
            "salesTaxTotal": NUMBER,
        },
        amounts=("exchangeRate", *_sold("invoiceLineItems")),
        days=("invoiceDate", "dueDate", "glPostingDate"),
    ),
    BillList(
        "recurring_bills",
        "/v3/recurringbills",  # no hyphen, unlike recurring-invoices
        stage=3,
        has_time_filter=False,
        has_time_sort=False,
        has_archived_filter=True,
        is_dimension=True,
        is_beside_the_books=True,
    ),
    BillList(
        "recurring_invoices",
        "/v3/recurring-invoices",
        stage=3,
        has_time_filter=False,
        has_time_sort=False,
        is_dimension=True,
        is_beside_the_books=True,
    ),
    # --- lists below a document: one request per parent ------------------------------------
    BillList(
        "customer_contacts",
        "/v3/customers/{parent_id}/contacts",
        stage=4,
        parent="customers",
        parent_field="customerId",
        is_beside_the_books=True,
    ),
    BillList(
        "bill_documents",
        "/v3/documents/bills/{parent_id}",
        stage=4,
        parent="bills",
        parent_field="billId",
        setting="documents",
        can_vanish=True,
    ),
    *(
        BillList(
            f"{party}_attachments",
            f"/v3/attachments/{party}s/{{parent_id}}",
            stage=4,
            parent=f"{party}s",
            parent_field=f"{party}Id",
            setting="documents",
            can_vanish=True,
        )
        for party in ("vendor", "customer", "invoice")
    ),
    # --- what only v2 has ------------------------------------------------------------------
    _v2("money_movements", "MoneyMovement", amounts=("amount",), days=("processDate",)),
    _v2("bill_details", "Bill", follows="bills", has_id_filter=True, days=("glPostingDate",)),
    _v2("vendor_details", "Vendor", follows="vendors"),  # mergedIntoId, here and below
    _v2("customer_details", "Customer", follows="customers"),
    _v2("account_details", "ChartOfAccount", follows="chart_of_accounts"),
    _v2(
        "item_details",
        "Item",
        follows="items",
        is_beside_the_books=True,
    ),
    _v2(
        "bill_approvers",
        "BillApprover",
        follows="bills",
        is_beside_the_books=True,
    ),
    _v2(
        "vendor_credit_approvers",
        "VendorCreditApprover",
        follows="vendor_credits",
        is_beside_the_books=True,
    ),
)

LISTS: dict[str, BillList] = {row.table: row for row in _ROWS}

#: Without these lists the books are whole.
BESIDE_THE_BOOKS = frozenset(
    row.table for row in _ROWS if row.is_beside_the_books or row.setting == "documents"
)  # fmt: skip

#: The lists in which a company's daily life shows; the others change rarely.
POLLED = (
    "bills",
    "payments",
    "invoices",
    "received_payments",
    "vendor_credits",
    "credit_memos",
    "vendors",
    "customers",
)

#: Without these there are no books; a token that may not read one of them is of little use.
ESSENTIAL = ("bills", "vendors", "chart_of_accounts")

STAGES = range(max(row.stage for row in _ROWS) + 1)


def lists_to_read(*, with_v2: bool = True, with_documents: bool = False) -> Iterator[BillList]:
    """The rows that the settings ask for, in the table's order."""
    wanted = {"always", *(["v2"] if with_v2 else []), *(["documents"] if with_documents else [])}
    return (row for row in LISTS.values() if row.setting in wanted)


def with_companions(tables: Iterable[str]) -> frozenset[str]:
    """``tables`` and what must be read with them.

    Lists below a document and v2's halves of documents are asked for only when those changed; the
    bank's side of a payment is a list of its own.
    """
    companions = {row.table for row in LISTS.values() if row.parent or row.follows}
    return frozenset({*tables, *companions, "money_movements"})
