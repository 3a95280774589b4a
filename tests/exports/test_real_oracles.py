"""A real organization's books, carried through the whole product, in three tools by others.

The ledger is public and not part of this repository: ``BILL_PIPELINE_REAL_DATA`` names its folder,
``BILL_PIPELINE_REAL_ORGANIZATION`` another organization of it. Run with ``-s`` for the figures.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.exports import export
from bill_pipeline.exports.books import read_books
from bill_pipeline.exports.names import beancount_names, plain_text_names
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.sandbox.ledger_import import import_ledger
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import SandboxState
from bill_pipeline.settings import Home
from tests.exports.oracles import ORACLES, Hledger
from tests.exports.test_oracles import OPEN_BY_DUE_DATE
from tests.journey.firm import Firm

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

ORGANIZATION = os.environ.get("BILL_PIPELINE_REAL_ORGANIZATION", "cabinetoffice")


class RealBooks:
    """The published books of one organization; ``lines`` and ``amount`` are the file's."""

    def __init__(self, home: Home, client: str, lines: int, amount: Decimal) -> None:
        self.home, self.client, self.lines, self.amount = home, client, lines, amount

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with open_ledger(self.home) as ledger:
            return ledger.execute(sql, [self.client, *values]).fetchall()

    def amounts(self, sql: str, *values: object) -> dict[str, Decimal]:
        return {str(name): amount for name, amount in self.rows(sql, *values) if amount}

    @property
    def days(self) -> list[date]:
        """The ends of the fiscal years and the last day of the books."""
        return [
            row[0]
            for row in self.rows(
                """
                select distinct least(last_day(make_date(year(date), 12, 1)), last) from (
                    select date, max(date) over () as last from journal_lines where client = ?
                ) order by 1
                """
            )
        ]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealBooks]:
    """Look-alike, connect, sync, publish: what a user runs."""
    file = Path(os.environ["BILL_PIPELINE_REAL_DATA"]) / "uk_ledgers.parquet"
    state = SandboxState()
    (report,), _ = import_ledger(state, file, [ORGANIZATION])
    with SandboxServer(state=state) as server:
        firm = Firm(server, tmp_path_factory.mktemp("real"))
        for result in (firm.connect(), firm.run("sync", firm.client)):
            assert result.exit_code == 0, result.output
        yield RealBooks(firm.home, firm.client, report.lines, report.amount)


@pytest.fixture(scope="module", params=ORACLES, ids=lambda oracle: oracle.name)
def oracle(
    request: pytest.FixtureRequest, books: RealBooks, tmp_path_factory: pytest.TempPathFactory
):
    if request.param.program is None:
        pytest.skip(f"{request.param.name} is not installed here; `.ci/run` installs it")
    path = tmp_path_factory.mktemp("export") / "books.txt"
    return request.param(export(books.home, books.client, request.param.export, path))


@pytest.fixture(scope="module")
def names(oracle, books: RealBooks) -> dict[str, str]:
    with open_ledger(books.home) as ledger:
        accounts = read_books(ledger, books.client).accounts
    return (beancount_names if oracle.name == "beancount" else plain_text_names)(accounts)


def test_the_books_hold_every_line_and_cent_of_the_file(books: RealBooks) -> None:
    (found,) = books.rows(
        "select count(*), sum(if(document_type = 'bill', amount, -amount)) from document_lines "
        "where client = ? and document_type in ('bill', 'vendor_credit')"
    )
    assert found == (books.lines, books.amount)
    print(f"\n{ORGANIZATION}: {books.lines:,} lines, {books.amount:,}; compared on {books.days}")


def test_the_strict_modes_accept_the_books(oracle) -> None:
    oracle.check()


def test_the_trial_balances_are_the_same(oracle, names, books: RealBooks) -> None:
    compared = 0
    for day in books.days:
        ours = books.amounts("select account_id, balance from trial_balance_at(?, ?)", day)
        assert oracle.trial_balance(day) == {names[id_]: amount for id_, amount in ours.items()}
        compared += len(ours)
    assert compared > 100
    print(f"\n{oracle.name}: {compared:,} balances on {len(books.days)} days equal")


def test_every_month_of_the_profit_and_loss_is_the_same(oracle, names, books: RealBooks) -> None:
    ours: dict[str, dict[str, Decimal]] = {}
    for month, account_id, amount in books.rows(
        "select strftime(month, '%Y-%m'), account_id, -sum(net_income) from profit_and_loss "
        "where client = ? group by all having sum(net_income) <> 0"
    ):
        ours.setdefault(month, {})[names[account_id]] = amount
    assert oracle.months() == ours
    assert len(ours) > 12
    count = sum(map(len, ours.values()))
    print(f"\n{oracle.name}: {count:,} account months in {len(ours)} months equal")


def test_payables_by_due_date_are_the_same(oracle, names, books: RealBooks) -> None:
    ((account_id,),) = books.rows(
        "select account_id from accounts where client = ? and control = 'payables'"
    )
    compared = 0
    for day in books.days:
        ours = books.amounts(OPEN_BY_DUE_DATE, "payables", day)
        assert oracle.due(names[account_id], day) == ours
        (aged,) = books.rows("select sum(amount_total) from payables_aging_at(?, ?)", day)
        assert aged == (-sum(ours.values()),)
        compared += len(ours)
    assert compared > 30
    print(f"\n{oracle.name}: {compared:,} due dates on {len(books.days)} days equal")


@pytest.mark.skipif(Hledger.program is None, reason="hledger is not installed here")
def test_the_balance_sheets_are_the_same(books: RealBooks, tmp_path: Path) -> None:
    hledger = Hledger(export(books.home, books.client, "hledger", tmp_path / "books.journal"))
    for day in books.days:
        sheet = books.amounts(
            "select account_type, sum(balance) from balance_sheet_at(?, ?) group by 1", day
        )
        assets, liabilities = hledger.sections(day)
        assert (assets, liabilities) == (sheet["Asset"], -sheet["Liability"])
        equity = sum(v for k, v in sheet.items() if k not in ("Asset", "Liability"))
        assert assets - liabilities == -equity
    print(f"\nhledger: {len(books.days)} balance sheets equal")
