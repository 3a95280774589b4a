"""What people answer means what they meant: from BILL through the review to later bills."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.sandbox.ledger_import import import_ledger
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.sandbox.state import SandboxState
from tests.journey.firm import Firm
from tests.sandbox.test_ledger_import import write_ledger

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4, part=1)]

LAST_DAY = date(2026, 6, 29)
OTHERS = (("Larkspur Stationery", "Office Supplies"), ("Quillon Freight", "Freight"))


def bought(
    day: date, vendor: str, text: str | None, account: str, department: str | None = None
) -> tuple[Any, ...]:
    number = (day - date(2025, 1, 1)).days
    amount = Decimal(20 + number % 9)
    return ("acme", day, vendor, text, amount, account, department, None, None)


def other_lines(count: int) -> list[tuple[Any, ...]]:
    days = (LAST_DAY - timedelta(days=1 + n) for n in range(count))
    return [
        bought(day, vendor, "monthly delivery", account, "Admin")
        for n, day in enumerate(days)
        for vendor, account in [OTHERS[n % 2]]
    ]


@contextmanager
def client_with(rows: list[tuple[Any, ...]], folder: Path) -> Iterator[Firm]:
    """A synced client of these lines; those of the last day come without an account."""
    state = SandboxState(seed=3)
    import_ledger(state, write_ledger(folder / "acme.parquet", rows), uncoded_from=LAST_DAY)
    with SandboxServer(state=state) as sandbox:
        firm = Firm(sandbox, folder / "home")
        assert firm.connect().exit_code == 0
        sync(firm)
        yield firm


def sync(firm: Firm) -> None:
    result = firm.run("sync", firm.client)
    assert result.exit_code == 0, result.output


def questions(firm: Firm) -> list[dict[str, Any]]:
    result = firm.run("review", "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def answer(firm: Firm, question_id: str, account: str) -> None:
    """Fill in one line of the question in the CSV, for the whole of it."""
    file = firm.home.path.parent / "answers.csv"
    result = firm.run("review", "--export", str(file))
    assert result.exit_code == 0, result.output
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    next(row for row in rows if row["question"] == question_id)["account"] = account
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    result = firm.run("correct", str(file), "--whole-questions", "--by", "Ann")
    assert result.exit_code == 0, result.output


def bill_again(firm: Firm, vendor: str, department: str | None = None) -> str:
    """BILL gets another bill of one line, like the newest of the vendor and department; its id."""
    books, clock = firm.sandbox.state.organization(firm.client), firm.sandbox.state.clock
    vendor_id = next(one["id"] for one in books["vendors"] if one["name"] == vendor)
    departments = {one["id"]: one["name"] for one in books["departments"]}

    def department_of(line: dict[str, Any]) -> str | None:
        return departments.get((line.get("classifications") or {}).get("departmentId"))

    like, line = [
        (bill, line)
        for bill in books["bills"]
        for line in bill["billLineItems"]
        if bill["vendorId"] == vendor_id and department in (None, department_of(line))
    ][-1]
    clock.step_ms(60_000)
    again = f"again-{clock.stamp_ms()}"
    coding = dict(line.get("classifications") or {})
    coding.pop("chartOfAccountId", None)
    copy = {name: value for name, value in like.items() if name != "id"}
    copy |= {
        "invoice": {**like["invoice"], "invoiceNumber": again},
        "amount": line["amount"],
        "dueAmount": line["amount"],
        "fundingAmount": line["amount"],
        "billLineItems": [{**line, "id": f"{again}-1", "classifications": coding}],
    }
    made: str = books["bills"].add(copy, clock.stamp_ms())["id"]
    return made


def booked(firm: Firm, bill_id: str) -> tuple[str | None, bool]:
    """The account that one line's bill has, and whether a person is asked."""
    (row,) = firm.query(
        f"select account_name, needs_review from transactions where document_id = '{bill_id}'"
    )
    return row["account_name"], row["needs_review"]


def test_an_answer_for_the_kitchen_says_nothing_of_the_office(tmp_path: Path) -> None:
    """Office Supplies so far, all for Admin; now the kitchen buys there too."""
    market = "Riverside Market"
    past = [
        bought(LAST_DAY - timedelta(days=7 * n), market, "weekly", "Office Supplies", "Admin")
        for n in range(1, 11)
    ]
    new = [
        bought(LAST_DAY, market, "weekly", "Office Supplies", department)
        for department in ("Kitchen", "Kitchen", "Kitchen", "Admin", "Admin")
    ]
    with client_with([*other_lines(60), *past, *new], tmp_path) as firm:
        asked = {question["told_apart_by"]: question for question in questions(firm)}
        assert {told: question["line_count"] for told, question in asked.items()} == {
            "department “Kitchen”": 3,
            "department “Admin”": 2,
        }
        assert {question["suggested_account"] for question in asked.values()} == {"Office Supplies"}
        assert "by: department “Kitchen”." in firm.run("review", "--ask", given="q\n").output
        answer(firm, asked["department “Kitchen”"]["question_id"], "Freight")
        (left,) = questions(firm)
        assert (left["told_apart_by"], left["line_count"]) == ("department “Admin”", 2)
        assert left["suggested_account"] == "Office Supplies"
        kitchen = bill_again(firm, market, "Kitchen")
        admin = bill_again(firm, market, "Admin")
        sync(firm)
        assert booked(firm, kitchen) == ("Freight", False)
        account, _ = booked(firm, admin)
        assert account != "Freight"
        (left,) = questions(firm)
        assert (left["line_count"], left["suggested_account"]) == (3, "Office Supplies")


def test_a_correction_of_a_line_without_a_text_is_followed(tmp_path: Path) -> None:
    past = [
        bought(LAST_DAY - timedelta(days=9 * n), "Bright Cloud", None, "Freight")
        for n in range(1, 6)
    ]
    new = [bought(LAST_DAY, "Bright Cloud", None, "Freight")]
    with client_with([*other_lines(60), *past, *new], tmp_path) as firm:
        (asked,) = questions(firm)
        assert asked["suggested_account"] == "Freight"
        answer(firm, asked["question_id"], "Office Supplies")
        assert questions(firm) == []
        again = bill_again(firm, "Bright Cloud")
        sync(firm)
        assert booked(firm, again) == ("Office Supplies", False)


def test_a_file_of_answers_is_read_whatever_is_in_it(tmp_path: Path) -> None:
    """A text longer than Python's csv reads by itself; lines that are gone; two answers for one."""
    new = [
        bought(LAST_DAY, "Bright Cloud", "long words " * 13_000, "Freight"),
        bought(LAST_DAY, "Larkspur Stationery", "monthly delivery", "Office Supplies", "Admin"),
    ]
    with client_with([*other_lines(20), *new], tmp_path) as firm:
        file = tmp_path / "answers.csv"
        assert firm.run("review", "--export", str(file)).exit_code == 0
        with file.open(encoding="utf-8", newline="") as opened:
            header, *rows = opened.read().splitlines()
        names = header.split(",")
        given = {"client": firm.client, "document_type": "bill", "account": "Freight"}

        def corrected(*answers: dict[str, str]) -> Any:
            with file.open("w", encoding="utf-8", newline="") as opened:
                writer = csv.DictWriter(opened, names)
                writer.writeheader()
                writer.writerows(answers)
            return firm.run("correct", str(file))

        asked = firm.query("select document_id, line_id from transactions where needs_review")
        assert len(asked) == len(rows) == 2
        one, other = ({**given, **line} for line in asked)
        gone = corrected({**one, "description": "x" * 200_000}, {**other, "line_id": "nothing"})
        assert gone.exit_code == 1
        assert "1 lines corrected and booked" in gone.output
        assert f"not in the books, or no longer: bill {other['document_id']} nothing" in gone.output
        twice = corrected(other, {**other, "account": "Office Supplies"})
        assert twice.exit_code == 1
        assert "answered with two accounts. Nothing was recorded" in twice.output
        (left,) = firm.query("select line_id from transactions where needs_review")
        assert left["line_id"] == other["line_id"]
