"""Every published report has a page that sorts, adds up, and goes into files."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from bill_pipeline.console.pages.reports import CHOICES, Report, reports_of
from bill_pipeline.warehouse.transforms import load_transforms
from tests.console.console_browser import Browser, signed_in

CLIENT = "maple-bakery"
HERE = f"/clients/{CLIENT}"
OFFERED = [
    transform
    for transform in load_transforms().values()
    if transform.is_published and (transform.macro or transform.schema == "reports")
]


@pytest.fixture
def reader(books_console: Console) -> Browser:
    return signed_in(books_console, Role.VIEWER)


def rows_of(page: str) -> list[str]:
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    return [row for row in body.split("<tr>")[1:] if "There is nothing to show" not in row]


@pytest.mark.slow
def test_every_macro_and_every_report_has_a_page(books_console: Console, reader: Browser) -> None:
    listed = reader.get(f"{HERE}/reports").text
    for transform in OFFERED:
        name = transform.name.replace("_", "-")
        assert f'href="{HERE}/reports/{name}"' in listed
        answer = reader.get(f"{HERE}/reports/{name}")
        assert answer.status_code == 200, name
        with books_console.ledger.reading([CLIENT]) as books:
            source = f"{transform.name} where client = '{CLIENT}'"
            count = books.rows(f"select count(*) as n from {source}")[0]["n"]
        if not transform.macro:
            assert f" of {count:,}</span>" in answer.text


def test_every_parameter_of_a_macro_has_its_field() -> None:
    asked = {name for t in OFFERED if t.macro for name in t.macro.parameters}
    assert asked <= {"report_date", "period_start", "period_end", "known_at", *CHOICES}


def test_the_page_the_csv_and_the_workbook_add_up_alike(reader: Browser) -> None:
    days = "from=2026-01-01&to=2026-03-31"
    page = reader.get(f"{HERE}/reports/vendor-spend?{days}").text
    foot = page[page.index("<tfoot>") :]
    [shown] = re.findall(r'<td class="num">([\d,.]+)</td>', foot)
    answer = reader.get(f"{HERE}/download/vendor-spend?{days}")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal(shown.replace(",", "")) > 0
    book = load_workbook(
        io.BytesIO(reader.get(f"{HERE}/download/vendor-spend?{days}&as=xlsx").content)
    )
    cells = [list(row) for row in book.active.iter_rows(values_only=True)]
    assert cells[0][0] == "Vendor spend"
    assert cells[1][0] == CLIENT
    assert "2026-01-01 to 2026-03-31" in cells[2][0]
    column = cells[4].index("Amount")
    assert len(cells) == 5 + len(rows) + 1
    assert Decimal(str(cells[-1][column])) == Decimal(shown.replace(",", ""))


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_it(reader: Browser) -> None:
    def amounts(sort: str) -> list[Decimal]:
        page = reader.get(f"{HERE}/reports/trial-balance?to=2026-03-31&sort={sort}").text
        assert 'aria-sort="' in page
        found = [re.findall(r'<td class="num[^"]*">([^<]+)</td>', row)[0] for row in rows_of(page)]
        return [Decimal(text.replace(",", "").replace("–", "0")) for text in found]

    up = amounts("debit")
    assert up == sorted(up)
    assert amounts("-debit") == sorted(up, reverse=True)


def test_what_is_shown_is_what_the_days_ask_for(reader: Browser) -> None:
    before = reader.get(f"{HERE}/reports/open-items?to=2025-12-31").text
    assert "There is nothing to show" in before
    assert rows_of(reader.get(f"{HERE}/reports/open-items?to=2026-03-31").text)
    unknown = reader.get(f"{HERE}/reports/open-items?to=2026-03-31&known=2020-01-01").text
    assert "as known on 2020-01-01 23:59 UTC" in unknown
    assert not rows_of(unknown)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("reports/no-such", 404), ("reports/trial_balance", 404), ("download/no-such", 404),
        ("reports/payables-aging?age_by=1;drop", 404), ("reports/open-items?known=soon", 409),
        ("reports/open-items?known=0001-01-01", 409), ("reports/open-items?to=2026-13-01", 409),
        ("reports/trial-balance?sort=1;drop", 200), ("reports/trial-balance?page=999999999", 200),
        ("reports/trial-balance?sort=-client", 200),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_or_left_out(
    reader: Browser, address: str, status: int
) -> None:
    assert reader.get(f"{HERE}/{address}").status_code == status


def test_an_unpublished_table_is_no_report(books_console: Console) -> None:
    with books_console.ledger.reading([CLIENT]) as books:
        found: dict[str, Report] = reports_of(books)
    assert {report.table.name for report in found.values()} == {t.name for t in OFFERED}
