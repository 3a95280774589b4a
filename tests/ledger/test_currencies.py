"""Files of earlier releases keep three decimals from now on, and nothing that was decided moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from bill_pipeline.warehouse.transforms import load_transforms
from bill_pipeline.warehouse.warehouse import Warehouse
from tests.ledger.company import Company, new_company
from tests.ledger.lives import begin

FIRST = datetime(2026, 1, 10, 12)  # noqa: DTZ001 - times in the books are UTC without a zone


def bill(number: str, vendor: str, amount: float, home: float) -> dict[str, object]:
    return {
        "id": number, "vendorId": vendor, "amount": amount, "fundingAmount": home,
        "invoice": {"invoiceNumber": number, "invoiceDate": "2026-01-05"},
        "approvalStatus": "APPROVED",
        "billLineItems": [{"id": f"{number}-1", "amount": amount, "description": "tape",
                           "classifications": {"chartOfAccountId": "rent"}}],
    }  # fmt: skip


@pytest.mark.slow
def test_a_file_of_an_earlier_release_takes_dinars() -> None:
    with new_company() as company:
        begin(company)
        ddl = load_transforms()["ledger.journal_lines"].path.with_suffix(".ddl").read_text()
        company.connection.execute(ddl.replace("decimal(18, 3)", "decimal(18, 2)"))
        company.connection.execute(
            "alter table decisions.write_offs alter amount type decimal(18, 2)"
        )
        company.put("bills", bill("B1", "paper", 10.0, 10.0), FIRST)
        company.sync(FIRST)
        with_cents = company.rows("select line_id, amount_currency from ledger.journal_lines")
        again = Company(Warehouse(company.connection, "acme"))
        at = FIRST + timedelta(days=1)
        again.put("vendors", {"id": "kw", "name": "Kuwait WLL", "billCurrency": "KWD"}, at)
        again.put("bills", bill("B2", "kw", 1000.005, 3250.02), at)
        again.sync(at)
        kept = again.rows(
            "select line_id, amount_currency from ledger.journal_lines where document_id = 'B1'"
        )
        assert sorted(kept) == sorted(with_cents)
        assert again.rows(
            "select amount_currency from ledger.journal_lines where document_id = 'B2' "
            "order by amount_currency"
        ) == [(Decimal("-1000.005"),), (Decimal("1000.005"),)]


def test_what_the_categorizer_looks_at_is_written_as_before() -> None:
    """A third decimal in every amount would make every decision of the model stale."""
    with new_company() as company:
        begin(company)
        company.put("bills", bill("B1", "paper", 10.0, 10.0), FIRST)
        company.sync(FIRST)
        assert company.rows(
            "select features_hash = md5(concat_ws("
            "chr(31), 'bill', 'paper', 'tape', '10.00', '', '')) from categorized.lines"
        ) == [(True,)]
