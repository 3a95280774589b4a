"""How the console writes money, dates and ages; the filters of its templates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bill_pipeline.amounts import to_cents
from bill_pipeline.console.advice import client_error, what_to_do
from bill_pipeline.registry.clients import utc_now

_CENT = Decimal("0.01")


def money(amount: Decimal | int | None) -> str:
    """1,234.50, a negative in parentheses as accountants write it, nothing as a dash.

    An amount of three decimals keeps them; sums of more are rounded to the cent.
    """
    if amount is None:
        return ""
    given = Decimal(amount)
    rounded = to_cents(given) if given.as_tuple().exponent == -3 else given.quantize(_CENT)
    if rounded == 0:
        return "–"
    text = f"{abs(rounded):,f}"
    return f"({text})" if rounded < 0 else text


def money_signed(amount: Decimal | int | None) -> str:
    """Like ``money``, with a zero written out: for totals, where a dash would look missing."""
    return "0.00" if amount is not None and amount == 0 else money(amount)


def count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def plural(number: int, one: str, many: str = "") -> str:
    """``3 | plural("line")`` is "3 lines"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def day(value: date | datetime | str | None) -> str:
    """31 Mar 2026: the month as a word, because 3/4 is two days."""
    if not value:
        return ""
    moment = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{moment.day} {moment:%b %Y}"


def month(value: date) -> str:
    return f"{value:%B %Y}"


def short_month(value: date) -> str:
    return f"{value:%b} ’{value:%y}"


def moment(value: datetime | None) -> str:
    """Day and minute in UTC."""
    return "" if value is None else f"{day(_utc(value))}, {_utc(value):%H:%M} UTC"


def age(value: datetime | None) -> str:
    """How long ago, in the largest unit that says enough."""
    if value is None:
        return "never"
    minutes = int((utc_now() - _utc(value)).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def words(value: str) -> str:
    """``up_to_date`` → "up to date"."""
    return str(value).replace("_", " ")


def _utc(value: datetime) -> datetime:
    # DuckDB's timestamps are UTC by the house's law and carry no zone.
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


FILTERS: dict[str, Callable[..., Any]] = {
    "money": money,
    "money_signed": money_signed,
    "count": count,
    "plural": plural,
    "share": share,
    "day": day,
    "month": month,
    "short_month": short_month,
    "moment": moment,
    "age": age,
    "words": words,
    "client_error": client_error,
    "what_to_do": what_to_do,
}
