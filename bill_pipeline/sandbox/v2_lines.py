"""Lines of documents as v2 writes them: every reference an id, the zero id for none."""

from __future__ import annotations

from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.ids import ZERO_ID
from bill_pipeline.sandbox.money import dollars, extended
from bill_pipeline.sandbox.v2_codes import PERIOD, reference, v2_time

#: v2's name of a reference on a line → v3's name among the line's classifications.
LINE_REFERENCES = {
    "chartOfAccountId": "chartOfAccountId",
    "departmentId": "departmentId",
    "locationId": "locationId",
    "jobId": "jobId",
    "itemId": "itemId",
    "employeeId": "employeeId",
    "customerId": "customerId",
    "actgClassId": "accountingClassId",
}


def _line(parent: Document, line: Document, entity: str, parent_field: str) -> Document:
    chosen = line.get("classifications", {})
    return {
        "entity": entity,
        "id": line["id"],
        parent_field: parent["id"],
        "description": line.get("description"),
        **{v2: reference(chosen.get(v3)) for v2, v3 in LINE_REFERENCES.items()},
        "createdTime": v2_time(parent["createdTime"]),
        "updatedTime": v2_time(parent["updatedTime"]),
    }


def schedule(recurring: Document) -> Document:
    """When a recurring bill or invoice comes again."""
    said = recurring.get("schedule", {})
    return {
        "timePeriod": PERIOD.get(said.get("period", ""), "9"),
        "frequencyPerTimePeriod": str(said.get("frequency", 1)),
        "nextDueDate": said.get("nextDueDate"),
        "endDate": said.get("endDate"),
        "daysInAdvance": str(said.get("daysInAdvance", 0)),
    }


def _item(line: Document) -> str:
    return reference(line.get("classifications", {}).get("itemId"))


def payable_lines(parent: Document, lines: str, entity: str, parent_field: str) -> list[Document]:
    """Lines with an amount (bills, vendor credits, recurring bills)."""
    return [
        {
            **_line(parent, line, entity, parent_field),
            "amount": line["amount"],
            "quantity": line.get("quantity"),
            "unitPrice": line.get("price"),
            "jobBillable": False,
            "lineType": "1" if _item(line) == ZERO_ID else "2",
        }
        for line in parent[lines]
    ]


def invoice_lines(parent: Document, lines: str, entity: str, parent_field: str) -> list[Document]:
    """Lines with price × quantity (invoices, credit memos); v2 shows the product too."""
    return [
        {
            **_line(parent, line, entity, parent_field),
            "quantity": line["quantity"],
            "price": line["price"],
            "amount": dollars(extended(line["price"], line["quantity"])),
            "taxable": bool(line.get("taxable", True)),
        }
        for line in parent[lines]
    ]
