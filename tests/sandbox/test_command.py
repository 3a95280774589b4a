"""``bill-pipeline sandbox`` says how to connect, and what is wrong with its options."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from bill_pipeline.cli.sandbox import sandbox
from tests.sandbox.test_ledger_import import write_ledger


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(sandbox, list(arguments))
    assert result.exit_code != 0
    return result.output


@pytest.mark.slow
def test_the_command_serves_what_it_prints(tmp_path: Path) -> None:
    rows = [("o", date(2020, 5, d), "A", "x", Decimal(d), "Rent", None, None, None) for d in (4, 5)]
    ledger, truth = write_ledger(tmp_path / "l.parquet", rows), tmp_path / "truth.csv"
    faults = tmp_path / "faults.toml"
    faults.write_text('[[faults]]\nkind = "html"\nmatch = "/vendors$"\n', encoding="utf-8")
    code = "from bill_pipeline.cli import main; main()"
    options = ["--port", "0", "--json", "--companies", "1", "--documents", "60"]
    options += ["--import", str(ledger), "--uncoded-days", "1", "--truth", str(truth)]
    options += ["--faults", str(faults), "--switch", "default_max=1", "--live"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, "sandbox", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        cwd=Path(__file__).parents[2],
    )
    try:
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(4)]
        where, imported, invented, company = lines
        assert [line["type"] for line in lines] == ["sandbox", "import", "company", "company"]
        assert (imported["lines"], imported["amount"]) == (2, "9")
        assert "(invented)" in invented["name"]
        http = httpx.Client(trust_env=False)
        login = http.post(
            f"{where['base_url']}/v3/login",
            json={
                "username": company["token_name"],
                "password": company["token_password"],
                "organizationId": company["organization_id"],
                "devKey": where["dev_key"],
            },
        ).json()
        headers = {"devKey": where["dev_key"], "sessionId": login["sessionId"]}
        bills = http.get(f"{where['base_url']}/v3/bills", headers=headers).json()
        assert len(bills["results"]) == 1
        assert http.get(f"{where['base_url']}/v3/vendors", headers=headers).status_code == 500
        assert "Rent" in truth.read_text(encoding="utf-8")
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_wrong_options_are_explained(tmp_path: Path) -> None:
    assert "No switch 'colour'" in refused("--companies", "0", "--switch", "colour=red")
    assert "NAME=VALUE" in refused("--companies", "0", "--switch", "colour")
    broken = tmp_path / "faults.json"
    broken.write_text("{", encoding="utf-8")
    assert "Cannot read the faults" in refused("--companies", "0", "--faults", str(broken))
    broken.write_text('[{"kind": "earthquake"}]', encoding="utf-8")
    assert "No fault 'earthquake'" in refused("--companies", "0", "--faults", str(broken))
