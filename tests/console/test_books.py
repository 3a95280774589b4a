"""The books pages: every number opens the lines it is the sum of; closing follows its checklist."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import date
from decimal import Decimal

import pytest

from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from bill_pipeline.console.parts.charts import round_ticks, short_amount, stacked_bar
from bill_pipeline.console.parts.formats import money, money_signed
from bill_pipeline.console.parts.period import NotADay, fiscal_year_start, period_of
from bill_pipeline.exports.spreadsheets import guarded
from bill_pipeline.registry.clients import Registry
from tests.console.console_browser import Browser, signed_in

CLIENT = "maple-bakery"
HERE = f"/clients/{CLIENT}"


@pytest.fixture
def reader(books_console: Console) -> Browser:
    return signed_in(books_console, Role.VIEWER)


@pytest.fixture
def bookkeeper(books_console: Console) -> Browser:
    return signed_in(books_console, Role.BOOKKEEPER)


def number(text: str) -> Decimal:
    """What ``formats.money`` wrote, read back."""
    plain = text.strip().replace(",", "").replace("–", "0")
    return -Decimal(plain[1:-1]) if plain.startswith("(") else Decimal(plain)


def linked_numbers(page: str) -> list[tuple[str, Decimal]]:
    """(address, number) of every number on the page that opens something."""
    found = re.findall(r'<td class="num[^"]*">\s*<a href="([^"]+)">([^<]+)</a>', page)
    return [(html.unescape(address), number(text)) for address, text in found]


def ledger_sum(page: str) -> Decimal:
    """Debits less credits in the foot of a general ledger page."""
    foot = page[page.index("<tfoot>") : page.index("</tfoot>")]
    debit, credit = re.findall(r'<td class="num[^"]*">([^<]+)</td>', foot)[:2]
    return number(debit) - number(credit)


@pytest.mark.rotating(days=4)
@pytest.mark.slow
def test_every_page_says_that_the_books_are_incomplete_and_unpaid_bills_only_look_so(
    books_console: Console, reader: Browser
) -> None:
    assert "incomplete" not in reader.get(f"{HERE}/payables").text
    Registry(books_console.home).update(
        CLIENT, skipped_lists={"payments": "no permission", "users": "no permission"}
    )
    for page in ("trial-balance", "profit-and-loss", "balance-sheet", "general-ledger", "close"):
        text = reader.get(f"{HERE}/{page}").text
        assert "These books are incomplete" in text
        assert "payments" in text
    text = reader.get(f"{HERE}/payables").text
    assert "looks unpaid (incomplete without payments)" in text
    assert "what looks unpaid to vendors" in text
    assert "Owed to vendors" not in text
    # Nobody who owes the client was paid by a payment to a vendor.
    assert "Owed by customers" in reader.get(f"{HERE}/receivables").text
    answer = reader.get(f"{HERE}/download/payables-aging")
    assert "-incomplete.csv" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    "path", ["/trial-balance?to=2026-03-31", "/profit-and-loss?from=2026-01-01&to=2026-03-31"]
)
def test_every_number_opens_the_lines_it_is_the_sum_of(reader: Browser, path: str) -> None:
    numbers = linked_numbers(reader.get(HERE + path).text)
    assert len(numbers) >= 5
    for address, shown in numbers:
        assert abs(ledger_sum(reader.get(address).text)) == abs(shown), address


def test_the_statements_agree_with_each_other(reader: Browser) -> None:
    day = "2026-03-31"
    assert "Debits equal credits" in reader.get(f"{HERE}/trial-balance?to={day}").text
    sheet = reader.get(f"{HERE}/balance-sheet?to={day}").text
    assert ">Balances<" in sheet
    net = re.search(
        r"Net income</th>.*?<td class=\"num[^\"]*\">([^<]+)</td>\s*</tr></tfoot>",
        reader.get(f"{HERE}/profit-and-loss?from=2026-01-01&to={day}").text,
        re.DOTALL,
    )
    earned = dict(
        re.findall(r">(Earnings of this fiscal year)</a></td>\s*<td[^>]*><a[^>]*>([^<]+)<", sheet)
    )
    assert net
    assert number(net.group(1)) == number(earned["Earnings of this fiscal year"])


def test_the_aging_adds_up_to_its_documents(reader: Browser) -> None:
    page = reader.get(f"{HERE}/payables?to=2026-03-31").text
    tables = page.split('<table class="statement">')[1:]
    total = re.findall(r'<td class="num[^"]*">([^<]+)</td>', tables[0].partition("<tfoot>")[2])[-1]
    rows = [part for part in tables[1].split("<tr>") if "/documents/" in part]
    items = [re.findall(r'<td class="num[^"]*">([^<]+)</td>', row)[-1] for row in rows]
    assert len(items) == 12
    assert sum(number(item) for item in items) == number(total)
    assert 'role="img"' in page


def test_every_line_leads_to_its_document_its_versions_and_its_decisions(reader: Browser) -> None:
    ledger = reader.get(f"{HERE}/general-ledger?search=Flour").text
    document = re.search(r'href="(/clients/[^"]+/documents/[^"]+)"', ledger)
    assert document
    page = reader.get(document.group(1)).text
    assert "Version 1" in page
    assert "&#34;invoiceNumber&#34;" in page
    line = re.search(r'href="(/clients/[^"]+/lines/[^"]+)"', page)
    assert line
    assert "Decisions" in reader.get(line.group(1)).text


def test_the_ledger_is_searched_by_text_party_and_amount(reader: Browser) -> None:
    for words, expected in (("rye", 3), ("ringwell", 6), ("812.50", 6), ("no such", 0)):
        page = reader.get(f"{HERE}/general-ledger?search={words}").text
        assert page.count("/entries/") == expected, words


def test_an_address_that_holds_no_date_says_how_to_write_one(reader: Browser) -> None:
    answer = reader.get(f"{HERE}/trial-balance?to=yesterday")
    assert answer.status_code == 409
    assert "YYYY-MM-DD" in answer.text


def test_a_report_downloads_as_csv_with_the_figures_of_the_page(reader: Browser) -> None:
    answer = reader.get(f"{HERE}/download/trial-balance?to=2026-03-31")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert sum(Decimal(row["balance"]) for row in rows) == 0
    assert len(rows) >= 4


@pytest.mark.parametrize("name", ["xlsx", "csv", "hledger", "beancount"])
def test_the_whole_books_download_in_every_format(reader: Browser, name: str) -> None:
    answer = reader.get(f"{HERE}/download/books/{name}")
    assert answer.status_code == 200
    assert len(answer.content) > 1000
    assert (answer.content[:2] == b"PK") == (name == "xlsx")


@pytest.mark.parametrize("text", ["=1+1", "+1 a", "-1 a", "@cmd", "\t 1", "\n1", "＝1"])
def test_text_that_a_spreadsheet_would_run_stays_text(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert guarded(Decimal("-1.50")) == Decimal("-1.50")


@pytest.mark.slow
def test_a_month_with_lines_to_review_closes_only_when_one_says_so(bookkeeper: Browser) -> None:
    page = bookkeeper.get(f"{HERE}/close?month=2026-03-31").text
    assert "not reviewed yet" in page
    refused = bookkeeper.post(f"{HERE}/close", {"month": "2026-03-31"})
    assert refused.status_code == 409
    assert "not ready to close" in refused.text
    done = bookkeeper.post(f"{HERE}/close", {"month": "2026-03-31", "anyway": "yes"})
    assert done.status_code == 303
    assert "closed through <b>31 Mar 2026</b>" in bookkeeper.get(f"{HERE}/close").text


@pytest.mark.slow
def test_a_ready_month_closes_and_reopens_only_with_a_reason(bookkeeper: Browser) -> None:
    page = bookkeeper.get(f"{HERE}/close?month=2026-01-31").text
    assert "not reviewed yet" not in page
    assert bookkeeper.post(f"{HERE}/close", {"month": "2026-01-31"}).status_code == 303
    again = bookkeeper.post(f"{HERE}/close", {"month": "2026-01-31"})
    assert again.status_code == 409
    assert bookkeeper.post(f"{HERE}/reopen", {"month": "2026-01-31"}).status_code == 409
    form = {"month": "2026-01-31", "reason": "the landlord sent a correction"}
    assert bookkeeper.post(f"{HERE}/reopen", form).status_code == 303
    page = bookkeeper.get(f"{HERE}/close").text
    assert "No month is closed yet" in page or "31 Dec 2025" in page
    assert "the landlord sent a correction" in page


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (-5, 12), (0, 99), (-250, 10), (0, 123_456), (-9_999_999, 3)]
)
def test_axis_marks_are_round_and_hold_every_value(low: int, high: int) -> None:
    ticks = round_ticks(Decimal(low), Decimal(high))
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert Decimal(0) in ticks
    assert 2 <= len(ticks) <= 8


def test_a_chart_of_nothing_is_nothing_and_names_are_escaped() -> None:
    assert stacked_bar([("a", Decimal(0))], "empty") == ""
    assert "<script>" not in stacked_bar([("<script>", Decimal(1))], "<script>")
    assert short_amount(Decimal(-12_500)) == "−12.5k"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1234.5", "1,234.50"),
        ("-0.01", "(0.01)"),
        ("0", "–"),
        ("10000000000000", "10,000,000,000,000.00"),
    ],
)
def test_money_is_written_as_accountants_write_it(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text
    assert money_signed(Decimal(0)) == "0.00"


@pytest.mark.parametrize(
    ("day", "ends", "begins"),
    [
        (date(2026, 3, 15), "12-31", date(2026, 1, 1)),
        (date(2026, 6, 30), "06-30", date(2025, 7, 1)),
        (date(2026, 7, 1), "06-30", date(2026, 7, 1)),
        (date(2024, 2, 29), "02-29", date(2023, 3, 1)),
        (date(2025, 3, 1), "02-29", date(2025, 3, 1)),
    ],
)
def test_a_fiscal_year_begins_the_day_after_the_last_one_ends(
    day: date, ends: str, begins: date
) -> None:
    assert fiscal_year_start(day, ends) == begins


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(NotADay, match="after its end"):
        period_of("2026-05-01", "2026-04-01", date(2026, 6, 1), "12-31")
