"""Ask hledger, ledger and beancount for the reports that we make ourselves.

Each class runs one tool on an exported file; amounts come back as ``Decimal`` by account name.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

Amounts = dict[str, Decimal]
ENVIRONMENT = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def _run(*command: str) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=ENVIRONMENT, encoding="utf-8"
    ).stdout


def _amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("USD", "").strip() or "0")


def _nonzero(amounts: Amounts) -> Amounts:
    return {name: amount for name, amount in amounts.items() if amount}


def _csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def _by_month(rows: Iterable[Sequence[str]]) -> dict[str, Amounts]:
    found: dict[str, Amounts] = {}
    for month, name, amount in rows:
        if _amount(amount):
            found.setdefault(month, {})[name] = _amount(amount)
    return found


class Hledger:
    name = "hledger"
    export = "hledger"
    program = shutil.which("hledger")

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def check(self) -> None:
        _run("hledger", "-f", self.file, "check", "-s")

    def trial_balance(self, day: date) -> Amounts:
        return self._balances("-e", str(day + timedelta(days=1)))

    def month(self, first: date, after: date) -> Amounts:
        return self._balances("^Income|^Expenses", "-b", str(first), "-e", str(after))

    def months(self) -> dict[str, Amounts]:
        """YYYY-MM → the month's movement of income and expense accounts; of more than one year."""
        out = _run(
            "hledger", "-f", self.file, "bal", "-M", "--flat", "-N", "-O", "csv",
            "^Income|^Expenses",
        )  # fmt: skip
        rows = _csv(out)
        months = [name for name in rows[0] if name != "account"]
        found = {
            month: _nonzero({row["account"]: _amount(row[month]) for row in rows})
            for month in months
        }
        return {month: amounts for month, amounts in found.items() if amounts}

    def due(self, account: str, day: date) -> Amounts:
        end = str(day + timedelta(days=1))
        return self._balances(f"^{account}$", "-e", end, "--pivot", "due")

    def _balances(self, *arguments: str) -> Amounts:
        out = _run("hledger", "-f", self.file, "bal", "--flat", "-N", "-O", "csv", *arguments)
        return _nonzero({row["account"]: _amount(row["balance"]) for row in _csv(out)})

    def sections(self, day: date) -> tuple[Decimal, Decimal]:
        """(assets, liabilities), each with the sign accountants expect."""
        out = _run(
            "hledger", "-f", self.file, "bs", "-e", str(day + timedelta(days=1)), "-O", "csv"
        )
        totals = [row for row in csv.reader(io.StringIO(out)) if row[0] in ("total", "Total:")]
        return _amount(totals[0][1]), _amount(totals[1][1])


class Ledger:
    name = "ledger"
    export = "ledger"
    program = shutil.which("ledger")

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def check(self) -> None:
        _run("ledger", "-f", self.file, "--pedantic", "bal")

    def trial_balance(self, day: date) -> Amounts:
        return self._balances("-e", str(day + timedelta(days=1)))

    def month(self, first: date, after: date) -> Amounts:
        return self._balances("-b", str(first), "-e", str(after), "^Income", "^Expenses")

    def months(self) -> dict[str, Amounts]:
        line = "%(format_date(date, '%Y-%m'))\t%(account)\t%(quantity(scrub(display_amount)))\n"
        out = _run(
            "ledger", "-f", self.file, "reg", "--monthly", "--format", line, "^Income", "^Expenses"
        )
        return _by_month(row.split("\t") for row in out.splitlines() if row)

    def due(self, account: str, day: date) -> Amounts:
        end = str(day + timedelta(days=1))
        found = self._balances("-e", end, "--pivot", "due", f"^{account}$")
        return {name.removeprefix("due:").split(":")[0]: value for name, value in found.items()}

    def _balances(self, *arguments: str) -> Amounts:
        line = "%(account)\t%(quantity(scrub(display_total)))\n"
        out = _run(
            "ledger", "-f", self.file, "bal", "--flat", "--no-total", "--balance-format", line,
            *arguments,
        )  # fmt: skip
        pairs = [row.split("\t") for row in out.splitlines() if row]
        return _nonzero({name: _amount(amount) for name, amount in pairs})


class Beancount:
    name = "beancount"
    export = "beancount"
    program = shutil.which("bean-query", path=str(Path(sys.executable).parent))

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def check(self) -> None:
        _run(str(Path(self.program or "").with_name("bean-check")), self.file)

    def trial_balance(self, day: date) -> Amounts:
        return self._query(f"where date <= {day}")

    def month(self, first: date, after: date) -> Amounts:
        return self._query(
            f"where date >= {first} and date < {after} and account ~ '^(Income|Expenses)'"
        )

    def months(self) -> dict[str, Amounts]:
        sql = (
            "select year as y, month as m, account as name, sum(number) as amount "
            "where account ~ '^(Income|Expenses)' group by 1, 2, 3"
        )
        out = _run(str(self.program), "-q", "-f", "csv", self.file, sql)
        return _by_month(
            (f"{int(row['y']):04}-{int(row['m']):02}", row["name"].strip(), row["amount"])
            for row in _csv(out)
        )

    def due(self, account: str, day: date) -> Amounts:
        where = f"where account = '{account}' and date <= {day}"
        return self._query(where, key="meta('due')")

    def _query(self, where: str, key: str = "account") -> Amounts:
        sql = f"select {key} as name, sum(number) as amount {where} group by 1"
        out = _run(str(self.program), "-q", "-f", "csv", self.file, sql)
        return _nonzero({row["name"].strip(): _amount(row["amount"]) for row in _csv(out)})


ORACLES = (Hledger, Ledger, Beancount)
