"""Hand over one client's books: a folder that needs nothing else and holds nothing of others.

``ledger.duckdb`` has the client's rows as tables, so it names no path and can be sent as one file;
``tables/`` has the same as Parquet for Excel, R and Python. Made from the published ledger, so it
can be made at any moment.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bill_pipeline.errors import PipelineError
from bill_pipeline.exports.parquet import published_tables, write_folder
from bill_pipeline.publishing.query import open_ledger
from bill_pipeline.publishing.tables import identifier, quoted
from bill_pipeline.registry.client_errors import UnknownClient
from bill_pipeline.settings import Home

_README = """\
The books of {client}, as of {as_of} UTC.

ledger.duckdb   every table in one file; opens in any DuckDB tool, read-only:
                  duckdb -readonly ledger.duckdb
                  import duckdb; duckdb.connect("ledger.duckdb", read_only=True)
tables/         the same tables as Parquet files, for Excel (Power Query), R, pandas and others

`show tables` lists the tables. `select * from duckdb_columns()` has what each column means.
Reports as of another day: from trial_balance_at('{client}', date '2026-03-31').
"""


class ShareRefused(PipelineError):
    """The folder cannot take a shared ledger."""


@dataclass(frozen=True)
class ShareReport:
    """What was handed over."""

    folder: Path
    tables: int
    rows: int


def write_share(home: Home, client: str, folder: Path) -> ShareReport:
    """Write ``client``'s books to ``folder``, replacing an earlier share of the same client.

    Raises UnknownClient, ShareRefused when ``folder`` holds anything else.
    """
    if folder.exists() and not _is_share_of(folder, client):
        raise ShareRefused(
            f"{folder} holds something else, perhaps another client's books: choose a new folder."
        )
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        with open_ledger(home) as ledger:
            report = _write(ledger, client, draft, folder)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return report


def _is_share_of(folder: Path, client: str) -> bool:
    names = {path.name for path in folder.iterdir()}
    if not names:
        return True
    if names != {"README.txt", "ledger.duckdb", "tables"}:
        return False
    with duckdb.connect(str(folder / "ledger.duckdb"), read_only=True) as db:
        return db.execute("select client from clients").fetchall() == [(client,)]


def _write(
    ledger: duckdb.DuckDBPyConnection, client: str, draft: Path, folder: Path
) -> ShareReport:
    found = ledger.execute(
        "select books_as_of from clients left join sync_status using (client) where client = ?",
        [client],
    ).fetchone()
    if found is None:
        raise UnknownClient(client)
    write_folder(ledger, client, draft / "tables")
    rows = 0
    with duckdb.connect(str(draft / "ledger.duckdb")) as db:
        db.execute("begin transaction")
        tables = published_tables(ledger)
        for table in tables:
            # Through Parquet of this client alone: not a byte of anybody else passes this file.
            source = quoted(str(draft / "tables" / f"{table}.parquet"))
            db.execute(f"create table {table} as from read_parquet({source})")
            counted = db.execute(f"select count(*) from {table}").fetchone()
            rows += counted[0] if counted else 0
        _copy_words(ledger, db)
        db.execute("commit")
    ledger_file = draft / "ledger.duckdb"
    ledger_file.chmod(ledger_file.stat().st_mode & 0o444)
    readme = _README.format(client=client, as_of=found[0])
    (draft / "README.txt").write_text(readme, encoding="utf-8")
    return ShareReport(folder, len(tables), rows)


def _copy_words(ledger: duckdb.DuckDBPyConnection, db: duckdb.DuckDBPyConnection) -> None:
    """The descriptions of tables and columns, and the macros for other days."""
    for table, column, words in ledger.execute(
        "select table_name, column_name, comment from duckdb_columns() "
        "where database_name = 'ledger' and schema_name = 'main' and comment is not null"
    ).fetchall():
        db.execute(f"comment on column {table}.{identifier(column)} is {quoted(words)}")
    for table, words in ledger.execute(
        "select view_name, comment from duckdb_views() where database_name = 'ledger' "
        "and schema_name = 'main' and comment is not null union all "
        "select table_name, comment from duckdb_tables() where database_name = 'ledger' "
        "and schema_name = 'main' and comment is not null"
    ).fetchall():
        db.execute(f"comment on table {table} is {quoted(words)}")
    for sql, name, words in ledger.execute(
        "select sql, name, summary from (select unnest(from_json(schema->'macros', "
        """'[{"sql": "VARCHAR", "name": "VARCHAR", "summary": "VARCHAR"}]'), recursive := true) """
        "from catalogue.home)"
    ).fetchall():
        db.execute(sql)
        db.execute(f"comment on macro table {name} is {quoted(words)}")
