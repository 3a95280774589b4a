"""One home with two invented companies for all export tests: building it takes a few seconds."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.settings import Home
from tests.exports.invented_books import published_home

SEEDS = {"bakery": 1, "cafe": 2}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return published_home(Home.at(tmp_path_factory.mktemp("exports") / "home"), SEEDS)


@pytest.fixture
def ledger(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_ledger(home) as connection:
        yield connection
