"""Pictures of reports and of a model's evaluation, as Markdown images in metadata.

matplotlib is loaded only when a picture is drawn. Pictures show what tables say exactly; nobody
reads a cent from them.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

#: Dagster keeps metadata in its database and loads it with every page: small pictures only.
DOTS_PER_INCH = 80
MONTHS = 24
INK, RED, BLUE, GREEN = "#30343f", "#c8553d", "#3a6ea5", "#588157"


def picture(
    draw: Callable[[Any], None], width: float = 6.4, height: float = 3.2
) -> dg.MetadataValue:
    """What ``draw`` paints on a matplotlib axis, as an image in metadata."""
    # The figure's own canvas: pyplot would keep a global figure and look for a screen.
    from matplotlib import rcParams
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Clients name accounts: "$" is a sign there, and begins no formula.
    rcParams["text.parse_math"] = False
    figure = Figure(figsize=(width, height), layout="constrained")
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(False)
    draw(axis)
    file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})
    encoded = base64.b64encode(file.getvalue()).decode()
    return dg.MetadataValue.md(f"![](data:image/png;base64,{encoded})")


def report_chart(table: str, connection: duckdb.DuckDBPyConnection) -> dict[str, dg.MetadataValue]:
    """The picture that belongs to a report, if one does and there is anything to draw."""
    draw = _REPORT_CHARTS.get(table)
    return draw(connection) if draw else {}


def _profit_and_loss(connection: duckdb.DuckDBPyConnection) -> dict[str, dg.MetadataValue]:
    rows = connection.execute(
        """
        select strftime(month, '%Y-%m') as month,
            sum(amount) filter (where account_type in ('Revenue', 'Other Income')),
            sum(amount) filter (where account_type not in ('Revenue', 'Other Income')),
            sum(net_income)
        from reports.profit_and_loss group by all order by month
        """
    ).fetchall()[-MONTHS:]
    if not rows:
        return {}

    def draw(axis: Any) -> None:
        months = [row[0] for row in rows]
        axis.bar(months, [float(row[1] or 0) for row in rows], color=GREEN, label="income")
        axis.bar(months, [-float(row[2] or 0) for row in rows], color=RED, label="expense")
        axis.plot(months, [float(row[3] or 0) for row in rows], color=INK, label="net income")
        axis.axhline(0, color=INK, linewidth=0.8)
        axis.set_xticks(range(0, len(months), max(1, len(months) // 8)))
        axis.set_title("Profit and loss by month, home currency")
        axis.legend(frameon=False)

    return {"by month": picture(draw)}


def _aging(table: str) -> Callable[[Any], dict[str, dg.MetadataValue]]:
    def chart(connection: Any) -> dict[str, dg.MetadataValue]:
        columns = [row[0] for row in connection.execute(f"describe {table}").fetchall()]
        buckets = [c for c in columns if c.startswith("amount_") and c not in _NOT_BUCKETS]
        if not buckets:
            return {}
        sums = ", ".join(f"sum({bucket})" for bucket in buckets)
        amounts = connection.execute(f"select {sums} from {table}").fetchone()
        if not any(amounts):
            return {}

        def draw(axis: Any) -> None:
            names = [bucket.removeprefix("amount_").replace("_", " ") for bucket in buckets]
            axis.bar(names, [float(amount or 0) for amount in amounts], color=BLUE)
            axis.set_title(f"{table.partition('.')[2].replace('_', ' ').capitalize()}")

        return {"aging": picture(draw)}

    return chart


_NOT_BUCKETS = {"amount_total", "amount_advances"}
_REPORT_CHARTS: dict[str, Callable[[Any], dict[str, dg.MetadataValue]]] = {
    "reports.profit_and_loss": _profit_and_loss,
    "reports.payables_aging": _aging("reports.payables_aging"),
    "reports.receivables_aging": _aging("reports.receivables_aging"),
}


def confusion_picture(counts: pd.DataFrame) -> dg.MetadataValue:
    """Right account (rows) against suggestion (columns), the most frequent accounts."""

    def draw(axis: Any) -> None:
        numbers = counts.to_numpy(float)
        axis.imshow(numbers, cmap="Blues", aspect="auto")
        columns, rows = (
            [shorten(str(name), 26, placeholder="…") for name in names]
            for names in (counts.columns, counts.index)
        )
        axis.set_xticks(range(len(columns)), columns, rotation=90)
        axis.set_yticks(range(len(rows)), rows)
        axis.set_xlabel("suggested")
        axis.set_ylabel("right")
        for row, column in zip(*counts.to_numpy().nonzero(), strict=True):
            is_dark = numbers[row, column] > numbers.max() / 2
            axis.text(column, row, str(counts.iat[row, column]), ha="center", va="center",
                      fontsize=7, color="white" if is_dark else INK)  # fmt: skip

    return picture(draw, 7.5, 6.0)


def calibration_picture(bins: pd.DataFrame) -> dg.MetadataValue:
    """Promised against reached precision; on the line, a confidence means what it says."""

    def draw(axis: Any) -> None:
        axis.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":")
        axis.plot(bins["promised"], bins["reached"], color=BLUE, marker="o")
        axis.set(xlabel="confidence promised", ylabel="share right", xlim=(0, 1), ylim=(0, 1.02))

    return picture(draw, 4.2, 3.6)


def coverage_picture(curve: pd.DataFrame, target_precision: float) -> dg.MetadataValue:
    """What share can be booked without asking at which precision."""

    def draw(axis: Any) -> None:
        axis.plot(curve["coverage"], curve["precision"], color=BLUE)
        axis.axhline(target_precision, color=RED, linewidth=0.8, linestyle="--",
                     label=f"promised {target_precision:.0%}")  # fmt: skip
        axis.set(xlabel="share booked without asking", ylabel="share right", xlim=(0, 1))
        axis.legend(frameon=False)

    return picture(draw, 4.2, 3.6)


def errors_picture(table: pd.DataFrame) -> dg.MetadataValue:
    """The accounts whose lines were most often suggested elsewhere, among all of their lines."""

    def draw(axis: Any) -> None:
        names = [str(name)[:32] for name in table.index][::-1]
        axis.barh(names, table["lines"].to_numpy()[::-1], color=BLUE, label="lines")
        axis.barh(names, table["wrong"].to_numpy()[::-1], color=RED, label="suggested elsewhere")
        axis.legend(frameon=False)

    return picture(draw, 6.4, 0.8 + 0.28 * len(table))
