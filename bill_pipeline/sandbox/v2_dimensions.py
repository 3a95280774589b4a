"""v2's accounts, classes, items, terms, banks, users and money movements.

As ``v2_payables``; the table of entities is ``v2_entities``.
"""

from __future__ import annotations

from bill_pipeline.sandbox import v2_codes as codes
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.v2_codes import reference


def account(books: Organization, a: Document) -> Document:
    kind = a.get("account", {})
    return {
        "accountNumber": kind.get("number"),
        "accountType": codes.number_of(codes.ACCOUNT_TYPES, kind.get("type", "")),
        "name": a.get("name"),
        "description": a.get("description"),
        "parentChartOfAccountId": reference(a.get("parentId")),
        "mergedIntoId": reference(books.merged_into.get(a["id"])),
    }


def named(books: Organization, d: Document) -> Document:
    return {
        "name": d.get("name"),
        "shortName": d.get("shortName"),
        "description": d.get("description"),
    }


def employee(books: Organization, e: Document) -> Document:
    return {**named(books, e), "firstName": e.get("firstName"), "lastName": e.get("lastName")}


def item(books: Organization, i: Document) -> Document:
    return {
        **named(books, i),
        "type": codes.number_of(codes.ITEM_TYPES, i.get("type", "")),
        "price": i.get("price"),
        "percentage": i.get("percentage"),
        "taxable": bool(i.get("taxable")),
        "chartOfAccountId": reference(i.get("chartOfAccountId")),
        "mergedIntoId": reference(books.merged_into.get(i["id"])),
    }


def term(books: Organization, t: Document) -> Document:
    return {"name": t.get("name"), "dueMinDays": str(t.get("daysDue", 0)), "description": None}


def bank(books: Organization, b: Document) -> Document:
    return {
        "bankName": b.get("bankName"),
        "nameOnAcct": b.get("nameOnAccount"),
        "routingNumber": b.get("routingNumber"),
        "accountNumber": b.get("accountNumber"),
        "status": "1",
        "chartOfAccountId": reference(b.get("chartOfAccountId")),
    }


def user(books: Organization, u: Document) -> Document:
    return {
        "profileId": reference(u.get("role", {}).get("id")),
        "firstName": u.get("firstName"),
        "lastName": u.get("lastName"),
        "email": u.get("email"),
    }


def movement(books: Organization, m: Document) -> Document:
    names = ("name", "type", "status", "amount", "processDate")
    return {
        **{name: m.get(name) for name in names},
        "bankAccountId": reference(m.get("bankAccountId")),
    }
