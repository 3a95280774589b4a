"""What BILL kept back of a customer's payment is said on the command line."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from click.testing import CliRunner

from bill_pipeline.cli import main
from bill_pipeline.pipeline.client_sync import Sync, SyncOptions
from bill_pipeline.pipeline.steps import LAYERS
from bill_pipeline.publishing.publish import publish
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.console.invented_books import SEEN_AT, put

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]

CLIENT = "maple-bakery"
#: id, number, amount, what BILL itself says of the fee
RECEIPTS = (("R1", "900", 200.0, None), ("R2", "901", 50.0, 1.45), ("R3", "901", 75.0, None))


@pytest.fixture
def paid(books_home: Home) -> Home:
    """Books with three card payments: two numbered 901, and one whose fee BILL tells."""
    at = SEEN_AT + timedelta(hours=1)
    with Warehouse.open(Registry(books_home), CLIENT) as warehouse:
        put(warehouse, "customers", {"id": "cafe", "name": "Corner Café"}, at)
        for receipt_id, number, amount, fee in RECEIPTS:
            receipt = {
                "id": receipt_id, "customerId": "cafe", "amount": amount, "status": "PAID",
                "referenceNumber": number, "paymentDate": "2026-02-03", "onlinePayment": True,
                "receivablesType": "CREDIT_CARD", "invoicePayments": [],
            }  # fmt: skip
            if fee is not None:
                receipt["processingFeeAmount"] = fee
            put(warehouse, "received_payments", receipt, at)
        sync = Sync(Registry(books_home), warehouse, SyncOptions(), at)
        for layer in LAYERS:
            sync.build(layer)
        sync.finish()
    publish(Registry(books_home), [CLIENT])
    return books_home


def run(home: Home, *arguments: str) -> tuple[int, str]:
    command = ("processing-fee", CLIENT, *arguments, "--reason", "card statement")
    result = CliRunner().invoke(main, [*command, "--home", str(home.path)])
    return result.exit_code, result.output


def fees(home: Home) -> Decimal:
    with open_ledger(home) as ledger:
        row = ledger.execute(
            "select coalesce(sum(amount), 0) from journal_lines "
            "where client = ? and line_key = 'processing_fee' and document_id = 'R1'",
            [CLIENT],
        ).fetchone()
    assert row is not None
    total: Decimal = row[0]
    return total


def test_a_fee_is_said_changed_and_taken_back(paid: Home) -> None:
    assert run(paid, "900", "5.80") == (
        0,
        "maple-bakery: 5.80 USD kept back of receipt 900; it was 0.00.\n",
    )
    assert fees(paid) == Decimal("5.80")
    code, text = run(paid, "R1", "6", "--json")
    assert (code, json.loads(text)["processing_fee_before"]) == (0, "5.80")
    assert fees(paid) == 6
    assert run(paid, "R1", "0")[0] == 0
    assert fees(paid) == 0


@pytest.mark.parametrize(
    ("receipt", "amount", "said"),
    [
        ("R9", "1", "no booked receipt has the id or number 'R9'"),
        ("901", "1", "2 receipts have the number '901'; name one by id: R2, R3"),
        ("R2", "1", "BILL itself tells the fee of receipt 901"),
        ("R3", "75.01", "75.01 cannot have been kept back"),
    ],
)
def test_a_fee_that_cannot_be_is_refused(paid: Home, receipt: str, amount: str, said: str) -> None:
    code, text = run(paid, receipt, amount)
    assert code == 1
    assert said in " ".join(text.split())
