"""Reports of past days and periods: what an accountant would add up by hand, whatever today is.

The company's fiscal year ends on 29 February, the last day of February in every year. Its books are
read through the table macros, as analysts read them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from bill_pipeline.decisions import tables as decisions
from bill_pipeline.warehouse.transforms import load_transforms
from tests.ledger.company import Company, new_company
from tests.ledger.lives import begin

#: What was earned (+) and spent (-): document, day, amount.
HISTORY = (
    ("I1", "2024-02-28", 500), ("B1", "2024-02-29", -100), ("B2", "2024-03-01", -30),
    ("I2", "2025-02-28", 900), ("B3", "2025-03-01", -70), ("B4", "2025-12-31", -11),
)  # fmt: skip
DAYS = [date.fromisoformat(day) for day in (
    "2024-02-28", "2024-02-29", "2024-03-01", "2025-02-28", "2025-03-01", "2025-12-31", "2026-02-28"
)]  # fmt: skip
CASH = ("Checking", "Money Out Clearing", "Money In Clearing", "Undeposited Funds")
EVERY_REPORT = (
    "trial_balance_at('acme', report_date := date '{day}', known_at := {known})",
    "balance_sheet_at('acme', report_date := date '{day}', known_at := {known})",
    "payables_aging_at('acme', report_date := date '{day}', known_at := {known})",
    "receivables_aging_at('acme', report_date := date '{day}', known_at := {known})",
    "open_items_at('acme', report_date := date '{day}', known_at := {known})",
    "clearing_items_at('acme', report_date := date '{day}', known_at := {known})",
    "clearing_in_flight_at('acme', report_date := date '{day}', known_at := {known})",
    "tie_out_at('acme', report_date := date '{day}', known_at := {known})",
    "form_1099_totals_at('acme', report_date := date '{day}', known_at := {known})",
    "profit_and_loss_between('acme', period_end := date '{day}', known_at := {known})",
    "profit_and_loss_cash_between('acme', period_end := date '{day}', known_at := {known})",
    "cash_to_accrual_bridge_between('acme', period_end := date '{day}', known_at := {known})",
    "cash_flow_between('acme', period_end := date '{day}', known_at := {known})",
    "general_ledger_between('acme', period_end := date '{day}', known_at := {known})",
    "vendor_spend_between('acme', period_end := date '{day}', known_at := {known})",
    "late_adjustments_between('acme', period_end := date '{day}', known_at := {known})",
    "late_adjustments_cash_between('acme', period_end := date '{day}', known_at := {known})",
)


def noon(day: str) -> datetime:
    return datetime.fromisoformat(f"{day} 12:00:00")


def bill(number: str, day: str, amount: int, account: str = "rent") -> dict[str, Any]:
    return {
        "id": number, "vendorId": "paper", "amount": amount, "approvalStatus": "APPROVED",
        "dueDate": day[:8] + "28", "invoice": {"invoiceNumber": number, "invoiceDate": day},
        "billLineItems": [{
            "id": f"{number}-1", "amount": amount,
            "classifications": {"chartOfAccountId": account, "departmentId": f"D{number}"},
        }],
    }  # fmt: skip


def payment(number: str, of: str, day: str, amount: int, status: str) -> dict[str, Any]:
    return {
        "id": number, "vendorId": "paper", "amount": amount, "processDate": day,
        "onlinePayment": True, "singleStatus": status,
        "billPayments": [{"id": f"{number}-1", "billId": of, "amount": amount}],
    }  # fmt: skip


def put_history(company: Company, at: datetime) -> None:
    for number, day, amount in HISTORY:
        if amount < 0:
            company.put("bills", bill(number, day, -amount), at)
        else:
            line = {"id": f"{number}-1", "price": amount, "quantity": 1,
                    "classifications": {"chartOfAccountId": "sales"}}  # fmt: skip
            invoice = {"id": number, "customerId": "cafe", "totalAmount": amount,
                       "invoiceNumber": number, "invoiceDate": day,
                       "invoiceLineItems": [line]}  # fmt: skip
            company.put("invoices", invoice, at)
    receipt = {"id": "R1", "customerId": "cafe", "amount": 500, "paymentDate": "2024-03-05",
               "onlinePayment": False, "status": "PAID",
               "invoicePayments": [{"invoiceId": "I1", "amount": 500}]}  # fmt: skip
    company.put("received_payments", receipt, at)
    company.put("payments", payment("P1", "B1", "2024-03-10", 100, "CLEARED"), at)
    company.put("bills", bill("B5", "2024-06-30", 400, "equipment"), at)
    company.put("payments", payment("P2", "B5", "2024-07-02", 300, "CLEARED"), at)


@pytest.fixture(scope="module")
def company() -> Iterator[Company]:
    with new_company() as made:
        begin(made)
        at = noon("2026-03-05")
        decisions.set_policy(
            made.connection, "fiscal_year_end", "02-29", decided_at=at, decided_by="a person"
        )
        put_history(made, at)
        made.sync(at)
        made.make_macros()
        yield made


def read(company: Company, day: date, known: datetime | None) -> dict[str, list[Any]]:
    moment = f"timestamp '{known}'" if known else "null"
    return {
        report: sorted(company.rows(f"from {report.format(day=day, known=moment)}"), key=str)
        for report in EVERY_REPORT
    }


def year_end(year: int) -> date:
    return date(year, 2, 29 if year % 4 == 0 else 28)


@pytest.mark.parametrize("key", [t.key for t in load_transforms().values() if t.macro])
def test_a_macro_without_a_day_is_the_table(company: Company, key: str) -> None:
    macro = load_transforms()[key].macro
    assert macro is not None
    of_macro, of_table = (
        sorted(company.rows(f"from {source}"), key=str) for source in (f"{macro.name}('acme')", key)
    )
    assert of_macro == of_table


def test_the_cash_basis_is_derived_anew_only_for_a_moment_in_the_past(company: Company) -> None:
    def plan(arguments: str) -> str:
        return str(
            company.rows(
                f"explain (format json) from profit_and_loss_cash_between('acme'{arguments})"
            )
        )

    assert "journal_lines" not in plan("")
    assert "journal_lines" in plan(", known_at := timestamp '2026-03-06'")


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_earnings_belong_to_the_fiscal_year_of_the_reports_day(company: Company, day: date) -> None:
    first = year_end(day.year if day > year_end(day.year) else day.year - 1)
    wanted = {"earnings:current_year": 0, "earnings:earlier_years": 0}
    for _, when, amount in HISTORY:
        if date.fromisoformat(when) <= day:
            is_earlier = date.fromisoformat(when) <= first
            wanted["earnings:earlier_years" if is_earlier else "earnings:current_year"] += amount
    sheet = f"balance_sheet_at('acme', report_date := date '{day}')"
    found = dict(company.rows(f"select account_id, amount from {sheet}"))
    assert {name: found.get(name, 0) for name in wanted} == wanted
    assert company.rows(f"select sum(balance) from {sheet}") == [(0,)]


@pytest.mark.parametrize(
    ("start", "end"),
    [("2024-02-29", "2024-03-31"), ("2024-03-01", "2025-02-28"), ("2024-07-01", "2024-07-02")],
)
def test_cash_flow_is_the_change_of_cash_between_two_trial_balances(
    company: Company, start: str, end: str
) -> None:
    def cash_at(day: str) -> Decimal:
        total: Decimal = company.rows(
            f"select coalesce(sum(balance), 0) from trial_balance_at('acme', report_date := {day}) "
            f"where account_name in {CASH}"
        )[0][0]
        return total

    flow = dict(
        company.rows(
            "select activity, sum(amount) from cash_flow_between('acme', "
            f"period_start := date '{start}', period_end := date '{end}') group by 1"
        )
    )
    change = cash_at(f"date '{end}'") - cash_at(f"date '{start}' - 1")
    assert flow.pop("change of cash", 0) == change == sum(flow.values())
    assert change != 0


def test_profit_by_month_and_by_dimension_adds_up_to_the_year(company: Company) -> None:
    year = (
        "profit_and_loss_between('acme', period_start := date '2024-03-01', "
        "period_end := date '2025-02-28')"
    )
    total = company.rows(f"select sum(net_income) from {year}")
    assert total == [(870,)]  # I2 less B2; equipment is no expense
    for column in ("month", "class_id", "department_id", "location_id", "account_id"):
        parts = company.rows(f"select {column}, sum(net_income) from {year} group by 1")
        assert sum(amount for _, amount in parts) == 870
    cash = company.rows("select sum(net_income) from profit_and_loss_cash_between('acme')")
    bridge = company.rows(
        "select sum(amount_difference) from reports.cash_to_accrual_bridge "
        "where account_id <> 'net income'"
    )
    accrual = sum(amount for _, _, amount in HISTORY)
    assert cash == [(400,)]  # the receipt less the paid rent
    assert bridge == [(accrual - 400,)]


def test_aging_counts_from_the_due_date_or_from_the_document(company: Company) -> None:
    def buckets(age_by: str) -> tuple[Any, ...]:
        return company.rows(
            "select amount_current, amount_1_to_30, amount_31_to_60, amount_total from "
            f"payables_aging_at('acme', report_date := date '2024-03-28', age_by := '{age_by}')"
        )[0]

    assert buckets("due_date") == (30, 0, 0, 30)
    assert buckets("document_date") == (0, 30, 0, 30)


@pytest.mark.rotating(days=4, part=2)
def test_a_report_of_a_past_day_depends_on_no_later_day_close_or_change(company: Company) -> None:
    """Invariants 9 and 25 for every report, over a late void, a close and a reopening."""
    known = noon("2026-03-05")
    before = {day: read(company, day, known) for day in DAYS}
    assert before == {day: read(company, day, None) for day in DAYS if day < known.date()}
    run = company.connection
    decisions.close(run, date(2025, 12, 31), decided_at=noon("2026-03-06"), decided_by="a person")
    company.put("payments", payment("P1", "B1", "2024-03-10", 100, "VOIDED"), noon("2026-04-01"))
    company.put("bills", bill("B2", "2024-03-01", 35), noon("2026-04-01"))
    company.sync(noon("2026-04-01"))
    assert {day: read(company, day, known) for day in DAYS} == before
    closed = [day for day in DAYS if day <= date(2025, 12, 31)]
    ended = {
        day: {
            report: rows
            for report, rows in read(company, day, None).items()
            # Form 1099 goes by the payment's own day: what was void was never paid.
            if not report.startswith("form_1099")
        }
        for day in closed
    }
    assert ended == {day: {report: before[day][report] for report in ended[day]} for day in closed}
    late = company.rows(
        "select document_id, sum(amount) from late_adjustments_between('acme', "
        "period_start := date '2026-01-01') where amount > 0 group by 1 order by 1"
    )
    # The withdrawal that was assumed for the payment is void with it.
    assert late == [("B2", 5), ("P1", 100), ("payments:default:2024-03-10", 100)]
    decisions.reopen(
        run, date(2024, 3, 1), decided_at=noon("2026-04-02"), decided_by="a person",
        reason="the auditor asks for it",
    )  # fmt: skip
    company.sync(noon("2026-04-02"))
    assert {day: read(company, day, known) for day in DAYS} == before
    changed = company.rows(
        "select account_id, difference from reports.close_comparison "
        "where difference <> 0 and closed_through = date '2025-12-31' order by 1"
    )
    assert ("rent", 5) in changed
    assert ("ap", -105) in changed
