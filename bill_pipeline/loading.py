"""Bring a client's file up to date with BILL: read, load with dlt, archive every version.

The order of the steps is the whole content here. What to read and how is in ``bill``; where the
documents lie, in ``raw``; their history, in ``archive``. ``imports`` calls this by client.

An import that is killed continues where it was: each chunk of documents is stored together with
the state that says what comes next.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import cache, partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from bill_pipeline.archive import (
    ArchiveReport,
    archive_documents,
    archived_loads,
    make_archive,
)
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.documents import Document, Stray
from bill_pipeline.bill.lists import BESIDE_THE_BOOKS, LISTS, lists_to_read
from bill_pipeline.bill.reading import DOCUMENTS_PER_CHUNK, Chunk, Reading, Seen, State
from bill_pipeline.missing_lists import note_refusals
from bill_pipeline.probe import write_probe
from bill_pipeline.progress import ProgressWatch, Watcher
from bill_pipeline.quarantine import quarantined_counts, quarantined_ids, unreadable_ids
from bill_pipeline.raw import (
    DUCKDB_SETTINGS,
    StoredDocuments,
    count_documents,
    count_loads,
    make_tables,
    opened,
    put_into_pages,
)

if TYPE_CHECKING:
    from dlt import Pipeline

# Quarantined documents asked for again by each sync, per list.
QUARANTINED_PER_SYNC = 50
#: Fewer documents than this wait in memory for the sync's end: writing them at once costs more.
DOCUMENTS_WORTH_PAGES = 1_000
DATASET = "raw"


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
        missing = ", ".join(self.lists_missing)
        return f"; incomplete, because BILL does not let us read {missing}" if missing else ""

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
    seen: Seen | None = None,
    documents_per_chunk: int = DOCUMENTS_PER_CHUNK,
) -> ImportReport:
    """Bring ``database`` up to date with BILL; the versions found carry ``as_of`` (UTC).

    ``full`` reads every list from its beginning; ``since`` only what BILL changed from that day
    on; ``tables`` limits the lists. ``progress`` gets each page's figures, ``seen(table,
    documents)`` its documents, both from several threads. Nothing is written when nothing
    changed. Only one process may import a client at a time.

    Raises ``BillError``: everything read until then is stored and is not read again, but nothing
    is archived, so the books stay as they were.
    """
    started = monotonic()
    report = ImportReport(api.client, as_of)
    with opened(database) as connection:
        make_tables(connection)
        make_archive(connection)
    pipeline = _pipeline(api.client, database, dlt_folder)
    _finish_pending(pipeline)
    reading = _reading(api, pipeline, database, full, since, tables, with_v2, with_documents)
    watch = ProgressWatch(progress, partial(_expected, reading, database, full))
    reading.on_page(watch, seen)
    strays: dict[str, list[Stray]] = {}
    loaded = _lists_to_archive(database)
    try:
        _read_and_load(reading, pipeline, database, report, strays, loaded, documents_per_chunk)
    finally:
        _count(reading, api, report, started)
        report.list_seconds = {table: step.seconds for table, step in watch.last.items()}
    if reading.failure is not None:
        with opened(database) as connection:  # what has no id is never listed as changed again
            archive_documents(connection, as_of, client=api.client, tables=(), strays=strays)
        raise reading.failure
    report.archive = _archive(database, api.client, as_of, strays, loaded)
    with opened(database) as connection:
        write_probe(dlt_folder, connection, reading.cursors, set(report.skipped_lists))
        report.refuses_others = note_refusals(
            connection, as_of, report.documents, report.skipped_lists
        )
    report.seconds = monotonic() - started
    return report


def store_documents(
    client: str,
    documents: dict[str, list[Document]],
    *,
    database: Path,
    dlt_folder: Path,
    as_of: datetime,
) -> ArchiveReport:
    """Store and archive documents that were read outside a reading; its state stays."""
    pipeline = _pipeline(client, database, dlt_folder)
    _finish_pending(pipeline)
    _load(pipeline, Chunk(documents=documents, state=_state(pipeline)))
    put_into_pages(database)
    return _archive(database, client, as_of, {})


def _pipeline(client: str, database: Path, dlt_folder: Path) -> Pipeline:
    """dlt's pipeline of one client. Name and folder are the client's own.

    Pipelines of one name load each other's packages into the wrong client's file.
    """
    import dlt
    from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials

    _settle_dlt()
    return dlt.pipeline(
        f"bill_{client}",
        pipelines_dir=str(dlt_folder),
        destination=dlt.destinations.duckdb(
            DuckDbCredentials(str(database), global_config=dict(DUCKDB_SETTINGS))
        ),
        dataset_name=DATASET,
    )


@cache
def _settle_dlt() -> None:
    """Give dlt its settings once a process, and none besides; nothing about books leaves here.

    Left alone, it looks for each of some hundred settings of each load in the environment, in
    /run/secrets and in two files of the working folder, and reports each load to its makers.
    """
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.providers import DictionaryProvider
    from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
    from dlt.common.runtime.telemetry import stop_telemetry

    ours = DictionaryProvider()
    ours.set_value("dlthub_telemetry", False, None, "runtime")
    # Each Arrow batch would warn that its text becomes JSON.
    ours.set_value("log_level", "ERROR", None, "runtime")
    context = Container()[PluggableRunContext]
    context.providers.providers = [ours]
    # Importing dlt has started its runtime with what it found.
    stop_telemetry()
    context.context.initialize_runtime()


def _finish_pending(pipeline: Pipeline) -> None:
    """Load what an earlier process extracted and did not load, and know its state.

    dlt's ``run`` with pending packages loads those alone and extracts nothing, silently.
    """
    if pipeline.has_pending_data:
        pipeline.normalize()
        pipeline.load()
    if "bill" not in pipeline.state.get("sources", {}):
        pipeline.sync_destination()  # the working folder is new, or was lost


def _reading(
    api: BillApi,
    pipeline: Pipeline,
    database: Path,
    full: bool,
    since: date | None,
    tables: Iterable[str] | None,
    with_v2: bool,
    with_documents: bool,
) -> Reading:
    wanted = None if tables is None else set(tables)
    rows = [
        row
        for row in lists_to_read(with_v2=with_v2, with_documents=with_documents)
        if wanted is None or row.table in wanted
    ]
    reading = Reading(
        api,
        rows,
        _state(pipeline),
        StoredDocuments(database),
        now=datetime.fromtimestamp(api.clock.time(), UTC),
        full=full,
        since=datetime.combine(since, time(), UTC) if since else None,
    )
    with opened(database) as connection:
        reading.read_again(quarantined_ids(connection, QUARANTINED_PER_SYNC))
        if count_loads(connection) != archived_loads(connection):
            for row in LISTS.values():
                reading.read_again(
                    {row.table: unreadable_ids(connection, row, QUARANTINED_PER_SYNC)}
                )
    return reading


def _state(pipeline: Pipeline) -> State:
    from bill_pipeline.bill.source import reading_state

    return reading_state(pipeline.state)


def _read_and_load(
    reading: Reading,
    pipeline: Pipeline,
    database: Path,
    report: ImportReport,
    strays: dict[str, list[Stray]],
    loaded: set[str],
    documents_per_chunk: int,
) -> None:
    last_state = _state(pipeline)
    while True:
        chunk = reading.next_chunk(documents_per_chunk)
        for table, found in chunk.strays.items():
            strays.setdefault(table, []).extend(found)
        if chunk.count or chunk.state != last_state:
            _load(pipeline, chunk)
            loaded.update(chunk.documents)
            if chunk.count >= DOCUMENTS_WORTH_PAGES:
                put_into_pages(database)
            last_state = chunk.state
            report.loads += 1
        if chunk.is_last or reading.failure is not None:
            return


def _load(pipeline: Pipeline, chunk: Chunk) -> None:
    from bill_pipeline.bill.source import bill_source

    # ``run`` would ask the file for dlt's state first each time; ``_finish_pending`` has done so.
    pipeline.extract(bill_source(chunk), loader_file_format="parquet")
    pipeline.normalize()
    pipeline.load().raise_on_failed_jobs()
    # dlt keeps a copy of every package it loaded; the documents are in the client's file.
    shutil.rmtree(Path(pipeline.working_dir) / "load" / "loaded", ignore_errors=True)


def _lists_to_archive(database: Path) -> set[str]:
    """Lists to archive besides those that this import loads.

    What waits in quarantine may be readable by now; and what an earlier process loaded and did
    not archive may be in any list.
    """
    with opened(database) as connection:
        if count_loads(connection) != archived_loads(connection):
            return set(LISTS)
        return set(quarantined_counts(connection))


def _archive(
    database: Path,
    client: str,
    as_of: datetime,
    strays: dict[str, list[Stray]],
    tables: Collection[str] = tuple(LISTS),
) -> ArchiveReport:
    """Archive what was loaded into ``tables`` since the last archiving."""
    with opened(database) as connection:
        loads = count_loads(connection)
        if loads == archived_loads(connection) and not strays:
            return ArchiveReport()
        return archive_documents(
            connection,
            as_of,
            client=client,
            tables=[table for table in LISTS if table in tables],
            strays=strays,
            loads=loads,
        )


def _count(reading: Reading, api: BillApi, report: ImportReport, started: float) -> None:
    for table, outcome in reading.outcomes.items():
        report.documents[table] = outcome.documents
        report.pages[table] = outcome.pages
        if outcome.skipped:
            report.skipped_lists[table] = outcome.skipped
    report.requests = api.requests
    report.seconds = monotonic() - started


def _expected(
    reading: Reading, database: Path, full: bool, table: str
) -> tuple[int | None, int | None]:
    """(documents, pages) that this import will read of a list, as far as anybody knows."""
    parents = reading.parents_to_read(table)
    if parents is None and not full:
        return None, None
    if parents is not None and parents >= 0:
        return None, parents
    with opened(database) as connection:
        stored = count_documents(connection, LISTS[table].parent or table)
    return (stored, None) if parents is None else (None, stored)
