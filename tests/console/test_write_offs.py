"""What a customer will not pay of an invoice is written off on the command line."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from bill_pipeline.actions.deciding import close_through
from bill_pipeline.cli import main
from bill_pipeline.pipeline.client_sync import Sync, SyncOptions
from bill_pipeline.pipeline.steps import LAYERS
from bill_pipeline.publishing.publish import publish
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.console.invented_books import SEEN_AT, put

pytestmark = pytest.mark.rotating(days=4)

CLIENT = "maple-bakery"
INVOICES = (("I1", "100", 200.0), ("I2", "101", 50.0), ("I3", "101", 75.0))


@pytest.fixture
def owed(books_home: Home) -> Home:
    """Books in which a café owes 200.00 on invoice 100 and has two invoices numbered 101."""
    at = SEEN_AT + timedelta(hours=1)
    with Warehouse.open(Registry(books_home), CLIENT) as warehouse:
        put(warehouse, "customers", {"id": "cafe", "name": "Corner Café"}, at)
        for invoice_id, number, amount in INVOICES:
            invoice = {
                "id": invoice_id, "customerId": "cafe", "totalAmount": amount,
                "invoiceNumber": number, "invoiceDate": "2026-02-03", "dueDate": "2026-03-05",
                "invoiceLineItems": [{"id": f"{invoice_id}-1", "price": amount, "quantity": 1}],
            }  # fmt: skip
            put(warehouse, "invoices", invoice, at)
        sync = Sync(Registry(books_home), warehouse, SyncOptions(), at)
        for layer in LAYERS:
            sync.build(layer)
        sync.finish()
    publish(Registry(books_home), [CLIENT])
    return books_home


def run(home: Home, *arguments: str) -> tuple[int, str]:
    command = ("write-off", CLIENT, *arguments, "--reason", "disputed", "--home", str(home.path))
    result = CliRunner().invoke(main, command)
    return result.exit_code, result.output


def lines(home: Home) -> list[tuple[Any, ...]]:
    with open_ledger(home) as ledger:
        return ledger.execute(
            """
            select date, account_name, sum(journal_lines.debit), sum(journal_lines.credit)
            from journal_lines join accounts using (client, account_id)
            where client = ? and event = 'write_off'
            group by all having sum(amount) <> 0 order by 1, 3 desc
            """,
            [CLIENT],
        ).fetchall()


@pytest.mark.slow
def test_a_short_pay_is_accepted_changed_and_taken_back(owed: Home) -> None:
    code, text = run(owed, "100", "--amount", "10", "--as", "allowance", "--on", "2026-03-10")
    assert (code, text.strip()) == (
        0, f"{CLIENT}: 10.00 USD of invoice 100 written off, 190.00 stays open.",
    )  # fmt: skip
    day, ten, zero = date(2026, 3, 10), Decimal("10.00"), Decimal("0.00")
    assert lines(owed) == [
        (day, "Returns and Allowances", ten, zero),
        (day, "Accounts Receivable", zero, ten),
    ]
    code, text = run(owed, "I1", "--as", "bad-debt", "--on", "2026-03-12", "--json")
    assert code == 0, text
    done = json.loads(text)
    assert (done["amount"], done["amount_open"]) == ("200.00", "0.00")
    assert [(row[0].day, row[1]) for row in lines(owed)] == [
        (12, "Bad Debt Expense"), (12, "Accounts Receivable"),
    ]  # fmt: skip
    code, text = run(owed, "I1", "--amount", "0", "--as", "bad-debt", "--on", "2026-03-12")
    assert code == 0, text
    assert "200.00 stays open" in text
    assert lines(owed) == []


@pytest.mark.slow
def test_what_cannot_be_written_off_is_refused_with_its_reason(owed: Home) -> None:
    refused = {
        ("100", "--amount", "200.01"): "200.00 USD of invoice 100 is unpaid",
        ("100", "--amount", "-1"): "cannot be given up",
        ("101",): "2 invoices have the number '101'; name one by id: I2, I3",
        ("999",): "no booked invoice has the id or number '999'",
        ("100", "--on", "2026-02-02"): "invoice 100 is of 2026-02-03",
        ("100", "--amount", "ten"): "is no amount",
    }
    for arguments, problem in refused.items():
        code, text = run(owed, *arguments, "--as", "bad-debt")
        assert code == 1, arguments
        assert problem in text
    assert lines(owed) == []


@pytest.mark.slow
def test_a_closed_month_is_left_alone(owed: Home) -> None:
    close_through(owed, CLIENT, date(2026, 2, 28), by="test", reason="")
    code, text = run(owed, "100", "--as", "bad-debt", "--on", "2026-02-20")
    assert code == 1
    assert "closed through 2026-02-28; write off on a later day" in text
