"""Read amounts as people type them, and write them with the decimals they have."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from bill_pipeline.errors import PipelineError

_CENT = Decimal("0.01")
#: decimal(18, 2) holds no more.
_MOST = Decimal(10) ** 16


def to_cents(amount: Decimal) -> Decimal:
    """An amount of three decimals as one of two, where nothing is lost.

    Amounts in a document's currency are kept with three decimals; most currencies have two.
    """
    if amount.as_tuple().exponent != -3:
        return amount
    cents = amount.quantize(_CENT)
    return cents if cents == amount else amount


class AmountRefused(PipelineError):
    """What was typed is no amount of money."""


def amount_of(text: str, what: str) -> Decimal:
    """1,234.50, -10 or (10.00), to the cent. Raises AmountRefused, which names ``what`` it is."""
    plain = text.replace(",", "").replace(" ", "").replace("−", "-")
    if plain.startswith("(") and plain.endswith(")"):
        plain = f"-{plain[1:-1]}"
    try:
        amount = Decimal(plain)
        is_money = amount.is_finite() and abs(amount) < _MOST and amount == amount.quantize(_CENT)
    except InvalidOperation:
        is_money = False
    if not is_money:
        raise AmountRefused(f"{what}: “{text}” is no amount; write it like 1,234.50.")
    return amount.quantize(_CENT)
