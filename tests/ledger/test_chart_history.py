"""The chart's history, told again in Python: what an account is for each day, as known then."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bill_pipeline.decisions import tables as decisions
from bill_pipeline.pipeline.steps import build_tables
from bill_pipeline.warehouse.transforms import load_transforms
from tests.ledger.company import Company, new_company
from tests.ledger.lives import FIRST_SYNC, begin

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4)]

TYPES = {"EXPENSE": "Expense", "FIXED_ASSET": "Asset", "INCOME": "Revenue"}
TABLES = {"ledger.closings", "ledger.account_versions", "ledger.accounts_by_day"}
DAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(0, 90, 3)]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("retype"), st.sampled_from(sorted(TYPES))),
        st.tuples(st.just("rename"), st.sampled_from(["Rent", "Leases"])),
        st.tuples(st.just("lock"), st.integers(0, 60)),
    ),
    max_size=8,
)
#: Retyped with nothing closed, after a close, after a later one and after an earlier one.
MANY = [
    ("retype", "INCOME"), ("lock", 20), ("retype", "FIXED_ASSET"), ("lock", 40),
    ("rename", "Leases"), ("retype", "EXPENSE"), ("lock", 5), ("rename", "Rent"),
    ("retype", "INCOME"),
]  # fmt: skip


def told(history: list[tuple[str, str, date | None]], day: date) -> tuple[str, str]:
    """(name, type) of ``day``: the name last told; the last type told while it was open."""
    kind = history[0][1]
    for (_, before, _), (_, after, lock) in pairwise(history):
        if after != before and (lock is None or day > lock):
            kind = after
    return history[-1][0], kind


def play(company: Company, life: Any) -> list[tuple[datetime, list[tuple[str, str, date | None]]]]:
    """Do what ``life`` says, a day apart; gives the history known at each moment."""
    begin(company)
    at, name, kind = FIRST_SYNC, "Rent", "EXPENSE"
    lock: date | None = None
    history: list[tuple[str, str, date | None]] = [(name, TYPES[kind], None)]
    known = [(at, list(history))]
    for what, value in life:
        at += timedelta(days=1)
        if what == "lock":
            through = date(2026, 1, 1) + timedelta(days=value)
            if lock is None or through > lock:
                decisions.close(company.connection, through, decided_at=at, decided_by="a life")
            elif through < lock:
                decisions.reopen(
                    company.connection, through + timedelta(days=1), decided_at=at,
                    decided_by="a life", reason="a correction",
                )  # fmt: skip
            lock = through
        else:
            name, kind = (value, kind) if what == "rename" else (name, value)
            document = {"id": "rent", "name": name, "account": {"type": kind}}
            company.put("chart_of_accounts", document, at)
            history.append((name, TYPES[kind], lock))
        known.append((at, list(history)))
    company.post(at)
    with company.warehouse.transaction():
        build_tables(company.warehouse, "ledger", at, checked=False, only=TABLES)
    return known


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(life=steps)
@example(life=MANY)
def test_every_day_has_the_type_it_had_when_it_was_closed(life: Any) -> None:
    by_day = load_transforms()["ledger.accounts_by_day"].sql
    with new_company() as company:
        for at, history in play(company, life):
            company.connection.execute(f"set variable known_at = timestamp '{at}'")
            runs = company.rows(
                f"select valid_from, valid_to, account_name, account_type from ({by_day}) "
                "where account_id = 'rent'"
            )
            for day in DAYS:
                found = [run[2:] for run in runs if run[0] <= day <= run[1]]
                assert found == [told(history, day)], (at, day)
        company.connection.execute("reset variable known_at")
        now = company.rows("select account_id, count(*) from ledger.accounts_by_day "
                           "where date '2026-01-15' between valid_from and valid_to group by 1 "
                           "having count(*) <> 1")  # fmt: skip
        assert now == []
