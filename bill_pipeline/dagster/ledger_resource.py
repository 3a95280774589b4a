"""The published ledger as Dagster's own DuckDB resource, for assets and jobs that ask it by SQL."""

# Dagster reads these annotations as types: no `from __future__ import annotations` here.

import contextlib
from collections.abc import Iterator

import duckdb
from dagster_duckdb import DuckDBResource
from pydantic import Field

from bill_pipeline.settings import Home


class PublishedLedger(DuckDBResource):
    """A ``DuckDBResource`` that can only read, never waits for a sync and makes none wait.

    Assets of your own take it as any other::

        @dg.asset
        def largest_vendors(ledger: DuckDBResource) -> None:
            with ledger.get_connection() as connection:
                connection.sql("from vendor_spend order by amount desc limit 10")
    """

    database: str = Field(
        default=":memory:",
        description="Leave it: the ledger is attached to a database in memory, so that each "
        "connection sees the books as they are when it is opened.",
    )
    home: str | None = Field(
        default=None,
        description="Folder of the books. Leave empty: BILL_PIPELINE_HOME, else ./data.",
    )

    @contextlib.contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The ledger as it is now. Raises NothingPublished, QueryError."""
        from bill_pipeline.publishing.query import attached_ledger

        with super().get_connection() as opened, attached_ledger(Home.at(self.home), opened):
            yield opened
