"""THE TABLE of the lists the sandbox serves: one row is a v3 route, a v2 entity and its rules.

Fields and sorts are those BILL documents; ``UNDOCUMENTED`` marks lists whose filterable fields
could not be read, which take the times and ``archived`` too (see the switch
``undocumented_lists_filter_by_time``). How filters are evaluated lives in ``queries.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

TIMES = ("createdTime", "updatedTime")
IDS = frozenset({"eq", "ne", "in"})
ARCHIVED = frozenset({"eq", "ne"})
RANGE = frozenset({"gt", "gte", "lt", "lte"})
CHOICE = frozenset({"eq", "ne", "in", "nin"})
NAME = frozenset({"eq", "sw"})

Filters = dict[str, frozenset[str]]

_BASE: Filters = {"id": IDS, "archived": ARCHIVED}
_TIMED: Filters = {**_BASE, "createdTime": RANGE, "updatedTime": RANGE}
_PARTY: Filters = {
    **_TIMED,
    "name": NAME,
    "address.country": ARCHIVED,
    "accountType": CHOICE,
    "paymentStatus": CHOICE,
}
_CLASSIFIED: Filters = {
    f"classifications.{name}": IDS
    for name in ("accountingClassId", "departmentId", "locationId", "itemId")
}
_TIME_SORTS = ("createdTime", "updatedTime")
_PARTY_SORTS = ("archived", "name", "email", "phone", "fax", "description", *_TIME_SORTS)
_CREDIT_SORTS = ("archived", "creditDate", "amount", "appliedAmount", *_TIME_SORTS)


@dataclass(frozen=True)
class ListRow:
    """One list: its name in the books, its v3 path under ``/v3/`` and what may be asked of it."""

    name: str
    path: str
    prefix: str
    filters: Filters
    sorts: tuple[str, ...]
    documented: bool = True
    has_archived: bool = True
    writable: bool = False
    restorable: bool = True
    #: Sync tokens may read it, but not write in it.
    people_only: bool = False
    #: v3 only reads it for administrators (a sync token gets 403).
    administrators_only: bool = False


def _dimension(name: str, prefix: str) -> ListRow:
    return ListRow(
        name=name,
        path=f"classifications/{name}",
        prefix=prefix,
        filters=_BASE,
        sorts=("archived", "name", "shortName", "description", *_TIME_SORTS),
        documented=False,
        writable=True,
    )


LISTS: dict[str, ListRow] = {
    row.name: row
    for row in (
        ListRow(
            "vendors",
            "vendors",
            "009",
            {**_PARTY, "billCurrency": CHOICE},
            (*_PARTY_SORTS, "shortName", "billCurrency"),
            writable=True,
        ),
        ListRow(
            "bills",
            "bills",
            "00n",
            {
                **_TIMED,
                **_CLASSIFIED,
                "vendorId": frozenset({"eq", "in"}),
                "dueDate": RANGE,
                "paymentStatus": IDS,
                "approvalStatus": CHOICE,
                "payFromChartOfAccountId": IDS,
                "classifications.chartOfAccountId": IDS,
            },
            ("archived", "fundingAmount", "exchangeRate", "description", "dueDate", *_TIME_SORTS),
            writable=True,
        ),
        ListRow(
            "recurringbills",
            "recurringbills",
            "btp",
            {**_BASE, "vendorId": frozenset({"eq", "in"})},
            ("archived",),
            writable=True,
        ),
        ListRow(
            "vendor-credits",
            "vendor-credits",
            "vcr",
            {**_BASE, "vendorId": IDS, "status": CHOICE, "creditDate": RANGE},
            _CREDIT_SORTS,
            documented=False,
            writable=True,
            restorable=False,
        ),
        ListRow(
            "payments",
            "payments",
            "stp",
            {
                "id": IDS,
                "vendorId": IDS,
                "transactionNumber": CHOICE,
                "processDate": RANGE | IDS,
                "status": CHOICE,
                "singleStatus": CHOICE,
                "disbursementStatus": CHOICE,
                "disbursementType": CHOICE,
            },
            (
                "description",
                "processDate",
                "amount",
                "confirmationNumber",
                "onlinePayment",
                "disbursementStatus",
                *_TIME_SORTS,
            ),
            documented=False,
            has_archived=False,
        ),
        ListRow(
            "customers",
            "customers",
            "0cu",
            {**_PARTY, "invoiceCurrency": CHOICE},
            (*_PARTY_SORTS, "companyName", "invoiceCurrency"),
            writable=True,
        ),
        ListRow(
            "invoices",
            "invoices",
            "00e",
            {
                **_TIMED,
                **_CLASSIFIED,
                "customerId": frozenset({"eq", "in"}),
                "status": CHOICE,
                "payToChartOfAccountId": IDS,
            },
            ("archived", "invoiceNumber", "invoiceDate", "dueDate", "totalAmount", *_TIME_SORTS),
            writable=True,
        ),
        ListRow(
            "recurring-invoices",
            "recurring-invoices",
            "rit",
            {**_BASE, "customerId": frozenset({"eq", "in"})},
            ("archived",),
            writable=True,
        ),
        ListRow(
            "receivable-payments",
            "receivable-payments",
            "0rp",
            {"id": IDS, "customerId": IDS, "status": CHOICE, "paymentDate": RANGE},
            ("amount", *_TIME_SORTS),
            documented=False,
            has_archived=False,
        ),
        ListRow(
            "credit-memos",
            "credit-memos",
            "ccr",
            {**_BASE, "customerId": IDS, "status": CHOICE, "creditDate": RANGE},
            _CREDIT_SORTS,
            documented=False,
            writable=True,
        ),
        ListRow(
            "chart-of-accounts",
            "classifications/chart-of-accounts",
            "0ca",
            _BASE,
            ("archived", "name", "description", *_TIME_SORTS),
            documented=False,
            writable=True,
        ),
        _dimension("accounting-classes", "cls"),
        _dimension("departments", "0de"),
        _dimension("locations", "loc"),
        _dimension("jobs", "job"),
        _dimension("employees", "emp"),
        _dimension("items", "0ii"),
        ListRow(
            "bank-accounts",
            "funding-accounts/banks",
            "bac",
            {
                **_TIMED,
                "bankAccountId": IDS,
                "status": CHOICE,
                "type": CHOICE,
                "ownerType": CHOICE,
                "accessToAdmins": ARCHIVED,
            },
            ("archived", "nameOnAccount", "bankName", "accessToAdmins", *_TIME_SORTS),
            writable=True,
            people_only=True,
        ),
        ListRow(
            "users",
            "users",
            "006",
            {**_BASE, "email": NAME, "role.id": IDS, "role.type": CHOICE},
            ("archived", "firstName", "lastName", *_TIME_SORTS),
            documented=False,
            writable=True,
            people_only=True,
        ),
        ListRow("roles", "roles", "0po", {"id": IDS}, _TIME_SORTS, documented=False),
        ListRow(
            "payment-terms",
            "organizations/{organization_id}/payment-terms",
            "00p",
            {"id": IDS},
            ("name", *_TIME_SORTS),
            documented=False,
            has_archived=False,
            writable=True,
        ),
        ListRow(
            "billing-statements",
            "organizations/{organization_id}/billing-statements",
            "bst",
            {},
            _TIME_SORTS,
            has_archived=False,
        ),
    )
}

#: Objects v3 does not list on their own; v2 does, or they hang below another object.
UNLISTED_PREFIXES: dict[str, str] = {
    "money-movements": "mmt",
    "organizations": "008",
    "card-accounts": "cat",
    # BILL does not publish this prefix.
    "ap-cards": "apc",
    "bill-approvers": "0ba",
    "vendor-credit-approvers": "vca",
}


def filters_of(row: ListRow, *, documented_only: bool) -> Filters:
    """The filters a list takes: undocumented lists take the times and ``archived`` if allowed."""
    if row.documented or documented_only:
        return row.filters
    more: Filters = dict.fromkeys(TIMES, RANGE)
    if "name" in row.sorts:
        more["name"] = NAME
    if row.has_archived:
        more["archived"] = ARCHIVED
    return {**more, **row.filters}
