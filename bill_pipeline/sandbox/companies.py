"""Invented companies for the sandbox."""

from __future__ import annotations

import random
from datetime import timedelta

from bill_pipeline.sandbox.clock import day_ms
from bill_pipeline.sandbox.organization import Credential, Organization
from bill_pipeline.sandbox.state import SandboxState


def add_invented_companies(state: SandboxState, companies: int, documents: int) -> None:
    for number in range(companies):
        rng = random.Random(f"{state.seed}/{number}")  # noqa: S311
        organization = Organization(
            f"company-{number + 1}", f"Company {number + 1} (invented)", f"{state.seed}/{number}"
        )
        today = state.clock.now().date()
        start = day_ms(today - timedelta(days=800))
        user = organization["users"].add({"firstName": "Ada", "lastName": "Invented"}, start)
        organization.profile = {"id": organization.id, "name": organization.name}
        for kind, name in (
            ("token", "sync token (invented)"),
            ("user", f"admin{number}@example.com"),
        ):
            password = f"{rng.getrandbits(96):024x}"
            organization.credentials.append(
                Credential(
                    kind,
                    f"{organization.client} {name}" if kind == "token" else name,
                    password,
                    user["id"],
                    kind == "user",
                )
            )
        account = organization["chart-of-accounts"].add(
            {
                "name": "Office supplies",
                "archived": False,
                "account": {"type": "EXPENSE", "number": "6100"},
            },
            start,
        )
        vendor = organization["vendors"].add(
            {"name": "Northside Paper Co (invented)", "archived": False}, start
        )
        for index in range(documents):
            at = start + index * 60_000
            cents = rng.randrange(1_00, 900_00)
            organization["bills"].add(
                {
                    "archived": False,
                    "vendorId": vendor["id"],
                    "vendorName": vendor["name"],
                    "amount": cents / 100,
                    "paidAmount": 0.0,
                    "dueAmount": cents / 100,
                    "scheduledAmount": 0.0,
                    "creditAmount": 0.0,
                    "dueDate": str(today),
                    "invoice": {"invoiceNumber": f"N-{index}", "invoiceDate": str(today)},
                    "billLineItems": [
                        {
                            "id": organization.new_id("bli"),
                            "amount": cents / 100,
                            "description": "Paper",
                            "classifications": {"chartOfAccountId": account["id"]},
                        }
                    ],
                    "paymentStatus": "UNPAID",
                    "approvalStatus": "APPROVED",
                },
                at,
            )
        state.add(organization)
