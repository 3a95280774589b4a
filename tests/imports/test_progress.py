"""How far an import is, as the command line shows it and as figures."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bill_pipeline.bill.chunks import ListOutcome
from bill_pipeline.cli.import_progress import ImportProgress
from bill_pipeline.ingest.progress import Progress, ProgressWatch

pytestmark = pytest.mark.rotating(days=4)


@pytest.mark.parametrize(
    ("expected_documents", "expected_pages", "left"),
    [(None, None, None), (1_000, None, 30.0), (250, None, 0.0), (100, None, 0.0), (None, 10, 40.0)],
)
def test_what_is_left_is_told_where_the_total_is_known(
    expected_documents: int | None, expected_pages: int | None, left: float | None
) -> None:
    step = Progress("bills", 2, 250, 10.0, expected_documents, expected_pages)
    assert step.documents_per_second == 25
    assert step.remaining_seconds == left
    assert ("left" in step.sentence()) == (left is not None)


def test_a_list_without_documents_has_no_pace() -> None:
    step = Progress("bills", 1, 0, 0.0, expected_documents=5)
    assert step.remaining_seconds is None
    assert step.sentence() == "1 page, 0 documents, 0 documents/s"


def test_each_list_has_a_clock_of_its_own() -> None:
    steps: list[Progress] = []
    watch = ProgressWatch(steps.append, lambda table: (300, None))
    watch("vendors", ListOutcome(pages=1, documents=100, first_page_seconds=2.0))
    watch("bills", ListOutcome(pages=1, documents=100, first_page_seconds=4.0))
    assert [round(step.documents_per_second) for step in steps] == [50, 25]
    assert watch.last["bills"].remaining_seconds == pytest.approx(8.0, rel=0.01)


def test_the_terminal_shows_pages_documents_rate_and_what_is_left() -> None:
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=160)
    with ImportProgress(console) as shown:
        shown.doing("acme", "bills", 100)
        shown.page(Progress("bills", 12, 1_200, 4.0, expected_documents=3_000))
        shown.page(Progress("vendors", 1, 80, 1.0))
        shown._bars.refresh()
        drawn = text.getvalue()
        shown.doing("acme", "building staging", 0)
        text.truncate(0)
        shown._bars.refresh()
        after = text.getvalue()
    assert "acme: reading BILL" in drawn
    assert "12 pages, 1,200 documents, 300 documents/s, 6 s left" in drawn
    assert "1 page, 80 documents, 80 documents/s" in drawn
    assert "acme: building staging" in after
    assert "1,200 documents" not in after
