"""Write the answer to a question as a table for people, or as CSV, JSON or Parquet.

Amounts keep every digit in every format: they are never turned into binary fractions.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import duckdb

from bill_pipeline.amounts import to_cents

#: Rows fetched at a time, so that a long answer does not have to fit into memory.
BATCH = 10_000
#: Rows of the table format; more than anyone reads, and a terminal can still scroll through them.
TABLE_ROWS = 500
#: Width of a table that does not go to a terminal.
WIDE = 100_000


def write_table(result: duckdb.DuckDBPyConnection, out: TextIO, *, rows: int = TABLE_ROWS) -> None:
    """Columns in line, numbers to the right with thousands separators, then the row count."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name, type_ in _columns(result):
        is_number = str(type_).startswith(("DECIMAL", "DOUBLE", "FLOAT")) or "INT" in str(type_)
        table.add_column(
            Text(name), justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    fetched = result.fetchmany(rows + 1)
    for row in fetched[:rows]:
        table.add_row(*(Text(_shown(value)) for value in row))
    is_terminal = out.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else WIDE
    console = Console(file=out, width=width, color_system=None, highlight=False)
    console.print(table, soft_wrap=False)
    if len(fetched) > rows:
        out.write(f"(the first {rows:,} rows; --rows N shows more, --format csv all of them)\n")
    else:
        out.write(f"({len(fetched):,} {'row' if len(fetched) == 1 else 'rows'})\n")


def write_csv(result: duckdb.DuckDBPyConnection, out: TextIO) -> None:
    """RFC 4180 with a header; a missing value is an empty field."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(name for name, _ in _columns(result))
    for row in _rows(result):
        writer.writerow("" if value is None else _text(value) for value in row)


def write_json(result: duckdb.DuckDBPyConnection, out: TextIO) -> None:
    """One array of objects, a row a line; amounts are numbers with all their digits."""
    names = [json.dumps(name) for name, _ in _columns(result)]
    separator = "["
    for row in _rows(result):
        fields = ", ".join(f"{n}: {_json(v)}" for n, v in zip(names, row, strict=True))
        out.write(f"{separator}\n  {{{fields}}}")
        separator = ","
    out.write("[]\n" if separator == "[" else "\n]\n")


def write_parquet(result: duckdb.DuckDBPyConnection, out: BinaryIO) -> None:
    """Parquet with DuckDB's types."""
    import pyarrow.parquet as pq

    reader = result.to_arrow_reader(BATCH)
    with pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)


TEXT_FORMATS: dict[str, Callable[[duckdb.DuckDBPyConnection, TextIO], None]] = {
    "csv": write_csv,
    "json": write_json,
}


def write_file(result: duckdb.DuckDBPyConnection, path: Path, file_format: str) -> None:
    """Write the answer to ``path``, which has the whole of it or stays as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    try:
        if file_format == "parquet":
            with draft.open("wb") as binary:
                write_parquet(result, binary)
        else:
            write = TEXT_FORMATS.get(file_format, write_table)
            with draft.open("w", encoding="utf-8", newline="") as text:
                write(result, text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _columns(result: duckdb.DuckDBPyConnection) -> list[tuple[str, Any]]:
    return [(column[0], column[1]) for column in result.description or []]


def _rows(result: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    return chain.from_iterable(iter(lambda: result.fetchmany(BATCH), []))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Decimal | int):
        return f"{to_cents(value):,f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{to_cents(value):f}"
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, dict | list):
        return json.dumps(value, default=_text, ensure_ascii=False)
    return str(value)


def _json(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{to_cents(value):f}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(k))}: {_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_json, value)) + "]"
    if (isinstance(value, float) and value != value) or value in (float("inf"), float("-inf")):
        return "null"  # JSON has no word for them
    if isinstance(value, date | time):
        return json.dumps(value.isoformat())
    return json.dumps(value, default=str, ensure_ascii=False)
