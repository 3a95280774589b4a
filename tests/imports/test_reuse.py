"""``docs/reuse.md`` as it stands there: BILL by dlt alone, and an asset over the ledger."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bill_pipeline.bill.lists import LISTS
from bill_pipeline.sandbox.server import SandboxServer

PAGE = (Path(__file__).parents[2] / "docs" / "reuse.md").read_text(encoding="utf-8")
READING, _ASSET = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)

pytestmark = pytest.mark.slow


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(companies=1, documents=120, seed=5) as server:
        yield server


def run_example(sandbox: SandboxServer, folder: Path, example: str = READING, **more: str) -> None:
    """The example in a process and a folder of its own, which know nothing of a home."""
    company = sandbox.companies[0]
    given = {
        "organization_id": company.organization_id,
        "token_name": company.token_name,
        "token_password": company.token_password,
        "dev_key": sandbox.dev_key,
        "base_url": sandbox.base_url,
        "v2_url": sandbox.v2_url,
    }
    settings = {f"SOURCES__BILL__{name.upper()}": value for name, value in given.items()}
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=folder,
        env={
            "PATH": os.defpath,
            "HOME": str(folder),
            "DLT_DATA_DIR": str(folder / "dlt"),
            **settings,
            **more,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert company.token_password not in done.stdout + done.stderr
    assert {path.name for path in folder.iterdir()} & {"data", "ledger.duckdb"} == set()


def stored(folder: Path, table: str) -> dict[str, Any]:
    with duckdb.connect(str(folder / "bill_copy.duckdb"), read_only=True) as found:
        rows = found.execute(f"select id, document from bill.{table}").fetchall()
    return {document_id: json.loads(document) for document_id, document in rows}


def test_all_lists_arrive_and_later_runs_bring_what_changed(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    run_example(sandbox, tmp_path)
    books = sandbox.state.organization(sandbox.companies[0].client)
    for table, path in (("bills", "bills"), ("vendors", "vendors"), ("payments", "payments")):
        assert set(stored(tmp_path, table)) == {one["id"] for one in books[path]}
    with duckdb.connect(str(tmp_path / "bill_copy.duckdb"), read_only=True) as found:
        tables = {name for (name,) in found.execute(
            "select table_name from information_schema.tables where table_schema = 'bill'"
        ).fetchall()}  # fmt: skip
    assert "bill_details" in LISTS
    assert "bill_details" not in tables, "lists of v2 are read when they are named"
    clock = sandbox.state.clock
    bills = books["bills"]
    first, second = (bills.at(n) for n in (0, 1))
    bills.replace(first, clock.now_ms() + 400 * 24 * 3_600_000)  # from the future
    run_example(sandbox, tmp_path)
    clock.step_ms(3_600_000)
    bills.replace({**second, "amount": 77.07}, clock.stamp_ms())
    run_example(sandbox, tmp_path)
    assert float(stored(tmp_path, "bills")[second["id"]]["amount"]) == 77.07


def test_files_are_a_destination_too(sandbox: SandboxServer, tmp_path: Path) -> None:
    to_files = READING.replace('destination="duckdb"', 'destination="filesystem"')
    files = tmp_path / "files"
    run_example(sandbox, tmp_path, to_files, DESTINATION__FILESYSTEM__BUCKET_URL=str(files))
    written = [path for path in (files / "bill" / "bills").iterdir() if path.is_file()]
    read = duckdb.sql(
        f"select distinct id from '{files}/bill/bills/*{written[0].suffix}'"
    ).fetchall()
    books = sandbox.state.organization(sandbox.companies[0].client)
    assert {document_id for (document_id,) in read} == {one["id"] for one in books["bills"]}
