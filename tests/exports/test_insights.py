"""Insight reports name what an accountant would want to see, and stay silent otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.plain_text import add_functions
from bill_pipeline.publishing.tables import published_schema
from bill_pipeline.warehouse.transforms import FOLDER, read_transform

AS_OF = "2026-07-15"
INSIGHTS = Path(FOLDER) / "reports"
Insight = Callable[..., list[tuple[Any, ...]]]
SOURCES = ("ledger.documents", "ledger.transactions", "ledger.parties", "ledger.books")
ACCOUNTS = {"A1": "Software", "A2": "Travel"}


def bill(
    number: str, day: str, amount: str, *, id_: str | None = None, vendor: str = "V1", account="A1"
) -> dict[str, Any]:
    """A booked bill of one line, with the columns of both ``documents`` and ``transactions``."""
    id_ = id_ or f"B-{vendor}-{number}-{day}"
    return {
        "document_id": id_, "document_type": "bill", "number": number, "party_id": vendor,
        "party": f"Vendor {vendor}", "date": date.fromisoformat(day), "currency": "USD",
        "amount": Decimal(amount), "amount_home": Decimal(amount), "amount_open": Decimal(0),
        "status": "PAID", "is_booked": True, "transaction_id": f"bill:{id_}:1", "line_id": "1",
        "account_id": account, "account_name": ACCOUNTS[account], "category_source": "bill",
    }  # fmt: skip


def monthly(vendor: str, first: date, count: int, amount: str = "800.00") -> Iterator[Any]:
    for number in range(count):
        month = first.month - 1 + number
        day = first.replace(year=first.year + month // 12, month=month % 12 + 1)
        yield bill(f"M-{10_000 + number * 37}", day.isoformat(), amount, vendor=vendor)


@pytest.fixture
def insight() -> Insight:
    """The rows of one report on a ledger of such bills; tables and types are the real ones."""

    def ask(report: str, columns: str, *bills: Any, as_of: str = AS_OF) -> list[Any]:
        tables = {table.source: table for table in published_schema().tables}
        with duckdb.connect() as db:
            add_functions(db)
            db.execute("create schema ledger")
            for source in SOURCES:
                types = {column.name: column.type for column in tables[source].columns}
                listed = ", ".join(f"{name} {type_}" for name, type_ in types.items())
                db.execute(f"create table {source} ({listed})")
                rows = {
                    "ledger.books": [{"known_until": as_of}],
                    "ledger.parties": [
                        {
                            "party_id": vendor,
                            "merged_party_id": vendor,
                            "merged_party": f"Vendor {vendor}",
                        }
                        for vendor in sorted({each["party_id"] for each in bills})
                    ],
                }.get(source, bills)
                for row in rows:
                    known = {name: value for name, value in row.items() if name in types}
                    values = ", ".join("?" for _ in known)
                    names = ", ".join(known)
                    db.execute(
                        f"insert into {source} ({names}) values ({values})", [*known.values()]
                    )
            sql = (INSIGHTS / f"{report}.sql").read_text()
            return db.execute(f"select {columns} from ({sql}) order by all").fetchall()

    return ask


def test_the_same_number_spelt_differently_is_a_duplicate(insight: Insight) -> None:
    found = insight(
        "likely_duplicate_bills",
        "bill_id, earlier_bill_id, sign",
        bill("INV-1001", "2026-03-01", "250.00", id_="first"),
        bill("inv 1001", "2026-04-20", "250.00", id_="second"),
    )
    assert found == [("second", "first", "same number and amount")]


def test_swapped_signs_in_the_number_within_two_weeks_are_a_duplicate(
    insight: Insight,
) -> None:
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
        ("numbers that count on", bill("INV-10571", "2026-03-02", "250.00", id_="second")),
        ("another amount", bill("INV-10471", "2026-03-02", "250.01", id_="second")),
        ("another vendor", bill("INV-10471", "2026-03-02", "250.00", id_="second", vendor="V2")),
        ("years apart", bill("INV-10471", "2028-03-02", "250.00", id_="second")),
    ],
)
def test_honest_bills_are_no_duplicates(insight: Insight, case: str, second: Any) -> None:
    first = bill("INV-10471", "2026-03-01", "250.00", id_="first")
    assert insight("likely_duplicate_bills", "bill_id", first, second) == [], case


@pytest.mark.parametrize("number", ["", "0", "000"])
def test_bills_without_numbers_are_no_duplicates(insight: Insight, number: str) -> None:
    bills = [bill(number, "2026-03-01", "9.99", id_=id_) for id_ in ("a", "b")]
    assert insight("likely_duplicate_bills", "bill_id", *bills) == []


def test_an_orders_number_on_every_months_bill_is_no_duplicate_but_twice_in_a_week_is(
    insight: Insight,
) -> None:
    days = ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]
    bills = [bill("PO-3056148", day, "740.00", id_=day) for day in days]
    assert insight("likely_duplicate_bills", "bill_id", *bills) == []
    again = bill("PO-3056148", "2026-05-04", "740.00", id_="again")
    assert insight("likely_duplicate_bills", "bill_id, earlier_bill_id", *bills, again) == [
        ("again", "2026-04-30")
    ]


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
    too_early = "2026-07-08"
    assert insight("missing_recurring_bills", columns, *until_may, as_of=too_early) == []
    long_ago = "2026-09-02"
    assert insight("missing_recurring_bills", columns, *until_may, as_of=long_ago) == []


def test_a_vendor_that_bills_now_and_then_misses_nothing(insight: Insight) -> None:
    bills = [b for n, b in enumerate(monthly("V1", date(2025, 9, 5), 9)) if n != 5]
    assert insight("missing_recurring_bills", "party_id", *bills) == []


@pytest.mark.parametrize(
    "name",
    [
        "likely_duplicate_bills",
        "unusual_amounts",
        "coding_disagreements",
        "quiet_vendors",
        "missing_recurring_bills",
    ],
)
def test_every_insight_is_documented_and_published(name: str) -> None:
    transform = read_transform(INSIGHTS / f"{name}.sql")
    assert transform.is_published
    assert all(column.description for column in transform.columns)
