"""A console over a fresh home with one user per role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.console.auth import passwords
from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from bill_pipeline.console.work import Work
from bill_pipeline.registry.clients import Registry
from bill_pipeline.settings import Home

# With importlib mode a test's neighbours are not on the path.
from tests.console.console_browser import Browser, IdleExecutor, add_users, signed_in
from tests.console.invented_books import copy_of, make_books
from tests.made_once import made_once


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real cost is tested once; elsewhere it would be most of the tests' time."""
    monkeypatch.setattr(passwords, "COST", 2**4)


@pytest.fixture
def home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("BILL_PIPELINE_DEV_KEY", raising=False)
    monkeypatch.delenv("BILL_PIPELINE_SECRET_KEY", raising=False)
    return Home.at(tmp_path / "home")


@pytest.fixture(scope="session")
def made_books(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Real books of two invented clients, made once; take ``books_home`` to change them."""
    return Home.at(made_once(tmp_path_factory, "console-books", make_books))


@pytest.fixture
def books_home(made_books: Home, tmp_path: Path) -> Home:
    return copy_of(made_books, tmp_path / "books")


@pytest.fixture
def books_console(books_home: Home, executor: IdleExecutor) -> Iterator[Console]:
    """A console over books, with one user per role and one who may see maple-bakery only."""
    the_console = Console.at(books_home, work=Work(Registry(books_home), lambda: executor))
    add_users(the_console)
    yield the_console
    the_console.ledger.close()


@pytest.fixture
def executor() -> IdleExecutor:
    return IdleExecutor()


@pytest.fixture
def console(home: Home, executor: IdleExecutor) -> Iterator[Console]:
    """A console with one user per role: admin, bookkeeper, viewer."""
    the_console = Console.at(home, work=Work(Registry(home), lambda: executor))
    add_users(the_console)
    yield the_console
    the_console.ledger.close()


@pytest.fixture
def admin(console: Console) -> Browser:
    return signed_in(console, Role.ADMIN)
