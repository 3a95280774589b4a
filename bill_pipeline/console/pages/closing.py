"""Close a month with its checklist, reopen it with a reason, see what came late."""

from __future__ import annotations

from datetime import date, timedelta

from starlette.responses import Response

from bill_pipeline.actions.closing import ClosingPoint, checklist, require_ready
from bill_pipeline.actions.deciding import close_through, reopen_from
from bill_pipeline.console.pages.books import with_books
from bill_pipeline.console.pages.retyped import retyped_section
from bill_pipeline.console.parts.period import NotADay, day_of, month_end
from bill_pipeline.console.queries.ledger import Snapshot
from bill_pipeline.console.queries.statements import BookFacts
from bill_pipeline.console.request_context import RequestContext

MONTHS_OFFERED = 24


@with_books("close")
def close_page(context: RequestContext, books: Snapshot, facts: BookFacts) -> Response:
    months = months_to_close(books, context.client, facts)
    wanted = day_of(context.query("month"), months[0] if months else facts.today)
    return context.render(
        "close.html",
        client=context.client,
        facts=facts,
        months=months,
        month=wanted,
        points=_points(books, context.client, wanted) if months else [],
        links=_links(context.client, wanted),
        tie_out=books.rows(
            "select * from tie_out where client = ? order by claim", [context.client]
        ),
        closes=_closes(books, context.client),
        late=books.rows(
            "select * from late_adjustments where client = ? order by posted_at desc limit 50",
            [context.client],
        ),
        first_open=facts.closed_through + timedelta(days=1) if facts.closed_through else None,
        closed_months=_closed_months(books, context.client, facts),
        retyped=retyped_section(context, books),
    )


def close_month(context: RequestContext) -> Response:
    day = _month(context)
    with context.console.ledger.reading([context.client]) as books:
        points = _points(books, context.client, day)
    reason = context.form.text("reason")
    if context.form.text("anyway") != "yes":
        require_ready(context.client, day, points)
    open_points = [point.sentence for point in points if not point.is_done]
    close_through(context.console.home, context.client, day, by=context.user.name, reason=reason)
    context.record(
        "closed a month", context.client, through=day, reason=reason, open_points=open_points
    )
    context.notify(f"{context.client} is closed through {day:%B %Y}.")
    return context.redirect(f"/clients/{context.client}/close")


def reopen_month(context: RequestContext) -> Response:
    day = _month(context)
    reason = context.form.text("reason")
    reopen_from(
        context.console.home,
        context.client,
        day.replace(day=1),
        by=context.user.name,
        reason=reason,
    )
    context.record("reopened a month", context.client, month=day, reason=reason)
    context.notify(f"{context.client} is open again from {day:%B %Y} on.", "warning")
    return context.redirect(f"/clients/{context.client}/close")


def _points(books: Snapshot, client: str, through: date) -> list[ClosingPoint]:
    def count(clause: str, values: dict[str, object]) -> int:
        row = books.row(f"select count(*) as n {clause}", values)
        return int(row["n"]) if row else 0

    return checklist(count, client, through)


def _links(client: str, through: date) -> dict[str, str]:
    """Where a person looks at each topic of the checklist."""
    here = f"/clients/{client}"
    balances = f"{here}/trial-balance?to={through}"
    return {
        "review": f"{here}/review",
        "suspense": balances,
        "tie_out": "#tie-out",
        "balance": balances,
    }


def months_to_close(books: Snapshot, client: str, facts: BookFacts) -> list[date]:
    """Ends of the open months that are over, the earliest first."""
    row = books.row("select min(date) as day from journal_lines where client = ?", [client])
    first = facts.closed_through or (row["day"] - timedelta(days=1) if row and row["day"] else None)
    found: list[date] = []
    while first is not None and len(found) < MONTHS_OFFERED:
        first = month_end(first + timedelta(days=1))
        if first >= facts.today:
            break
        found.append(first)
    return found


def _closed_months(books: Snapshot, client: str, facts: BookFacts) -> list[date]:
    """Ends of the closed months, the latest first: reopening one reopens those after it."""
    row = books.row("select min(date) as day from journal_lines where client = ?", [client])
    found: list[date] = []
    day = facts.closed_through
    while day and row and row["day"] and day >= row["day"] and len(found) < MONTHS_OFFERED:
        found.append(month_end(day))
        day = day.replace(day=1) - timedelta(days=1)
    return found


def _closes(books: Snapshot, client: str) -> list[dict[str, object]]:
    return books.rows(
        """
        select closed_through, closed_at, closed_by,
            any_value(reopened_because) as reopened_because,
            count(*) filter (where difference <> 0) as accounts_changed
        from close_comparison where client = ?
        group by closed_through, closed_at, closed_by
        order by closed_at desc
        """,
        [client],
    )


def _month(context: RequestContext) -> date:
    if not context.form.text("month"):
        raise NotADay("Choose a month.")
    return month_end(day_of(context.form.text("month"), date.min))
