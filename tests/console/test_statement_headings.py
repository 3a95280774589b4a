"""An account whose type changed stands under each heading that it had."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

from bill_pipeline.console.parts.period import Period
from bill_pipeline.console.queries.statements import profit_and_loss


def test_an_account_that_was_a_cost_and_then_an_income_is_two_lines() -> None:
    of_both = {"account_id": "freight", "account_code": "6200", "account_name": "Freight"}
    rows = [
        {**of_both, "statement_section": section, "month": month, "amount": Decimal(amount)}
        for section, month, amount in (
            ("Operating Expenses", date(2025, 12, 1), 100),
            ("Revenue", date(2026, 1, 1), 30),
        )
    ]
    books = cast("Any", SimpleNamespace(rows=lambda sql, values: rows))
    report = profit_and_loss(books, "acme", Period(date(2025, 12, 1), date(2026, 1, 31)))
    found = {section.name: [line.amounts for line in section.lines] for section in report.sections}
    assert found["Operating Expenses"] == [[Decimal(100), Decimal(0)]]
    assert found["Revenue"] == [[Decimal(0), Decimal(30)]]
    assert report.net_income == [Decimal(-100), Decimal(30)]
