"""Every ``*.yaml`` here is a worked example: BILL documents in, ledger rows out; see ``runner``."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from bill_pipeline.pipeline import rebuild
from bill_pipeline.publishing.tables import published_schema
from bill_pipeline.publishing.values import OF_BILL, is_listed, values_of
from tests.ledger.company import Company
from tests.rotation import DAY, is_due
from tests.stories.__main__ import main
from tests.stories.runner import COMPANY, HERE, run_story

STORIES = sorted(path for path in HERE.glob("*.yaml") if path != COMPANY)
#: One of each kind, for between edits.
QUICK = {
    "01_bill_entered", "13_vendor_credit", "33_customer_paid_outside_bill", "41_exchange_loss",
}  # fmt: skip
#: After so many days of ``make test`` each story was rebuilt in each way.
DAYS_OF_REBUILDS = 8
#: The first time it is rebuilt one way, the second time the other.
DAYS_BETWEEN = 4

WRONG = """
title: A bill of 100 is booked, and the story wants 99
steps:
  - as_of: 2026-02-20
    given:
      bills:
        - {id: B1, vendorId: lessor, amount: 100.00, invoice: {invoiceDate: 2026-02-01},
           approvalStatus: APPROVED, billLineItems:
             [{id: B1-1, amount: 100.00, classifications: {chartOfAccountId: rent}}]}
    expect:
      - table: reports.trial_balance
        where: account_name = 'Rent'
        rows: |
          account_name | balance
          Rent | 99.00
      - table: trial_balance_at('acme', date '2026-01-31')
        rows: |
          account_name | balance
"""


def days_between(path: Path) -> int:
    """After how many days a story is told again."""
    return 1 if path.stem in QUICK else DAYS_BETWEEN


def marks_of(number: int) -> list[pytest.MarkDecorator]:
    path = STORIES[number]
    turn = pytest.mark.rotating(days=days_between(path), part=number, together=True)
    marks = [pytest.mark.slow] if path.stem not in QUICK else []
    return [*marks, turn] if days_between(path) > 1 else marks


def ways_today(number: int) -> list[rebuild.Way]:
    """In which ways a story is rebuilt today."""
    days = DAYS_OF_REBUILDS
    step = days // len(rebuild.WAYS)
    return [way for n, way in enumerate(rebuild.WAYS) if is_due(number + step * n, days=days)]


def unlisted_values(company: Company) -> list[str]:
    """Values of our own choosing that ``docs/schema.md`` does not list."""
    found = []
    for table in published_schema().tables:
        for column in table.columns:
            values = values_of(table, column)
            if values and column.name not in OF_BILL:
                rows = company.rows(f"select distinct {column.name} from {table.source}")
                found += [
                    f"{table.name}.{column.name} {value!r} is missing in publishing/values.py"
                    for (value,) in rows
                    if value is not None and not is_listed(value, values)
                ]
    return found


@pytest.mark.parametrize(
    "number",
    [pytest.param(n, id=path.stem, marks=marks_of(n)) for n, path in enumerate(STORIES)],
)
def test_the_books_are_as_the_story_tells(number: int) -> None:
    differences = run_story(STORIES[number], also=unlisted_values, ways=ways_today(number))
    assert not differences, "\n".join(differences)


@pytest.mark.slow
def test_days_in_a_row_tell_and_rebuild_every_story_in_each_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    days = [date(2026, 12, 30) + timedelta(n) for n in range(DAYS_OF_REBUILDS)]
    for number, path in enumerate(STORIES):
        done = []
        for day in days:
            monkeypatch.setenv(DAY, day.isoformat())
            if is_due(number, days_between(path)):
                done += ways_today(number)
        assert Counter(done) == Counter(rebuild.WAYS), path.stem


@pytest.mark.slow
def test_a_story_file_from_anywhere_passes_or_fails_on_a_line_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, right, broken = (tmp_path / f"{name}.yaml" for name in ("wrong", "right", "broken"))
    wrong.write_text(WRONG)
    right.write_text(WRONG.replace("99.00", "100.00"))
    broken.write_text("title: no steps")
    assert main([str(right)]) == 0
    assert main([str(wrong), str(right), str(broken), str(tmp_path / "none.yaml")]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"PASS {right}"
    assert said[1] == f"FAIL {wrong}"
    assert "- Rent | 99.00" in said
    assert "+ Rent | 100.00" in said
    assert f"FAIL {broken}" in said
    assert f"FAIL {tmp_path / 'none.yaml'}" in said
    assert said.count(f"PASS {right}") == 2
