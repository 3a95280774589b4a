"""Two invented clients with real books: built by the real layers, published, ready to be copied."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bill_pipeline.actions.deciding import close_through
from bill_pipeline.pipeline.client_sync import Sync, SyncOptions
from bill_pipeline.pipeline.steps import LAYERS
from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.clients import Registry, State, utc_now
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.console.console_browser import connect_invented_client

CLIENTS = ("maple-bakery", "cedar-dental")
SEEN_AT = datetime(2026, 4, 15, 8, 0, tzinfo=UTC)
ACCOUNTS = [
    ("AP", "2000", "Accounts Payable", "ACCOUNTS_PAYABLE"),
    ("BANK", "1000", "Checking", "BANK"),
    ("RENT", "6100", "Rent", "EXPENSE"),
    ("FLOUR", "5000", "Ingredients", "COST_OF_GOODS_SOLD"),
    ("PHONE", "6200", "Telephone", "EXPENSE"),
    ("TOOLS", "6300", "Small Equipment", "EXPENSE"),
]


def make_books(folder: Path) -> Home:
    """A home whose clients have bills from January to March 2026, some of them not coded."""
    home = Home.at(folder)
    for number, client in enumerate(CLIENTS, start=1):
        connect_invented_client(home, client, number)
        with Warehouse.open(Registry(home), client) as warehouse:
            for list_name, document in _documents(client):
                put(warehouse, list_name, document, SEEN_AT)
            sync = Sync(Registry(home), warehouse, SyncOptions(), SEEN_AT)
            for layer in LAYERS:
                sync.build(layer)
            sync.finish()
        now = utc_now()
        Registry(home).update(
            client, state=State.UP_TO_DATE, last_attempt_at=now, last_success_at=now
        )
    publish(Registry(home), CLIENTS)
    return home


def copy_of(books: Home, folder: Path) -> Home:
    """The same books elsewhere, for one test to change."""
    shutil.copytree(books.path, folder)
    return Home.at(folder)


def put(
    warehouse: Warehouse, list_name: str, document: dict[str, Any], at: datetime, version: int = 1
) -> None:
    warehouse.connection.execute(
        "insert into raw.document_versions values (?, ?, ?, ?, ?, false, false, ?, ?)",
        [
            list_name,
            document["id"],
            version,
            at.replace(tzinfo=None),
            at.replace(tzinfo=None),
            f"{document['id']}-{version}",
            json.dumps(document),
        ],
    )


def retype_rent(home: Home, client: str) -> None:
    """Close January, then make rent a fixed asset in BILL."""
    close_through(home, client, date(2026, 1, 31), by="test", reason="")
    with Warehouse.open(Registry(home), client) as warehouse:
        at = utc_now()
        asset = {"id": "RENT", "name": "Rent", "account": {"type": "FIXED_ASSET", "number": "6100"}}
        put(warehouse, "chart_of_accounts", asset, at, version=2)
        sync = Sync(Registry(home), warehouse, SyncOptions(), at)
        for layer in LAYERS:
            sync.build(layer)
        sync.finish()
    publish(Registry(home), [client])


def bill(client: str, number: int, day: date, vendor: str, lines: list[Any]) -> dict[str, Any]:
    total = sum(amount for _text, amount, _account in lines)
    return {
        "id": f"00n-{client}-{number}",
        "vendorId": vendor,
        "amount": total,
        "dueAmount": total,
        "dueDate": str(day + timedelta(days=30)),
        "createdTime": f"{day}T08:00:00.000+00:00",
        "invoice": {"invoiceNumber": f"{client[:2].upper()}-{number:04}", "invoiceDate": str(day)},
        "approvalStatus": "APPROVED",
        "paymentStatus": "UNPAID",
        "billLineItems": [
            {
                "id": f"line-{client}-{number}-{position}",
                "amount": amount,
                "description": text,
                "classifications": {"chartOfAccountId": account} if account else {},
            }
            for position, (text, amount, account) in enumerate(lines, start=1)
        ],
    }


def _documents(client: str) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for key, number, name, kind in ACCOUNTS:
        account = {"id": key, "name": name, "account": {"type": kind, "number": number}}
        found.append(("chart_of_accounts", account))
    vendors = {"landlord": f"Landlord of {client}", "mill": "Old Mill", "telco": "Ringwell"}
    found += [("vendors", {"id": f"{key}-{client}", "name": n}) for key, n in vendors.items()]
    number = 0
    for month in (1, 2, 3):
        for day, vendor, text, amount, account in (
            (1, "landlord", f"Rent 2026-{month:02}", 2400.0, "RENT"),
            (7, "mill", "Flour, 40 bags", 812.5, "FLOUR" if month < 3 else None),
            (14, "mill", "Rye, 10 bags", 230.25, "FLOUR" if month < 3 else None),
            (20, "telco", "Line and internet", 89.9, "PHONE" if month < 2 else None),
        ):
            number += 1
            lines = [(text, amount, account)]
            day_of_bill = date(2026, month, day)
            found.append(("bills", bill(client, number, day_of_bill, f"{vendor}-{client}", lines)))
    return found
