"""What was decided about who is who: merges, splits, names; append-only and dated like the rest.

A merge is a view: it changes which names reports put together, never a document, an amount or an
entry. How names are compared is in ``models.parties``; who has them compared, and when, in
``categorization.parties``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import duckdb

from bill_pipeline.decisions.rows import append_decision, append_decisions

PARTIES_DDL = """
create schema if not exists decisions;
create table if not exists decisions.party_links (
    party_id varchar not null, same_as_party_id varchar not null, decided_at timestamp not null,
    decided_by varchar not null, withdrawn boolean not null, reason varchar
);
alter table decisions.party_links add column if not exists reason varchar;
create table if not exists decisions.party_splits (
    party_id varchar not null, other_party_id varchar not null, decided_at timestamp not null,
    decided_by varchar not null, withdrawn boolean not null, reason varchar
);
create table if not exists decisions.party_names (
    party_id varchar not null, party varchar, decided_at timestamp not null,
    decided_by varchar not null, reason varchar
);
create table if not exists decisions.party_resolutions (
    party_id varchar not null, merged_party_id varchar not null, firm_party_id varchar not null,
    firm_party varchar not null, reason varchar, decided_at timestamp not null,
    decided_by varchar not null
);
"""


def link_parties(
    connection: duckdb.DuckDBPyConnection,
    party_id: str,
    same_as_party_id: str,
    *,
    decided_at: datetime,
    decided_by: str,
    withdrawn: bool = False,
    reason: str | None = None,
) -> None:
    """Say that two parties are one; a view for reports, the journal keeps BILL's own ids."""
    append_decision(
        connection, "party_links", party_id=party_id, same_as_party_id=same_as_party_id,
        decided_at=decided_at, decided_by=decided_by, withdrawn=withdrawn, reason=reason,
    )  # fmt: skip


def keep_parties_apart(
    connection: duckdb.DuckDBPyConnection,
    party_id: str,
    other_party_id: str,
    *,
    decided_at: datetime,
    decided_by: str,
    withdrawn: bool = False,
    reason: str | None = None,
) -> None:
    """Say that two parties are not one, however alike their names are."""
    first, second = sorted((party_id, other_party_id))
    append_decision(
        connection, "party_splits", party_id=first, other_party_id=second,
        decided_at=decided_at, decided_by=decided_by, withdrawn=withdrawn, reason=reason,
    )  # fmt: skip


def name_party(
    connection: duckdb.DuckDBPyConnection,
    party_id: str,
    party: str | None,
    *,
    decided_at: datetime,
    decided_by: str,
    reason: str | None = None,
) -> None:
    """What reports call the party that ``party_id`` belongs to; None: as its spellings say."""
    append_decision(
        connection, "party_names", party_id=party_id, party=party,
        decided_at=decided_at, decided_by=decided_by, reason=reason,
    )  # fmt: skip


def record_resolutions(
    connection: duckdb.DuckDBPyConnection,
    rows: Iterable[tuple[str, str, str, str, str | None]],
    *,
    decided_at: datetime,
    decided_by: str,
) -> int:
    """Append (party_id, merged_party_id, firm_party_id, firm_party, reason); how many."""
    names = ("party_id", "merged_party_id", "firm_party_id", "firm_party", "reason")
    made = {"decided_at": decided_at, "decided_by": decided_by}
    values = [dict(zip(names, row, strict=True)) | made for row in rows]
    return append_decisions(connection, "party_resolutions", values)
