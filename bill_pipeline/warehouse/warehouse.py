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
from dataclasses import dataclass
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
from bill_pipeline.warehouse.building import Building, touch_all
from bill_pipeline.warehouse.builds import all_built_at, forget_build
from bill_pipeline.warehouse.built import mark_built, note_build, read_build
from bill_pipeline.warehouse.checking import Checking
from bill_pipeline.warehouse.layer_report import LayerReport
from bill_pipeline.warehouse.scope import BuildScope, update_links
from bill_pipeline.warehouse.transforms import (
    SCHEMAS,
    STANDARD_CHART,
    Check,
    Transform,
    in_build_order,
    load_transforms,
)
from bill_pipeline.warehouse.unchanged import TableMemory

#: Columns of an append-only table that files of an earlier release hold with two decimals.
_THREE_DECIMALS = re.compile(r"(\w+) decimal\(18, 3\)")
#: Rows of a failed check that are kept for the report; the count is exact all the same.
OFFENDING_ROWS_SHOWN = 20


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
        self._scope: BuildScope | None = None
        self._building: Building
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
            self._scope = None  # its slices are rolled back as well
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
        scope = self._scope_of(as_of) if reuse and checked and only is None else None
        if scope is None and reuse:
            update_links(self.connection, as_of)  # for the next build
        if scope is None:
            for transform in [t for t in layer if t.materialize == "append"]:
                self._ensure_append_table(transform)
            if checked and only is None:
                self._drop_left_over(schema)
        memory = TableMemory(self.connection, as_of)
        self._building = Building(self.connection, memory, report, scope, self._comment)
        for transform in in_build_order(layer):
            if reuse and self._is_as_built(transform, memory):
                continue
            self._building.build(transform, is_checked=checked)
            for decided in decides:
                if decided.after == transform.key and decided.decide(self.connection, as_of):
                    memory.forget_counts()
                    if scope is not None:
                        scope.refresh()
                    for key in decided.build_again:
                        self._building.build(load_transforms()[key], is_checked=checked)
        if scope is None:
            self._scope = None
            touch_all(self.connection, report)
            if not checked:
                forget_build(self.connection, schema)
        if checked:
            checking = Checking(memory, scope, self.run_check, reuse=reuse and only is None)
            report.checks = checking.run_all(schema)
            report.checks_changed = memory.checks_changed
        memory.save()
        if any(transform.is_published for transform in layer):
            mark_built(self.connection)
        report.seconds = time.perf_counter() - started
        return report

    def _drop_left_over(self, schema: str) -> None:
        """Drop what an earlier release built in ``schema`` and this one does not, or otherwise."""
        found = self.connection.execute(
            "select table_name, if(table_type = 'VIEW', 'view', 'table') "
            "from information_schema.tables where table_schema = ?", [schema],
        ).fetchall()  # fmt: skip
        kinds = {"view": "view", "table": "table", "append": "table"}
        for name, kind in found:
            transform = load_transforms().get(f"{schema}.{name}")
            if transform is None or kinds.get(transform.materialize) != kind:
                self.connection.execute(f'drop {kind} {schema}."{name}"')

    def _scope_of(self, as_of: datetime) -> BuildScope | None:
        """What is to be built anew at ``as_of``; None: all of it."""
        scope, built_at = self._scope, all_built_at(self.connection, as_of)
        if built_at is None:
            return None
        if scope is None or (scope.built_at, scope.as_of) != (built_at, as_of):
            self._scope = scope = BuildScope(self.connection, built_at, as_of)
        scope.refresh()
        return scope

    @staticmethod
    def _is_as_built(transform: Transform, memory: TableMemory) -> bool:
        if transform.materialize in ("append", "temporary"):
            return False
        return memory.is_built_from(transform, memory.inputs_of(transform))

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

    def _comment(self, transform: Transform) -> None:
        """Put the words of the SQL file into DuckDB's catalogue.

        In one comment: a comment on each column takes longer than building most tables.
        """
        kind = "view" if transform.materialize == "view" else "table"
        columns = (f"{column.name}: {column.description}" for column in transform.columns)
        words = "\n".join((transform.summary, "", *columns))
        self.connection.execute(f"comment on {kind} {transform.key} is {_quoted(words)}")


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
