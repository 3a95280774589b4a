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
from bill_pipeline.console.request_context import Visit

MONTHS_OFFERED = 24


@with_books("close")
def close_page(visit: Visit, books: Snapshot, facts: BookFacts) -> Response:
    months = months_to_close(books, visit.client, facts)
    wanted = day_of(visit.query("month"), months[0] if months else facts.today)
    return visit.render(
        "close.html",
        client=visit.client,
        facts=facts,
        months=months,
        month=wanted,
        points=_points(books, visit.client, wanted) if months else [],
        links=_links(visit.client, wanted),
        tie_out=books.rows("select * from tie_out where client = ? order by claim", [visit.client]),
        closes=_closes(books, visit.client),
        late=books.rows(
            "select * from late_adjustments where client = ? order by posted_at desc limit 50",
            [visit.client],
        ),
        first_open=facts.closed_through + timedelta(days=1) if facts.closed_through else None,
        closed_months=_closed_months(books, visit.client, facts),
        retyped=retyped_section(visit, books),
    )


def close_month(visit: Visit) -> Response:
    day = _month(visit)
    with visit.console.ledger.reading([visit.client]) as books:
        points = _points(books, visit.client, day)
    reason = visit.form.text("reason")
    if visit.form.text("anyway") != "yes":
        require_ready(visit.client, day, points)
    open_points = [point.sentence for point in points if not point.is_done]
    close_through(visit.console.home, visit.client, day, by=visit.user.name, reason=reason)
    visit.record(
        "closed a month", visit.client, through=day, reason=reason, open_points=open_points
    )
    visit.notify(f"{visit.client} is closed through {day:%B %Y}.")
    return visit.redirect(f"/clients/{visit.client}/close")


def reopen_month(visit: Visit) -> Response:
    day = _month(visit)
    reason = visit.form.text("reason")
    reopen_from(
        visit.console.home, visit.client, day.replace(day=1), by=visit.user.name, reason=reason
    )
    visit.record("reopened a month", visit.client, month=day, reason=reason)
    visit.notify(f"{visit.client} is open again from {day:%B %Y} on.", "warning")
    return visit.redirect(f"/clients/{visit.client}/close")


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


def _month(visit: Visit) -> date:
    if not visit.form.text("month"):
        raise NotADay("Choose a month.")
    return month_end(day_of(visit.form.text("month"), date.min))
