"""Parties that are merged are one party: every report is as if one record had been used all along.

Two companies do the same. One uses one record for each vendor and customer, the other changes from
document to document between two records that are merged: their reports are the same, row for row.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp
from sqlglot.lineage import lineage

from bill_pipeline.categorization.parties import resolve_parties
from bill_pipeline.decisions import parties as party_decisions
from bill_pipeline.decisions import tables as decisions
from bill_pipeline.settings import Home
from bill_pipeline.warehouse.transforms import load_transforms
from tests.ledger.company import Company, new_company
from tests.ledger.lives import CHART

MORNING, NOON = (datetime.fromisoformat(f"2026-11-{day}") for day in ("14T09:00", "15T12:00"))
VENDORS = ("paper", "lessor", "silent", "kim", "berlin")
REPORTS = sorted(t.name for t in load_transforms().values() if t.schema == "reports")
#: Reports that name a party; each has rows in the company below, so that the comparison says much,
#: but these, of whose party their SQL alone tells.
BY_PARTY = sorted(
    t.name
    for t in load_transforms().values()
    if t.schema == "reports" and {"party", "party_id"} & {column.name for column in t.columns}
)
WITHOUT_ROWS = ["doubtful_documents", "late_adjustments_cash", "posting_rule_changes"]


def bill(
    number: str, vendor: str, day: date, amount: float, account: str | None, *, shown: str = ""
) -> dict[str, Any]:
    return {
        "id": number, "vendorId": vendor, "amount": amount, "fundingAmount": amount,
        "dueDate": str(day), "approvalStatus": "APPROVED",
        "invoice": {"invoiceNumber": shown or number, "invoiceDate": str(day)},
        "billLineItems": [{
            "id": f"{number}-1", "amount": amount, "description": "as agreed",
            "classifications": {"chartOfAccountId": account} if account else {},
        }],
    }  # fmt: skip


def payment(number: str, vendor: str, bill_id: str, day: date, amount: float) -> dict[str, Any]:
    return {
        "id": number, "vendorId": vendor, "amount": amount, "processDate": str(day),
        "onlinePayment": True, "singleStatus": "CLEARED",
        "billPayments": [{"id": f"{number}-1", "billId": bill_id, "amount": amount}],
    }  # fmt: skip


def history(names: dict[str, tuple[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """Two years of a company; ``names`` gives the two records of each party, used in turn."""
    bills = [
        *(bill(f"L{m}", names["lessor"][m % 2], date(2026, m, 1), 1000, "rent")
          for m in range(2, 10)),
        *(bill(f"S{m}", names["silent"][m % 2], date(2025, m, 15), 50, "rent")
          for m in range(1, 11)),
        *(bill(f"P{n}", names["paper"][n % 2], date(2026, 1, 5) + timedelta(days=7 * n), 100,
               "supplies") for n in range(12)),
        bill("P90", names["paper"][0], date(2026, 10, 1), 5000, "rent"),
        bill("P91", names["paper"][0], date(2026, 10, 2), 412.5, "supplies", shown="0041277"),
        bill("P92", names["paper"][1], date(2026, 10, 4), 412.5, "supplies", shown="41-277"),
        bill("Q1", names["paper"][0], date(2026, 10, 6), 33, None),
        bill("Q2", names["paper"][1], date(2026, 10, 7), 44, None),
        bill("K1", names["kim"][0], date(2025, 5, 1), 400, "rent"),
        bill("K2", names["kim"][1], date(2025, 6, 1), 400, "rent"),
        bill("E1", names["berlin"][0], date(2026, 9, 1), 90, "rent"),
        bill("E2", names["berlin"][1], date(2026, 9, 2), 70, "rent"),
    ]  # fmt: skip
    bills[-1]["fundingAmount"] = 80
    invoices = [
        {"id": f"I{n}", "customerId": names["cafe"][n % 2], "totalAmount": 10 + n,
         "invoiceDate": f"2026-0{n + 1}-01", "dueDate": f"2026-0{n + 1}-15",
         "invoiceLineItems": [{"id": f"I{n}-1", "price": 10 + n, "quantity": 1,
                               "classifications": {"chartOfAccountId": "sales"}}]}
        for n in range(4)
    ]  # fmt: skip
    payments = [
        payment("PK1", names["kim"][0], "K1", date(2025, 5, 20), 400),
        payment("PK2", names["kim"][1], "K2", date(2025, 6, 20), 400),
        payment("PK3", names["paper"][1], "P90", date(2026, 11, 13), 60),
    ]
    movements = [
        {"id": "M1", "type": "1", "status": "1", "amount": -400, "processDate": "2025-05-20"},
    ]
    return {
        "bills": bills, "invoices": invoices, "payments": payments, "money_movements": movements,
    }  # fmt: skip


def begin(company: Company, *, merged_in_bill: bool) -> None:
    for account in CHART:
        company.put("chart_of_accounts", account, MORNING)
    for name in (*VENDORS, "cafe"):
        vendor, customer = ("vendors", "vendor_details"), ("customers", "customer_details")
        records, details = customer if name == "cafe" else vendor
        for party_id, shown in ((name, name.title()), (f"{name}2", f"{name.upper()} II")):
            document: dict[str, Any] = {"id": party_id, "name": shown}
            if name == "berlin":
                document["billCurrency"] = "EUR"
            # The flag stands on one of the two records only.
            if party_id == "kim2":
                document["additionalInfo"] = {"track1099": True}
            company.put(records, document, MORNING)
        if merged_in_bill:
            company.put(details, {"id": f"{name}2", "mergedIntoId": name}, MORNING)
            company.put(details, {"id": name, "mergedIntoId": "00000000000000000000"}, MORNING)
        else:
            party_decisions.link_parties(
                company.connection, f"{name}2", name, decided_at=MORNING, decided_by="a test"
            )


def reports(*, with_two_records: bool, merged_in_bill: bool = False) -> dict[str, list[Any]]:
    second = "2" if with_two_records else ""
    names = {name: (name, name + second) for name in (*VENDORS, "cafe")}
    with new_company() as company:
        begin(company, merged_in_bill=merged_in_bill)
        documents = history(names)
        for name, listed in documents.items():
            for document in listed:
                company.put(name, document, MORNING)
        company.sync(MORNING)
        decisions.close(company.connection, date(2026, 2, 28), decided_at=NOON, decided_by="a test")
        # An edit of a closed bill is a late adjustment.
        late = bill("L2", names["lessor"][0], date(2026, 2, 1), 1001, "rent")
        company.put("bills", late, NOON)
        company.sync(NOON)
        columns = {t: _columns(t) for t in REPORTS}
        return {
            name: company.rows(f"select {columns[name]} from reports.{name} order by all")
            for name in REPORTS
        }


def _columns(report: str) -> str:
    names = [c.name for c in load_transforms()[f"reports.{report}"].columns]
    return ", ".join(names)


@pytest.mark.rotating(days=2)
@pytest.mark.parametrize("merged_in_bill", [False, True])
def test_reports_are_as_if_one_record_had_been_used(merged_in_bill: bool) -> None:
    one = reports(with_two_records=False, merged_in_bill=merged_in_bill)
    two = reports(with_two_records=True, merged_in_bill=merged_in_bill)
    assert [name for name in BY_PARTY if not one[name]] == WITHOUT_ROWS
    different = [name for name in REPORTS if one[name] != two[name]]
    assert different == [], [(one[name], two[name]) for name in different]


@pytest.mark.parametrize("report", BY_PARTY)
def test_a_party_in_a_report_is_the_merged_one(report: str) -> None:
    """By the SQL itself: a party's id, or its name alone, is that of the merged one."""
    transform = load_transforms()[f"reports.{report}"]
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for key in transform.upstream:
        columns = {column.name: "varchar" for column in load_transforms()[key].columns}
        layer, _, name = key.partition(".")
        schema.setdefault(layer, {})[name] = columns
    nodes = lineage(None, transform.sql, schema=schema, dialect="duckdb")
    column = "party_id" if "party_id" in nodes else "party"
    sources = {
        leaf.source.db if leaf.source.db == "reports" else leaf.name.rpartition(".")[2]
        for leaf in nodes[column].walk()
        if isinstance(leaf.source, exp.Table) and leaf.source.db
    }
    assert sources & {"reports", "merged_party_id", "merged_party", "taxpayer_id"}, (
        f"{transform.path.name}: {column} is not the merged party's: take it from ledger.parties"
    )


@pytest.mark.slow
def test_bills_own_merge_is_resolved_to_the_record_that_bill_kept(tmp_path: Path) -> None:
    """Also where the other is known longer; until a person keeps the two apart."""
    home = Home.at(tmp_path)

    def merged(company: Company, at: datetime) -> list[Any]:
        resolve_parties(company.warehouse, home, at)
        company.sync(at)
        return company.rows("select party_id, merged_party_id from ledger.parties order by 1")

    with new_company() as company:
        company.put("vendors", {"id": "a1", "name": "Hollow Creek"}, MORNING)
        company.put("vendors", {"id": "b1", "name": "Dairy of the North"}, MORNING)
        company.sync(MORNING)
        assert merged(company, MORNING) == [("a1", "a1"), ("b1", "b1"), ("bill:fees", "bill:fees")]
        company.put("vendor_details", {"id": "a1", "mergedIntoId": "b1"}, NOON)
        company.sync(NOON)
        later = NOON + timedelta(hours=1)
        assert merged(company, later) == [("a1", "b1"), ("b1", "b1"), ("bill:fees", "bill:fees")]
        assert company.rows(
            "select party_id, merged_party_id, reason from decisions.party_resolutions "
            "where party_id = 'a1' order by decided_at desc limit 1"
        ) == [("a1", "b1", "merged in BILL")]
        party_decisions.keep_parties_apart(
            company.connection, "a1", "b1", decided_at=later, decided_by="a test"
        )
        last = later + timedelta(hours=1)
        assert merged(company, last) == [("a1", "a1"), ("b1", "b1"), ("bill:fees", "bill:fees")]
