"""An account's type comes from its history, by the posting's day, never from the chart of now."""

from __future__ import annotations

import re

import pytest
import sqlglot
from sqlglot import exp

from bill_pipeline.warehouse.transforms import load_checks, load_transforms

#: What BILL's type of an account decides.
OF_THE_TYPE = {
    "account_type", "account_subtype", "normal_balance", "statement", "statement_section",
    "cash_flow_activity",
}  # fmt: skip
OF_THE_NAME = {"account_code", "account_name"}
#: Where the history is made, and what lists the chart of now.
MAKES_IT = {"ledger.accounts"}
READERS = {
    **{key: t.sql for key, t in load_transforms().items()
       if t.schema in ("ledger", "reports") and key not in MAKES_IT},
    **{f"checks/{name}": check.sql for name, check in load_checks().items()},
}  # fmt: skip
WITH_MOMENT = {
    key for key, t in load_transforms().items() if t.macro and "known_at" in t.macro.parameters
}
#: Where no line has a ``type_date``: entries that move a balance under another type are left out.
WITHOUT_MOVES = {
    "reports.cash_flow", "reports.form_1099_totals", "reports.vendor_spend",
    "ledger.opening_balances_unpaid",
    "checks/cash_flow_invests_what_is_paid",
}  # fmt: skip
WITH_LINES = {
    key: sql for key, sql in READERS.items()
    if "ledger.accounts_by_day" in sql
    and re.search(r"ledger\.(journal_lines|cash_basis_lines)", sql)
}  # fmt: skip


def read_of_now(sql: str) -> set[str]:
    """The columns that ``sql`` reads of ``ledger.accounts``, or may read: one without its table."""
    found: set[str] = set()
    for select in sqlglot.parse_one(sql, dialect="duckdb").find_all(exp.Select):
        joins = [join.this for join in select.args.get("joins") or []]
        source = select.args.get("from_") or select.args.get("from")
        tables = [t for t in ([source.this] if source else []) + joins if isinstance(t, exp.Table)]
        names = {t.alias_or_name for t in tables if f"{t.db}.{t.name}" == "ledger.accounts"}
        if not names:
            continue
        for column in select.find_all(exp.Column):
            if column.parent_select is select and column.table in names | {""}:
                found.add("*" if isinstance(column.this, exp.Star) else column.name)
        if any(isinstance(chosen, exp.Star) for chosen in select.expressions):
            found.add("*")
    return found


@pytest.mark.parametrize("key", sorted(READERS))
def test_no_report_takes_an_accounts_type_from_the_chart_of_now(key: str) -> None:
    read = read_of_now(READERS[key])
    refused = OF_THE_TYPE | {"*"} | (OF_THE_NAME if key in WITH_MOMENT else set())
    assert not read & refused, f"{key}: join ledger.accounts_by_day on the posting's day instead"


@pytest.mark.parametrize(
    "sql",
    [
        "select accounts.account_type from ledger.accounts as accounts",
        "select statement from x join ledger.accounts using (account_id)",
        "with a as (select * from ledger.accounts) select a.statement from a",
        "select a.* from x join ledger.accounts as a using (account_id)",
    ],
)
def test_reading_it_in_any_spelling_is_found(sql: str) -> None:
    assert read_of_now(sql) & (OF_THE_TYPE | {"*"})


@pytest.mark.parametrize("key", sorted(WITH_LINES.keys() - WITHOUT_MOVES))
def test_a_lines_type_is_that_of_its_own_day_or_of_the_day_it_names(key: str) -> None:
    days = re.findall(r"(\S+|coalesce\([^)]*\)) between \w+\.valid_from", WITH_LINES[key])
    assert days, key
    for day in days:
        assert "type_date" in day or "lines.date)" in day, f"{key}: coalesce(type_date, date)"


def test_what_leaves_moves_out_says_so() -> None:
    """The lint above excuses no report that is not there, or that reads every line after all."""
    assert WITH_LINES.keys() >= WITHOUT_MOVES
    for key in WITHOUT_MOVES:
        sql = WITH_LINES[key]
        chosen = "document_type in (" in sql or "document_type = 'opening_balance'" in sql
        assert "'reclassification'" in sql or chosen or "payment" in sql, key
