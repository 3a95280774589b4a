"""A firm of three synced clients, whose home each test gets as a copy to damage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bill_pipeline.pipeline.client_sync import Sync
from bill_pipeline.sandbox.server import SandboxServer
from tests.journey.firm import Firm


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    with SandboxServer(companies=3, documents=12, seed=7) as sandbox:
        firm = Firm(sandbox, tmp_path_factory.mktemp("firm") / "home")
        for number in range(3):
            assert firm.connect(number).exit_code == 0
        result = firm.run("sync", "--all")
        assert result.exit_code == 0, result.output
        yield firm


@pytest.fixture
def firm(healthy: Firm, tmp_path: Path) -> Firm:
    shutil.copytree(healthy.home.path, tmp_path / "home")
    return Firm(healthy.sandbox, tmp_path / "home")


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncs build and publish although BILL has nothing new."""
    monkeypatch.setattr(Sync, "must_build", True)


@pytest.fixture
def names(firm: Firm) -> list[str]:
    """The clients; the first one is the one that is damaged."""
    return [company.client for company in firm.sandbox.companies]
