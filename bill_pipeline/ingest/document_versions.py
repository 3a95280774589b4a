"""Keep every version of every document, and set aside what cannot be read.

``raw.document_versions`` is append-only: the ledger's history is derived from it. All versions of
one sync carry the sync's ``as_of`` as ``seen_at``. A document that lacks a required field, or has
one of another type, goes to ``raw.quarantine`` instead: its last good version stays in force, and
a good one that comes later heals it. ``raw.schema_notes`` names each unknown field once.

Everything is set-based and idempotent: after a crash, archiving again archives the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bill_pipeline.bill.documents import Stray, hash_of, hash_of_deleted
from bill_pipeline.bill.fields import DOCUMENTED_FIELDS
from bill_pipeline.bill.lists import LISTS, BillList
from bill_pipeline.errors import PipelineError
from bill_pipeline.ingest.quarantine import (
    heal,
    heal_strays,
    set_aside,
    set_strays_aside,
    unreadable_reason,
)
from bill_pipeline.ingest.raw import end_loading

if TYPE_CHECKING:
    import duckdb

_SCHEMA = """
create schema if not exists raw;
create table if not exists raw.document_versions (
    list varchar not null, id varchar not null, version integer not null,
    seen_at timestamp not null, updated_at timestamp, is_archived boolean not null,
    is_deleted boolean not null, content_hash varchar not null, document json not null
);
create table if not exists raw.quarantine (
    list varchar not null, id varchar not null, reason varchar not null,
    content_hash varchar not null, document json not null,
    first_seen_at timestamp not null, healed_at timestamp
);
create table if not exists raw.schema_notes (
    list varchar not null, field varchar not null, note varchar not null,
    first_seen_at timestamp not null
);
create table if not exists raw.list_refusals (
    list varchar not null, seen_at timestamp not null, is_refused boolean not null, reason varchar
);
create table if not exists raw.archivings (
    archived_at timestamp not null, loads bigint not null
);
"""

#: What tells an amount and a day: the same functions as the SQL of the books.
FUNCTIONS = Path(__file__).resolve().parents[2] / "transforms" / "functions.sql"
# What is compared and what is copied at a time: both within an import's memory.
_IDS_PER_PART = 250_000
_DOCUMENTS_PER_BATCH = 20_000

_COMMENTS = {
    "raw.document_versions": "Every version of every BILL document, append-only.",
    "raw.quarantine": "Documents from BILL that cannot be read, until a good version comes.",
    "raw.list_refusals": "When BILL refused a whole list, and when it could be read again.",
    "raw.archivings": "When loads were archived, and how many there were by then.",
    "raw.schema_notes": "Fields BILL sends that its documentation did not name, each once.",
}


class ArchiveOutOfOrder(PipelineError):
    """A sync's time is not later than what is archived already."""


@dataclass
class ArchiveReport:
    """What one archiving added, by list."""

    new: dict[str, int] = field(default_factory=dict)  # first versions
    changed: dict[str, int] = field(default_factory=dict)  # later versions
    archived: dict[str, int] = field(default_factory=dict)  # of these, now archived in BILL
    deleted: dict[str, int] = field(default_factory=dict)  # of these, gone from BILL
    quarantined: dict[str, int] = field(default_factory=dict)  # newly set aside
    healed: dict[str, int] = field(default_factory=dict)
    unknown_fields: list[str] = field(default_factory=list)  # "bills.newField", first seen now

    def add(self, more: ArchiveReport) -> None:
        """Add what a further archiving of the same sync did."""
        for name in ("new", "changed", "archived", "deleted", "quarantined", "healed"):
            for table, count in getattr(more, name).items():
                _add(getattr(self, name), table, count)
        self.unknown_fields += more.unknown_fields

    @property
    def versions(self) -> int:
        return sum(self.new.values()) + sum(self.changed.values())


def make_archive(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the archive's tables where they are missing, and the functions that SQL files share."""
    connection.execute(_SCHEMA)
    connection.execute(FUNCTIONS.read_text(encoding="utf-8"))
    for table, comment in _COMMENTS.items():
        connection.execute(f"comment on table {table} is '{comment}'")


def archive_documents(
    connection: duckdb.DuckDBPyConnection,
    as_of: datetime,
    *,
    client: str = "",
    tables: Iterable[str] = tuple(LISTS),
    strays: dict[str, list[Stray]] | None = None,
    read_from: Mapping[str, datetime | None] | None = None,
    loads: int | None = None,
) -> ArchiveReport:
    """Append what differs between ``raw.<list>`` and the last archived version, at ``as_of``.

    ``as_of`` is UTC. ``read_from`` says of each list read to its end from which updatedTime on
    (``None``: its beginning): what had no id there and did not come again has one now, or is gone.
    ``loads`` is noted as the number of dlt loads that are archived now.
    Raises ``ArchiveOutOfOrder`` when the archive already has a later version.
    """
    report = ArchiveReport()
    connection.execute("begin")
    try:
        _require_order(connection, as_of, client)
        for table in tables:
            _archive_list(connection, LISTS[table], as_of, report)
        for table, found in (strays or {}).items():
            _add(report.quarantined, table, set_strays_aside(connection, table, found, as_of))
        for table, start in (read_from or {}).items():
            found = (strays or {}).get(table, [])
            _add(report.healed, table, heal_strays(connection, table, found, start, as_of))
        if loads is not None:
            end_loading(connection)
            connection.execute(
                "insert into raw.archivings values (?, ?)", [as_of.replace(tzinfo=None), loads]
            )
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return report


def gone_lately(
    connection: duckdb.DuckDBPyConnection, lists: Iterable[str], since: datetime, most: int
) -> dict[str, list[str]]:
    """List → ids of what BILL no longer had at ``since`` (UTC) or later, the newest ``most``."""
    rows = connection.execute(
        """
        select list, id from raw.document_versions
        where list in (select unnest($lists::varchar[]))
        group by list, id
        having arg_max(is_deleted, version) and max(seen_at) >= $since
        qualify row_number() over (partition by list order by max(seen_at) desc, id) <= $most
        order by list, id
        """,
        {"lists": list(lists), "since": since.replace(tzinfo=None), "most": most},
    ).fetchall()
    found: dict[str, list[str]] = {}
    for table, document_id in rows:
        found.setdefault(table, []).append(document_id)
    return found


def changed_in_silence(
    connection: duckdb.DuckDBPyConnection,
    lists: Iterable[str],
    since: datetime,
    now: datetime,
    most: int,
) -> dict[str, list[str]]:
    """List → ids of what was found changed at ``since`` (UTC) or later though its updatedTime is of
    no moment between ``since`` and ``now``: no list that is read by time shows it again. The newest
    ``most`` of each list.
    """
    rows = connection.execute(
        """
        select list, id from raw.document_versions
        where list in (select unnest($lists::varchar[])) and version > 1
        group by list, id
        having
            max(seen_at) >= $since
            and not arg_max(is_deleted, version)
            and coalesce(arg_max(updated_at, version) not between $since and $now, true)
        qualify row_number() over (partition by list order by max(seen_at) desc, id) <= $most
        order by list, id
        """,
        {
            "lists": list(lists),
            "since": since.replace(tzinfo=None),
            "now": now.replace(tzinfo=None),
            "most": most,
        },
    ).fetchall()
    found: dict[str, list[str]] = {}
    for table, document_id in rows:
        found.setdefault(table, []).append(document_id)
    return found


def altered_versions(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    """List, id and number of each archived version whose text is not the one that it was noted for.

    Nobody but a person with SQL alters the archive; BILL is not asked, so it costs seconds.
    """
    versions = connection.execute(
        "select list, id, version, is_deleted, content_hash, document::varchar "
        "from raw.document_versions order by list, id, version"
    )
    altered = []
    while rows := versions.fetchmany(_DOCUMENTS_PER_BATCH):
        for name, document_id, version, is_deleted, noted, text in rows:
            found = hash_of(text.encode())
            if noted != (hash_of_deleted(found) if is_deleted else found):
                altered.append((name, document_id, version))
    return altered


def _require_order(connection: duckdb.DuckDBPyConnection, as_of: datetime, client: str) -> None:
    last = connection.execute("select max(seen_at) from raw.document_versions").fetchone()
    moment = as_of.replace(tzinfo=None)
    if last and last[0] is not None and last[0] > moment:
        raise ArchiveOutOfOrder(
            f"{client}: the sync at {moment} is not later than the last one at {last[0]}. "
            "Check this machine's clock, then sync again."
        )


def _archive_list(
    connection: duckdb.DuckDBPyConnection, row: BillList, as_of: datetime, report: ArchiveReport
) -> None:
    values: dict[str, Any] = {"list": row.table, "as_of": as_of.replace(tzinfo=None)}
    _find_changed(connection, row)
    for first, last in _batches(connection):
        _take_batch(connection, row, first, last)
        report.unknown_fields += _note_unknown_fields(connection, row, values)
        _append_versions(connection, values, report)
        _add(report.quarantined, row.table, set_aside(connection, values))
    _add(report.healed, row.table, heal(connection, values))


def _add(counts: dict[str, int], table: str, count: int) -> None:
    if count:
        counts[table] = counts.get(table, 0) + count


def _find_changed(connection: duckdb.DuckDBPyConnection, row: BillList) -> None:
    """Make the temporary table ``changed_ids``: what differs from the last archived version.

    Only ids and hashes are compared here, a part of them at a time, and the documents themselves
    follow in batches: a list of a million documents does not fit into an import's memory.
    """
    connection.execute(
        "create or replace temporary table changed_ids "
        "(row_number bigint, id varchar, version integer)"
    )
    found = connection.execute(f"select count(*) from raw.{row.table}").fetchone()
    parts = (int(found[0]) if found else 0) // _IDS_PER_PART + 1
    for part in range(parts):
        connection.execute(
            f"""
            insert into changed_ids
            with last as (
                select
                    id, max(version) as version, arg_max(content_hash, version) as content_hash
                from raw.document_versions
                where list = $list and hash(id) % $parts = $part
                group by id
            )
            select r.rowid, r.id, coalesce(last.version, 0) + 1
            from raw.{row.table} as r
            left join last using (id)
            where
                hash(r.id) % $parts = $part
                and r.content_hash is distinct from last.content_hash
            """,
            {"list": row.table, "parts": parts, "part": part},
        )


def _batches(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, int]]:
    """Ranges of row numbers that hold at most ``_DOCUMENTS_PER_BATCH`` changed documents each."""
    return connection.execute(
        """
        with numbered as (
            select row_number, (row_number() over (order by row_number) - 1) // $size as batch
            from changed_ids
        )
        select min(row_number), max(row_number) from numbered group by batch order by batch
        """,
        {"size": _DOCUMENTS_PER_BATCH},
    ).fetchall()


def _take_batch(
    connection: duckdb.DuckDBPyConnection, row: BillList, first: int, last: int
) -> None:
    """Make the temporary view ``changed``: the changed documents of one batch.

    A view, because what a transaction puts into a temporary table stays in memory to its end.
    """
    connection.execute(
        f"""
        create or replace temporary view changed as
        select
            c.id, c.version, r.updated_at, r.is_archived, r.is_deleted, r.content_hash, r.document,
            case when not r.is_deleted then {unreadable_reason(row)} end as reason
        from raw.{row.table} as r
        join changed_ids as c on c.row_number = r.rowid
        where
            r.rowid between {first:d} and {last:d}
            and c.row_number between {first:d} and {last:d}
        """
    )


def _append_versions(
    connection: duckdb.DuckDBPyConnection, values: dict[str, Any], report: ArchiveReport
) -> None:
    connection.execute(
        """
        insert into raw.document_versions
        select
            $list, id, version, $as_of, updated_at, is_archived, is_deleted, content_hash, document
        from changed
        where reason is null
        """,
        values,
    )
    counts = connection.execute(
        """
        select
            count(*) filter (where version = 1),
            count(*) filter (where version > 1),
            count(*) filter (where is_archived and not is_deleted),
            count(*) filter (where is_deleted)
        from changed
        where reason is null
        """
    ).fetchone()
    by_kind = (report.new, report.changed, report.archived, report.deleted)
    for counter, count in zip(by_kind, counts or (), strict=True):
        _add(counter, values["list"], count)


def _note_unknown_fields(
    connection: duckdb.DuckDBPyConnection, row: BillList, values: dict[str, Any]
) -> list[str]:
    """Note top-level fields that BILL's documentation does not name, each once per client.

    A document whose text was cleaned is noted by its id.
    """
    connection.execute(
        """
        insert into raw.schema_notes
        select $list, id, 'a text held characters that are none; each is kept as �', $as_of
        from changed
        where contains(document::varchar, '�')
            and id not in (select n.field from raw.schema_notes as n where n.list = $list)
        """,
        values,
    )
    documented = DOCUMENTED_FIELDS.get(row.table)
    if documented is None:
        return []
    added = connection.execute(
        """
        insert into raw.schema_notes
        select $list, field, 'not in the documented fields; kept in the document', $as_of
        from (select distinct unnest(json_keys(document)) as field from changed)
        where
            field not in (select unnest($documented::varchar[]))
            and field not in (select n.field from raw.schema_notes as n where n.list = $list)
        returning field
        """,
        {**values, "documented": sorted(documented)},
    ).fetchall()
    return [f"{row.table}.{name}" for (name,) in sorted(added)]
