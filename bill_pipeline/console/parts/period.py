"""Which days a page shows: read from its address, and the choices offered beside it."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from bill_pipeline.errors import PipelineError

#: A P&L by month wider than this is shown by its total only.
MOST_MONTHS = 24
#: And a chart of more than this is a grey strip.
MOST_MONTHS_DRAWN = 120

#: Days that a page can be asked for; BILL is younger, and what is later is a mistyped year.
FIRST_DAY = date(1970, 1, 1)
LAST_DAY = date(2199, 12, 31)


class NotADay(PipelineError):
    """The address holds something that is no date."""


@dataclass(frozen=True)
class Period:
    """Days ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def months(self) -> list[date]:
        """The first day of every month that the period touches."""
        found, month = [], self.first.replace(day=1)
        while month <= self.last:
            found.append(month)
            month = month_end(month) + timedelta(days=1)
        return found


def day_of(text: str, otherwise: date) -> date:
    """A day written YYYY-MM-DD, or YYYY-MM for the month's last day. Raises NotADay."""
    if not text:
        return otherwise
    try:
        if len(text) == len("2026-03"):
            day = month_end(date.fromisoformat(f"{text}-01"))
        else:
            day = date.fromisoformat(text)
    except ValueError:
        raise NotADay(f"{text[:20]!r} is not a day: write it as YYYY-MM-DD.") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise NotADay(f"{day} is in no books: choose a day from {FIRST_DAY} to {LAST_DAY}.")
    return day


def period_of(first: str, last: str, today: date, fiscal_year_end: str) -> Period:
    """The period of an address; by default the fiscal year that ``last`` lies in."""
    end = day_of(last, today)
    begin = day_of(first, fiscal_year_start(end, fiscal_year_end))
    if begin > end:
        raise NotADay(f"The period begins on {begin}, after its end on {end}.")
    return Period(begin, end)


def month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def fiscal_year_start(day: date, fiscal_year_end: str) -> date:
    """The first day of the fiscal year that contains ``day``; ends are written MM-DD."""
    month, last = (int(part) for part in fiscal_year_end.split("-"))

    def end_in(year: int) -> date:
        # 02-29 means the last day of February in every year.
        return date(year, month, min(last, monthrange(year, month)[1]))

    ended = end_in(day.year) if day > end_in(day.year) else end_in(day.year - 1)
    return ended + timedelta(days=1)


def day_choices(today: date, fiscal_year_end: str) -> list[tuple[str, date]]:
    """What people ask for most, for reports as of a day."""
    last_month = today.replace(day=1) - timedelta(days=1)
    quarter_start = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    return [
        ("Today", today),
        ("Last month", last_month),
        ("Last quarter", quarter_start - timedelta(days=1)),
        ("Last fiscal year", fiscal_year_start(today, fiscal_year_end) - timedelta(days=1)),
    ]


def period_choices(today: date, fiscal_year_end: str) -> list[tuple[str, Period]]:
    """The same for reports of a period."""
    this_month = today.replace(day=1)
    last_month = this_month - timedelta(days=1)
    year = fiscal_year_start(today, fiscal_year_end)
    last_year = year - timedelta(days=1)
    twelve = date(this_month.year - 1, this_month.month, 1)
    return [
        ("This month", Period(this_month, today)),
        ("Last month", Period(last_month.replace(day=1), last_month)),
        ("Fiscal year to date", Period(year, today)),
        ("Last fiscal year", Period(fiscal_year_start(last_year, fiscal_year_end), last_year)),
        ("Last 12 months", Period(twelve, last_month)),
    ]
