"""A firm as a test drives it: a home with clients of one sandbox, used through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
from click.testing import CliRunner, Result

from bill_pipeline.cli import main
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home

COUNTS = """
select
    (select count(*) from raw.document_versions),
    (select count(*) from ledger.journal_entries),
    (select count(*) from raw._dlt_loads),
    (select count(*) from decisions.categories)
"""


class Firm:
    """A home with clients of one sandbox, driven through the command line."""

    def __init__(self, sandbox: SandboxServer, folder: Path) -> None:
        self.sandbox = sandbox
        self.home = Home.at(folder)

    def run(self, *words: str, given: str = "", dev_key: str | None = None) -> Result:
        return CliRunner().invoke(
            main,
            [*words, "--home", str(self.home.path)],
            input=given,
            env={"BILL_PIPELINE_DEV_KEY": dev_key or self.sandbox.dev_key},
        )

    def connect(self, number: int = 0, **changes: str) -> Result:
        company = self.sandbox.companies[number]
        environment = changes.get("environment", self.sandbox.base_url)
        return self.run(
            "connect", company.client,
            "--organization-id", changes.get("organization_id", company.organization_id),
            "--token-name", company.token_name, "--token-password-stdin",
            "--environment", environment,
            given=changes.get("password", company.token_password) + "\n",
        )  # fmt: skip

    @property
    def client(self) -> str:
        return self.sandbox.companies[0].client

    def query(self, sql: str) -> list[dict[str, Any]]:
        result = self.run("query", sql, "--format", "json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)  # type: ignore[no-any-return]

    def counts(self) -> tuple[int, ...]:
        with duckdb.connect(str(self.home.client_file(self.client)), read_only=True) as books:
            return books.execute(COUNTS).fetchone() or ()
