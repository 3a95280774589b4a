"""v2's accounts, classes, items, terms, banks, users and money movements.

As ``v2_payables``; the table of entities is ``v2_entities``.
"""

from __future__ import annotations

from bill_pipeline.sandbox import v2_codes as codes
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.v2_codes import reference


def account(books: Organization, a: Document) -> Document:
    kind = a["account"]
    return {
        "accountNumber": kind.get("number"),
        "accountType": codes.number_of(codes.ACCOUNT_TYPES, kind["type"]),
        "name": a["name"],
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


def item(books: Organization, i: Document) -> Document:
    return {
        **named(books, i),
        "type": codes.number_of(codes.ITEM_TYPES, i["type"]),
        "price": i.get("price"),
        "percentage": i.get("percentage"),
        "taxable": bool(i.get("taxable")),
        "chartOfAccountId": reference(i.get("chartOfAccountId")),
        "mergedIntoId": reference(books.merged_into.get(i["id"])),
    }


def term(books: Organization, t: Document) -> Document:
    return {"name": t["name"], "dueMinDays": str(t.get("daysDue", 0)), "description": None}


def bank(books: Organization, b: Document) -> Document:
    return {
        "bankName": b["bankName"],
        "nameOnAcct": b["nameOnAccount"],
        "routingNumber": b["routingNumber"],
        "accountNumber": b["accountNumber"],
        "status": "1",
        "chartOfAccountId": reference(b.get("chartOfAccountId")),
    }


def user(books: Organization, u: Document) -> Document:
    return {
        "profileId": u["role"]["id"],
        "firstName": u["firstName"],
        "lastName": u["lastName"],
        "email": u["email"],
    }


def movement(books: Organization, m: Document) -> Document:
    names = ("name", "type", "status", "amount", "processDate", "bankAccountId")
    return {name: m.get(name) for name in names}
