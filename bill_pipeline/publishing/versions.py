"""One client's published tables as Parquet: write a new version, delete old ones.

A version is never changed after it is written and never read before the catalogue names it. What is
current is decided in ``catalogue``; files of a version that was never named, because its writer
died, are found by the note the writer left and deleted by the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb

from bill_pipeline.publishing.reuse_manifest import NOTHING_TO_REUSE, ReusableTable, ReuseManifest
from bill_pipeline.publishing.tables import (
    CLIENT_COLUMN,
    PublishedSchema,
    columns_by_table,
    identifier,
    quoted,
    stored_type,
)
from bill_pipeline.warehouse.built import read_build
from bill_pipeline.warehouse.unchanged import MEMORY, exact_states


@dataclass(frozen=True)
class WrittenTable:
    """One table of one version; ``columns`` are (name, type) as stored, without ``client``.

    ``shape`` is short for the columns: equal shapes, equal columns.
    """

    table: str
    shape: str
    columns: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, table: str, columns: Mapping[str, str]) -> WrittenTable:
        pairs = tuple(columns.items())
        shape = hashlib.sha256(repr(pairs).encode()).hexdigest()[:16]
        return cls(table, shape, pairs)


@dataclass(frozen=True)
class Layout:
    """The tables of a version; clients booked by the same code share one, and so its ``name``."""

    name: str
    tables: tuple[WrittenTable, ...] = field(compare=False)

    @classmethod
    def of(cls, tables: Sequence[WrittenTable]) -> Layout:
        text = repr([(table.table, table.shape) for table in tables])
        return cls(hashlib.sha256(text.encode()).hexdigest()[:16], tuple(tables))


NO_TABLES = Layout.of(())


@dataclass(frozen=True)
class Version:
    """One client's tables as they were when ``number`` was taken, all of the same moment.

    ``number`` begins with that time in UTC and so sorts by it; ``row_count`` is that of all tables.
    ``build`` is that of the books in the client's file then; None when nobody wrote it down.
    """

    client: str
    number: str
    layout: Layout = NO_TABLES
    row_count: int = 0
    build: str | None = None

    @property
    def tables(self) -> tuple[WrittenTable, ...]:
        return self.layout.tables


def file_of(published: Path, table: str, client: str, number: str) -> Path:
    return Path(version_path(str(published), table, client, number))


def version_path(published: str, table: str, client: str, number: str) -> str:
    """The same as text: a thousand clients have tens of thousands of files."""
    return f"{published}/{table}/{CLIENT_COLUMN}={client}/{number}.parquet"


def write_version(
    connection: duckdb.DuckDBPyConnection,
    client: str,
    number: str,
    schema: PublishedSchema,
    published: Path,
    *,
    last: ReuseManifest = NOTHING_TO_REUSE,
) -> tuple[Version, ReuseManifest]:
    """Write every published table that the client's file has, in one transaction.

    A table that is as it was in the ``last`` version is linked to that one's file. A table that the
    client's file lacks, because older code built it, is left out and has no rows of this client
    until it is built again.
    """
    written: list[WrittenTable] = []
    kept: dict[str, ReusableTable] = {}
    row_count = 0
    # A connection of its own on the same database: the caller's may be inside a transaction.
    with connection.cursor() as cursor:
        cursor.execute("set enable_progress_bar = false")
        cursor.execute("begin transaction")
        build = read_build(cursor)
        existing = columns_by_table(cursor)
        states = exact_states(cursor) if MEMORY in existing else {}
        for table in schema.tables:
            if table.source not in existing:
                continue
            columns = {
                name: stored_type(type_)
                for name, type_ in existing[table.source].items()
                if name != CLIENT_COLUMN
            }
            path = file_of(published, table.name, client, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            described = WrittenTable.of(table.name, columns)
            written.append(described)
            found, linked = states.get(table.source), None
            state = found and f"{described.shape} {found}"
            if state:
                old = file_of(published, table.name, client, last.number)
                linked = last.link(table.name, state, old, path)
            kept[table.name] = linked or ReusableTable.written(
                state, _write_table(cursor, table.source, client, columns, path), path
            )
            row_count += kept[table.name].row_count
        cursor.execute("commit")
    version = Version(client, number, Layout.of(written), row_count, build)
    return version, ReuseManifest(number, schema.code, kept)


def _write_table(
    cursor: duckdb.DuckDBPyConnection,
    source: str,
    client: str,
    columns: dict[str, str],
    path: Path,
) -> int:
    selected = "".join(
        f", {identifier(name)}::{type_} as {identifier(name)}" for name, type_ in columns.items()
    )
    row = cursor.execute(
        f"copy (select {quoted(client)} as {CLIENT_COLUMN}{selected} from {source}) "
        f"to {quoted(str(path))} (format parquet, compression zstd)"
    ).fetchone()
    return int(row[0]) if row else 0


class WriterNote:
    """Where a writer says, before each version, which one it is about to write.

    A file that is locked until it is closed or its writer dies. After a failure it stays, and the
    next writer cleans up what no catalogue names.
    """

    def __init__(self, published: Path) -> None:
        folder = published / ".writing"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{os.getpid()}-{secrets.token_hex(4)}"
        draft = folder / f".{name}"
        self._file = draft.open("w", encoding="utf-8")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        # Under its own name only now, so that nobody finds it before it is locked.
        self._path = draft.rename(folder / name)

    def add(self, client: str, number: str) -> None:
        os.write(self._file.fileno(), f"{client} {number}\n".encode())

    def take_back(self) -> None:
        """The catalogue names all of it: nothing is to be cleaned up."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go: what is not taken back the next writer cleans up."""
        self._file.close()


@contextlib.contextmanager
def writer_note(published: Path) -> Iterator[WriterNote]:
    """The note of one publication; taken back when it succeeds."""
    with contextlib.closing(WriterNote(published)) as note:
        yield note
        note.take_back()


@cache
def note_of_this_process(published: Path) -> WriterNote:
    """The note of what this process writes for others to publish: it ends with the process."""
    return WriterNote(published)


def dead_notes(published: Path) -> list[tuple[Path, list[tuple[str, str]]]]:
    """The notes of writers that died, and what each said it was writing."""
    return [(path, written) for path, written, is_alive in _notes(published) if not is_alive]


def being_written(published: Path) -> list[tuple[str, str]]:
    """The versions, as (client, number), of writers that live and will publish them."""
    living = (written for _, written, is_alive in _notes(published) if is_alive)
    return [each for written in living for each in written]


def _notes(published: Path) -> Iterator[tuple[Path, list[tuple[str, str]], bool]]:
    for path in sorted((published / ".writing").glob("[!.]*")):
        with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
            is_alive = False
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                is_alive = True
            lines = [line.split() for line in file.read().splitlines()]
            yield path, [(line[0], line[1]) for line in lines if len(line) == 2], is_alive


def is_there(published: Path, version: Version) -> bool:
    """Whether a version is not one of another day than the folder, which was put back from a
    backup: its files come and go together, so one is looked for.
    """
    return all(
        Path(version_path(str(published), each.table, version.client, version.number)).exists()
        for each in version.tables[:1]
    )


def is_whole(published: Path, version: Version, written: ReuseManifest = NOTHING_TO_REUSE) -> bool:
    """Whether every file of ``version`` is there and as it was ``written``.

    Of what is not known to be written it is only seen that it ends as Parquet does: a file that was
    cut off does not.
    """
    return all(
        _is_whole(
            version_path(str(published), each.table, version.client, version.number),
            written.tables.get(each.table),
        )
        for each in version.tables
    )


def _is_whole(path: str, written: ReusableTable | None) -> bool:
    try:
        if written:
            return written.is_as_written(path)
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - thousands of files
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 8, 0))
            end = file.read(8)
    except OSError:
        return False
    return end[4:] == b"PAR1" and int.from_bytes(end[:4], "little") + 12 <= size


def collect_abandoned(published: Path, named: set[tuple[str, str]]) -> int:
    """Delete the versions of dead writers that no catalogue ``named``; returns how many files.

    Call it while holding the catalogue's lock.
    """
    deleted = 0
    for path, written in dead_notes(published):
        deleted += delete_versions(published, [each for each in written if each not in named])
        path.unlink(missing_ok=True)
    return deleted


def delete_versions(published: Path, versions: Iterable[tuple[str, str]]) -> int:
    """Delete the files of ``(client, number)`` pairs in every table; returns how many."""
    wanted = list(versions)
    if not wanted:
        return 0
    tables = [folder for folder in published.iterdir() if not folder.name.startswith(".")]
    deleted = 0
    for client, number in wanted:
        for folder in tables:
            path = file_of(published, folder.name, client, number)
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                deleted += 1
    return deleted


def empty_versions(published: Path, versions: Iterable[tuple[str, str]]) -> None:
    """Put files without rows in place of those of ``(client, number)`` pairs, in every table.

    Who opened the ledger before still finds every file that it names: DuckDB looks for all of
    them, whichever client is asked for. A file that cannot be read is deleted.
    """
    with duckdb.connect() as db:
        for client, number in versions:
            for path in published.glob(f"*/{CLIENT_COLUMN}={client}/{number}.parquet"):
                draft = path.with_name(f".{path.name}.empty")
                rows = f"from read_parquet({quoted(str(path))}, hive_partitioning = false) limit 0"
                try:
                    db.execute(f"copy ({rows}) to {quoted(str(draft))} (format parquet)")
                except duckdb.Error:
                    draft.unlink(missing_ok=True)
                    path.unlink(missing_ok=True)
                else:
                    draft.replace(path)
