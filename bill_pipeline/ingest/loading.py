"""Bring a client's file up to date with BILL: read, load with dlt, archive every version.

The order of the steps is the whole content here. What to read and how is in ``bill``; where the
documents lie, in ``raw``; their history, in ``document_versions``. ``client_import`` calls this by
client.

An import that is killed continues where it was: each chunk of documents is stored together with
the state that says what comes next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from time import monotonic

from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.chunks import ListState
from bill_pipeline.bill.clock import clock_alarm, is_within
from bill_pipeline.bill.comparing import pages_by_list, requests_for_comparing
from bill_pipeline.bill.cursor import Cursor
from bill_pipeline.bill.documents import Stray
from bill_pipeline.bill.findings import Finding
from bill_pipeline.bill.import_run import DOCUMENTS_PER_CHUNK, RECENT, ImportRun
from bill_pipeline.bill.lists import BESIDE_THE_BOOKS, LISTS, BillList, lists_to_read
from bill_pipeline.ingest.change_check import note_file, write_note
from bill_pipeline.ingest.document_versions import (
    ArchiveReport,
    archive_documents,
    changed_in_silence,
    make_archive,
)
from bill_pipeline.ingest.loader import Loader
from bill_pipeline.ingest.missing_lists import note_refusals
from bill_pipeline.ingest.open_documents import open_documents
from bill_pipeline.ingest.progress import ProgressWatch, Watcher
from bill_pipeline.ingest.quarantine import (
    quarantined_counts,
    quarantined_ids,
    unreadable_ids,
    waiting_strays,
)
from bill_pipeline.ingest.raw import (
    StoredDocuments,
    begin_loading,
    count_documents,
    count_loads,
    make_raw_tables,
    open_client_file,
    put_into_pages,
    store_state,
    stored_state,
)
from bill_pipeline.ingest.shown_again import to_read_again
from bill_pipeline.registry.whose_books import require_own_books

#: What becomes of documents that BILL refuses, and what a person can do.
ASKED_AGAIN = (
    "each sync asks again; if it lasts, give the token's user permission to read them in BILL "
    "under Settings › Users"
)
# Documents that changed though their updatedTime did not, asked for once a day by id, per list.
SILENT_PER_DAY = 200
# Quarantined documents asked for again by each sync, per list.
QUARANTINED_PER_SYNC = 50
# Documents that BILL refused, asked for again by each sync, per list: six requests at most.
REFUSED_PER_SYNC = 50
#: Fewer documents than this wait in memory for the sync's end: writing them at once costs more.
DOCUMENTS_WORTH_PAGES = 1_000
# What is open and what is recent is compared with BILL once a day, by whoever syncs.
DAILY = timedelta(hours=20)


@dataclass
class ImportReport:
    """What one import did. Dictionaries are by list (raw table)."""

    client: str
    as_of: datetime
    documents: dict[str, int] = field(default_factory=dict)  # read from BILL
    pages: dict[str, int] = field(default_factory=dict)
    skipped_lists: dict[str, str] = field(default_factory=dict)  # list → why it was left out
    refuses_others: bool = False  # BILL refuses other lists than at the last import
    archive: ArchiveReport = field(default_factory=ArchiveReport)
    list_seconds: dict[str, float] = field(default_factory=dict)  # first request to last page
    found: dict[str, Finding] = field(default_factory=dict)  # what comparing with BILL found
    refused_documents: dict[str, int] = field(default_factory=dict)  # BILL refuses to show them
    compared_at: datetime | None = None  # all lists were compared whole with BILL then, or later
    clock_ahead: timedelta | None = None  # our clock of BILL's; None: BILL did not say its time
    clock_alarm: str | None = None  # what is to be said of that
    loads: int = 0  # dlt load packages
    requests: int = 0
    seconds: float = 0.0

    def add(self, more: ImportReport) -> None:
        """Add what a further import of the same sync did."""
        for mine, others in ((self.documents, more.documents), (self.pages, more.pages)):
            for table, count in others.items():
                mine[table] = mine.get(table, 0) + count
        for table, seconds in more.list_seconds.items():
            self.list_seconds[table] = self.list_seconds.get(table, 0.0) + seconds
        self.skipped_lists |= more.skipped_lists
        self.found |= more.found
        self.refused_documents, self.compared_at = more.refused_documents, more.compared_at
        self.clock_ahead, self.clock_alarm = more.clock_ahead, more.clock_alarm
        self.refuses_others |= more.refuses_others
        self.archive.add(more.archive)
        self.loads += more.loads
        self.requests += more.requests
        self.seconds += more.seconds

    @property
    def changed(self) -> int:
        """Versions added to the archive: zero means that the books stay as they are."""
        return self.archive.versions

    @property
    def lists_missing(self) -> list[str]:
        """Lists that were left out and that make the books incomplete."""
        return sorted(self.skipped_lists.keys() - BESIDE_THE_BOOKS)

    @property
    def what_is_missing(self) -> str:
        """The end of a sentence about this import, or nothing."""
        refused = sum(self.refused_documents.values())
        named = [*self.lists_missing, *([f"{refused:,} documents"] if refused else [])]
        missing = ", ".join(named)
        if not missing:
            return ""
        again = f" ({ASKED_AGAIN})" if refused else ""
        return f"; incomplete, because BILL does not let us read {missing}{again}"

    @property
    def quarantined(self) -> int:
        """Documents newly set aside."""
        return sum(self.archive.quarantined.values())


def load_lists(
    api: BillApi,
    *,
    database: Path,
    dlt_folder: Path,
    as_of: datetime,
    full: bool = False,
    since: date | None = None,
    tables: Iterable[str] | None = None,
    with_v2: bool = True,
    with_documents: bool = False,
    progress: Watcher | None = None,
    documents_per_chunk: int = DOCUMENTS_PER_CHUNK,
    requests_per_hour: float | None = None,
) -> ImportReport:
    """Bring ``database`` up to date with BILL; the versions found carry ``as_of`` (UTC).

    ``full`` reads every list from its beginning; ``since`` only what BILL changed from that day
    on; ``tables`` limits the lists of a file that holds them all. ``progress`` gets each page's
    figures, from several threads. ``requests_per_hour``, what the client may use of BILL, has all
    of its documents compared with BILL, a share of them now; see ``bill.comparing``. Nothing is
    written when nothing changed. Only one process may import a client at a time.

    Raises ``ForeignBooks`` before anything is read when ``database`` is another organization's, and
    ``BillError``: everything read until then is stored and is not read again, but nothing
    is archived, so the books stay as they were.
    """
    started = monotonic()
    report = ImportReport(api.client, as_of)
    with open_client_file(database) as connection:
        require_own_books(connection, api.client, database, api.connection.organization_id)
        make_raw_tables(connection)
        make_archive(connection)
        state, is_interrupted = stored_state(connection)
    rows = list(lists_to_read(with_v2=with_v2, with_documents=with_documents))
    if tables is not None and state:
        wanted = set(tables)
        rows = [row for row in rows if row.table in wanted]
    run = new_import_run(
        api,
        rows,
        state,
        StoredDocuments(database, is_interrupted=is_interrupted, is_doubted=full),
        database,
        full=full,
        since=since,
        requests_per_hour=requests_per_hour if tables is None else None,
    )
    run.on_page(watch := ProgressWatch(progress, partial(expected_pages, run, database, full)))
    strays: dict[str, list[Stray]] = {}
    loaded = _lists_to_archive(database, is_interrupted)
    loader = Loader(api.client, database, dlt_folder)
    try:
        _read_and_load(run, loader, database, state, report, strays, loaded, documents_per_chunk)
    finally:
        count_import_run(run, api, report, started)
        report.list_seconds = {table: step.seconds for table, step in watch.last.items()}
    if run.failure is not None:
        with open_client_file(
            database
        ) as connection:  # what has no id is never listed as changed again
            archive_documents(connection, as_of, client=api.client, tables=(), strays=strays)
        raise run.failure
    report.archive = _archive(database, api.client, as_of, strays, run.read_from, loaded)
    with open_client_file(database) as connection:
        report.refuses_others = note_refusals(
            connection, as_of, report.documents, report.skipped_lists
        )
        write_note(dlt_folder, database, connection, run.cursors, set(report.skipped_lists))
    note_file(dlt_folder, database)
    report.seconds = monotonic() - started
    return report


def new_import_run(
    api: BillApi,
    rows: list[BillList],
    state: ListState,
    known: StoredDocuments,
    database: Path,
    *,
    full: bool = False,
    since: date | None = None,
    requests_per_hour: float | None = None,
) -> ImportRun:
    now = datetime.fromtimestamp(api.clock.time(), UTC)
    is_daily, shares = False, dict[str, int]()
    if requests_per_hour is not None and state and not full and since is None:
        is_daily = not is_within(DAILY, state.get("daily_at"), now)
        shares = _shares(database, rows, state, requests_per_hour, now)
    run = ImportRun(
        api,
        rows,
        state,
        known,
        now=now,
        full=full,
        since=datetime.combine(since, time(), UTC) if since else None,
        is_daily=is_daily,
        shares=shares,
    )
    with open_client_file(database) as connection:
        run.read_again(quarantined_ids(connection, QUARANTINED_PER_SYNC))
        if known.is_interrupted:
            for row in LISTS.values():
                run.read_again({row.table: unreadable_ids(connection, row, QUARANTINED_PER_SYNC)})
    if is_daily:
        run.compare({table: list(ids) for table, ids in open_documents(database).items()})
        run.compare(to_read_again(api, database, rows, now))
        # A wrong answer to a question by id would stay until all is compared, up to a week.
        many_at_once = [row.table for row in rows if row.has_id_filter and row.can_be_missed]
        with open_client_file(database) as connection:
            run.compare(
                changed_in_silence(connection, many_at_once, now - RECENT, now, SILENT_PER_DAY)
            )
    if is_daily or full:
        run.compare(run.refused)
    # A refusal may have been of a moment, and no list need show the document again.
    run.read_again({table: ids[:REFUSED_PER_SYNC] for table, ids in run.refused.items()})
    return run


def _shares(
    database: Path, rows: list[BillList], state: ListState, per_hour: float, now: datetime
) -> dict[str, int]:
    """Pages by list that this import compares with BILL."""
    last = state.get("share_at")
    allowed = requests_for_comparing(per_hour, last and datetime.fromisoformat(last), now)
    lists = state.get("lists", {})
    cursors = {row.table: Cursor.stored(lists.get(row.table)) for row in rows}
    with open_client_file(database) as connection:
        return pages_by_list(
            rows, cursors, partial(count_documents, connection), allowed, per_hour, now
        )


def _read_and_load(
    run: ImportRun,
    loader: Loader,
    database: Path,
    last_state: ListState,
    report: ImportReport,
    strays: dict[str, list[Stray]],
    loaded: set[str],
    documents_per_chunk: int,
) -> None:
    """Store each chunk's documents, then the state behind them.

    A process that dies between the two reads the chunk again.
    """
    while True:
        chunk = run.next_chunk(documents_per_chunk)
        for table, found in chunk.strays.items():
            strays.setdefault(table, []).extend(found)
        if chunk.count:
            with open_client_file(database) as connection:
                begin_loading(connection)
            loader.load(chunk.documents)
            loaded.update(chunk.documents)
            report.loads += 1
        if chunk.state != last_state:
            with open_client_file(database) as connection:
                store_state(connection, chunk.state)
            last_state = chunk.state
        if chunk.count >= DOCUMENTS_WORTH_PAGES:
            put_into_pages(database)
        if chunk.is_last or run.failure is not None:
            return


def _lists_to_archive(database: Path, is_interrupted: bool) -> set[str]:
    """Lists to archive besides those that this import loads.

    What waits in quarantine may be readable by now; and what an earlier process loaded and did
    not archive may be in any list.
    """
    if is_interrupted:
        return set(LISTS)
    with open_client_file(database) as connection:
        return set(quarantined_counts(connection))


def _archive(
    database: Path,
    client: str,
    as_of: datetime,
    strays: dict[str, list[Stray]],
    read_from: Mapping[str, datetime | None],
    tables: Collection[str],
) -> ArchiveReport:
    """Archive what was loaded into ``tables`` since the last archiving."""
    with open_client_file(database) as connection:
        loads = count_loads(connection)
        if not stored_state(connection)[1] and not strays and not waiting_strays(connection):
            return ArchiveReport()
        return archive_documents(
            connection,
            as_of,
            client=client,
            tables=[table for table in LISTS if table in tables],
            strays=strays,
            read_from=read_from,
            loads=loads,
        )


def count_import_run(run: ImportRun, api: BillApi, report: ImportReport, started: float) -> None:
    for table, outcome in run.outcomes.items():
        report.documents[table] = outcome.documents
        report.pages[table] = outcome.pages
        if outcome.skipped:
            report.skipped_lists[table] = outcome.skipped
    report.found = run.found
    report.refused_documents = {table: len(ids) for table, ids in run.refused.items() if ids}
    compared = [
        cursor.compared_at
        for table, cursor in run.cursors.items()
        if table in LISTS and cursor.completions and table not in report.skipped_lists
    ]
    if compared and None not in compared:
        report.compared_at = datetime.fromisoformat(min(at for at in compared if at))
    report.requests = api.requests
    report.clock_ahead = api.clock_ahead
    # A look-alike on this machine lives in a time of its own.
    report.clock_alarm = None if api.connection.is_local else clock_alarm(api.clock_ahead)
    report.seconds = monotonic() - started


def expected_pages(
    run: ImportRun, database: Path, full: bool, table: str
) -> tuple[int | None, int | None]:
    """(documents, pages) that this import will read of a list, as far as anybody knows."""
    parents = _parents_to_read(run.cursors[table], table)
    if parents is None and not full:
        return None, None
    if parents is not None and parents >= 0:
        return None, parents
    with open_client_file(database) as connection:
        stored = count_documents(connection, LISTS[table].parent or table)
    return (stored, None) if parents is None else (None, stored)


def _parents_to_read(cursor: Cursor, table: str) -> int | None:
    """Parents left of a list that hangs below another, -1 for all; ``None`` for other lists."""
    if not LISTS[table].parent:
        return None
    is_full = cursor.walk is not None and cursor.walk.is_full
    return -1 if is_full else len(cursor.pending_parents) + 1  # one was read just now
