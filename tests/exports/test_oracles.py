"""hledger, ledger and beancount accept our books and come to the same figures, to the cent."""

from __future__ import annotations

import subprocess
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from bill_pipeline.exports import export
from bill_pipeline.exports.books import read_books
from bill_pipeline.exports.names import beancount_names, plain_text_names
from bill_pipeline.settings import Home
from tests.exports.oracles import ORACLES, Amounts, Hledger

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4)]

DAYS = (date(2025, 2, 28), date(2025, 12, 31), date(2026, 6, 30))
CLIENT = "bakery"
#: What is open on a control account by due date; values: client, control, day.
OPEN_BY_DUE_DATE = """
with lines as (
    select journal_lines.*, accounts.account_id as control_account
    from journal_lines join accounts using (client, account_id)
    where client = ? and control = ?
),
due as (
    select open_item_id, coalesce(min(due_date), min(lines.date)) as due_date
    from lines left join documents
        on documents.client = lines.client and documents.document_id = open_item_id
    group by 1
)
select due.due_date, sum(amount) from lines join due using (open_item_id)
where lines.date <= ? group by 1
"""


@pytest.fixture(params=ORACLES, ids=lambda oracle: oracle.name)
def oracle(request: pytest.FixtureRequest, home: Home, tmp_path: Path):
    if request.param.program is None:
        pytest.skip(f"{request.param.name} is not installed here; `.ci/run` installs it")
    path = export(home, CLIENT, request.param.export, tmp_path / "books.txt")
    return request.param(path)


@pytest.fixture
def names(oracle, ledger: duckdb.DuckDBPyConnection) -> dict[str, str]:
    accounts = read_books(ledger, CLIENT).accounts
    naming = beancount_names if oracle.name == "beancount" else plain_text_names
    return naming(accounts)


def ours(ledger: duckdb.DuckDBPyConnection, sql: str, *values: object) -> Amounts:
    rows = ledger.execute(sql, [CLIENT, *values]).fetchall()
    return {str(name): amount for name, amount in rows if amount}


def test_the_tools_strict_mode_accepts_the_books(oracle) -> None:
    oracle.check()


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_trial_balance_is_the_same(oracle, names, ledger, day: date) -> None:
    balances = ours(ledger, "select account_id, balance from trial_balance_at(?, ?)", day)
    assert len(balances) > 5
    assert oracle.trial_balance(day) == {names[id_]: amount for id_, amount in balances.items()}


@pytest.mark.parametrize("first", [date(2025, 3, 1), date(2025, 12, 1)], ids=str)
def test_the_months_profit_and_loss_is_the_same(oracle, names, ledger, first: date) -> None:
    sql = """select account_id, -sum(net_income) from profit_and_loss
             where client = ? and month = ? group by 1"""
    month = ours(ledger, sql, first)
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    assert len(month) > 2
    assert oracle.month(first, after) == {names[id_]: amount for id_, amount in month.items()}


@pytest.mark.parametrize("control", ["payables", "receivables"])
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_open_amounts_by_due_date_are_the_same(
    oracle, names, ledger, control: str, day: date
) -> None:
    account_id = ledger.execute(
        "select account_id from accounts where client = ? and control = ?", [CLIENT, control]
    ).fetchall()[0][0]
    expected = ours(ledger, OPEN_BY_DUE_DATE, control, day)
    assert len(expected) > 1
    assert oracle.due(names[account_id], day) == expected


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_aging_buckets_are_the_tools_due_dates_put_together(
    oracle, names, ledger, day: date
) -> None:
    row = ledger.execute(
        """select sum(amount_current + amount_1_to_30 + amount_31_to_60 + amount_61_to_90
                      + amount_over_90 + amount_credits), sum(amount_total)
           from payables_aging_at(?, ?)""",
        [CLIENT, day],
    ).fetchall()[0]
    account_id = ledger.execute(
        "select account_id from accounts where client = ? and control = 'payables'", [CLIENT]
    ).fetchall()[0][0]
    theirs = -sum(oracle.due(names[account_id], day).values())
    assert (theirs, theirs) == row


@pytest.mark.skipif(Hledger.program is None, reason="hledger is not installed here")
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_balance_sheet_is_the_same(home: Home, ledger, tmp_path: Path, day: date) -> None:
    hledger = Hledger(export(home, CLIENT, "hledger", tmp_path / "books.journal"))
    rows = dict(
        ledger.execute(
            "select account_type, sum(balance) from balance_sheet_at(?, ?) group by 1",
            [CLIENT, day],
        ).fetchall()
    )
    assets, liabilities = hledger.sections(day)
    assert assets == rows["Asset"]
    assert liabilities == -rows["Liability"]
    equity = sum((v for k, v in rows.items() if k not in ("Asset", "Liability")), Decimal(0))
    assert assets - liabilities == -equity


def test_a_file_that_lost_an_entry_is_refused(oracle) -> None:
    file = Path(oracle.file)
    text = file.read_text(encoding="utf-8")
    first = text.index("\n\n2025")
    file.write_text(text[:first] + text[text.index("\n\n2025", first + 1) :], encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        oracle.check()
