"""Everything that a folder of files says, for a search: compressed and encoded forms opened."""

from __future__ import annotations

import base64
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb


class ProcessList:
    """The arguments of every process that was seen while the product ran, as any user sees them."""

    def __init__(self) -> None:
        self.seen = b""
        self._is_over = threading.Event()

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _watch(self) -> None:
        known: set[bytes] = set()
        while not self._is_over.wait(0.1):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    known.add(path.read_bytes())
                except OSError:
                    continue  # it ended in the meantime
        self.seen = b"\n".join(known)


def forms_of(secret: str) -> set[bytes]:
    """The secret as it may stand in a file: plain, in UTF-16, hexadecimal, base64."""
    raw = secret.encode()
    # Base64 of a longer text holds the secret in one of three alignments; its edges are cut off.
    inner = {base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3)}
    return {raw, raw.hex().encode(), secret.encode("utf-16-le"), *inner}


def everything_in(folder: Path) -> dict[str, bytes]:
    """By path, the bytes of every file, and of what is packed inside it."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes() + b"\n" + _unpacked(path)
    return found


def _unpacked(path: Path) -> bytes:
    """The content of a file that stores it compressed, as text; nothing for other files."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return b"\n".join(book.read(name) for name in book.namelist())
    if path.suffix == ".parquet":
        with duckdb.connect() as database:
            return _text(database, f"from read_parquet('{path}')")
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as database:
            tables = database.execute(
                "select format('{}.{}', schema_name, table_name) from duckdb_tables()"
            ).fetchall()
            return b"\n".join(_text(database, f"from {name}") for (name,) in tables)
    if path.suffix in (".sqlite", ".db"):
        with closing(sqlite3.connect(path)) as database:
            return "\n".join(database.iterdump()).encode()
    return b""


def _text(database: duckdb.DuckDBPyConnection, sql: str) -> bytes:
    return repr(database.execute(sql).fetchall()).encode()
