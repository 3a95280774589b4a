"""An imported ledger reaches BILL's format without losing a line or a cent."""

from __future__ import annotations

import csv
import os
import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bill_pipeline.sandbox.ledger_import import import_ledger, write_truth
from bill_pipeline.sandbox.money import cents
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import SandboxState
from tests.sandbox.conftest import BillClient


def write_ledger(path: Path, rows: list[tuple[Any, ...]]) -> Path:
    """An invented ledger in the layout of the public ones."""
    names = "organization date vendor description amount account department entity transaction_id"
    kinds = {"date": pa.date32(), "amount": pa.decimal128(18, 2)}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names.split()])
    columns = dict(zip(names.split(), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns, schema=schema), path)
    return path


def invented_rows(count: int, seed: int) -> list[tuple[Any, ...]]:
    rng = random.Random(seed)  # noqa: S311
    rows: list[tuple[Any, ...]] = []
    for number in range(count):
        day = date(2020, 1, 1) + timedelta(days=rng.randrange(400))
        rows.append(
            (
                rng.choice(("northton", "southby")),
                rng.choice((day, day, None)) if number % 50 == 0 else day,
                rng.choice(("Alder Co", "Brook Ltd", None, "", "  ")),
                rng.choice(("Paper", "", None, 'Quote " and \\ ü 漢')),
                Decimal(rng.choice((0, rng.randrange(-500_00, 900_00)))) / 100,
                rng.choice(("Stationery", "Rent", None)),
                rng.choice(("Parks", None)),
                None,
                rng.choice((None, "T1", f"T{number // 3}")),
            )
        )
    return rows


def line_amounts(books: Organization) -> list[int]:
    bills = [cents(line["amount"]) for b in books["bills"] for line in b["billLineItems"]]
    credits_ = [
        -cents(line["amount"])
        for credit in books["vendor-credits"]
        for line in credit["vendorCreditLineItems"]
    ]
    return bills + credits_


def test_other_names_times_of_day_and_binary_amounts_are_read_alike(tmp_path: Path) -> None:
    rows = invented_rows(120, seed=4)
    usual = write_ledger(tmp_path / "usual.parquet", rows)
    other = tmp_path / "other.parquet"
    duckdb.sql(
        f"copy (select organization as org, date::timestamp + interval 9 hour as date, vendor, "
        f"description, amount::double as amount, account as label, department, "
        f"transaction_id as txn_id from '{usual}') to '{other}'"
    )
    read = []
    for file in (usual, other):
        state = SandboxState(seed=1)
        import_ledger(state, file)
        read.append([line_amounts(books) for books in state.organizations.values()])
    assert read[0] == read[1]
    assert len(read[0][0]) > 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_line_arrives_with_its_amount(seed: int, tmp_path: Path) -> None:
    rows = invented_rows(600, seed)
    state = SandboxState()
    reports, _ = import_ledger(state, write_ledger(tmp_path / "ledger.parquet", rows))
    assert [report.client for report in reports] == ["northton", "southby"]
    for report in reports:
        books = state.organization(report.client)
        expected = sorted(int(row[4] * 100) for row in rows if row[0] == report.client)
        assert sorted(line_amounts(books)) == expected
        assert report.lines == len(expected)
        assert report.amount == Decimal(sum(expected)) / 100
        for bill in books["bills"]:
            assert bill["amount"] >= 0
            assert cents(bill["amount"]) == sum(cents(x["amount"]) for x in bill["billLineItems"])
            payments = state.payables(books).payments_of(bill["id"])
            assert sum(cents(p["amount"]) for p in payments) == cents(bill["paidAmount"])
            assert cents(bill["amount"]) == cents(bill["paidAmount"]) + cents(bill["dueAmount"])
        moved = sum(cents(m["amount"]) for m in books["money-movements"])
        assert moved == -sum(cents(p["amount"]) for p in books["payments"])


def test_rows_of_one_transaction_and_vendor_are_one_bill(tmp_path: Path) -> None:
    day = date(2020, 5, 4)
    rows = [
        ("o", day, "A", "1", Decimal("5.00"), "Rent", None, None, "T1"),
        ("o", day, "A", "2", Decimal("-1.00"), "Rent", None, None, "T1"),
        ("o", day, "B", "3", Decimal("2.00"), "Rent", None, None, "T1"),
        ("o", day, "A", "4", Decimal("3.00"), "Rent", None, None, None),
        ("o", day, "A", "5", Decimal("4.00"), "Rent", None, None, None),
        ("o", day, "A", "6", Decimal("-9.00"), "Rent", None, None, "T2"),
    ]
    state = SandboxState()
    import_ledger(state, write_ledger(tmp_path / "l.parquet", rows))
    books = state.organization("o")
    bills = [[x["description"] for x in b["billLineItems"]] for b in books["bills"]]
    assert sorted(bills) == [["1", "2"], ["3"], ["4", "5"]]
    [credit] = list(books["vendor-credits"])
    assert (credit["amount"], credit["vendorCreditLineItems"][0]["amount"]) == (9.0, 9.0)


def test_uncoded_lines_are_exactly_those_of_the_truth_file(tmp_path: Path) -> None:
    rows = invented_rows(400, 8)
    state = SandboxState()
    path = write_ledger(tmp_path / "ledger.parquet", rows)
    reports, truth = import_ledger(state, path, ["northton"], uncoded_from=date(2020, 10, 1))
    books = state.organization("northton")
    uncoded, coded = set(), 0
    for name, lines in (("bills", "billLineItems"), ("vendor-credits", "vendorCreditLineItems")):
        for document in books[name]:
            day = document.get("creditDate") or document["invoice"]["invoiceDate"]
            for line in document[lines]:
                has_code = "chartOfAccountId" in line.get("classifications", {})
                assert not (has_code and day >= "2020-10-01")
                coded += has_code
                if not has_code:
                    uncoded.add(line["id"])
    assert coded
    assert {row.line_id for row in truth} <= uncoded
    assert len(truth) == reports[0].uncoded_lines > 0
    names = {a["id"]: a["name"] for a in books["chart-of-accounts"]}
    assert all(names[row.account_id] == row.account_name for row in truth)
    write_truth(truth, tmp_path / "truth.csv")
    write_truth(truth, tmp_path / "truth.parquet")
    with (tmp_path / "truth.csv").open(encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    again = duckdb.sql(f"select * from '{tmp_path / 'truth.parquet'}'").fetchall()
    assert [tuple(row.values()) for row in written] == again
    assert len(again) == len(truth)


def test_an_import_is_served_and_can_be_changed(tmp_path: Path) -> None:
    state = SandboxState()
    import_ledger(state, write_ledger(tmp_path / "l.parquet", invented_rows(300, 5)))
    with SandboxServer(state=state) as server:
        client = BillClient(server, server.companies[0])
        bills = client.all("bills", max=100)
        assert bills == server.control.books("northton")["bills"]
        watermark = max(bill["updatedTime"] for bill in bills)
        changed = server.control.change("northton", count=20)
        served = client.all("bills", max=100, filters=f'updatedTime:gt:"{watermark}"')
        assert sorted(b["id"] for b in served) == sorted(changed)
        paid = next(b for b in bills if b["paymentStatus"] == "PAID" and b["amount"] > 0)
        [payment] = state.payables(state.organization("northton")).payments_of(paid["id"])
        server.control.edit(
            "northton", "payments", payment_id=payment["id"], single_status="VOIDED"
        )
        assert client.get(f"bills/{paid['id']}").json()["dueAmount"] == paid["amount"]


def test_files_that_are_no_ledger_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    duckdb.sql("select 1 as colour").write_parquet(str(other))
    with pytest.raises(ValueError, match="lacks the columns organization, date, amount"):
        import_ledger(SandboxState(), other)
    good = write_ledger(tmp_path / "l.parquet", invented_rows(10, 1))
    with pytest.raises(ValueError, match="no organization westham"):
        import_ledger(SandboxState(), good, ["westham"])
    (tmp_path / "broken.parquet").write_text("no parquet")
    with pytest.raises(ValueError, match="Cannot read"):
        import_ledger(SandboxState(), tmp_path / "broken.parquet")


@pytest.mark.real_data
@pytest.mark.slow
def test_real_ledgers_arrive_to_the_cent() -> None:
    folder = os.environ.get("BILL_PIPELINE_REAL_DATA")
    if not folder:
        pytest.skip("BILL_PIPELINE_REAL_DATA does not name the folder of the public ledgers")
    path = Path(folder) / "uk_ledgers.parquet"
    state = SandboxState()
    reports, _ = import_ledger(state, path, ["harrogate", "oxford", "cabinetoffice"])
    for report in reports:
        amounts = line_amounts(state.organization(report.client))
        assert len(amounts) == report.lines
        assert Decimal(sum(amounts)) / 100 == report.amount
