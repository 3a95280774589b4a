"""One home with two invented companies for all export tests: building it takes a few seconds."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.settings import Home
from tests.exports.invented_books import published_home
from tests.made_once import made_once

SEEDS = {"bakery": 1, "cafe": 2}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.at(
        made_once(
            tmp_path_factory, "exports", lambda folder: published_home(Home.at(folder), SEEDS)
        )
    )


@pytest.fixture
def ledger(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_ledger(home) as connection:
        yield connection
