"""Insight reports name what an accountant would want to see, and stay silent otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from invented_books import ROOMS, append

from bill_pipeline.warehouse import Warehouse

AS_OF = datetime(2026, 7, 15, tzinfo=UTC)
Insight = Callable[..., list[tuple[Any, ...]]]


def bill(
    number: str, day: str, amount: str, *, id_: str | None = None, vendor: str = "V1", account="A1"
) -> tuple[str, str, dict[str, Any]]:
    id_ = id_ or f"B-{vendor}-{number}-{day}"
    line = {"id": f"{id_}-L", "amount": amount, "classifications": {"chartOfAccountId": account}}
    document = {
        "id": id_,
        "vendorId": vendor,
        "amount": amount,
        "dueDate": day,
        "invoice": {"invoiceNumber": number, "invoiceDate": day},
        "approvalStatus": "APPROVED",
        "billLineItems": [line],
    }
    return "bills", id_, document


def monthly(vendor: str, first: date, count: int, amount: str = "800.00") -> Iterator[Any]:
    for number in range(count):
        month = first.month - 1 + number
        day = first.replace(year=first.year + month // 12, month=month % 12 + 1)
        yield bill(f"M-{10_000 + number * 37}", day.isoformat(), amount, vendor=vendor)


@pytest.fixture
def insight() -> Insight:
    """Book bills and return the rows of one report."""

    def ask(report: str, columns: str, *bills: Any, as_of: datetime = AS_OF) -> list[Any]:
        accounts = [("A1", "Software", "EXPENSE"), ("A2", "Travel", "EXPENSE")]
        base = [
            ("chart_of_accounts", id_, {"id": id_, "name": name, "account": {"type": kind}})
            for id_, name, kind in accounts
        ]
        base += [("vendors", v, {"id": v, "name": f"Vendor {v}"}) for v in ("V1", "V2")]
        with Warehouse.at(":memory:", "insights") as warehouse:
            append(warehouse, [*base, *bills], as_of)
            for room in ROOMS:
                warehouse.build_room(room, as_of)
            sql = f"select {columns} from reports.{report} order by all"
            return warehouse.connection.execute(sql).fetchall()

    return ask


def test_the_same_number_spelt_differently_is_a_duplicate(insight: Insight) -> None:
    found = insight(
        "likely_duplicate_bills",
        "bill_id, earlier_bill_id, sign",
        bill("INV-1001", "2026-03-01", "250.00", id_="first"),
        bill("inv 1001", "2026-04-20", "250.00", id_="second"),
    )
    assert found == [("second", "first", "same number and amount")]


def test_a_slip_in_the_number_within_two_weeks_is_a_duplicate(insight: Insight) -> None:
    found = insight(
        "likely_duplicate_bills",
        "bill_id, earlier_bill_id",
        bill("INV-10471", "2026-03-01", "250.00", id_="first"),
        bill("INV-10741", "2026-03-09", "250.00", id_="swapped"),
    )
    assert found == [("swapped", "first")]


@pytest.mark.parametrize(
    ("case", "second"),
    [
        ("rent", bill("INV-10472", "2026-03-31", "250.00", id_="second")),
        ("consecutive numbers", bill("INV-10472", "2026-03-02", "250.00", id_="second")),
        ("another amount", bill("INV-10471", "2026-03-02", "250.01", id_="second")),
        ("another vendor", bill("INV-10471", "2026-03-02", "250.00", id_="second", vendor="V2")),
        ("years apart", bill("INV-10471", "2028-03-02", "250.00", id_="second")),
    ],
)
def test_honest_bills_are_no_duplicates(insight: Insight, case: str, second: Any) -> None:
    first = bill("INV-10471", "2026-03-01", "250.00", id_="first")
    assert insight("likely_duplicate_bills", "bill_id", first, second) == [], case


def test_bills_without_numbers_are_no_duplicates(insight: Insight) -> None:
    bills = [bill("", "2026-03-01", "9.99", id_=id_) for id_ in ("a", "b")]
    assert insight("likely_duplicate_bills", "bill_id", *bills) == []


def test_ten_times_the_usual_amount_is_unusual(insight: Insight) -> None:
    usual = list(monthly("V1", date(2025, 6, 5), 10))
    large = bill("X-77", "2026-05-01", "8000.00", id_="large")
    assert insight("unusual_amounts", "bill_id, usual_amount", *usual, large) == [
        ("large", pytest.approx(800))
    ]
    slightly_more = bill("X-78", "2026-05-01", "1600.00")
    assert insight("unusual_amounts", "bill_id", *usual, slightly_more) == []


def test_a_new_vendor_has_no_usual_amount(insight: Insight) -> None:
    few = list(monthly("V1", date(2026, 1, 5), 3))
    assert insight("unusual_amounts", "bill_id", *few, bill("9", "2026-06-01", "90000.00")) == []


def test_the_first_line_ever_on_another_account_is_a_disagreement(insight: Insight) -> None:
    usual = list(monthly("V1", date(2025, 6, 5), 11))
    other = bill("X-1", "2026-06-20", "800.00", id_="other", account="A2")
    columns = "document_id, account_id, usual_account_id"
    assert insight("coding_disagreements", columns, *usual, other) == [("other", "A2", "A1")]
    assert insight("coding_disagreements", columns, *usual[:5], other) == []


def test_a_vendor_that_stopped_is_quiet(insight: Insight) -> None:
    stopped = list(monthly("V1", date(2025, 1, 5), 8))
    seasonal = [
        bill(f"S{n}", f"{year}-0{month}-01", "50.00", vendor="V2")
        for n, (year, month) in enumerate([(y, m) for y in (2023, 2024, 2025) for m in (1, 2, 3)])
    ]
    found = insight("quiet_vendors", "party_id, last_bill_date", *stopped, *seasonal)
    assert found == [("V1", date(2025, 8, 5))]


def test_a_month_without_the_monthly_bill_is_named_while_it_is_news(insight: Insight) -> None:
    until_may = list(monthly("V1", date(2025, 11, 5), 7))
    columns = "party_id, missing_month, usual_amount"
    assert insight("missing_recurring_bills", columns, *until_may) == [
        ("V1", date(2026, 6, 1), 800)
    ]
    too_early = datetime(2026, 7, 8, tzinfo=UTC)
    assert insight("missing_recurring_bills", columns, *until_may, as_of=too_early) == []
    long_ago = datetime(2026, 9, 2, tzinfo=UTC)
    assert insight("missing_recurring_bills", columns, *until_may, as_of=long_ago) == []


def test_a_vendor_that_bills_now_and_then_misses_nothing(insight: Insight) -> None:
    bills = [b for n, b in enumerate(monthly("V1", date(2025, 9, 5), 9)) if n != 5]
    assert insight("missing_recurring_bills", "party_id", *bills) == []


def test_every_insight_is_documented_and_published() -> None:
    from bill_pipeline.transforms import FOLDER, read_transform

    names = ("likely_duplicate_bills", "unusual_amounts", "coding_disagreements",
             "quiet_vendors", "missing_recurring_bills")  # fmt: skip
    for name in names:
        transform = read_transform(Path(FOLDER) / "reports" / f"{name}.sql")
        assert transform.is_published
        assert all(column.description for column in transform.columns)
