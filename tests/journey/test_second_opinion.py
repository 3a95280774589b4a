"""The demo's books, worked out again from BILL's raw documents by hand, are ours to the cent."""

from __future__ import annotations

import copy
import json
from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any, NamedTuple

import duckdb
import pytest

from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.sandbox.server import SandboxServer
from tests.journey.firm import Firm
from tests.ledger import second_opinion
from tests.ledger import second_opinion_reports as reports
from tests.ledger.second_opinion import ZERO, Balances, Raw, SecondOpinion, total

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8, part=7, together=True)]

#: The companies of ``bill-pipeline demo``, who live until this day whenever the test runs.
DEMO = {"companies": 4, "documents": 1_800, "seed": 1}
TODAY = date(2026, 11, 30)
DAYS = (date(2023, 12, 31), date(2024, 12, 31), date(2025, 12, 31), TODAY)
CONTROLS = {
    "accounts payable": "payables", "accounts receivable": "receivables",
    "vendor advances": "vendor advances", "customer credits": "customer credits",
}  # fmt: skip
Numbers = dict[str, Balances]


class Books(NamedTuple):
    """One client's documents as they came, the account of each line, and what is published."""

    raw: Raw
    accounts_of_lines: dict[tuple[str, str], str]
    published: Numbers


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Books]]:
    with SandboxServer(**DEMO) as sandbox:
        sandbox.control.live()
        sandbox.control.set_clock(f"{TODAY}T12:00:00+00:00")
        firm = Firm(sandbox, tmp_path_factory.mktemp("demo") / "home")
        for number in range(len(sandbox.companies)):
            assert firm.connect(number).exit_code == 0
        result = firm.run("sync", "--all")
        assert result.exit_code == 0, result.output
    with open_ledger(firm.home) as ledger:
        yield {
            company.client: Books(*read_raw(firm, company.client), read(ledger, company.client))
            for company in sandbox.companies
        }


def read_raw(firm: Firm, client: str) -> tuple[Raw, dict[tuple[str, str], str]]:
    with duckdb.connect(str(firm.home.client_file(client)), read_only=True) as file:
        raw: Raw = {}
        for name, document in file.execute(
            "select list, arg_max(document, version) from raw.document_versions "
            "group by list, id order by list, id"
        ).fetchall():
            raw.setdefault(name, []).append(json.loads(document, parse_float=Decimal))
        lines = file.execute("select document_id, line_id, account_id from categorized.lines")
        return raw, {(document, line): account for document, line, account in lines.fetchall()}


def read(ledger: duckdb.DuckDBPyConnection, client: str) -> Numbers:
    """Every number to compare, as an analyst asks for it."""

    def balances(sql: str) -> Balances:
        """The last column by the others."""
        rows = ledger.execute(sql).fetchall()
        return total(((key[0] if len(key) == 1 else tuple(key)), value) for *key, value in rows)

    numbers: Numbers = {}
    for day in DAYS:
        at = f"'{client}', report_date := date '{day}'"
        numbers[f"trial balance {day}"] = balances(
            f"select account_id, balance from trial_balance_at({at})"
        )
        numbers[f"open items {day}"] = balances(
            f"select control, document_id, amount_open from open_items_at({at})"
        )
    until = f"'{client}', period_end := date '{TODAY}'"
    numbers["cash"] = balances(
        f"select month, amount from cash_flow_between({until}) where activity = 'change of cash'"
    )
    numbers["profit on cash basis"] = balances(
        f"select month, account_id, net_income from profit_and_loss_cash_between({until})"
    )
    numbers["form 1099"] = balances(f"select party_id, year, amount from form_1099_totals_at({at})")
    return numbers


def work_out(raw: Raw, accounts_of_lines: dict[tuple[str, str], str]) -> Numbers:
    """The same by hand."""
    books = SecondOpinion(raw, accounts_of_lines)
    controls = {books.roles[role]: control for role, control in CONTROLS.items()}
    numbers: Numbers = {"cash": {}, "profit on cash basis": {}}
    for day in DAYS:
        numbers[f"trial balance {day}"] = reports.trial_balance(books, day)
        numbers[f"open items {day}"] = {
            (controls.get(account, account), item): amount
            for (account, item), amount in reports.open_items(books, day).items()
        }
    cash_before, profit_before = ZERO, {}
    for month in months():
        day = month.replace(day=monthrange(month.year, month.month)[1])
        cash, profit = reports.cash(books, day), reports.cash_profit(books, day)
        numbers["cash"] |= total([(month, cash), (month, -cash_before)])
        numbers["profit on cash basis"] |= total(
            ((month, account), sign * amount)
            for sign, balances in ((1, profit), (-1, profit_before))
            for account, amount in balances.items()
        )
        cash_before, profit_before = cash, profit
    return numbers | {"form 1099": reports.form_1099_totals(books)}


def months() -> Iterator[date]:
    """The first day of each month of the companies' lives."""
    for number in range(DAYS[0].year * 12, TODAY.year * 12 + TODAY.month):
        yield date(number // 12, number % 12 + 1, 1)


def differences(by_hand: Numbers, published: Numbers) -> list[str]:
    """One sentence per number that differs."""
    # A taxpayer is published under one of its vendors.
    taxpayers = {vendor: vendors for vendors, _ in by_hand["form 1099"] for vendor in vendors}
    forms = {
        (taxpayers.get(vendor, vendor), year): amount
        for (vendor, year), amount in published["form 1099"].items()
    }
    published = published | {"form 1099": forms}
    return [
        f"{name}, {key}: {by_hand[name].get(key, 0)} by hand, {amounts.get(key, 0)} published"
        for name, amounts in published.items()
        for key in sorted(by_hand[name].keys() | amounts.keys(), key=str)
        if by_hand[name].get(key, 0) != amounts.get(key, 0)
    ]


def test_every_number_is_what_an_accountant_works_out(books: dict[str, Books]) -> None:
    for client, (raw, accounts_of_lines, published) in books.items():
        assert differences(work_out(raw, accounts_of_lines), published) == [], client
        # Nothing agrees because it is empty.
        assert all(published[name] for name in published if str(DAYS[0]) not in name), client


#: A list and an amount of its documents.
AMOUNTS = {
    "bills": "amount", "vendor_credits": "amount", "payments": "fundingAmount",
    "billing_statements": "amount", "money_movements": "amount", "invoices": "salesTaxTotal",
    "credit_memos": "amount", "received_payments": "amount",
}  # fmt: skip


@pytest.mark.parametrize("name", AMOUNTS)
def test_one_cent_more_on_one_document_is_seen(books: dict[str, Books], name: str) -> None:
    raw, accounts_of_lines, published = books["lanternfish-software"]
    changed = {**raw, name: copy.deepcopy(raw[name])}
    document = next(one for one in changed[name] if counts(one))
    document[AMOUNTS[name]] += Decimal("0.01")
    assert differences(work_out(changed, accounts_of_lines), published)


def counts(document: dict[str, Any]) -> bool:
    """Whether a document is surely in the books."""
    status = document.get("singleStatus", document.get("status", "PAID"))
    denied = document.get("approvalStatus") == "DENIED"
    return not document.get("archived") and not denied and status not in second_opinion.NOT_PAID


#: A rule, and what stands in its place when it is broken.
BROKEN = {
    "a void payment is none": ("NOT_PAID", second_opinion.NOT_PAID - {"VOIDED"}),
    "a canceled payment is none": ("NOT_PAID", second_opinion.NOT_PAID - {"CANCELED"}),
    "convenience fees are of merchant fees": (
        "RECEIVABLES", second_opinion.RECEIVABLES._replace(fees="bill fees")
    ),
    "payments go through clearing": (
        "ROLES", second_opinion.ROLES | {"money out clearing": ("BANK", "savings")}
    ),
    "what is unapplied is owed to the customer": (
        "RECEIVABLES", second_opinion.RECEIVABLES._replace(advances="suspense")
    ),
    "a gain on a rate is realized": (
        "STANDARD", second_opinion.STANDARD | {"exchange gain or loss": "standard:8030"}
    ),
    "shares are rounded half up": (
        "share", lambda amount, part, whole: (
            (amount * part / whole).quantize(second_opinion.CENT, ROUND_DOWN) if whole else 0
        )
    ),
    "on the cash basis a document counts in step with its cash": (
        "held_to", lambda amount, most: most
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_rule_is_seen(
    books: dict[str, Books], rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, instead = BROKEN[rule]
    for module in (second_opinion, reports):
        monkeypatch.setattr(module, name, instead, raising=False)
    assert any(
        differences(work_out(raw, accounts_of_lines), published)
        for raw, accounts_of_lines, published in books.values()
    )
