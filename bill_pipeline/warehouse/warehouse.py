"""One client's DuckDB file: open it, build the tables of a layer in one transaction, check them.

The checks of a layer run inside the transaction that replaces its tables; ``pipeline/steps`` rolls
it back when an error-level check finds a row, so that the last good tables stay. No table is known
by name here: what the tables mean is in ``transforms/``, what is decided on the way and in which
order layers are built, in ``pipeline/steps``.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from bill_pipeline.amounts import to_cents
from bill_pipeline.decisions.tables import ensure_decisions
from bill_pipeline.errors import CheckResult
from bill_pipeline.ingest.document_versions import make_archive
from bill_pipeline.plain_text import add_functions
from bill_pipeline.registry.client_files import cannot_open, make_file
from bill_pipeline.registry.clients import Registry
from bill_pipeline.registry.whose_books import name_organization, require_own_books
from bill_pipeline.warehouse.built import mark_built, note_build, read_build
from bill_pipeline.warehouse.empty_tables import columns_of, comes_out_empty, make_empty
from bill_pipeline.warehouse.transforms import (
    SCHEMAS,
    STANDARD_CHART,
    Check,
    Transform,
    in_build_order,
    load_checks,
    load_transforms,
)
from bill_pipeline.warehouse.unchanged import TableMemory, state_of_rows

#: Columns of an append-only table that files of an earlier release hold with two decimals.
_THREE_DECIMALS = re.compile(r"(\w+) decimal\(18, 3\)")
#: Rows of a failed check that are kept for the report; the count is exact all the same.
OFFENDING_ROWS_SHOWN = 20


@dataclass
class LayerReport:
    """What building one layer did."""

    schema: str
    as_of: datetime
    rows: dict[str, int] = field(default_factory=dict)  # table key → rows it has now
    appended: dict[str, int] = field(default_factory=dict)  # append table key → rows it gained
    sums: dict[str, Decimal] = field(default_factory=dict)  # "table.column" → sum of money
    table_seconds: dict[str, float] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)  # tables with other rows than before
    checks_changed: set[str] = field(default_factory=set)  # checks that found more or less
    seconds: float = 0.0

    @property
    def failed(self) -> list[CheckResult]:
        return [check for check in self.checks if check.is_error]

    def add(self, later: LayerReport) -> None:
        """Take up what building the layer once more, after decisions, did."""
        self.rows |= later.rows
        self.appended |= later.appended
        self.sums |= later.sums
        self.table_seconds |= later.table_seconds
        self.checks = later.checks
        self.changed |= later.changed
        self.checks_changed |= later.checks_changed
        self.seconds += later.seconds


@dataclass(frozen=True)
class DecidedInSql:
    """What is decided from built tables, in the transaction that builds their layer.

    ``decide(connection, as_of)`` appends to ``decisions`` and returns how many rows.
    """

    decide: Callable[[duckdb.DuckDBPyConnection, datetime], int]
    #: The table of the layer after which it is decided; None: before the first.
    after: str | None = None
    #: Tables of the layer that stand by then and read the decision.
    build_again: tuple[str, ...] = ()


class _Tried(Exception):
    """Ends the transaction of a trial."""


class Warehouse:
    """An open client file. Use as a context manager; closing is never forgotten."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, client: str) -> None:
        self.connection = connection
        self.client = client
        self._is_in_transaction = False
        ensure_schema(connection)

    @classmethod
    @contextlib.contextmanager
    def open(
        cls, registry: Registry, client: str, *, new_file: bool = False
    ) -> Iterator[Warehouse]:
        """The client's file, for writing; a connected client's says from then on whose it is.

        It is made for a client that never had one, and for any with a ``new_file``. Raises
        WarehouseError when another process has it, the file is damaged or the machine refuses,
        BooksMissing when the file was lost, ForeignBooks when it is another organization's.
        """
        from bill_pipeline.ingest.change_check import (
            file_noted,  # who only publishes asks BILL nothing
        )

        home = registry.home
        path = home.client_file(client)
        if not new_file:
            registry.require_file(client)
        path.parent.mkdir(parents=True, exist_ok=True)
        organization = registry.organization_of(client)
        with (
            file_noted(home.dlt_folder(client), path),
            cls.at(path, client, organization=organization) as warehouse,
        ):
            yield warehouse
            build = read_build(warehouse.connection)
        note_build(home, client, build)

    @classmethod
    @contextlib.contextmanager
    def at(
        cls, path: Path | str, client: str, *, organization: str | None = None
    ) -> Iterator[Warehouse]:
        """The DuckDB file at ``path`` (``:memory:`` in tests) as ``client``'s books.

        With an ``organization`` nothing is written into another one's: raises ForeignBooks.
        """
        try:
            make_file(path)
            connection = duckdb.connect(str(path))
        except (duckdb.Error, OSError) as error:
            raise cannot_open(client, path, error) from error
        try:
            require_own_books(connection, client, path, organization)
            warehouse = cls(connection, client)
            if organization:
                name_organization(connection, organization, datetime.now(UTC))
            yield warehouse
        finally:
            connection.close()

    def end_reading(self) -> None:
        """End whatever result was not read to its end.

        It would keep its transaction open, and what an import loads meanwhile could not be written
        into the file's pages.
        """
        self.connection.execute("select 1").fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: rolls back on any exception. Within another one it is a part of that."""
        if self._is_in_transaction:
            yield
            return
        self.connection.execute("begin transaction")
        self._is_in_transaction = True
        try:
            yield
            self.connection.execute("commit")
        except BaseException:
            # Where committing failed or was interrupted, DuckDB has ended the transaction itself.
            with contextlib.suppress(duckdb.TransactionException):
                self.connection.execute("rollback")
            raise
        finally:
            self._is_in_transaction = False

    @contextlib.contextmanager
    def trial(self) -> Iterator[None]:
        """Nothing written inside is kept. Within a transaction there is none: DuckDB cannot."""
        assert not self._is_in_transaction  # noqa: S101 - what was tried would be kept
        with contextlib.suppress(_Tried), self.transaction():
            yield
            raise _Tried

    def build_tables(
        self,
        schema: str,
        as_of: datetime,
        *,
        checked: bool = True,
        only: Collection[str] | None = None,
        reuse: bool = False,
        decides: Sequence[DecidedInSql] = (),
    ) -> LayerReport:
        """Build the tables of ``schema`` inside the caller's transaction; checks report only.

        Not ``checked`` leaves out checks, comments and counts; ``only`` names the tables to build;
        ``reuse`` keeps tables that would come out the same; ``decides`` is decided meanwhile.
        """
        started = time.perf_counter()
        self.set_time(as_of)
        for decided in decides:
            if decided.after is None:
                decided.decide(self.connection, as_of)
        report = LayerReport(schema, as_of)
        layer = [
            transform
            for transform in load_transforms().values()
            if transform.schema == schema and (only is None or transform.key in only)
        ]
        self.connection.execute(f"create schema if not exists {schema}")
        for transform in [t for t in layer if t.materialize == "append"]:
            self._ensure_append_table(transform)
        memory = TableMemory(self.connection, as_of)
        for transform in in_build_order(layer):
            if (
                reuse
                and transform.materialize != "append"
                and memory.is_built_from(transform, memory.inputs_of(transform))
            ):
                continue
            self._build_one(transform, memory, report, checked=checked)
            for decided in decides:
                if decided.after == transform.key and decided.decide(self.connection, as_of):
                    for key in decided.build_again:
                        self._build_one(load_transforms()[key], memory, report, checked=checked)
        memory.save()
        if checked and only is None:
            self._drop_left_over(schema)
        if any(transform.is_published for transform in layer):
            mark_built(self.connection)
        if checked:
            report.checks = [self.run_check(c) for c in load_checks().values()
                             if c.table.split(".")[0] == schema]  # fmt: skip
            found = {check.name: check.row_count for check in report.checks}
            report.checks_changed = memory.note_checks(found)
        report.seconds = time.perf_counter() - started
        return report

    def _drop_left_over(self, schema: str) -> None:
        """Drop what an earlier release built in ``schema`` under a name that is no table's now."""
        found = self.connection.execute(
            "select table_name, if(table_type = 'VIEW', 'view', 'table') "
            "from information_schema.tables where table_schema = ?", [schema],
        ).fetchall()  # fmt: skip
        for name, kind in found:
            if f"{schema}.{name}" not in load_transforms():
                self.connection.execute(f'drop {kind} {schema}."{name}"')

    def _build_one(
        self, transform: Transform, memory: TableMemory, report: LayerReport, *, checked: bool
    ) -> None:
        """Build one table, and remember what it was made from when it is ``checked``."""
        inputs = memory.inputs_of(transform)
        count = self._build(transform, memory, report)
        if not checked:
            memory.forget(transform)
            return
        before = memory.state_of(transform)
        state = self._summarize(transform, report, is_empty=count == 0)
        if state != before:
            report.changed.add(transform.key)
        memory.remember(transform, inputs, state)
        self._comment(transform)

    def run_check(self, check: Check) -> CheckResult:
        """Run one check on the tables as they are now."""
        result = self.connection.execute(check.sql)
        columns = [column[0] for column in result.description]
        rows = result.fetchall()
        shown = tuple(
            {name: _written(value) for name, value in zip(columns, row, strict=True)}
            for row in rows[:OFFENDING_ROWS_SHOWN]
        )
        return CheckResult(check.name, check.table, check.severity, check.summary, len(rows), shown)

    def set_time(self, as_of: datetime) -> None:
        """Set the variables that SQL files read instead of a clock."""
        moment = as_of.replace(tzinfo=None).isoformat(sep=" ")
        for statement in (
            f"set variable as_of = timestamp '{moment}'",
            f"set variable report_date = date '{as_of.date().isoformat()}'",
            f"set variable standard_chart = {_quoted(str(STANDARD_CHART))}",
        ):
            self.connection.execute(statement)
        for name in ("known_at", "period_start", "period_end", "age_by"):
            self.connection.execute(f"reset variable {name}")

    def _ensure_append_table(self, transform: Transform) -> None:
        path = transform.path.with_suffix(".ddl")
        ddl = path.read_text(encoding="utf-8")
        self.connection.execute(ddl)
        for column in _THREE_DECIMALS.findall(ddl):
            widen(self.connection, transform.schema, transform.name, column)

    def _build(self, transform: Transform, memory: TableMemory, report: LayerReport) -> int | None:
        """Build one table; returns its rows, or those it gained, and of a view None."""
        started = time.perf_counter()
        key, count = transform.key, None
        is_empty = self._comes_out_empty(transform, memory)
        if transform.materialize == "view":
            self.connection.execute(f"create or replace view {key} as {transform.sql}")
        elif transform.materialize == "append":
            count = 0 if is_empty else self._count(f"insert into {key} by name {transform.sql}")
            report.appended[key] = count
        elif is_empty and make_empty(self.connection, transform):
            count = 0
        else:
            count = self._count(f"create or replace table {key} as {transform.sql}")
            if is_empty:
                columns_of(self.connection, transform)
        if transform.materialize == "table":
            memory.note_rows(transform, count or 0)
        report.table_seconds[key] = time.perf_counter() - started
        return count

    def _comes_out_empty(self, transform: Transform, memory: TableMemory) -> bool:
        return comes_out_empty(transform, memory.is_empty)

    def _count(self, statement: str) -> int:
        """How many rows ``statement`` wrote."""
        row = self.connection.execute(statement).fetchone()
        return row[0] if row else 0

    def _comment(self, transform: Transform) -> None:
        """Put the words of the SQL file into DuckDB's catalogue.

        In one comment: a comment on each column takes longer than building most tables.
        """
        kind = "view" if transform.materialize == "view" else "table"
        columns = (f"{column.name}: {column.description}" for column in transform.columns)
        words = "\n".join((transform.summary, "", *columns))
        self.connection.execute(f"comment on {kind} {transform.key} is {_quoted(words)}")

    def _summarize(self, transform: Transform, report: LayerReport, *, is_empty: bool) -> str:
        """Put the table's counts and sums into ``report``; returns its state, for ``unchanged``."""
        columns = columns_of(self.connection, transform)
        money = [name for name, kind in columns if kind in ("DECIMAL(18,2)", "DECIMAL(18,3)")]
        # Rows added are the whole change of an append-only table; nobody reads a view's state.
        is_hashed = transform.materialize == "table"
        if is_empty and is_hashed:
            row: Any = (0, *(None for _ in money), 0)
        else:
            sums = "".join(f", sum({name})" for name in money)
            state = ", sum(hash(t)::hugeint)" if is_hashed else ""
            rows = transform.key
            if moment := transform.moment:
                rows = f"(select * replace ({moment}::date as {moment}) from {rows})"
            row = self.connection.execute(
                f"select count(*){sums}{state} from {rows} as t"
            ).fetchone()
        report.rows[transform.key] = row[0]
        for name, total in zip(money, row[1:], strict=False):
            report.sums[f"{transform.key}.{name}"] = total or Decimal(0)
        hashes = (row[-1] or 0) if is_hashed else None
        return state_of_rows(row[0], hashes, is_exact=not transform.moment)


def widen(connection: duckdb.DuckDBPyConnection, schema: str, table: str, column: str) -> None:
    """Let ``column`` of a file made by an earlier release hold amounts of three decimals."""
    found = connection.execute(
        "select 1 from duckdb_columns() where database_name = current_database() "
        "and schema_name = ? and table_name = ? and column_name = ? "
        "and data_type = 'DECIMAL(18,2)'",
        [schema, table, column],
    ).fetchone()
    if found:
        connection.execute(f"alter table {schema}.{table} alter {column} type decimal(18, 3)")


def ensure_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what SQL files rely on: schemas, the archive's table, decisions, shared functions."""
    connection.execute("set TimeZone = 'UTC'")
    make_archive(connection)
    ensure_decisions(connection)
    widen(connection, "decisions", "write_offs", "amount")
    for schema in SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    add_functions(connection)


def _written(value: Any) -> str:
    return str(to_cents(value)) if isinstance(value, Decimal) else str(value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
