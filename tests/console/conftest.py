"""A console over a fresh home with one user per role."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bill_pipeline.console import passwords
from bill_pipeline.console.app import Console
from bill_pipeline.console.users import Role
from bill_pipeline.console.work import Work
from bill_pipeline.settings import Home

# With importlib mode a test's neighbours are not on the path.
sys.path.insert(0, str(Path(__file__).parent))

from console_browser import PASSWORDS, Browser, IdleExecutor, signed_in


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cost is tested once; elsewhere it would be most of the tests' time."""
    monkeypatch.setattr(passwords, "COST", 2**4)


@pytest.fixture
def home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("BILL_PIPELINE_DEV_KEY", raising=False)
    monkeypatch.delenv("BILL_PIPELINE_SECRET_KEY", raising=False)
    return Home.at(tmp_path / "home")


@pytest.fixture
def executor() -> IdleExecutor:
    return IdleExecutor()


@pytest.fixture
def console(home: Home, executor: IdleExecutor) -> Iterator[Console]:
    """A console with one user per role: admin, bookkeeper, viewer."""
    the_console = Console.at(home, work=Work(home, lambda: executor))
    for role in Role:
        the_console.users.create(
            role.value + "-person", SecretStr(PASSWORDS[role]), role, created_by="test"
        )
    yield the_console
    the_console.ledger.close()


@pytest.fixture
def admin(console: Console) -> Browser:
    return signed_in(console, Role.ADMIN)
