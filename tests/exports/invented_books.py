"""A seeded generator of one invented company's BILL documents, booked by the real SQL files.

The words on the documents are chosen to break careless formats: quotes, semicolons, colons, two
spaces, line breaks, other scripts, and text that a spreadsheet would run as a formula.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.pipeline.steps import LAYERS, build_layer
from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse

AS_OF = datetime(2026, 7, 1, 12, tzinfo=UTC)
FIRST_DAY = date(2025, 1, 1)
VENDORS = (
    "Hollow Creek Dairy", "Pine; Sons & Co", "North: Harbour  Freight", "=cmd|' /C calc'!A0",
    "株式会社さくら", "Müller \"Nord\" GmbH", "[2026-01-01] Studio", "O'Brien, Lane",
)  # fmt: skip
CUSTOMERS = ("Corner Café", "West (Side) Market", "@home services")
ACCOUNTS = (
    ("A1", "1000", "Checking", "BANK"),
    ("A2", "2000", "Accounts Payable", "ACCOUNTS_PAYABLE"),
    ("A3", "1200", "Accounts Receivable", "ACCOUNTS_RECEIVABLE"),
    ("A4", "4000", "Sales: Retail", "INCOME"),
    ("A5", "4100", "Catering", "INCOME"),
    ("A6", "5000", "Ingredients", "COST_OF_GOODS_SOLD"),
    ("A7", "6100", "Rent; Premises", "EXPENSE"),
    ("A8", "6200", "Software", "EXPENSE"),
    ("A9", "", "Software", "EXPENSE"),
    ("A10", "", "Software", "EXPENSE"),
    ("A11", "6300", "café & repas d'équipe", "EXPENSE"),
    ("A12", "1500", "Ovens", "FIXED_ASSET"),
    ("A13", "", "日本語の費用", "EXPENSE"),
)
TEXTS = (
    "Flour 25kg", "Subscription; seats: 5", "due: yesterday, or later", "@SUM(A1:A9)", "-1 item",
    "two\nlines", "tab\there", "say \"hello\"\\", "", "|pipe|", "  spaces  ", "naïve ☕",
)  # fmt: skip

Document = tuple[str, str, dict[str, Any]]


def _line(rng: random.Random, document_id: str, number: int, accounts: list[str]) -> dict[str, Any]:
    cents = rng.choice([rng.randint(100, 500_000), rng.randint(1, 99), -rng.randint(1, 2_000)])
    return {
        "id": f"{document_id}-L{number}",
        "amount": f"{Decimal(cents) / 100:.2f}",
        "description": rng.choice(TEXTS),
        "classifications": {"chartOfAccountId": rng.choice(accounts)},
    }


def _total(lines: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(line["amount"]) for line in lines), Decimal(0))


def documents(seed: int, bills: int = 120) -> Iterator[Document]:
    """(list, id, document) of the company, the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311 (invented figures, no secret)
    yield "organizations", f"O{seed}", {"id": f"O{seed}", "name": "Invented Bakery"}
    for account_id, number, name, kind in ACCOUNTS:
        account = {"type": kind, "number": number or None}
        yield "chart_of_accounts", account_id, {"id": account_id, "name": name, "account": account}
    for number, name in enumerate(VENDORS):
        # The first one's name tells the companies apart.
        name = name if number else f"{name} of company {seed}"
        yield "vendors", f"V{number}", {"id": f"V{number}", "name": name}
    for number, name in enumerate(CUSTOMERS):
        yield "customers", f"C{number}", {"id": f"C{number}", "name": name}
    for number in range(bills):
        yield from _bill(rng, number)
    for number in range(bills // 4):
        yield from _invoice(rng, number)


def _bill(rng: random.Random, number: int) -> Iterator[Document]:
    bill_id, vendor = f"B{number}", f"V{rng.randrange(len(VENDORS))}"
    accounts = ["A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13"]
    lines = [_line(rng, bill_id, n, accounts) for n in range(rng.randint(1, 4))]
    day = FIRST_DAY + timedelta(days=rng.randrange(500))
    due = day + timedelta(days=rng.choice([0, 15, 30, 45, 60]))
    document = {
        "id": bill_id,
        "vendorId": vendor,
        "amount": f"{_total(lines):.2f}",
        "dueDate": None if number % 17 == 0 else due.isoformat(),
        "invoice": {"invoiceNumber": f"INV-{number};{number}", "invoiceDate": day.isoformat()},
        "approvalStatus": "APPROVED",
        "billLineItems": lines,
    }
    yield "bills", bill_id, document
    if number % 3 and _total(lines) > 0:
        share = rng.choice([Decimal(1), Decimal("0.5")])
        paid = (_total(lines) * share).quantize(Decimal("0.01"))
        paid_day = day + timedelta(days=rng.randrange(-5, 60))
        payment = {
            "id": f"P{number}",
            "vendorId": vendor,
            "amount": f"{paid:.2f}",
            "processDate": paid_day.isoformat(),
            "singleStatus": "VOIDED" if number % 11 == 0 else "CLEARED",
            "onlinePayment": bool(number % 2),
            "fundingAccount": {"type": "BANK_ACCOUNT", "id": "K1"},
            "billPayments": [{"id": f"BP{number}", "billId": bill_id, "amount": f"{paid:.2f}"}],
        }
        yield "payments", f"P{number}", payment
    if number % 9 == 0:
        credit_lines = [_line(rng, f"VC{number}", 0, accounts)]
        credit = {
            "id": f"VC{number}",
            "vendorId": vendor,
            "referenceNumber": f"CR-{number}",
            "creditDate": (day + timedelta(days=3)).isoformat(),
            "amount": f"{_total(credit_lines):.2f}",
            "vendorCreditLineItems": credit_lines,
        }
        yield "vendor_credits", f"VC{number}", credit


def _invoice(rng: random.Random, number: int) -> Iterator[Document]:
    invoice_id, customer = f"I{number}", f"C{rng.randrange(len(CUSTOMERS))}"
    lines = [_line(rng, invoice_id, n, ["A4", "A5"]) for n in range(rng.randint(1, 3))]
    day = FIRST_DAY + timedelta(days=rng.randrange(500))
    document = {
        "id": invoice_id,
        "customerId": customer,
        "invoiceNumber": f"S-{number}",
        "invoiceDate": day.isoformat(),
        "dueDate": (day + timedelta(days=30)).isoformat(),
        "totalAmount": f"{_total(lines):.2f}",
        "invoiceLineItems": lines,
    }
    yield "invoices", invoice_id, document
    if number % 2 and _total(lines) > 0:
        receipt = {
            "id": f"R{number}",
            "customerId": customer,
            "amount": f"{_total(lines):.2f}",
            "paymentDate": (day + timedelta(days=20)).isoformat(),
            "onlinePayment": False,
            "status": "PAID",
            "invoicePayments": [{"invoiceId": invoice_id, "amount": f"{_total(lines):.2f}"}],
        }
        yield "received_payments", f"R{number}", receipt


def book(home: Home, client: str, seed: int, *, as_of: datetime = AS_OF, bills: int = 120) -> None:
    """Make ``client``'s file from the generator's documents and build every layer of it."""
    with Warehouse.open(Registry(home), client) as warehouse:
        append(warehouse, documents(seed, bills), as_of)
        for layer in LAYERS:
            build_layer(warehouse, layer, as_of)


def append(warehouse: Warehouse, found: Iterator[Document] | list[Document], at: datetime) -> None:
    """Put documents into the archive as one sync's next versions."""
    seen = at.replace(tzinfo=None)
    rows = [
        [list_, id_, seen, seen, str(hash(text)), text]
        for list_, id_, document in found
        for text in [json.dumps(document)]
    ]
    warehouse.connection.executemany(
        """
        insert into raw.document_versions
        select $1, $2, 1 + (select count(*) from raw.document_versions where list = $1 and id = $2),
            $3, $4, false, false, $5, $6
        """,
        rows,
    )


def connect(home: Home, client: str) -> None:
    """Register ``client``; nothing listens at its address."""
    connection = Connection(
        organization_id=f"00801{client.upper():0<15.15}",
        token_name="books",
        token_password=SecretStr("not-a-real-token"),
        dev_key=SecretStr("not-a-real-key"),
        base_url="http://127.0.0.1:1/connect",
        v2_url="http://127.0.0.1:1/api/v2",
    )
    registry = Registry(home)
    registry.connect(client, connection, environment="sandbox")
    registry.update(client, organization_name=f"The {client} company")


def published_home(home: Home, seeds: dict[str, int]) -> Home:
    """Book and publish one client per seed."""
    for client, seed in seeds.items():
        connect(home, client)
        book(home, client, seed)
    publish(Registry(home), seeds)
    return home
