"""Every published table of one client as a Parquet file, for Excel, R, Python and warehouses."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from bill_pipeline.errors import PipelineError
from bill_pipeline.registry.client_errors import UnknownClient


class FolderInUse(PipelineError):
    """The folder holds something else."""


def published_tables(ledger: duckdb.DuckDBPyConnection) -> list[str]:
    """The names of all tables and views that analysts see."""
    rows = ledger.execute(
        "select table_name from information_schema.tables where table_schema = 'main' "
        "and table_catalog = current_database() order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def write_folder(ledger: duckdb.DuckDBPyConnection, client: str, folder: Path) -> None:
    """Write ``<folder>/<table>.parquet`` for every table; the rows of ``client`` and no others.

    Raises UnknownClient, FolderInUse when ``folder`` holds anything but Parquet files.
    """
    import pyarrow.parquet as pq

    if ledger.execute("select 1 from clients where client = ?", [client]).fetchone() is None:
        raise UnknownClient(client)
    if folder.is_file():
        raise FolderInUse(f"{folder} is a file: choose a new or an empty folder.")
    if folder.exists() and any(p.suffix != ".parquet" for p in folder.iterdir()):
        raise FolderInUse(f"{folder} holds other files: choose a new or an empty folder.")
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    for table in published_tables(ledger):
        # In the order of all columns, so that the same books give the same bytes.
        reader = ledger.execute(
            f"select * from {table} where client = ? order by all", [client]
        ).to_arrow_reader()
        with pq.ParquetWriter(draft / f"{table}.parquet", reader.schema, compression="zstd") as out:
            for batch in reader:
                out.write_batch(batch)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)
