"""A person's answer, from the books that ask to the books that show it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bill_pipeline.categorization.categorize import categorize_lines
from bill_pipeline.decisions.tables import correct
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.learning.small_clients import AT, bill, build, connect
from tests.ledger.company import Company

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4, part=2, together=True)]

VENDORS = {"v1": "Larkspur Stationery", "v2": "Quillon Freight", "market": "Riverside Market"}


def delivery(number: int, department: str, account: str | None) -> Any:
    document = bill(number, "market", "weekly delivery", account)
    for line in document["billLineItems"]:
        line["classifications"] = {
            **line.get("classifications", {}), "departmentId": department
        }  # fmt: skip
    return document


def test_what_the_kitchen_bought_says_nothing_of_the_office(tmp_path: Any) -> None:
    home = Home.at(str(tmp_path / "home"))
    connect(home, "acme")
    others = [
        bill(n, f"v{n % 2 + 1}", "monthly delivery", ("supplies", "freight")[n % 2])
        for n in range(120)
    ]
    office = [delivery(n, "admin", "supplies") for n in range(120, 144)]
    build(home, "acme", VENDORS, [*others, *office])
    with Warehouse.open(Registry(home), "acme") as warehouse:
        company, at = Company(warehouse), AT + timedelta(hours=1)
        for number, department in ((200, "kitchen"), (201, "kitchen"), (202, "admin")):
            company.put("bills", delivery(number, department, None), at)
        company.sync(at)
        categorize_lines(warehouse, home, at)
        company.sync(at)
        at += timedelta(hours=1)
        correct(
            warehouse.connection, document_type="bill", document_id="B200", line_id="B200-1",
            account_id="freight", decided_at=at, decided_by="Ann",
        )  # fmt: skip
        for number, department in ((203, "kitchen"), (204, "admin")):
            company.put("bills", delivery(number, department, None), at)
        company.sync(at)
        categorize_lines(warehouse, home, at)
        company.sync(at)
        rows = dict(
            company.rows(
                "select document_id, account_id from categorized.lines "
                "where document_id in ('B203', 'B202', 'B204')"
            )
        )
    assert rows == {"B203": "freight", "B202": "supplies", "B204": "supplies"}
