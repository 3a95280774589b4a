"""Make a BILL organization of each organization of a real ledger file.

Vendors, departments, locations and the chart of accounts come from the labels; every positive
document becomes a bill that is paid a month later (the latest stay open), every negative one a
vendor credit, so that bills minus credits equal the file line by line to the cent.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bill_pipeline.sandbox import cash, ledger_rows
from bill_pipeline.sandbox.clock import day_ms
from bill_pipeline.sandbox.companies.founding import (
    add_account,
    add_bank_account,
    new_organization,
)
from bill_pipeline.sandbox.ledger_documents import (
    Ledger,
    LedgerBills,
    LedgerCredits,
    LedgerPayments,
    day_of,
)
from bill_pipeline.sandbox.ledger_rows import Labels, LedgerLines
from bill_pipeline.sandbox.money import dollars
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.state import SandboxState

_OWN_ACCOUNTS = (
    ("1000", "Bank Account", "BANK"),
    ("1050", "BILL Money Out Clearing", "BANK"),
    ("1060", "BILL Money In Clearing", "BANK"),
    ("2000", "Accounts Payable", "ACCOUNTS_PAYABLE"),
    ("3900", "Retained Earnings", "EQUITY"),
)


@dataclass(frozen=True)
class ImportedLedger:
    """What became of one organization: counts, and the sum that equals the file's."""

    client: str
    organization_id: str
    bills: int
    vendor_credits: int
    lines: int
    amount: Decimal
    uncoded_lines: int


@dataclass(frozen=True)
class TrueAccount:
    """The account of a line that the sandbox shows uncoded: what a classifier should find."""

    organization_id: str
    document_id: str
    line_id: str
    account_id: str
    account_name: str


def import_ledger(
    state: SandboxState,
    path: Path,
    chosen: Iterable[str] = (),
    uncoded_from: date | None = None,
    uncoded_days: int = 0,
) -> tuple[list[ImportedLedger], list[TrueAccount]]:
    """Add the file's organizations (all, or the chosen) to the sandbox.

    Lines dated ``uncoded_from`` or later, or in an organization's own last ``uncoded_days``,
    come without a GL account; the second list says which account they have in the file.

    Raises ``ValueError`` for a file of another layout, an unknown organization, or if the books
    made do not add up to the file.
    """
    connection = ledger_rows.open_ledger(path)
    known = ledger_rows.organizations(connection)
    names = list(chosen) or known
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"{path} has no organization {unknown[0]}. It has: {', '.join(known)}")
    reports: list[ImportedLedger] = []
    truth: list[TrueAccount] = []
    for name in names:
        lines = ledger_rows.read_lines(connection, name)
        first_uncoded = uncoded_from
        if uncoded_days:
            first_uncoded = day_of(lines.day[-1]) - timedelta(days=uncoded_days - 1)
        organization, ledger = _organization(state.seed, name, lines, first_uncoded)
        hidden = _true_accounts(organization, ledger)
        report = ImportedLedger(
            client=organization.client,
            organization_id=organization.id,
            bills=len(organization["bills"]),
            vendor_credits=len(organization["vendor-credits"]),
            lines=len(lines.cents),
            amount=Decimal(int(lines.cents.sum())) / 100,
            uncoded_lines=len(hidden),
        )
        expected = ledger_rows.totals(connection, name)
        if (report.lines, report.amount) != expected:
            raise ValueError(f"{name}: imported {report}, but {path} has {expected}")
        state.add(organization)
        reports.append(report)
        truth += hidden
    return reports, truth


def write_truth(truth: list[TrueAccount], path: Path) -> None:
    """Write the true accounts as CSV or, by the file's ending, Parquet."""
    names = [field.name for field in fields(TrueAccount)]
    if path.suffix == ".parquet":
        columns = {name: [getattr(row, name) for row in truth] for name in names}
        schema = pa.schema([(name, pa.string()) for name in names])
        pq.write_table(pa.table(columns, schema=schema), path)
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(asdict(row) for row in truth)


def _organization(
    seed: int, name: str, lines: LedgerLines, uncoded_from: date | None
) -> tuple[Organization, Ledger]:
    start = day_of(lines.day[0]) - timedelta(days=1)
    salt = f"{seed}/ledger/{name}"
    organization = new_organization(name, salt, start)
    # The books are real here; only the people and the bank around them are made up.
    organization.name = f"{name} (imported ledger)"
    organization.profile["name"] = organization.name
    at_ms = day_ms(start, 13)
    own = [add_account(organization, *row, at_ms) for row in _OWN_ACCOUNTS]
    ledger = Ledger(
        lines,
        salt,
        uncoded_from,
        accounts=[
            add_account(organization, str(60_001 + number), label, "EXPENSE", at_ms)
            if label
            else ""
            for number, label in enumerate(lines.account.names)
        ],
        departments=_dimension(organization, "departments", lines.department, at_ms),
        locations=_dimension(organization, "locations", lines.entity, at_ms),
        bank_id=add_bank_account(organization, own[0], "Bank Account", at_ms),
    )
    vendor_id = _add_vendors(organization, lines.vendor, at_ms)
    organization.begin_with("bills", LedgerBills(ledger, vendor_id.__getitem__))
    organization.begin_with("vendor-credits", LedgerCredits(ledger, vendor_id.__getitem__))
    bill_id = organization["bills"].ids.at
    organization.begin_with("payments", LedgerPayments(ledger, vendor_id.__getitem__, bill_id))
    organization.payments_of_position = lambda position: (
        [int(ledger.payment_of_bill[position])]
        if position < len(ledger.bills) and ledger.payment_of_bill[position] >= 0
        else []
    )
    _add_movements(organization, ledger)
    return organization, ledger


def _dimension(organization: Organization, name: str, labels: Labels, at_ms: int) -> list[str]:
    """Ids by code; a list of names that are all empty makes no dimension."""
    documents = organization[name]
    return [
        documents.add({"archived": False, "name": label}, at_ms)["id"] if label else ""
        for label in labels.names
    ]


def _add_vendors(organization: Organization, vendors: Labels, at_ms: int) -> list[str]:
    return [
        organization["vendors"].add(
            {
                "archived": False,
                "name": name,
                "accountType": "BUSINESS",
                "paymentInformation": {"payeeName": name, "payByType": "ACH"},
            },
            at_ms + number,
        )["id"]
        for number, name in enumerate(vendors.names)
    ]


def _add_movements(organization: Organization, ledger: Ledger) -> None:
    """One confirmed withdrawal per day, of all payments processed on it."""
    days, index = np.unique(ledger.process_day, return_inverse=True)
    sums = np.zeros(len(days), dtype=np.int64)
    np.add.at(sums, index, ledger.lines.amount[ledger.bills[ledger.paid_bills]])
    for day, amount in zip(days, sums, strict=True):
        process = day_of(day)
        organization["money-movements"].add(
            {
                "entity": "MoneyMovement",
                "name": f"Payables {process.isoformat()}",
                "type": cash.PAYABLES,
                "status": cash.CONFIRMED,
                "amount": dollars(-int(amount)),
                "processDate": process.isoformat(),
                "bankAccountId": ledger.bank_id,
            },
            day_ms(process, 18),
        )


def _true_accounts(organization: Organization, ledger: Ledger) -> list[TrueAccount]:
    truth = []
    for name, positions, prefix in (
        ("bills", ledger.bills, "bli"),
        ("vendor-credits", ledger.credits, "vci"),
    ):
        uncoded = np.flatnonzero(ledger.lines.day[positions] >= ledger.uncoded_day)
        for position in uncoded:
            document_id = organization[name].ids.at(int(position))
            for number in ledger.line_range(int(positions[position])):
                code = int(ledger.lines.account.codes[number])
                if code >= 0:
                    truth.append(
                        TrueAccount(
                            organization.id,
                            document_id,
                            ledger.line_ids[prefix].at(number),
                            ledger.accounts[code],
                            ledger.lines.account.names[code],
                        )
                    )
    return truth
