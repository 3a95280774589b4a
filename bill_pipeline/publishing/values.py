"""What columns of few values can hold, and what each value means; ``docs/schema.md`` lists them.

A column is found by ``table.column`` first, then by its name alone, since one name means one thing.
BILL's own statuses are those it documents: it may add to them without notice.
"""

from __future__ import annotations

from bill_pipeline.publishing.tables import PublishedColumn, PublishedTable

#: What happened to a document: one entry of the journal each. ``applied:…`` and ``advance:…`` end
#: in the settlement's id, ``in_flight:…`` in the document's type and id.
_EVENTS = {
    "entered": "a bill, invoice, credit or memo counts for the books",
    "paid": "a payment left, or BILL took its fees",
    "received": "a customer's money came in",
    "applied": "a credit, or money received before, settled a document",
    "advance": "money paid before met its bill, or was taken before BILL's statement of fees",
    "write_off": "a person gave up what was left of an invoice",
    "billed": "BILL's statement of fees",
    "moved": "money went between the bank and BILL",
    "brought_in": "an opening balance",
    "reclassified": "a person moved what stood under an old type of its account",
    "opened": "what was open of a document when the books begin",
    "in_flight": "in clearing when the books begin: a payment, receipt or transfer",
}
_DOCUMENT_TYPES = {
    "bill": "a vendor's bill",
    "vendor_credit": "a vendor's credit",
    "payment": "money to a vendor",
    "invoice": "an invoice to a customer",
    "credit_memo": "a credit to a customer",
    "received_payment": "money from a customer",
    "money_movement": "a transfer between the bank and BILL, as BILL shows it",
    "derived_transfer": "a transfer assumed while BILL shows none",
    "billing_statement": "what BILL charges",
    "opening_balance": "balances brought in from other books",
    "reclassification": "what was moved under another type of its account",
}
_BILL_STATUSES = {
    "UNPAID": "a bill nothing was paid of",
    "SCHEDULED": "a payment is planned and has not started",
    "IN_PROCESS": "on its way",
    "PARTIALLY_PAID": "a bill paid in part",
    "PAID": "paid in full; of a receipt: received",
    "NOT_APPLIED": "a credit nobody used yet",
    "PARTIALLY_APPLIED": "a credit used in part",
    "FULLY_APPLIED": "a credit used up",
    "OPEN": "an invoice nothing was received for",
    "PARTIAL_PAYMENT": "an invoice paid in part",
    "PAID_IN_FULL": "an invoice paid in full",
    "READY_TO_FUND": "a payment about to start",
    "FUNDING_STARTED": "money is being taken from the bank",
    "PROCESSED": "money was taken from the bank",
    "SENT": "sent to the vendor",
    "DELIVERED": "arrived at the vendor",
    "CLEARED": "the vendor has the money; of a receipt: at the bank",
    "DEPOSITED": "a receipt at the bank",
    "PARTIALLY_CLAIMED": "a virtual card the vendor used in part",
    "DISBURSEMENT_ON_HOLD": "stopped on its way to the vendor",
    "EXPIRING": "a virtual card about to end unused",
    "VOID_PENDING": "being taken back",
    "VOIDED": "taken back",
    "VOID": "taken back",
    "CANCELLATION_IN_PROGRESS": "being called off before it started",
    "CANCELED": "called off before it started",
    "CANCELLED": "called off before it started",
    "FAILED": "did not go through",
    "FUNDING_FAILED_ACTION_NEEDED": "the bank gave nothing; a person must act",
    "FUNDING_FAILED_VOIDED": "the bank gave nothing; taken back",
    "DISBURSEMENT_FAILED_ACTION_NEEDED": "the vendor got nothing; a person must act",
    "DISBURSEMENT_FAILED_VENDOR_BANK_REJECTED": "the vendor's bank refused it",
    "FUNDS_ESCHEATED": "handed over to the state as unclaimed",
    "ESCHEATED": "handed over to the state as unclaimed",
    "APPROVING": "waits for approval",
    "PENDING": "not started yet",
    "payables": "a transfer for payments to vendors",
    "receivables": "a transfer of customers' money",
    "UNDEFINED": "BILL says nothing",
}
_SOURCES_OF_A_CATEGORY = {
    "bill": "coded in BILL, on the line or by its item",
    "person": "a person's answer",
    "rule": "a rule of the firm",
    "model": "the categorizer",
    "default": "nobody yet: it waits on an account for uncategorized lines",
}
_CONTROLS = {
    "payables": "accounts payable",
    "receivables": "accounts receivable",
    "vendor advances": "paid before the bill",
    "customer credits": "received before the invoice",
    "money out clearing": "on its way from the bank through BILL to vendors",
    "money in clearing": "on its way from customers through BILL to the bank",
}
_ACCOUNT_TYPES = {
    "Asset": "what the client owns",
    "Liability": "what it owes",
    "Equity": "what is its owners'",
    "Revenue": "what it sells",
    "Cost of Goods Sold": "what that cost",
    "Expense": "what running it costs",
    "Other Income": "earned beside its business",
    "Other Expense": "spent beside its business",
}

#: column, or table.column → value → what it means
VALUES: dict[str, dict[str, str]] = {
    "event": _EVENTS,
    "entry_kind": {
        "posting": "what a version of a document says",
        "reversal": "takes an earlier entry back",
        "late_adjustment": "the difference to a closed period, on the first open day",
    },
    "cause": {
        "new document": "a document came, or one that it is linked with",
        "changed document": "a later version of one came",
        "decision": "a person, a rule or the categorizer decided about it",
        "reopening": "a closed period was opened again",
        "setting": "a policy, a role, the chart, a bank account, an item or a party changed",
        "posting rules changed": "the same documents were read by other rules",
        "clock put right": "a clock that was ahead had noted too late a moment",
        "not recorded": "posted before causes were",
    },
    "document_type": _DOCUMENT_TYPES,
    "status": _BILL_STATUSES,
    "earlier_status": _BILL_STATUSES,
    "approval_status": {
        "UNASSIGNED": "nobody is asked",
        "ASSIGNED": "approvers are asked",
        "APPROVING": "some have approved",
        "APPROVED": "all have approved",
        "DENIED": "an approver said no",
        "UNDEFINED": "BILL says nothing",
    },
    "category_source": _SOURCES_OF_A_CATEGORY,
    "category_decisions.source": {
        value: _SOURCES_OF_A_CATEGORY[value] for value in ("person", "model", "default")
    },
    "accounts.source": {
        "bill": "in the client's chart",
        "standard": "filled in where the client's chart leaves a role open",
        "unknown": "named by BILL, but no longer in its chart",
    },
    "control": _CONTROLS,
    "account_type": _ACCOUNT_TYPES,
    "normal_balance": {"debit": "grows on the debit side", "credit": "grows on the credit side"},
    "statement": {
        "Balance Sheet": "stands at a day",
        "Income Statement": "counts for a period",
    },
    "closings.action": {
        "close": "locks all days through closed_through",
        "reopen": "opens the days after closed_through again",
    },
    "reclassifications.action": {
        "move": "an entry moved it", "keep": "left as it is", "withdraw": "neither any more",
    },
    "reclassification_versions.action": {
        "move": "an entry moved it", "keep": "left as it is", "withdraw": "neither any more",
    },
    "retyped_accounts.decision": {
        "move": "a person accepted the entry that moves it", "keep": "a person let it stand",
    },
    "cash_flow_activity": {
        "cash": "is cash", "operating": "running the business",
        "investing": "what is kept for years", "financing": "owners and lenders",
    },
    "party_type": {"vendor": "is paid", "customer": "pays"},
    "dimension": {
        "class": "accounting class", "department": "department", "location": "location",
        "job": "job", "employee": "employee",
    },
    "form": {"1099-MISC": "rents, royalties and others", "1099-NEC": "pay of contractors"},
    "form_1099": {
        "1099-MISC": "rents, royalties and others", "1099-NEC": "pay of contractors",
    },
}  # fmt: skip
#: Columns whose values are BILL's to choose: new ones may come at any time.
OF_BILL = frozenset({"status", "earlier_status", "approval_status"})


def values_of(table: PublishedTable, column: PublishedColumn) -> dict[str, str]:
    """Value → meaning for a column of few values; nothing for any other."""
    if column.type != "VARCHAR":
        return {}
    return VALUES.get(f"{table.name}.{column.name}") or VALUES.get(column.name, {})


def is_listed(value: str, values: dict[str, str]) -> bool:
    """Whether ``value`` is one of ``values``; what follows a colon is an id."""
    return value in values or value.partition(":")[0] in values
