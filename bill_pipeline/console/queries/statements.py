"""The statements as the pages lay them out, read from the published ledger's own macros.

No figure is computed here that a report gives already; only sections and totals are put together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from bill_pipeline.console.parts.period import Period
from bill_pipeline.console.queries.ledger import Row, Snapshot
from bill_pipeline.decisions.tables import policy_default

ZERO = Decimal(0)
#: Section → whether it adds to the profit; in the order of the statement.
PROFIT_SECTIONS = {
    "Revenue": True,
    "Cost of Goods Sold": False,
    "Operating Expenses": False,
    "Other Income": True,
    "Other Expense": False,
}
#: After this section comes this line.
PROFIT_SUBTOTALS = {"Cost of Goods Sold": "Gross profit", "Operating Expenses": "Operating income"}
BALANCE_SECTIONS = ("Asset", "Liability", "Equity")
#: Side → the lists of BILL without which what is open there is not known.
BEHIND_AGING = {
    "payables": {"bills", "payments", "vendor_credits", "vendors"},
    "receivables": {"invoices", "received_payments", "credit_memos", "customers"},
}
BUCKETS = (
    ("amount_current", "Not yet due"),
    ("amount_1_to_30", "1–30 days late"),
    ("amount_31_to_60", "31–60"),
    ("amount_61_to_90", "61–90"),
    ("amount_over_90", "Over 90"),
)


@dataclass(frozen=True)
class BookFacts:
    """How a client's books are kept, and up to when they know BILL."""

    home_currency: str
    fiscal_year_end: str
    closed_through: date | None
    today: date
    book_bills_on: str
    sales_tax_on_cash_basis: str
    books_begin_on: date | None


@dataclass
class StatementLine:
    """One account by column (a month, or the only one)."""

    account_id: str
    label: str
    amounts: list[Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.amounts, ZERO)


@dataclass
class Section:
    """Accounts under one heading; ``totals`` by column."""

    name: str
    lines: list[StatementLine] = field(default_factory=list)
    width: int = 1

    @property
    def totals(self) -> list[Decimal]:
        columns = zip(*(line.amounts for line in self.lines), strict=True)
        return [sum(column, ZERO) for column in columns] or [ZERO] * self.width

    @property
    def total(self) -> Decimal:
        return sum(self.totals, ZERO)


@dataclass
class ProfitAndLoss:
    """Sections in order; running results stand after the section they belong to."""

    months: list[date]
    sections: list[Section]
    results: dict[str, list[Decimal]]  # name of the section → profit up to and including it

    @property
    def net_income(self) -> list[Decimal]:
        return self.results[self.sections[-1].name] if self.sections else []


def book_facts(books: Snapshot, client: str) -> BookFacts | None:
    """None before the client's books are published for the first time."""
    row = books.row("select * from books where client = ?", [client])
    if row is None:
        return None
    return BookFacts(
        home_currency=row["home_currency"],
        fiscal_year_end=row["fiscal_year_end"],
        closed_through=row["closed_through"],
        today=row["known_until"].date(),
        book_bills_on=row["book_bills_on"],
        # Books published before there was the choice, and not since.
        sales_tax_on_cash_basis=row.get("sales_tax_on_cash_basis")
        or policy_default("sales_tax_on_cash_basis"),
        books_begin_on=row.get("books_begin_on"),
    )


def trial_balance(books: Snapshot, client: str, day: date) -> list[Row]:
    return books.rows(
        """
        select account_id, account_code, account_name, account_type, debit, credit
        from trial_balance_at(?, report_date := ?)
        where balance <> 0
        order by account_code nulls last, account_name, account_id
        """,
        [client, day],
    )


def profit_and_loss(books: Snapshot, client: str, period: Period) -> ProfitAndLoss:
    """By month; empty sections are left out, but not the results between them."""
    rows = books.rows(
        """
        select statement_section, account_id, account_code, account_name, month,
            sum(amount) as amount
        from profit_and_loss_between(?, period_start := ?, period_end := ?)
        group by all
        order by account_code nulls last, account_name, account_id
        """,
        [client, period.first, period.last],
    )
    months = period.months
    position = {month: number for number, month in enumerate(months)}
    sections = {name: Section(name, width=len(months)) for name in PROFIT_SECTIONS}
    lines: dict[tuple[str, str], StatementLine] = {}
    for row in rows:
        # An account of a heading of its own counts among the expenses, as its sign says; one whose
        # type changed is a line under each heading that it had.
        name = row["statement_section"]
        name = name if name in sections else "Operating Expenses"
        line = lines.get((name, row["account_id"]))
        if line is None:
            line = StatementLine(row["account_id"], label(row), [ZERO] * len(months))
            lines[name, row["account_id"]] = line
            sections[name].lines.append(line)
        line.amounts[position[row["month"]]] += row["amount"]
    profit, results = [ZERO] * len(months), {}
    for name, section in sections.items():
        sign = 1 if PROFIT_SECTIONS[name] else -1
        profit = [
            so_far + sign * amount for so_far, amount in zip(profit, section.totals, strict=True)
        ]
        results[name] = profit
    return ProfitAndLoss(months, list(sections.values()), results)


def balance_sheet(books: Snapshot, client: str, day: date) -> list[tuple[str, list[Section]]]:
    """(Asset | Liability | Equity, its sections) in the order of the statement."""
    rows = books.rows(
        """
        select account_type, statement_section, account_id, account_code, account_name, amount
        from balance_sheet_at(?, report_date := ?)
        order by account_code nulls last, account_name, account_id
        """,
        [client, day],
    )
    found: dict[str, dict[str, Section]] = {name: {} for name in BALANCE_SECTIONS}
    for row in rows:
        sections = found.setdefault(row["account_type"], {})
        section = sections.setdefault(row["statement_section"], Section(row["statement_section"]))
        section.lines.append(StatementLine(row["account_id"], label(row), [row["amount"]]))
    order = {"Current Assets": 0, "Current Liabilities": 0, "Other Assets": 9}
    return [
        (name, sorted(sections.values(), key=lambda s: (order.get(s.name, 5), s.name)))
        for name, sections in found.items()
    ]


def aging_and_items(
    books: Snapshot, client: str, side: str, day: date, party_id: str | None
) -> tuple[list[Row], list[Row]]:
    """``side``: payables or receivables; the parties who are owed or owe most come first.

    With the documents behind the aging, or behind one party's row of it.
    """
    macro = {"payables": "payables_aging_at", "receivables": "receivables_aging_at"}[side]
    aging = (
        f"select * from {macro}(?, report_date := ?) order by amount_total desc, party, party_id"
    )
    controls = {
        "payables": ["payables", "vendor advances"],
        "receivables": ["receivables", "customer credits"],
    }[side]
    items = """
        select
            *, $day::date - due_date as days_late,
            if(control in ('vendor advances', 'customer credits'), -1, 1) * amount_owed as amount
        from open_items_at($client, report_date := $day)
        where control in (select unnest($controls::varchar[]))
            and ($party::varchar is null or party_id = $party)
        order by due_date, number, document_id
    """
    wanted = {"client": client, "day": day, "controls": controls, "party": party_id}
    return books.together((aging, [client, day]), (items, wanted))


def label(row: dict[str, Any]) -> str:
    """An account as people read it: number and name."""
    return f"{row['account_code'] or ''} {row['account_name']}".strip()
