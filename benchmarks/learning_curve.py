"""Months of a client's life in the look-alike: do a person's answers lower the questions?

    python benchmarks/learning_curve.py [--months 10] [--output docs/images/learning-curve.png]

Invented companies with a short past live on month by month; most of their lines come without an
account (the look-alike's share is raised, so that a month has enough of them). After each month the
books are synced, the questions counted, and every one answered with the true account through
`review --export` and `correct`. The same months once more without any answer show what would have
happened. Everything is run through the command line.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from bill_pipeline.cli import main as bill_pipeline
from bill_pipeline.sandbox.companies import payables_life
from bill_pipeline.sandbox.server import SandboxServer

TODAY = datetime(2025, 12, 31, 18, 0, tzinfo=UTC)
DAYS_OF_A_MONTH = 30
UNCODED_SHARE = 0.7
COUNTS = """
select
    (select count(*) from transactions where needs_review) as lines_asked,
    (select count(*) from review_questions) as questions,
    (select count(*) from transactions where category_source = 'model') as lines_booked
"""


class Bookkeeper:
    """A person with the command line and, for once, the truth."""

    def __init__(self, sandbox: SandboxServer, home: Path) -> None:
        self.sandbox = sandbox
        self.home = home
        for company in sandbox.companies:
            self.run(
                "connect", company.client, "--organization-id", company.organization_id,
                "--token-name", company.token_name, "--token-password-stdin",
                "--environment", sandbox.base_url, given=company.token_password + "\n",
            )  # fmt: skip

    def run(self, *words: str, given: str = "") -> str:
        result = CliRunner().invoke(
            bill_pipeline, [*words, "--home", str(self.home)], input=given,
            env={"BILL_PIPELINE_DEV_KEY": self.sandbox.dev_key},
        )  # fmt: skip
        if result.exit_code:
            raise SystemExit(f"{words}: {result.output}") from result.exception
        return result.output

    def truth(self) -> dict[str, str]:
        """The true account of every line that came without one, by line."""
        rows = [row for c in self.sandbox.companies for row in self.sandbox.control.truth(c.client)]
        return {row["line_id"]: row["account_id"] for row in rows}

    def counts(self) -> dict[str, int]:
        found: list[dict[str, int]] = json.loads(self.run("query", COUNTS, "--format", "json"))
        return found[0]

    def booked_right(self, truth: dict[str, str]) -> tuple[int, int]:
        """(lines the model booked, of these right)."""
        sql = "select line_id, account_id from transactions where category_source = 'model'"
        rows = json.loads(self.run("query", sql, "--format", "json"))
        return len(rows), sum(truth.get(row["line_id"]) == row["account_id"] for row in rows)

    def answer_everything(self, truth: dict[str, str]) -> None:
        """Export, fill in, hand back: the questions, and the lines chosen to be checked."""
        file = self.home / "answers.csv"
        rows: list[dict[str, str]] = []
        for words in ((), ("--sample",)):
            self.run("review", "--export", str(file), *words)
            with file.open(encoding="utf-8", newline="") as opened:
                rows += csv.DictReader(opened)
        for row in rows:
            row["account"] = truth.get(row["line_id"], "")
        if rows:
            with file.open("w", encoding="utf-8", newline="") as opened:
                writer = csv.DictWriter(opened, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
            self.run("correct", str(file), "--by", "the truth")


def live(
    months: int, companies: int, documents: int, seed: int, *, with_answers: bool
) -> list[dict[str, Any]]:
    """One row per month: lines without an account that came, of these asked, questions per 1,000.

    Where nobody answers, new lines join waiting questions: compare the arms by lines asked.
    """
    rows: list[dict[str, Any]] = []
    payables_life.UNCODED_SHARE = UNCODED_SHARE
    with (
        SandboxServer(companies, documents, seed, TODAY) as sandbox,
        tempfile.TemporaryDirectory(prefix="learning-curve-") as folder,
    ):
        sandbox.control.live()
        person = Bookkeeper(sandbox, Path(folder))
        person.run("sync", "--all")
        known: set[str] = set()
        waiting = {"questions": 0, "lines_asked": 0}
        for month in range(months + 1):
            if month:
                sandbox.control.step(f"{DAYS_OF_A_MONTH} days")
                person.run("sync", "--all")
            truth, counts = person.truth(), person.counts()
            came = len(set(truth) - known)
            known = set(truth)
            booked, right = person.booked_right(truth)
            rows.append({
                "month": month, "came": came,
                "lines_asked": counts["lines_asked"] - waiting["lines_asked"],
                "questions_per_1000": 1000 * (counts["questions"] - waiting["questions"]) / came,
                "booked": booked, "booked_right": right,
            })  # fmt: skip
            print(json.dumps({"with_answers": with_answers, **rows[-1]}), flush=True)
            if with_answers and month < months:
                person.answer_everything(truth)
            waiting = person.counts()
    return rows


def draw(answered: list[dict[str, Any]], ignored: list[dict[str, Any]], target: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.6), dpi=110, layout="constrained")
    axis = figure.add_subplot()
    axis.spines[["top", "right"]].set_visible(False)
    for rows, label, color in (
        (ignored, "nobody answers", "#c8553d"), (answered, "every question is answered", "#3a6ea5"),
    ):  # fmt: skip
        asked = [1000 * row["lines_asked"] / row["came"] for row in rows]
        months = [row["month"] for row in rows]
        axis.plot(months, asked, marker="o", label=label, color=color)
    axis.set(xlabel="month after the first import (invented companies)", ylim=(0, None),
             ylabel="new lines asked about per 1,000\nlines without an account")  # fmt: skip
    axis.legend(frameon=False)
    FigureCanvasAgg(figure).print_png(str(target), metadata={"Software": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--months", type=int, default=10)
    parser.add_argument("--companies", type=int, default=2)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, help="a PNG")
    options = parser.parse_args()
    size = (options.months, options.companies, options.documents, options.seed)
    with ProcessPoolExecutor(2) as pool:
        arms = [pool.submit(live, *size, with_answers=answers) for answers in (True, False)]
        answered, ignored = (arm.result() for arm in arms)
    if options.output:
        draw(answered, ignored, options.output)


if __name__ == "__main__":
    main()
