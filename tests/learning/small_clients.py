"""Clients with small invented books in a home, made without a look-alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.categorization.parties import resolve_parties
from bill_pipeline.pipeline.steps import build_layer
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.ledger.company import Company

AT = datetime(2026, 6, 30, 12)  # noqa: DTZ001 - UTC without a zone, as the archive keeps it
CHART = (
    ("ap", "Accounts Payable", "ACCOUNTS_PAYABLE", "2000"),
    ("bank", "Checking", "BANK", "1000"),
    ("rent", "Rent", "EXPENSE", "6000"),
    ("supplies", "Office Supplies", "EXPENSE", "6100"),
    ("freight", "Freight", "EXPENSE", "6200"),
)


def connect(home: Home, client: str) -> None:
    connection = Connection(
        organization_id=f"008{client}", token_name="t", token_password=SecretStr("p"),
        dev_key=SecretStr("k"), base_url="http://127.0.0.1:9", v2_url="http://127.0.0.1:9",
    )  # fmt: skip
    Registry(home).connect(client, connection, environment="http://127.0.0.1:9")


def bill(number: int, vendor_id: str | None, text: str, account: str | None, **more: Any) -> Any:
    """One bill of one line; the number makes its day."""
    line: dict[str, Any] = {"id": f"B{number}-1", "amount": 10 + number % 7, "description": text}
    if account:
        line["classifications"] = {"chartOfAccountId": account}
    day = date(2025, 1, 1) + timedelta(days=number)
    document = {
        "id": f"B{number}", "amount": line["amount"], "invoice": {"invoiceDate": f"{day}"},
        "dueDate": f"{day + timedelta(days=30)}", "approvalStatus": "APPROVED",
        "billLineItems": [line],
    }  # fmt: skip
    return document | ({"vendorId": vendor_id} if vendor_id else {}) | more


def build(
    home: Home, client: str, vendors: Mapping[str, str], bills: list[Any], at: datetime = AT
) -> None:
    """Archive vendors (id → name) and bills, and build every layer."""
    with Warehouse.open(Registry(home), client) as warehouse:
        company = Company(warehouse)
        for account_id, name, kind, code in CHART:
            account = {"id": account_id, "name": name, "account": {"type": kind, "number": code}}
            company.put("chart_of_accounts", account, at)
        for vendor_id, name in vendors.items():
            company.put("vendors", {"id": vendor_id, "name": name}, at)
        for document in bills:
            company.put("bills", document, at)
        build_layer(warehouse, "staging", at)
        resolve_parties(warehouse, home, at)
        company.sync(at)
