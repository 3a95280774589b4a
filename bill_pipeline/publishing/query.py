"""Query the published ledger: open it for reading and nothing else, run SQL, explain errors.

Read-only is enforced by DuckDB (the file is opened read-only, only the published folder can be
read, the configuration is locked) and by looking at each statement first: writing files is the
business of ``--output``, not of SQL. How answers are printed is in ``publishing/output.py``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import duckdb

from bill_pipeline.errors import PipelineError
from bill_pipeline.publishing.ledger_store import LedgerStore
from bill_pipeline.publishing.stores import store_of
from bill_pipeline.publishing.tables import quoted
from bill_pipeline.runtime.machine import is_damaged, machine_error
from bill_pipeline.runtime.private_folder import PrivateFolder
from bill_pipeline.settings import Home

#: What a statement may be. CREATE is needed for pivots and temporary views; in a file opened
#: read-only DuckDB allows nothing but temporary ones.
_ALLOWED = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.CREATE,
    duckdb.StatementType.DROP,
    duckdb.StatementType.SET,
}
#: Of EXPLAIN's options only plain words: what stands in a comment there is no option.
_EXPLAIN = re.compile(
    r"\s*explain\s+(analyze\s+)?(\(\s*\w+(\s+\w+)?(\s*,\s*\w+(\s+\w+)?)*\s*\))?", re.IGNORECASE
)
#: DuckDB's functions that make rows, or tell of the tables, files and settings that one may read.
#: Others that stand where a table does act: they write logs and profiles, or run a hidden text.
_READS = re.compile(
    r"read_\w+|parquet_\w+|duckdb_\w+|pragma_\w+|json_(each|tree)|range|generate_series|unnest|"
    r"repeat(_row)?|glob|query_table|sniff_csv|summary|test_\w+|icu_calendar_names|pg_timezone_names"
)
_NAME = re.compile(rb'"((?:[^"]|"")*)"|\w+')
_PUBLISHED_FILE = re.compile(r"client=([a-z0-9_-]+)/[^/]*\.parquet")
_COMMENTS = re.compile(r"\A(\s+|--[^\n]*(\n|\Z)|/\*.*?\*/)+", re.DOTALL)


class QueryError(PipelineError):
    """The question cannot be answered; the message says why and what to do."""


class NothingPublished(QueryError):
    """The home has no ledger yet."""

    def __init__(self, store: LedgerStore) -> None:
        super().__init__(
            f"There is no published ledger at {store.where} yet. `bill-pipeline sync --all` brings "
            "the books up to date and publishes them; `bill-pipeline demo` makes invented ones."
        )


@contextlib.contextmanager
def open_ledger(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published ledger as it is now, strictly for reading.

    Never waits for a sync and never makes one wait. A home that was moved is put right first.
    Raises NothingPublished, and QueryError for whatever DuckDB raises until it is closed.
    """
    # Attached to a database of its own: opened directly, DuckDB would hand every caller in this
    # process the first one's, which sees the books as they were then.
    connection = duckdb.connect(":memory:")
    with attached_ledger(home, connection):
        yield connection


@contextlib.contextmanager
def attached_ledger(home: Home, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Make ``connection``, to a database in memory, read the published ledger and nothing else.

    It is closed in the end. Raises as ``open_ledger`` does.
    """
    with PrivateFolder() as spilled, connection:
        store = store_of(home)
        if not store.exists():
            raise NothingPublished(store)
        try:
            _attach(store, connection, spilled)
        except duckdb.Error as error:
            raise QueryError(_opening_failed(store, error)) from error
        with errors_explained():
            yield


def _attach(store: LedgerStore, connection: duckdb.DuckDBPyConnection, spilled: str) -> None:
    for setting in (
        # Its progress bar goes to standard output, into the answer.
        "enable_progress_bar = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        f"temp_directory = {quoted(spilled)}",
    ):
        connection.execute(f"set {setting}")
    store.attach(connection)
    folders = ", ".join(quoted(folder) for folder in store.readable_folders())
    for setting in (
        f"allowed_directories = [{folders}]",
        "enable_external_access = false",
        "TimeZone = 'UTC'",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")


def run(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, str] | None = None
) -> duckdb.DuckDBPyConnection:
    """Run every statement of ``sql``; the last one's answer can be fetched from what is returned.

    ``parameters`` stand for ``$name`` and are read by DuckDB as what the place needs: a date, a
    number, a text. Raises QueryError.
    """
    with errors_explained():
        statements = duckdb.extract_statements(sql)
        if not statements:
            raise QueryError("There is no question in that text: it has no SQL statement.")
        # CREATE TEMP VIEW, SET and the like may come first; an answer that nobody sees may not.
        if any(s.type == duckdb.StatementType.SELECT for s in statements[:-1]):
            raise QueryError("Ask one question at a time: only the last answer would be shown.")
        for statement in statements:
            _require_reading(statement.type, statement.query)
        _require_readers(connection, sql)
        given = dict(parameters or {})
        for statement in statements:
            wanted = {name: given[name] for name in statement.named_parameters if name in given}
            if missing := set(statement.named_parameters) - set(given):
                raise QueryError(
                    f"The SQL needs a value for {', '.join(f'${name}' for name in sorted(missing))}"
                    f": add --param {min(missing)}=VALUE."
                )
            connection.execute(statement, wanted or None)
    return connection


@contextlib.contextmanager
def errors_explained() -> Iterator[None]:
    """DuckDB's errors inside the block become QueryError; fetching can raise them, too."""
    try:
        yield
    except (duckdb.Error, UnicodeDecodeError) as error:
        raise QueryError(_explained(error)) from error


def _require_reading(kind: duckdb.StatementType, sql: str) -> None:
    if kind == duckdb.StatementType.EXPLAIN:
        # EXPLAIN ANALYZE runs what it explains.
        inner = _EXPLAIN.sub("", _COMMENTS.sub("", sql), count=1)
        for statement in duckdb.extract_statements(inner):
            if statement.type != duckdb.StatementType.SELECT:
                raise _refusal(statement.type)
    elif kind not in _ALLOWED:
        raise _refusal(kind)


def _require_readers(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raises QueryError where ``sql`` calls a function of DuckDB's that acts instead of reading."""
    called = set(_called(sql))
    placeholders = ", ".join("?" * len(called)) or "null"
    found = connection.execute(
        "select distinct function_name from duckdb_functions() where internal "
        f"and function_name in ({placeholders}) and function_type = 'table'",
        sorted(called),
    ).fetchall()
    for (name,) in found:
        if not _READS.fullmatch(name):
            raise QueryError(f"{name}() is refused: it does more than read the ledger.")


def _called(sql: str) -> Iterator[str]:
    """The names in ``sql`` before an opening parenthesis; comments and texts hold none."""
    text = sql.encode()  # DuckDB counts bytes
    starts = [start for start, _kind in duckdb.tokenize(sql)]
    for start, following in pairwise(starts):
        name = _NAME.match(text, start)
        if name and text.startswith(b"(", following):
            yield (name[1] or name[0]).decode().replace('""', '"').lower()


def _refusal(kind: duckdb.StatementType) -> QueryError:
    return QueryError(
        f"{kind.name} is refused: the ledger is read-only, and only the published files can be "
        "read. To write an answer to a file, use --format csv|json|parquet with -o FILE."
    )


def _explained(error: duckdb.Error | UnicodeDecodeError) -> str:
    message = str(error)
    if said := machine_error(error) if not is_damaged(error) else None:
        return f"{message}\n{said}"
    if found := _PUBLISHED_FILE.search(message):
        return (
            f"{message}\nThe connection is older than the time that replaced books are kept, or "
            "the file was damaged. Open the ledger again; if that does not help, run "
            f"`bill-pipeline publish {found[1]}`: it writes the client's tables anew."
        )
    if _is_of_a_damaged_file(error):
        return (
            f"{message}\nA published file was damaged. Run `bill-pipeline publish --all`: it "
            "writes every client's tables anew."
        )
    if isinstance(error, duckdb.CatalogException) and "Table with name" in message:
        return f"{message}\n`show tables` lists what there is; docs/schema.md says what it means."
    return message


def _is_of_a_damaged_file(error: duckdb.Error | UnicodeDecodeError) -> bool:
    """Whether DuckDB met what it never writes, and does not say in which file.

    It quotes the damaged bytes, and Python may not be able to read what it quotes.
    """
    return (
        type(error) in (duckdb.Error, UnicodeDecodeError, duckdb.InternalException)
        or "Invalid unicode" in str(error)
    )  # fmt: skip


def _opening_failed(store: LedgerStore, error: duckdb.Error) -> str:
    if "Could not set lock" in str(error):
        return (
            f"{store.where} is open for writing in another tool. Close it there and open it "
            f"read-only instead (docs/analysts.md says how). {error}"
        )
    if is_damaged(error) or isinstance(error, duckdb.CatalogException):
        return f"{damaged_ledger(store.where)} {error}"
    return f"{store.where} cannot be opened. {machine_error(error) or error}"


def damaged_ledger(where: str | Path) -> str:
    """What to do about a ledger that DuckDB cannot open."""
    if Path(where).is_dir():
        return (
            f"{where} is a folder where a file belongs. Move it away, then run `bill-pipeline "
            "publish`."
        )
    return (
        f"{where} is damaged. Run `bill-pipeline publish`: it is made anew from the clients' "
        "files, as by every sync."
    )


def read_sql(path: Path) -> str:
    """The SQL in a file. Raises QueryError when it cannot be read as text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"{path} cannot be read as SQL: {error}") from error
