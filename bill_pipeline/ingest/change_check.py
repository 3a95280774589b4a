"""Ask BILL in a few requests whether a client has changes, without touching its file.

A sweep over a thousand clients cannot open a thousand databases, nor spend forty requests on each
client without news. After every import a small note beside dlt's folder says how far each list was
read, and how the client's file was left; the change check asks BILL for what is later than that.
Where the file is another one now (put back from a backup, or gone), the note counts for nothing. A
check that finds nothing proves little (BILL may change a document without moving its time), so
every client is still synced once a day.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.cursor import Cursor
from bill_pipeline.bill.lists import LISTS, POLLED, BillList
from bill_pipeline.bill.pages import Query, read_page

if TYPE_CHECKING:
    import duckdb

_FILE = "change_check.json"
# More documents of one moment than this, and the list is synced rather than checked.
_MOST_KNOWN = 500


@dataclass(frozen=True)
class _Note:
    """How far one list was read: what BILL must answer if nothing changed."""

    watermark: datetime | None
    known: dict[str, str]  # id → content hash of the documents at or behind the watermark
    shows_archived: bool | None
    has_archived_filter: bool | None
    has_time_filter: bool | None


def write_note(
    folder: Path,
    database: Path,
    connection: duckdb.DuckDBPyConnection,
    cursors: dict[str, Cursor],
    skipped: set[str],
) -> None:
    """Note for each polled list how far it was read; lists that may not be read are left out."""
    notes = {
        table: _note(connection, table, cursors[table])
        for table in POLLED
        if table not in skipped and cursors[table].completions
    }
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, {"file": _identity(database), "lists": notes})


@contextlib.contextmanager
def file_noted(folder: Path, database: Path) -> Iterator[None]:
    """For whoever opens ``database`` to write: after it the note is about the file as it is then.

    Unless it was about another file before and none was written, or the work failed midway.
    """
    before, file = _read(folder), _identity(database)
    is_of_this_file = bool(file) and before is not None and before.get("file") == file
    yield
    if is_of_this_file or _read(folder) != before:
        with contextlib.suppress(OSError):  # then the next sync reads all lists; the work is done
            note_file(folder, database)


def note_file(folder: Path, database: Path) -> None:
    """Note that ``database`` as it is now is the file of the last import: only its books changed.

    Called under the client's lock, when the file is closed.
    """
    stored = _read(folder)
    if stored is not None:
        _write(folder, {**stored, "file": _identity(database)})


def changed_lists(
    api: BillApi, folder: Path, database: Path, tables: Iterable[str] = POLLED
) -> list[str] | None:
    """Those of ``tables`` that changed since the last import.

    ``None`` when nobody knows how far the file was read: before its first import, or when it is
    another file than the last import left. Then all lists are to be read. One or two requests per
    table, and the file is not opened. Raises ``BillError``.
    """
    wanted = list(tables)
    notes = _read_notes(folder, database)
    if notes is None:
        return None
    archived_are_shown = any(note.shows_archived for note in notes.values())
    return [
        table
        for table in wanted
        if table in notes and _has_changed(api, table, notes[table], archived_are_shown)
    ]


def _note(connection: duckdb.DuckDBPyConnection, table: str, cursor: Cursor) -> dict[str, Any]:
    watermark = cursor.watermark
    known: list[tuple[Any, ...]] = []
    if watermark is not None:
        known = connection.execute(
            f"select id, content_hash from raw.{table} "
            "where not is_deleted and updated_at >= $1::timestamptz::timestamp limit $2",
            [watermark, _MOST_KNOWN],
        ).fetchall()
    return {
        "watermark": watermark,
        "known": dict(known),
        "shows_archived": cursor.shows_archived,
        "has_archived_filter": cursor.has_archived_filter,
        "has_time_filter": cursor.has_time_filter,
    }


def _identity(database: Path) -> list[int]:
    """What tells a file from a copy of another day, without opening it; empty where none is."""
    try:
        found = database.stat()
    except OSError:
        return []
    return [found.st_ino, found.st_size, found.st_mtime_ns]


def _write(folder: Path, stored: dict[str, Any]) -> None:
    new = folder / f"{_FILE}.new"
    new.write_bytes(orjson.dumps(stored, option=orjson.OPT_SORT_KEYS))
    new.replace(folder / _FILE)  # a check meanwhile reads the old note or the new one


def _read(folder: Path) -> dict[str, Any] | None:
    try:
        stored = orjson.loads((folder / _FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return stored if isinstance(stored, dict) else None


def _read_notes(folder: Path, database: Path) -> dict[str, _Note] | None:
    stored = _read(folder)
    if not stored or not stored.get("file") or stored["file"] != _identity(database):
        return None
    try:
        return {
            table: _Note(
                **{
                    **values,
                    "watermark": values["watermark"]
                    and datetime.fromisoformat(values["watermark"]),
                }
            )
            for table, values in stored["lists"].items()
        }
    except (TypeError, KeyError, AttributeError):
        return None  # a note of another version: sync


def _has_changed(api: BillApi, table: str, note: _Note, archived_are_shown: bool) -> bool:
    row = LISTS[table]
    if note.has_time_filter is False and note.watermark is not None:
        return True  # only reading it in full would tell
    try:
        return any(
            _finds_news(api, row, note, only_archived)
            for only_archived in _passes(row, note, archived_are_shown)
        )
    except errors.BillError as error:
        if not errors.refuses_list(error):
            raise
        return True  # it could be read before: the sync reports it


def _passes(row: BillList, note: _Note, archived_are_shown: bool) -> tuple[bool, ...]:
    """Archived documents need a question of their own unless the list is known to show them.

    Of a list that never had any, the organization's other lists tell, as they do to the sync that
    would read it (``bill.list_reader``): what only the check saw would be news for ever.
    """
    if row.has_archived_filter is False or note.has_archived_filter is False:
        return (False,)
    shows = archived_are_shown if note.shows_archived is None else note.shows_archived
    return (False,) if shows else (False, True)


def _finds_news(api: BillApi, row: BillList, note: _Note, only_archived: bool) -> bool:
    # What lies behind the watermark may fill some pages: documents from the future stay there.
    query = Query(updated_from=note.watermark, only_archived=only_archived)
    for _ in range(_MOST_KNOWN // row.rows_per_page):
        page = read_page(api, row, query)
        if any(note.known.get(d.id) != d.content_hash for d in page.documents):
            return True
        if not page.next_token:
            return False
        query = replace(query, token=page.next_token)
    return True
