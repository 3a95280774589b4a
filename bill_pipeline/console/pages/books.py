"""Trial balance, profit and loss, balance sheet and aging: every number opens what is behind it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from starlette.responses import Response

from bill_pipeline.console.parts.charts import Bars, bars_and_line, stacked_bar
from bill_pipeline.console.parts.formats import money_signed, short_month
from bill_pipeline.console.parts.period import (
    MOST_MONTHS,
    MOST_MONTHS_DRAWN,
    day_choices,
    day_of,
    month_end,
    period_choices,
    period_of,
)
from bill_pipeline.console.queries import statements
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.queries.statements import ZERO, BookFacts
from bill_pipeline.console.request_context import RequestContext

ReportView = Callable[[RequestContext, Snapshot, BookFacts], Response]


def with_books(here: str) -> Callable[[ReportView], Callable[[RequestContext], Response]]:
    """A page of a client's books: shows that there are none yet, instead of empty statements."""

    def decorate(view: ReportView) -> Callable[[RequestContext], Response]:
        def page(context: RequestContext) -> Response:
            with context.console.ledger.reading([context.client]) as books:
                facts = statements.book_facts(books, context.client)
                if facts is None:
                    return context.render("no_books.html", client=context.client, here=here)
                return view(context, books, facts)

        page.__name__, page.__doc__ = view.__name__, view.__doc__
        return page

    return decorate


@with_books("trial-balance")
def trial_balance(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    day = day_of(context.query("to"), facts.today)
    rows = statements.trial_balance(books, context.client, day)
    return context.render(
        "trial_balance.html",
        client=context.client,
        facts=facts,
        day=day,
        rows=rows,
        debit=sum((row["debit"] for row in rows), ZERO),
        credit=sum((row["credit"] for row in rows), ZERO),
        choices=day_choices(facts.today, facts.fiscal_year_end),
    )


@with_books("profit-and-loss")
def profit_and_loss(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    period = period_of(
        context.query("from"), context.query("to"), facts.today, facts.fiscal_year_end
    )
    report = statements.profit_and_loss(books, context.client, period)
    return context.render(
        "profit_and_loss.html",
        client=context.client,
        facts=facts,
        period=period,
        report=report,
        subtotals=statements.PROFIT_SUBTOTALS,
        shows_months=1 < len(report.months) <= MOST_MONTHS,
        month_end=month_end,
        chart=_profit_chart(report, facts.home_currency),
        choices=period_choices(facts.today, facts.fiscal_year_end),
    )


@with_books("balance-sheet")
def balance_sheet(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    day = day_of(context.query("to"), facts.today)
    sides = statements.balance_sheet(books, context.client, day)
    totals = {name: sum((s.total for s in sections), ZERO) for name, sections in sides}
    return context.render(
        "balance_sheet.html",
        client=context.client,
        facts=facts,
        day=day,
        sides=sides,
        totals=totals,
        choices=day_choices(facts.today, facts.fiscal_year_end),
    )


def payables(context: RequestContext) -> Response:
    return _payables(context)


def receivables(context: RequestContext) -> Response:
    return _receivables(context)


@with_books("payables")
def _payables(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    return _aging(context, books, facts, "payables")


@with_books("receivables")
def _receivables(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    return _aging(context, books, facts, "receivables")


def _aging(context: RequestContext, books: Snapshot, facts: BookFacts, side: str) -> Response:
    day = day_of(context.query("to"), facts.today)
    party_id = context.query("party") or None
    rows, items = statements.aging_and_items(books, context.client, side, day, party_id)
    columns = [name for name, _label in statements.BUCKETS] + ["amount_credits", "amount_total"]
    totals = {name: sum((row[name] for row in rows), ZERO) for name in columns}
    late = sum((totals[name] for name, _label in statements.BUCKETS[1:]), ZERO)
    missing = sorted(context.lists_missing(context.client).keys() & statements.BEHIND_AGING[side])
    looks = f"looks unpaid (incomplete without {', '.join(missing)})" if missing else "open"
    summary = (
        f"{money_signed(totals['amount_total'])} {facts.home_currency} {looks}, of which "
        f"{money_signed(late)} {'would be' if missing else 'is'} late."
    ).replace("_", " ")
    return context.render(
        "aging.html",
        client=context.client,
        side=side,
        missing=missing,
        facts=facts,
        day=day,
        rows=rows,
        totals=totals,
        buckets=statements.BUCKETS,
        summary=summary,
        chart=stacked_bar(
            [(label, totals[name]) for name, label in statements.BUCKETS], f"By age: {summary}"
        ),
        party_id=party_id,
        items=items,
        choices=day_choices(facts.today, facts.fiscal_year_end),
    )


def _profit_chart(report: statements.ProfitAndLoss, currency: str) -> str:
    if not 2 <= len(report.months) <= MOST_MONTHS_DRAWN:
        return ""
    by_name = {section.name: section.totals for section in report.sections}
    empty = [ZERO] * len(report.months)
    earned = _added(by_name.get("Revenue", empty), by_name.get("Other Income", empty))
    spent = _added(
        by_name.get("Cost of Goods Sold", empty),
        _added(by_name.get("Operating Expenses", empty), by_name.get("Other Expense", empty)),
    )
    net = [one - other for one, other in zip(earned, spent, strict=True)]
    return bars_and_line(
        Bars(
            labels=[short_month(month) for month in report.months],
            first=earned,
            second=spent,
            line=net,
            first_name="Income",
            second_name="Costs and expenses",
            line_name="Net income",
            summary=(
                f"Income {money_signed(sum(earned, ZERO))} {currency}, costs and expenses "
                f"{money_signed(sum(spent, ZERO))}, net income {money_signed(sum(net, ZERO))}."
            ),
        )
    )


def _added(one: list[Decimal], other: list[Decimal]) -> list[Decimal]:
    return [a + b for a, b in zip(one, other, strict=True)]
