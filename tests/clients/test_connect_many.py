"""A firm connects its clients from one file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bill_pipeline.cli import main
from bill_pipeline.registry.clients import Registry
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home

FIRMS_KEY = "the-firms-own-key"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(companies=2, documents=12, seed=7) as server:
        yield server


def connected(sandbox: SandboxServer, folder: Path, *names: str, **changes: str) -> Result:
    """``connect-many`` with one row per company; ``changes`` are of the last row."""
    rows = [
        {
            "client": name,
            "organization_id": company.organization_id,
            "token_name": company.token_name,
            "token_password": company.token_password,
            "environment": sandbox.base_url,
            "developer_key": sandbox.dev_key,
        }
        for name, company in zip(names, sandbox.companies, strict=True)
    ]
    rows[-1] |= changes
    file = folder / "clients.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return CliRunner().invoke(
        main,
        ["connect-many", str(file), "--home", str(folder / "home")],
        env={"BILL_PIPELINE_DEV_KEY": FIRMS_KEY},
    )


def test_every_client_of_the_file_is_connected(sandbox: SandboxServer, tmp_path: Path) -> None:
    result = connected(sandbox, tmp_path, "Acme Bakery, Inc.", "cedar")
    assert result.exit_code == 0, result.output
    assert Registry(Home.at(tmp_path / "home")).names() == ["acme-bakery-inc", "cedar"]
    assert "Next: bill-pipeline sync --all" in result.output


def test_a_bad_row_stops_no_other_and_shows_no_password(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    result = connected(sandbox, tmp_path, "acme", "cedar", token_password="not-the-password")
    assert result.exit_code == 1
    assert Registry(Home.at(tmp_path / "home")).names() == ["acme"]
    assert "cedar: failed. BILL does not accept this token name and password" in result.output
    assert "not-the-password" not in result.output


def test_the_firms_key_goes_to_bill_alone(sandbox: SandboxServer, tmp_path: Path) -> None:
    result = connected(sandbox, tmp_path, "acme", "cedar", developer_key="")
    assert result.exit_code == 1
    assert (
        "cedar: failed. The firm's developer key is sent to BILL's own addresses" in result.output
    )


def test_a_client_named_twice_or_a_missing_column_changes_nothing(
    sandbox: SandboxServer, tmp_path: Path
) -> None:
    result = connected(sandbox, tmp_path, "acme", "ACME")
    assert result.exit_code == 1
    assert "Named more than once: acme" in result.output
    (tmp_path / "clients.csv").write_text("client,token_name\nacme,t\n")
    result = CliRunner().invoke(
        main,
        ["connect-many", str(tmp_path / "clients.csv"), "--home", str(tmp_path / "home")],
    )
    assert result.exit_code == 1
    assert "missing: organization_id, token_password" in result.output
    assert not (tmp_path / "home" / "registry.sqlite").exists()
