"""An id that BILL writes as "" or with zeros only names nothing, wherever it stands."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.bill.stored import ids_at

TRANSFORMS = Path(__file__).parents[2] / "transforms"
#: Shows documents to people as BILL gave them, and reads nothing in them.
SHOWS_WHOLE_DOCUMENTS = "ledger/document_versions.sql"


def cleaned(document: dict[str, Any], **how: Any) -> Any:
    with duckdb.connect() as connection:
        connection.execute((TRANSFORMS / "functions.sql").read_text(encoding="utf-8"))
        row = connection.execute(
            "select without_empty_references(?::json)", [json.dumps(document, **how)]
        ).fetchone()
    assert row is not None
    return json.loads(row[0])


@pytest.mark.parametrize(
    "nothing", ["", "0", "00000000000000000000", " ", "00000000-0000-0000-0000-000000000000", 0]
)
@pytest.mark.parametrize("how", [{}, {"separators": (",", ":")}, {"indent": 1}])
def test_an_id_that_names_nothing_is_null_at_any_depth(nothing: Any, how: dict[str, Any]) -> None:
    given = {
        "id": "B1",
        "vendorId": nothing,
        "classifications": {"chartOfAccountId": nothing, "departmentId": "0de01"},
        "billLineItems": [{"id": nothing, "classifications": {"itemId": nothing}}],
        "fundingAccount": {"id": nothing, "type": "WALLET"},
    }
    assert cleaned(given, **how) == {
        "id": "B1",
        "vendorId": None,
        "classifications": {"chartOfAccountId": None, "departmentId": "0de01"},
        "billLineItems": [{"id": None, "classifications": {"itemId": None}}],
        "fundingAccount": {"id": None, "type": "WALLET"},
    }


def test_texts_and_amounts_stay_as_they_are() -> None:
    given = {
        "description": 'they wrote "vendorId":"", and "id": "0"',
        "amount": 0,
        "paid": "0",
        "accountNumber": "000",
        "vendorId": "00901",
    }
    assert cleaned(given) == given


def test_every_rule_reads_documents_behind_the_one_door() -> None:
    """What reads the archive itself takes empty references out, so no rule can meet one."""
    texts = {
        path.relative_to(TRANSFORMS).as_posix(): re.sub(
            "--.*|'[^']*'", "", path.read_text(encoding="utf-8")
        )
        for path in TRANSFORMS.rglob("*.sql")
    }
    reading = [
        name
        for name, sql in texts.items()
        if "raw.document_versions" in sql
        and re.search(r"\bdocument\b", sql)
        and name != SHOWS_WHOLE_DOCUMENTS
    ]
    assert set(reading) >= {"staging/versions_known.sql", "replay/versions.sql"}
    for name in reading:
        assert "without_empty_references(" in texts[name], f"{name} reads ids that name nothing"


def test_no_document_is_read_again_for_an_id_that_names_nothing() -> None:
    payment = {"billPayments": [{"billId": ""}, {"billId": "0000"}, {"billId": "00n01"}, {}]}
    assert list(ids_at(payment, ("billPayments", "billId"))) == ["00n01"]
