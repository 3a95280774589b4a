"""Whose books a client's file holds: one organization's, for good, and never two companies'.

The file itself says so, in its policy ``organization_id``; entry ids are made from it. The registry
says to which organization a client is connected. Whoever opens a file to write, and whoever
connects a client, comes through here.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb

from bill_pipeline.decisions.tables import set_policy
from bill_pipeline.errors import PipelineError

_ORGANIZATION = (
    "select arg_max(value, (decided_at, rowid)) from decisions.policies "
    "where name = 'organization_id'"
)


class ForeignBooks(PipelineError):
    """A client's file holds the books of another organization than the client is connected to."""


def organization_of(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The organization whose books the open file holds; None: it does not say so yet."""
    try:
        row = connection.execute(_ORGANIZATION).fetchone()
    except duckdb.CatalogException:  # a file that was just made
        return None
    return row[0] if row else None


def organization_in(path: Path) -> str | None:
    """The organization whose books the file at ``path`` holds; None: no file, or it says nothing.

    Raises duckdb.Error when the file is damaged or another process writes it.
    """
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=True) as connection:
        return organization_of(connection)


def require_own_books(
    connection: duckdb.DuckDBPyConnection,
    client: str,
    path: Path | str,
    organization_id: str | None,
) -> None:
    """Raises ForeignBooks when the open file is another organization's than ``organization_id``;
    None: nobody knows to which one the client is connected.
    """
    found = organization_of(connection)
    if organization_id is None or found in (None, organization_id):
        return
    raise ForeignBooks(
        f"{client}: {path} holds the books of organization {found}, and {client} is connected to "
        f"organization {organization_id}: nothing was read or written. Put {client}'s own file "
        f"back from a backup, or, if the file is right, run `bill-pipeline disconnect {client}` "
        f"and connect {client} to organization {found}."
    )


def name_organization(
    connection: duckdb.DuckDBPyConnection, organization_id: str, as_of: datetime
) -> None:
    """Write down once whose books the open file holds, as of ``as_of`` (UTC)."""
    if organization_of(connection) is None:
        set_policy(
            connection,
            "organization_id",
            organization_id,
            decided_at=as_of.replace(tzinfo=None),
            decided_by="connection",
        )
