"""A sandbox with two invented companies, one for each test, on localhost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bill_pipeline.sandbox.server import SandboxServer
from tests.imports.books import Client

MakeClient = Callable[..., Client]


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[MakeClient]:
    """``make_client(documents=…, seed=…, number=…, switch=…)``: a client of a new sandbox."""
    with ExitStack() as stack:

        def make(documents: int = 300, seed: int = 7, number: int = 1, **switches: Any) -> Client:
            sandbox = stack.enter_context(
                SandboxServer(companies=2, documents=documents, seed=seed, switches=switches)
            )
            return Client(sandbox, tmp_path, number)

        yield make


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client()
