"""Money inside the sandbox: whole cents, written as JSON numbers only at the border."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

#: Dollars for one of each currency that the sandbox's vendors bill in.
RATES = {"USD": 1.0, "EUR": 1.0845, "GBP": 1.2710, "CAD": 0.7312, "MXN": 0.0545, "JPY": 0.0067,
         "AUD": 0.6633, "CHF": 1.1201, "INR": 0.0119}  # fmt: skip


def dollars(cents: float) -> float:
    """The JSON number BILL writes. A double holds every amount below 90 trillion exactly enough:
    its shortest decimal form is the amount with its two digits."""
    return cents / 100


def cents(amount: float) -> int:
    """The inverse of ``dollars``."""
    return round(amount * 100)


def extended(price: float, quantity: float) -> int:
    """Cents of a quantity at a price in dollars, half a cent rounded up."""
    product = Decimal(str(price)) * Decimal(str(quantity)) * 100
    return int(product.quantize(Decimal(1), ROUND_HALF_UP))


def next_business_day(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=(0, 0, 0, 0, 0, 2, 1)[day.weekday()])


def add_business_days(day: date, count: int) -> date:
    for _ in range(count):
        day = next_business_day(day + timedelta(days=1))
    return day
