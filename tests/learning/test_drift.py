"""The alarm of ``reports.model_health``: what raises it, and what is too little to say anything."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from bill_pipeline.warehouse.transforms import load_transforms

pytestmark = pytest.mark.rotating(days=8)

TABLES = """
create schema decisions;
create schema categorized;
create table decisions.categories (
    document_type varchar, document_id varchar, line_id varchar, source varchar,
    account_id varchar, confidence double, decided_at timestamp
);
create table categorized.lines (
    document_type varchar, document_id varchar, line_id varchar, date date,
    merged_party_id varchar, account_id varchar, category_source varchar, is_booked boolean
);
set variable as_of = timestamp '2027-01-01';
"""


class Client:
    """Months of lines that came without an account and that the model booked."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(TABLES)
        self.number = 0
        # A vendor of old, whose line had its account from BILL.
        long_ago = date(2025, 6, 1)
        self._add("categorized.lines", "bill", "B0", "1", long_ago, "old", "booked", "bill", True)

    def month(
        self,
        month: int,
        *,
        lines: int = 40,
        confidence: float = 0.9,
        overruled: int = 0,
        agreed: int = 0,
        new_parties: int = 0,
    ) -> None:
        """``overruled`` and ``agreed`` of the booked lines were coded by a person later."""
        day = date(2026, month, 15)
        for place in range(lines):
            self.number += 1
            key = ("bill", f"B{self.number}", "1")
            party = f"new-{self.number}" if place < new_parties else "old"
            checked = place < overruled + agreed
            account = "right" if place < overruled else "booked"
            source = "person" if checked else "model"
            self._add("decisions.categories", *key, "model", "booked", confidence, day)
            self._add("categorized.lines", *key, day, party, account, source, True)

    def alarm(self) -> str | None:
        """Of the newest month."""
        sql = load_transforms()["reports.model_health"].sql
        row = self.connection.execute(
            f"select alarm from ({sql}) order by month desc limit 1"
        ).fetchone()
        assert row is not None
        alarm: str | None = row[0]
        return alarm

    def _add(self, table: str, *values: Any) -> None:
        marks = ", ".join("?" * len(values))
        self.connection.execute(f"insert into {table} values ({marks})", values)


@pytest.fixture
def client() -> Client:
    """Three calm months with a vendor of old."""
    client = Client()
    for month in (1, 2, 3):
        client.month(month, agreed=5)
    return client


def test_a_month_like_those_before_raises_nothing(client: Client) -> None:
    client.month(4, agreed=10, new_parties=3)
    assert client.alarm() is None


@pytest.mark.parametrize(
    ("month", "words"),
    [
        ({"overruled": 3, "agreed": 7}, "overrule"),
        ({"overruled": 2, "agreed": 8}, None),  # a fifth, not more
        ({"overruled": 5, "agreed": 4}, None),  # nine checked lines say nothing
        ({"confidence": 0.7}, "less sure"),
        ({"confidence": 0.8}, None),
        ({"confidence": 0.5, "lines": 19}, None),  # too few lines
        ({"new_parties": 13}, "are new"),
        ({"new_parties": 11}, None),
    ],
)
def test_what_raises_the_alarm(client: Client, month: dict[str, Any], words: str | None) -> None:
    client.month(4, **month)
    alarm = client.alarm()
    assert (alarm is None) if words is None else (alarm is not None and words in alarm)


def test_months_of_many_new_vendors_are_no_news_to_a_client_that_has_them_always() -> None:
    client = Client()
    for month in (1, 2, 3, 4):
        client.month(month, new_parties=20)
    assert client.alarm() is None


def test_only_three_months_before_are_compared(client: Client) -> None:
    for month in (4, 5, 6):
        client.month(month, confidence=0.6)
    client.month(7, confidence=0.6)
    assert client.alarm() is None
