"""A firm with one client of a sandbox, connected or synced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bill_pipeline.sandbox.server import SandboxServer
from tests.journey.firm import Firm


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    with SandboxServer(companies=1, documents=250, seed=11) as sandbox:
        yield Firm(sandbox, tmp_path / "home")


@pytest.fixture
def synced(firm: Firm) -> Firm:
    assert firm.connect().exit_code == 0
    result = firm.run("sync", firm.client)
    assert result.exit_code == 0, result.output
    return firm
