"""A client of the sandbox for tests: sync it, and compare its file with the sandbox's books."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.budget import SharedBudget
from bill_pipeline.bill.connection import Connection
from bill_pipeline.bill.lists import LISTS
from bill_pipeline.bill.sessions import MemorySessions
from bill_pipeline.ingest.loading import ImportReport, load_lists
from bill_pipeline.ingest.raw import open_client_file
from bill_pipeline.sandbox.server import SandboxServer

#: Raw tables whose documents the sandbox's control plane can show in full.
COMPARED = {
    row.table: row.path.rsplit("/", 1)[-1]
    for row in LISTS.values()
    if row.path and row.shape == "pages" and not row.parent
} | {"bank_accounts": "bank-accounts"}


class SandboxClock:
    """The sandbox's time, so that waiting for BILL's next hour takes no time at all."""

    def __init__(self, sandbox: SandboxServer) -> None:
        self._clock = sandbox.state.clock
        self.slept: list[float] = []

    def time(self) -> float:
        return self._clock.now_ms() / 1000

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._clock.step_ms(int(seconds * 1000))

    def stop(self) -> None:
        """Nobody sleeps here."""


@dataclass
class Client:
    """One company of the sandbox, imported into ``folder``."""

    sandbox: SandboxServer
    folder: Path
    number: int = 0
    connection: Connection = field(init=False)
    sessions: MemorySessions = field(default_factory=MemorySessions)
    as_of: datetime = datetime(2026, 7, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        company = self.sandbox.companies[self.number]
        self.name = company.client
        self.connection = Connection(
            organization_id=company.organization_id,
            token_name=company.token_name,
            token_password=company.token_password,
            dev_key=self.sandbox.dev_key,
            base_url=self.sandbox.base_url,
            v2_url=self.sandbox.v2_url,
        )
        self.clock = SandboxClock(self.sandbox)
        self.database = self.folder / f"{self.name}.duckdb"

    @property
    def organization(self) -> Any:
        return self.sandbox.state.organization(self.name)

    def api(self, **more: Any) -> BillApi:
        values: dict[str, Any] = {
            "client": self.name,
            "sessions": self.sessions,
            "budget": SharedBudget(self.folder / "budget.sqlite", clock=self.clock),
            "clock": self.clock,
        }
        return BillApi(self.connection, **{**values, **more})

    def sync(self, **more: Any) -> ImportReport:
        self.as_of += timedelta(minutes=1)
        with self.api() as api:
            return load_lists(
                api,
                database=self.database,
                dlt_folder=self.folder / "dlt",
                as_of=self.as_of,
                **more,
            )

    def live(self, days: float) -> None:
        """Let the company go on for ``days``."""
        clock = self.sandbox.state.clock
        clock.step_ms(int(days * 86_400_000))
        self.sandbox.state.lives[self.connection.organization_id].live_until(clock.now_ms())

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_client_file(self.database) as connection:
            return connection.execute(sql).fetchall()

    def raw(self, table: str) -> dict[str, Any]:
        rows = self.query(
            f"select id, document::varchar from raw.{table} where not is_deleted order by id"
        )
        return {document_id: orjson.loads(text) for document_id, text in rows}

    def truth(self, table: str) -> dict[str, Any]:
        documents = self.sandbox.control.books(self.name)[COMPARED[table]]
        for document in documents:
            document.get("paymentInformation", {}).pop("bankAccount", None)
        return {document["id"]: document for document in documents}

    def differences(self, tables: Iterable[str] = tuple(COMPARED)) -> dict[str, Any]:
        """What ``raw`` and the sandbox's books do not agree about; empty when all is well."""
        found: dict[str, Any] = {}
        for table in tables:
            raw, truth = self.raw(table), self.truth(table)
            wrong = {
                key: (raw.get(key), truth.get(key))
                for key in raw.keys() | truth.keys()
                if raw.get(key) != truth.get(key)
            }
            if wrong:
                found[table] = wrong
        return found
