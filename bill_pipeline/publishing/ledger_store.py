"""Where published books are kept, as everybody else sees it: one small interface.

``stores`` chooses which implementation it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import duckdb

from bill_pipeline.publishing.tables import PublishedSchema, PublishError
from bill_pipeline.publishing.versions import Version
from bill_pipeline.registry.clients import Registry

#: How long a connection may go on reading what it saw when it was opened, after something newer
#: was published. Longer costs disk: every version a client had in that time is kept.
GRACE = timedelta(hours=1)
#: The name under which an open ledger's tables are found.
ATTACHED_AS = "ledger"

#: Opens one client's file for reading; what it raises becomes why the client is not published.
OpenBooks = Callable[[str], AbstractContextManager[duckdb.DuckDBPyConnection]]


@dataclass
class PublishReport:
    """What one publication did."""

    published: dict[str, int] = field(default_factory=dict)  # client → rows in all tables
    builds: dict[str, str | None] = field(default_factory=dict)  # client → the build shown by now
    removed: tuple[str, ...] = ()  # clients that were disconnected
    not_published: dict[str, str] = field(default_factory=dict)  # client → why; the old books stay
    #: Others → why their books, which somebody built, are still not shown.
    left_behind: dict[str, str] = field(default_factory=dict)
    files_collected: int = 0
    seconds: float = 0.0

    def require_all(self) -> None:
        """Raises PublishError when books that were built are not published, and says why."""
        if self.not_published:
            why = " ".join(self.not_published.values())
            raise PublishError(f"{', '.join(self.not_published)}: built, not published. {why}")


class LedgerStore(Protocol):
    """The published ledger of one home, wherever it is kept."""

    def publish(
        self,
        registry: Registry,
        clients: Sequence[str],
        open_books: OpenBooks,
        *,
        grace: timedelta,
        schema: PublishedSchema | None,
        anew: bool,
        ahead: Sequence[Version],
    ) -> PublishReport:
        """Show the books of ``clients``, all in one step, and collect what is out of ``grace``.

        ``anew`` trusts nothing that was published before: what is the same is written as well.
        ``ahead`` are versions of some of them that ``stage_version`` gave.
        """

    def write_ahead(self, client: str, books: duckdb.DuckDBPyConnection) -> Version | None:
        """Write the client's tables for ``publish`` to show later; None where that cannot be."""

    def builds(self) -> dict[str, str | None]:
        """Client → the build of its books (``built``) that is shown; None: nobody wrote it down, or
        its files are gone.
        """

    def exists(self) -> bool:
        """Whether anything was ever published."""

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the newest books the current database of ``connection``, read-only and for good."""

    def readable_folders(self) -> list[str]:
        """The folders or addresses that a connection must be able to read."""

    def show_status(self, registry: Registry) -> None:
        """Make ``sync_status`` say what the ``registry`` knows now; no books are published."""

    def shell_arguments(self) -> list[str]:
        """What DuckDB's own command line is called with to open the ledger."""

    @property
    def where(self) -> str:
        """The ledger's place in words, without any secret."""


def with_books(registry: Registry) -> list[str]:
    """Connected clients that have books: all are published when a store is made anew.

    Also those whose file was lost: who publishes says so.
    """
    return [
        name
        for name in registry.names()
        if registry.home.client_file(name).exists() or registry.has_had_books(name)
    ]
