"""Odd answers of BILL never end in silently wrong books.

A bill is entered at a client with good books, and an odd answer carries the news. The sync may do
one of two things: bring the bill as it is in BILL, or say so: end with an error, or set the
document aside. Then the books before stay; when the trouble is over, they are right. A text or
date that can be read, however odd, is what BILL says: it is put right when BILL is read whole.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.sandbox.server import SandboxServer
from tests.journey.firm import Firm

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=16)]

BILLS, VENDORS, DETAILS = r"v3/bills", r"v3/vendors", r"List/Bill\.json"
TEXTS = ("half_surrogate", "nul", "control_characters")
DATES = ("dueDate", "invoice.invoiceDate")
AMOUNTS = ("amount", "billLineItems.0.amount")
NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400", "text")
FAR_DATES = ("1926-03-04", "2126-03-04")
NO_DATES = ("2024-02-30", "0000-00-00", "03/04/2024", "")
HOUR, YEAR = 3_600, 365 * 86_400


@dataclass(frozen=True)
class Case:
    """A fault, on the answers to which requests, and on which row of them."""

    name: str
    fault: dict[str, Any]
    match: str = BILLS
    hits: str = "bill"


CASES = [
    *(Case(f"{kind} in {field}", {"kind": kind, "field": field})
      for kind in TEXTS for field in ("description", "billLineItems.0.description")),
    *(Case(f"{kind} in a vendor's name", {"kind": kind, "field": "name"}, VENDORS, "vendor")
      for kind in TEXTS),
    *(Case(f"{field} {value}", {"kind": "odd_number", "field": field, "value": value})
      for field in AMOUNTS for value in NO_NUMBERS),
    *(Case(f"{field} {value}", {"kind": "odd_date", "field": field, "value": value})
      for field in DATES for value in FAR_DATES),
    *(Case(f"posting date {value!r}", {"kind": "odd_date", "field": "glPostingDate",
                                       "value": value}, DETAILS)
      for value in (*FAR_DATES, *NO_DATES)),
    Case("vendor missing", {"kind": "missing_row"}, VENDORS, "vendor"),
    Case("an hour back", {"kind": "shifted_time", "seconds": -HOUR}),
    Case("ten years back", {"kind": "shifted_time", "seconds": -10 * YEAR}),
    Case("backwards", {"kind": "backward_rows"}, hits=""),
]  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    with SandboxServer(companies=1, documents=60, seed=11) as sandbox:
        firm = Firm(sandbox, tmp_path_factory.mktemp("good") / "home")
        assert firm.connect().exit_code == 0
        assert firm.run("sync", firm.client).exit_code == 0
        yield firm


@pytest.fixture
def firm(good: Firm, tmp_path: Path) -> Iterator[Firm]:
    """The good books, once for each trouble."""
    shutil.copytree(good.home.path, tmp_path / "home")
    yield Firm(good.sandbox, tmp_path / "home")
    good.sandbox.control.faults([])


def row_in_bill(bill: dict[str, Any], vendor: str) -> tuple[Any, ...]:
    """What the books say of a bill, from BILL's own document."""
    amount_open = 0.0 if bill["archived"] else bill["dueAmount"] + bill["scheduledAmount"]
    invoice_date, due_date = bill["invoice"]["invoiceDate"], bill["dueDate"]
    return (Decimal(f"{bill['amount']:.2f}"), Decimal(f"{amount_open:.2f}"), invoice_date,
            due_date, vendor)  # fmt: skip


def plain(text: str) -> str:
    """A text without what the faults put into it."""
    return "".join(c for c in text if c.isprintable() and c != "\ufffd").removesuffix(" end")


def as_told(bill: dict[str, Any], case: Case, vendor: str) -> tuple[Any, ...]:
    """What the books say of a bill if they believe a date that is one."""
    told = json.loads(json.dumps(bill))
    value = case.fault.get("value", "")
    if case.fault["kind"] == "odd_date" and case.match == BILLS and value in FAR_DATES:
        holder = told["invoice"] if "." in case.fault["field"] else told
        holder[case.fault["field"].removeprefix("invoice.")] = value
    return row_in_bill(told, vendor)


def differences(firm: Firm) -> dict[str, Any]:
    """Bill id → (in the books, in BILL) where they differ; and the balance, were it not zero."""
    books = firm.sandbox.state.organization(firm.client)
    vendors = {vendor["id"]: vendor["name"] for vendor in books["vendors"]}
    truth = {bill["id"]: row_in_bill(bill, vendors[bill["vendorId"]]) for bill in books["bills"]}
    said = {
        row["document_id"]: (
            Decimal(str(row["amount"])).quantize(Decimal("0.01")),
            Decimal(str(row["amount_open"])).quantize(Decimal("0.01")),
            row["document_date"],
            row["due_date"],
            plain(row["party"]),
        )
        for row in firm.query("from documents where document_type = 'bill'")
    }
    found = {key: (said.get(key), row) for key, row in truth.items() if said.get(key) != row}
    found |= {key: (row, None) for key, row in said.items() if key not in truth}
    (rest,) = firm.query("select sum(debit) - sum(credit) as rest from trial_balance")
    (booked,) = firm.query(
        "select coalesce(sum(amount), 0) as amount from transactions where document_type = 'bill'"
    )
    billed = sum(row[0] for row in truth.values())
    if rest["rest"] != 0 or round(Decimal(str(booked["amount"])), 2) != billed:
        found["the journal"] = (booked["amount"], billed)
    return found


def says_so(firm: Firm, result: Any) -> bool:
    """Whether a sync told of trouble: an error in words, or a document set aside."""
    if result.exit_code != 0:
        assert isinstance(result.exception, SystemExit), "an error for a person, not a traceback"
        assert firm.client in result.output
        return True
    status = json.loads(firm.run("clients", "--json").output.splitlines()[0])
    return bool(status["quarantined"])


def enter_a_bill(firm: Firm) -> dict[str, Any]:
    """A newly entered bill of a vendor that is new, too; both are news to the books."""
    state = firm.sandbox.state
    books, clock = state.organization(firm.client), state.clock
    clock.step_ms(60_000)
    vendor = {name: value for name, value in books["vendors"].at(0).items() if name != "id"}
    number = len(books["vendors"])
    vendor = books["vendors"].add({**vendor, "name": f"Newcomer {number}"}, clock.stamp_ms())
    bill = next(bill for bill in books["bills"] if not bill["archived"])
    amount = 100.25 + number
    line = bill["billLineItems"][0] | {"id": books.new_id("bli"), "amount": amount}
    paid = {"paidAmount": 0.0, "scheduledAmount": 0.0, "creditAmount": 0.0}
    return books["bills"].add(
        {
            **{name: value for name, value in bill.items() if name != "id"},
            **paid,
            "vendorId": vendor["id"],
            "vendorName": vendor["name"],
            "amount": amount,
            "fundingAmount": amount,
            "dueAmount": amount,
            "paymentStatus": "UNPAID",
            "billLineItems": [line],
        },
        clock.stamp_ms(),
    )


def vendor_name(firm: Firm, bill: dict[str, Any]) -> str:
    books = firm.sandbox.state.organization(firm.client)
    return str(books["vendors"].get(bill["vendorId"])["name"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_odd_answer_is_read_right_or_said_and_the_books_end_right(
    firm: Firm, case: Case
) -> None:
    bill = enter_a_bill(firm)
    row = {"bill": bill["id"], "vendor": bill["vendorId"]}.get(case.hits, "")
    before = firm.query("from trial_balance order by account_id")
    firm.sandbox.control.faults([{**case.fault, "match": case.match, "row": row}])
    result = firm.run("sync", firm.client)
    assert firm.sandbox.control.active_faults()[0]["hits"] > 0, "the trouble never struck"
    found, told = differences(firm), as_told(bill, case, vendor_name(firm, bill))
    if result.exit_code != 0:
        assert says_so(firm, result)
        assert firm.query("from trial_balance order by account_id") == before
    elif says_so(firm, result):
        assert set(found) <= {bill["id"], "the journal"}
    else:
        assert {key: said for key, (said, _) in found.items() if said != told} == {}, result.output
    firm.sandbox.control.faults([])
    later = enter_a_bill(firm)
    result = firm.run("sync", firm.client)
    assert result.exit_code == 0, result.output
    found = differences(firm)
    assert later["id"] not in found, "what came after the trouble was not read"
    if found:
        assert firm.run("sync", firm.client, "--full").exit_code == 0
        assert differences(firm) == {}
