"""Write the figures of an evaluation for readers: one Markdown table per protocol."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from models.evaluation import mean_over_organizations
from models.metrics import BANDS, is_missed

OURS, LINEAR, VENDOR = "ours", "linear text", "vendor majority"
_HEAD = {
    "walk-forward": "Walk-forward: month by month, everything earlier is known",
    "static": "Static: trained once on the first 70 % of lines",
    "unseen": "Unseen client, canonical accounts, before its first coded line",
    "few": "Few labels: a new client after its first coded lines, canonical accounts",
}


def write_figures(
    table: pd.DataFrame, path: Path, source: str, seconds: float, cpu_seconds: float
) -> None:
    """Write ``table`` (of ``evaluation.evaluate``) to ``path``: Markdown for ``.md``, else CSV."""
    if path.suffix == ".md":
        path.write_text(markdown(table, source, seconds, cpu_seconds), encoding="utf-8")
    else:
        table.to_csv(path, index=False)


def markdown(table: pd.DataFrame, source: str, seconds: float, cpu_seconds: float) -> str:
    """All figures, protocol by protocol, the means first."""
    command = " ".join(["bill-pipeline", *sys.argv[1:]]) if len(sys.argv) > 1 else "evaluate"
    command = " ".join(Path(word).name if "/" in word else word for word in command.split())
    measured = (
        f"`{command}` on {source}: {table['organization'].nunique()} organizations, "
        f"{seconds / 60:.0f} minutes, {cpu_seconds / 60:.0f} minutes of CPU. Shares are 0 to 1. "
        "What the columns and protocols mean, and what the figures do not show, is in "
        "[the model card](../models/README.md)."
    )
    parts = ["# Figures of the categorization model", measured]
    for protocol in table["protocol"].unique():
        own = table[table["protocol"] == protocol]
        parts += [f"## {_HEAD[protocol]}", _means(own), _each(own)]
        parts += [_by_model(own, "top-1", "top1"), _by_model(own, "booked at 95 %", "coverage95")]
        parts.append(_by_band(own[own["model"] == OURS]))
    return "\n\n".join(parts) + "\n"


def _means(table: pd.DataFrame) -> str:
    rows = mean_over_organizations(table)
    columns = {
        "coded lines": "coded_lines", "model": "model", "organizations": "organizations",
        "lines": "lines", "top-1": "top1", "top-3": "top3", "macro F1": "macro_f1",
        "top-1, known vendors": "top1_seen", "new vendors": "top1_unseen",
        "booked at 95 %": "coverage95", "of these right": "precision95",
        "booked at 98 %": "coverage98", "right": "precision98",
        "calibration error": "calibration_error", "by luck alone": "calibration_noise",
        "questions per 1,000": "questions_per_1000",
    }  # fmt: skip
    if (table["coded_lines"] < 0).all():
        columns.pop("coded lines")
    return "Means over organizations.\n\n" + _table(rows, columns)


def _each(table: pd.DataFrame) -> str:
    """One row per organization: ours / linear text / vendor majority."""
    rows = []
    for (name, _), own in table.groupby(["organization", "coded_lines"], sort=False):
        by_model = own.set_index("model")
        facts = by_model.loc[OURS]
        row = {"organization": name, "lines": int(facts["lines"])}
        if facts["coded_lines"] >= 0:
            row["coded lines"] = int(facts["coded_lines"])
        row |= {"agreement": facts["agreement"]}
        for title, figure in (
            ("top-1", "top1"), ("top-3", "top3"), ("calibration error", "calibration_error"),
        ):  # fmt: skip
            row[title] = _three(by_model, figure)
        row["booked at 95 % (right)"] = " / ".join(
            f"{_show(by_model.loc[m, 'coverage95'])} ({_show(by_model.loc[m, 'precision95'])})"
            for m in (OURS, LINEAR, VENDOR)
            if m in by_model.index
        )
        rows.append(row)
    text = f"Each organization: {OURS} / {LINEAR} / {VENDOR}.\n\n"
    frame = pd.DataFrame(rows)
    return text + _table(frame, {name: name for name in frame.columns})


def _by_model(table: pd.DataFrame, title: str, figure: str) -> str:
    """One figure of every model: one row per organization, one column per model."""
    keys = ["organization", "coded_lines"]
    frame = table.pivot_table(figure, keys, "model", sort=False, dropna=False).reset_index()
    frame = frame[frame[keys].apply(tuple, axis=1).isin(table[keys].apply(tuple, axis=1))]
    columns = {"organization": "organization", "coded lines": "coded_lines"}
    if (table["coded_lines"] < 0).all():
        columns.pop("coded lines")
    models = {model: model for model in table["model"].unique()}
    return f"Each organization, {title} by model.\n\n" + _table(frame, columns | models)


def _by_band(ours: pd.DataFrame) -> str:
    """What was booked unasked, by how sure the model was of each line."""
    counts = [f"{what}_from_{low}" for low in BANDS[:-1] for what in ("booked", "right")]
    keys = ["organization", "coded_lines"] if (ours["coded_lines"] >= 0).any() else ["organization"]
    sums = ours.groupby(keys, sort=False)[counts].sum().reset_index()
    total: dict[str, object] = dict.fromkeys(keys, "")
    sums.loc[len(sums)] = total | {"organization": "all"} | sums[counts].sum().to_dict()
    rows = []
    for _, row in sums.iterrows():
        booked = [int(row[f"booked_from_{low}"]) for low in BANDS[:-1]]
        right = [int(row[f"right_from_{low}"]) for low in BANDS[:-1]]
        shown = {name.replace("_", " "): row[name] for name in keys}
        shown["all booked"] = _right_of(sum(right), sum(booked), 0.95, 300)
        for low, high, hits, lines in zip(BANDS, BANDS[1:], right, booked, strict=False):
            title = f"{low} to {high}" if np.isfinite(high) else f"{low} and above"
            shown[title] = _right_of(hits, lines, 0.93, 200)
        rows.append(shown)
    frame = pd.DataFrame(rows)
    return (
        "Booked unasked at 95 %, by confidence: share right (lines). **Missed** where a binomial "
        "test rejects .95 of 300 booked lines or more, .93 of 200 in a band or more (p < .05).\n\n"
        + _table(frame, {name: name for name in frame.columns})
    )


def _right_of(right: int, count: int, promise: float, at_least: int) -> str:
    if not count:
        return "–"
    missed = " **missed**" if is_missed(right, count, promise, at_least=at_least) else ""
    return f"{right / count:.3f} ({count}){missed}"


def _three(by_model: pd.DataFrame, figure: str) -> str:
    models = [m for m in (OURS, LINEAR, VENDOR) if m in by_model.index]
    return " / ".join(_show(by_model.loc[model, figure]) for model in models)


def _table(rows: pd.DataFrame, columns: dict[str, str]) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for _, row in rows.iterrows():
        lines.append("| " + " | ".join(_show(row[name]) for name in columns.values()) + " |")
    return "\n".join(lines)


def _show(value: object) -> str:
    if isinstance(value, float | np.floating):
        number = float(value)
        if np.isnan(number):
            return "–"
        return f"{number:.3f}" if abs(number) <= 1 else f"{number:.0f}"
    return str(value)
