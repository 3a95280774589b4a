"""Small charts as inline SVG: drawn on the server, coloured by the style sheet, read by anybody.

Every chart stands above the table with the same figures, so its text alternative is one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 900, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 12, 26


@dataclass(frozen=True)
class Bars:
    """Two bars and a point per label: earned, spent, and what is left."""

    labels: Sequence[str]
    first: Sequence[Decimal]
    second: Sequence[Decimal]
    line: Sequence[Decimal]
    first_name: str
    second_name: str
    line_name: str
    summary: str


def bars_and_line(bars: Bars) -> Markup:
    """Grouped bars with a line over them; empty when there is nothing to draw."""
    values = [*bars.first, *bars.second, *bars.line]
    if not any(values):
        return Markup("")
    low, high = min(Decimal(0), *values), max(Decimal(0), *values)
    ticks = round_ticks(low, high)
    low, high = ticks[0], ticks[-1]
    plot_height = _HEIGHT - _TOP - _BOTTOM

    def y(value: Decimal) -> float:
        return _TOP + float((high - value) / (high - low)) * plot_height

    step = (_WIDTH - _LEFT - _RIGHT) / len(bars.labels)
    width = min(26.0, step * 0.32)
    parts = [_gridline(tick, y(tick)) for tick in ticks]
    points = []
    for number, name in enumerate(bars.labels):
        middle = _LEFT + step * (number + 0.5)
        for kind, value, x in (
            ("bar-1", bars.first[number], middle - width - 1),
            ("bar-2", bars.second[number], middle + 1),
        ):
            top, height = min(y(value), y(Decimal(0))), abs(y(value) - y(Decimal(0)))
            parts.append(
                f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}" rx="1.5"/>'
            )
        points.append((middle, y(bars.line[number])))
        if len(bars.labels) <= 13 or number % 2 == 0:
            parts.append(
                f'<text class="axis" x="{middle:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">'
                f"{escape(name)}</text>"
            )
    path = " ".join(f"{x:.1f},{at:.1f}" for x, at in points)
    parts.append(f'<polyline class="net" points="{path}"/>')
    parts += [f'<circle class="net-point" cx="{x:.1f}" cy="{at:.1f}" r="3"/>' for x, at in points]
    return _figure(
        parts,
        _HEIGHT,
        bars.summary,
        [("bar-1", bars.first_name), ("bar-2", bars.second_name), ("net", bars.line_name)],
    )


def stacked_bar(parts: Sequence[tuple[str, Decimal]], summary: str) -> Markup:
    """One bar split into ``parts`` (name, amount), the late ones darker; negatives are left out."""
    shown = [(number, name, amount) for number, (name, amount) in enumerate(parts) if amount > 0]
    total = sum((amount for _number, _name, amount in shown), Decimal(0))
    if not total:
        return Markup("")
    x, drawn = 0.0, []
    for number, _name, amount in shown:
        width = float(amount / total) * _WIDTH
        drawn.append(
            f'<rect class="age-{number}" x="{x:.1f}" y="0" '
            f'width="{max(width - 2, 1):.1f}" height="34" rx="2"/>'
        )
        if width > 60:
            drawn.append(
                f'<text class="age-text-{number}" x="{x + width / 2 - 1:.1f}" y="22" '
                f'text-anchor="middle">{amount / total:.0%}</text>'
            )
        x += width
    legend = [(f"age-{number}", name) for number, name, _amount in shown]
    return _figure(drawn, 34, summary, legend)


def round_ticks(low: Decimal, high: Decimal, most: int = 5) -> list[Decimal]:
    """Round numbers from at or below ``low`` to at or above ``high``, zero among them."""
    span = max(high - low, Decimal(1))
    step = Decimal(10) ** (len(str(int(span))) - 1)
    for divisor in (10, 5, 4, 2, 1):
        if span / (step / divisor) <= most:
            step = step / divisor
            break
    else:
        step *= 2 if span / step <= 2 * most else 5
    first = (low / step).to_integral_value(rounding="ROUND_FLOOR") * step
    ticks = [first]
    while ticks[-1] < high:
        ticks.append(ticks[-1] + step)
    return ticks if len(ticks) > 1 else [first, first + step]


def _gridline(value: Decimal, y: float) -> str:
    kind = "zero" if value == 0 else "grid"
    return (
        f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="axis" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
        f"{short_amount(value)}</text>"
    )


def short_amount(value: Decimal) -> str:
    """12.5k, 3M: for the axis only."""
    for size, suffix in ((10**9, "bn"), (10**6, "M"), (10**3, "k")):
        if abs(value) >= size:
            return f"{(value / size).normalize():f}{suffix}".replace("-", "−")
    return f"{value:.0f}".replace("-", "−")


def _figure(
    parts: Sequence[str], height: int, summary: str, legend: Sequence[tuple[str, str]]
) -> Markup:
    entries = "".join(
        f'<li><svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">'
        f'<rect class="{kind}" width="12" height="12" rx="2"/></svg> {escape(name)}</li>'
        for kind, name in legend
    )
    drawing = "".join(parts)
    # Every text in it was escaped above or here.
    return Markup(  # noqa: S704
        f'<figure class="chart"><svg viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(summary)}">{drawing}</svg><ul class="legend">{entries}</ul></figure>'
    )
