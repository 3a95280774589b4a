"""What was decided about who is who: merges, splits, names; append-only and dated like the rest.

A merge is a view: it changes which names reports put together, never a document, an amount or an
entry. How names are compared is in ``models.parties``; who has them compared, and when, in
``categorization.parties``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import duckdb

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
    connection.execute(
        "insert into decisions.party_links by name select $1 as party_id, "
        "$2 as same_as_party_id, $3::timestamp as decided_at, $4 as decided_by, "
        "$5::boolean as withdrawn, $6::varchar as reason",
        [party_id, same_as_party_id, decided_at, decided_by, withdrawn, reason],
    )


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
    connection.execute(
        "insert into decisions.party_splits values (?, ?, ?, ?, ?, ?)",
        [first, second, decided_at, decided_by, withdrawn, reason],
    )


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
    connection.execute(
        "insert into decisions.party_names values (?, ?, ?, ?, ?)",
        [party_id, party, decided_at, decided_by, reason],
    )


def record_resolutions(
    connection: duckdb.DuckDBPyConnection,
    rows: Iterable[tuple[str, str, str, str, str | None]],
    *,
    decided_at: datetime,
    decided_by: str,
) -> int:
    """Append (party_id, merged_party_id, firm_party_id, firm_party, reason); how many."""
    values = [[*row, decided_at, decided_by] for row in rows]
    if values:
        import pyarrow as pa

        names = ("party_id", "merged_party_id", "firm_party_id", "firm_party", "reason",
                 "decided_at", "decided_by")  # fmt: skip
        arrow = pa.table({name: [v[i] for v in values] for i, name in enumerate(names)})
        connection.register("resolutions_to_append", arrow)
        connection.execute(
            "insert into decisions.party_resolutions by name from resolutions_to_append"
        )
        connection.unregister("resolutions_to_append")
    return len(values)
