"""Post a client's whole history again from the archive, in waves instead of batch by batch.

A document's entries depend on the documents it is linked with and on little else, so documents
without a link are replayed side by side: the first wave posts every group of documents as it stood
at the first batch that touched it, the second wave at the second, and so on. Groups are what
``transforms/replay/links.sql`` connects; an epoch is a run of batches in which nothing changed that
every document depends on (``turning_points.sql``). The posting rules are those of a sync, the same
SQL files; only the documents they see differ. So the work grows with the number of versions, not
with batches times documents.

Nothing here decides whether the result is right: ``rebuild`` compares it with what was
posted, and builds the last batch in full on top of it, which must find nothing to post.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from bill_pipeline.pipeline.batches import JOURNAL
from bill_pipeline.warehouse.empty_tables import comes_out_empty, make_empty
from bill_pipeline.warehouse.slices import temporary_name, with_names
from bill_pipeline.warehouse.transforms import (
    FOLDER,
    Transform,
    in_build_order,
    load_transforms,
    with_ancestors,
)
from bill_pipeline.warehouse.warehouse import Warehouse

#: The views of the archive; during a replay they are tables that hold a wave's versions.
VERSIONS, DOCUMENTS = "staging.versions_known", "staging.documents_known"
#: What the posting rules read beside documents; the same throughout an epoch.
SETTINGS = (
    "staging.policy_versions", "staging.policies", "staging.party_versions", "staging.parties",
    "staging.party_currencies", "staging.document_worths",
    "staging.bank_accounts", "staging.chart_of_accounts", "staging.items",
    "categorized.account_roles", "categorized.funding_accounts",
    "categorized.party_versions", "categorized.parties",
    "categorized.rules", "ledger.role_accounts",
)  # fmt: skip
TRANSFERS = "ledger.postings_derived_transfers"
#: What was in flight when the books begin depends on all payments and transfers of before.
IN_FLIGHT = "ledger.postings_in_flight"
READ_BY_TRANSFERS = ("staging.payments", "staging.received_payments", "staging.money_movements")
#: The tables of ``transforms/replay`` that a whole replay reads, in the order of their making.
BEFORE_GROUPS = (
    "document_lists", "batches", "versions", "links", "dimension_uses", "dimension_changes",
    "decisions_by_document", "turning_points", "nodes", "edges",
)  # fmt: skip
AFTER_GROUPS = ("groups", "group_touches")


@dataclass(frozen=True)
class Epoch:
    """The batches ``first`` to ``last``; ``kinds`` says what turned at the first of them."""

    first: int
    last: int
    as_of: datetime  # of the last batch
    kinds: frozenset[str]


def rebuild_journal(warehouse: Warehouse, batches: Sequence[datetime]) -> int:
    """Post the entries of ``batches`` on top of earlier ones; return the number of waves.

    ``batches`` are the journal's last ones, in order; what was known before the first of them is
    posted with it. Runs in the caller's transaction and leaves the layers as the last wave needed
    them: build them anew afterwards.
    """
    warehouse.connection.execute(f"set variable first_moment = timestamp '{batches[0]}'")
    run = _Replay(warehouse)
    waves = sum(run.play(epoch) for epoch in run.epochs())
    run.tidy()
    return waves


class _Replay:
    """One replay's work; its tables are temporary and called ``replay_…``."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._connection = warehouse.connection
        self._made: set[str] = set()
        self._lists: set[str] = set()  # lists with documents in what is shown now
        self._built: set[str] = set()  # tables that a wave made
        self._empty: set[str] = set()  # those of them that hold nothing
        for key in (DOCUMENTS, VERSIONS):
            self._connection.execute(f"drop view if exists {key}")
        for name in BEFORE_GROUPS:
            self._make(name)
        self._group_nodes()
        for name in AFTER_GROUPS:
            self._make(name)

    def epochs(self) -> Iterable[Epoch]:
        """The runs of batches between turning points, in order."""
        moments = dict(self._rows("select batch_no, as_of from replay_batches"))
        kinds: dict[int, set[str]] = {min(moments): set()} if moments else {}
        for kind, batch_no in self._rows("select kind, batch_no from replay_turning_points"):
            kinds.setdefault(batch_no, set()).add(kind)
        firsts = sorted(kinds)
        lasts = [*(first - 1 for first in firsts[1:]), max(moments, default=0)]
        for first, last in zip(firsts, lasts, strict=True):
            yield Epoch(first, last, moments[last], frozenset(kinds[first]))

    def play(self, epoch: Epoch) -> int:
        """Post the batches of ``epoch``: documents first, then the transfers assumed for them."""
        self._warehouse.set_time(epoch.as_of)
        self._set("first_batch", epoch.first)
        self._set("last_batch", epoch.last)
        self._set("everything_changed", "everything" in epoch.kinds)
        self._set("transfers_changed", bool(epoch.kinds & {"transfers", "dimensions"}))
        self._set("lock_moved", "closes" in epoch.kinds)
        self._set("reopened", "reopenings" in epoch.kinds)
        self._make("late_documents")
        self._show("settings_known")
        self._build(SETTINGS)
        self._find_transfers()
        self._find_in_flight(epoch)
        return self._play_documents() + self._play_transfers()

    def tidy(self) -> None:
        """Drop what only the replay needed."""
        for key in (DOCUMENTS, VERSIONS):
            self._connection.execute(f"drop table if exists {key}")
        for name in sorted(self._made):
            self._connection.execute(f"drop table if exists {name}")

    def _play_documents(self) -> int:
        self._make("epoch_group_touches", as_="touches")
        self._make("waves")
        self._make("epoch_versions")
        # The first wave is played without documents too: it has the opening balances.
        count = max(self._count_waves(), 1)
        for wave in range(1, count + 1):
            self._set("wave", wave)
            self._make("group_scope", as_="scope")
            self._show("group_versions")
            self._build(_document_tables())
        return count

    def _play_transfers(self) -> int:
        self._make("epoch_transfer_touches", as_="touches")
        self._make("waves")
        count = self._count_waves()
        for wave in range(1, count + 1):
            self._set("wave", wave)
            self._make("transfer_scope", as_="scope")
            self._show("transfer_versions", all_versions=True)
            self._build((*READ_BY_TRANSFERS, TRANSFERS, *_journal_tables()))
        return count

    def _find_transfers(self) -> None:
        """Note which transfers this epoch's versions of payments and receipts belong to."""
        self._show("new_transfer_versions", all_versions=True)
        self._build(READ_BY_TRANSFERS[:2])
        rows = (
            "select transfer_id, 'payments' as list, payment_id as id, version "
            "from staging.payments union all select transfer_id, 'received_payments', "
            "received_payment_id, version from staging.received_payments"
        )
        if "replay_transfers" in self._made:
            self._connection.execute(f"insert into replay_transfers {rows}")
        else:
            self._execute_as("replay_transfers", rows)

    def _find_in_flight(self, epoch: Epoch) -> None:
        """Build what was in flight when the books begin, of all documents, where it may differ.

        Any batch that changes what it consists of is a turning point, so it holds for the epoch.
        """
        begin = self._rows("select books_begin_on from staging.policies")[0][0]
        if begin is None:
            self._build((IN_FLIGHT,))
        elif epoch.kinds - {"closes", "reopenings"}:
            self._show("epoch_documents")
            needed = (load_transforms()[key] for key in with_ancestors((IN_FLIGHT,)))
            without = {DOCUMENTS, VERSIONS, *SETTINGS}
            self._build(t.key for t in in_build_order(needed) if t.key not in without)

    def _group_nodes(self) -> None:
        """Make ``group_of_node``: the number of each node's connected component."""
        import numpy as np
        import pyarrow as pa
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        edges = self._connection.execute("from replay_edges").fetchnumpy()
        size = int(self._rows("select count(*) from replay_nodes")[0][0])
        ones = np.ones(len(edges["here"]), dtype=np.int8)
        graph = coo_array((ones, (edges["here"], edges["there"])), shape=(size, size))
        _, groups = connected_components(graph, directed=False)
        numbered = pa.table({"node": np.arange(size), "group_no": groups.astype(np.int64)})
        self._connection.register("numbered", numbered)
        self._execute_as("group_of_node", "select * from numbered")
        self._connection.unregister("numbered")

    def _show(self, name: str, *, all_versions: bool = False) -> None:
        """Let the staging SQL see the versions of ``name``; the latest of each, or all of them."""
        columns = "list, id, version, seen_at, updated_at, is_archived, document, known_at"
        self._connection.execute(
            f"create or replace table {VERSIONS} as select {columns} from ({_read(name)})"
        )
        latest = f"from {VERSIONS}" if all_versions else load_transforms()[DOCUMENTS].sql
        self._connection.execute(f"create or replace table {DOCUMENTS} as {latest}")
        self._lists = {row[0] for row in self._rows(f"select distinct list from {DOCUMENTS}")}

    def _build(self, keys: Iterable[str]) -> None:
        for key in keys:
            transform = load_transforms()[key]
            # Most waves have documents of few lists: what was empty and stays so is left alone.
            is_empty = comes_out_empty(transform, self._is_empty)
            if is_empty and (key in self._empty or transform.materialize == "append"):
                continue
            sql = self._sql(transform)
            if transform.materialize == "append":
                self._connection.execute(f"insert into {key} by name {sql}")
                continue
            count = 0
            if key in _temporary_names():
                create = f"create or replace temp table {_temporary_names()[key]} as {sql}"
                self._made.add(_temporary_names()[key])
                (count,) = self._connection.execute(create).fetchone() or (0,)
            elif not (is_empty and make_empty(self._connection, transform)):
                create = f"create or replace table {key} as {sql}"
                (count,) = self._connection.execute(create).fetchone() or (0,)
            self._built.add(key)
            (self._empty.discard if count else self._empty.add)(key)

    def _sql(self, transform: Transform) -> str:
        """The SQL of ``transform`` over the tables of this wave."""
        names = {k: n for k, n in _temporary_names().items() if n in self._made}
        return with_names(_narrowed(transform), names)

    def _is_empty(self, table: str, lists: Sequence[str] = ()) -> bool:
        """Whether ``table`` has no rows as this wave made it, of ``lists`` where it is shown."""
        if table in (DOCUMENTS, VERSIONS):
            return self._lists.isdisjoint(lists) if lists else not self._lists
        if table in self._built:
            return table in self._empty
        return not self._rows(f"select 1 from {table} limit 1")

    def _count_waves(self) -> int:
        return int(self._rows("select coalesce(max(wave), 0) from replay_waves")[0][0])

    def _make(self, name: str, as_: str | None = None) -> None:
        self._execute_as(f"replay_{as_ or name}", _read(name))

    def _execute_as(self, table: str, sql: str) -> None:
        self._connection.execute(f"create or replace temp table {table} as {sql}")
        self._made.add(table)

    def _set(self, name: str, value: int | bool) -> None:
        self._connection.execute(f"set variable {name} = {str(value).lower()}")

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql).fetchall()


@cache
def _read(name: str) -> str:
    return (FOLDER / "replay" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def _document_tables() -> tuple[str, ...]:
    """Every table between the archive and the journal but settings and transfers, in order."""
    without = {DOCUMENTS, VERSIONS, TRANSFERS, IN_FLIGHT, *SETTINGS}
    needed = (load_transforms()[key] for key in with_ancestors(JOURNAL) - without)
    return tuple(transform.key for transform in in_build_order(needed))


@cache
def _temporary_names() -> dict[str, str]:
    """What views, and tables of the moment, are called while a wave's rows stand in them."""
    built = (load_transforms()[key] for key in (*_document_tables(), IN_FLIGHT, TRANSFERS))
    kinds = ("view", "temporary")
    return {t.key: temporary_name(t.key, "replayed") for t in built if t.materialize in kinds}


def _journal_tables() -> tuple[str, ...]:
    """From all postings on: what is compared with the journal and what is added to it."""
    ordered = _document_tables()
    names = {
        "postings_in_full", "postings", "lines_active", "lines_expected", "events_changed",
        "entries_new", "entry_causes",
    }  # fmt: skip
    wanted = {f"ledger.{name}" for name in names} | set(JOURNAL)
    return tuple(key for key in ordered if key in wanted)


def _narrowed(transform: Transform) -> str:
    """The transform's own SQL, of this wave's documents only and each posted at its moment."""
    using = "using (document_type, document_id)"
    if transform.key in ("ledger.postings", "ledger.lines_active"):
        return f"select * from ({transform.sql}) as all_of_them semi join replay_scope {using}"
    if transform.key == "ledger.entries_new":
        return (
            "select new.* replace (scope.as_of as posted_at) "
            f"from ({transform.sql}) as new inner join replay_scope as scope {using}"
        )
    return transform.sql
