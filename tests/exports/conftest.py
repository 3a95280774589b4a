"""One home with two invented companies for all export tests: building it takes a few seconds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from invented_books import published_home

from bill_pipeline.query import open_ledger
from bill_pipeline.settings import Home

SEEDS = {"bakery": 1, "cafe": 2}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return published_home(Home.at(tmp_path_factory.mktemp("exports") / "home"), SEEDS)


@pytest.fixture
def ledger(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_ledger(home) as connection:
        yield connection
