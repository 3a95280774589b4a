"""Every macro answers an analyst, and of the last sync's day says what its table says."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from bill_pipeline.publishing.tables import code_signature
from bill_pipeline.warehouse.transforms import load_transforms
from tests.exports.conftest import SEEDS
from tests.exports.invented_books import AS_OF


@pytest.mark.parametrize("key", [t.key for t in load_transforms().values() if t.macro])
def test_a_macro_of_the_published_ledger_is_its_table(
    ledger: duckdb.DuckDBPyConnection, key: str
) -> None:
    transform = load_transforms()[key]
    assert transform.macro is not None
    day = f", report_date := date '{AS_OF.date()}'"
    of_day = day if "report_date" in transform.macro.parameters else ""
    for client in SEEDS:
        of_macro, of_table = (
            sorted(ledger.execute(f"from {source}").fetchall(), key=str)
            for source in (
                f"{transform.macro.name}('{client}'{of_day})",
                f"(select * exclude (client) from {transform.name} where client = '{client}')",
            )
        )
        assert of_macro == of_table


def test_code_that_writes_macros_otherwise_publishes_them_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, read = code_signature.__wrapped__(), Path.read_bytes
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: b"" if path.name == "transforms.py" else read(path)
    )
    assert code_signature.__wrapped__() != before
