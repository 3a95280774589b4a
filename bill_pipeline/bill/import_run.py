"""Read many lists in the table's order, three requests at a time, in chunks of bounded size.

An ``ImportRun`` is one import. Each ``next_chunk`` returns the documents that changed and the state
that goes with them; whoever stores the chunk stores both or neither, so that an import killed at
any moment continues behind the last stored chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.budget import IN_FLIGHT_PER_ORGANIZATION
from bill_pipeline.bill.by_id import read_each
from bill_pipeline.bill.chunks import Chunk, ListOutcome, ListState, Room
from bill_pipeline.bill.comparing import Rotation
from bill_pipeline.bill.cursor import Cursor
from bill_pipeline.bill.documents import Document
from bill_pipeline.bill.findings import Finding
from bill_pipeline.bill.left_out import TROUBLE_OF_ALL_V2, is_trouble_of_v2, why_left_out
from bill_pipeline.bill.list_reader import ListReader
from bill_pipeline.bill.lists import ESSENTIAL, LISTS, STAGES, BillList
from bill_pipeline.bill.pages import IDS_PER_REQUEST
from bill_pipeline.bill.stored import (
    KnownDocuments,
    ids_not_shown,
    named_by,
    silent_halves,
    tombstone,
)

# About 15 MB of JSON: small enough for memory, large enough that storing it is not the cost.
DOCUMENTS_PER_CHUNK = 10_000
# Follow-up reads come after these stages, before the lists that follow a changed list.
LAST_STAGE_OF_DOCUMENTS = 3
# Once a day, what changed within so long is read again and compared with what is stored.
RECENT = timedelta(days=3)

Watch = Callable[[str, ListOutcome], None]
_Read = Callable[[ListReader, dict[str, Document], Chunk, Room], None]


class ImportRun:
    """One import's way through BILL's lists.

    ``state`` is what the last chunk stored (``{}`` at first). ``failure`` is the error that ended
    the run early; the chunk that came with it is good and should be stored. ``is_daily`` also
    compares what changed recently; ``shares`` also compares so many pages of each list, going on
    where its last share ended. ``found`` is what comparing found, by list; ``refused``, by list,
    the documents that BILL refuses to show by their ids, the longest not asked for first.
    """

    def __init__(
        self,
        api: BillApi,
        rows: Iterable[BillList],
        state: ListState,
        known: KnownDocuments,
        *,
        now: datetime,
        full: bool = False,
        since: datetime | None = None,
        is_daily: bool = False,
        shares: Mapping[str, int] | None = None,
    ) -> None:
        self.failure: errors.BillError | None = None
        self._is_over = False
        self._api = api
        self._rows = list(rows)
        self._known = known
        self._now = now
        self._full = full
        self._since = since
        self._is_daily = is_daily
        self._watch: Watch = lambda table, outcome: None
        stored = state.get("lists", {})
        self.cursors = {name: Cursor.stored(stored.get(name)) for name in {*LISTS, *stored}}
        self._touched: dict[str, list[str]] = {
            name: list(ids) for name, ids in state.get("touched", {}).items()
        }
        self._known_until = {
            name: datetime.fromisoformat(cursor.watermark)
            for name, cursor in self.cursors.items()
            if cursor.watermark
        }
        self._rotation = Rotation(state.get("comparing", {}), shares or {})
        self.found: dict[str, Finding] = {}
        self.refused: dict[str, list[str]] = {
            name: list(ids) for name, ids in state.get("refused", {}).items()
        }
        self._times: dict[str, str] = {
            name: state[name] for name in ("daily_at", "share_at") if name in state
        }
        self._compared: dict[str, set[str]] = {}
        self._in_the_news: dict[str, set[str]] = {}
        # Tables that changed since the lists that follow them were last read.
        self._changed: set[str] = set(state.get("changed", []))
        self._archived_are_shown = any(c.shows_archived for c in self.cursors.values())
        self._readers: dict[str, ListReader] = {}
        self._v2_problem = ""
        self.follow_ups = ListOutcome()

    @property
    def outcomes(self) -> dict[str, ListOutcome]:
        return {name: reader.outcome for name, reader in self._readers.items()}

    @property
    def read_from(self) -> dict[str, datetime | None]:
        """Of each list read to its end: from which updatedTime on, ``None`` from its beginning."""
        return {
            name: reader.reads_from
            for name, reader in self._readers.items()
            if reader.is_done and not reader.outcome.skipped
        }

    def on_page(self, watch: Watch) -> None:
        """Call ``watch(table, outcome)`` after each page, from several threads."""
        self._watch = watch

    def read_again(self, ids: dict[str, list[str]]) -> None:
        """Also read these documents, by table, whether or not BILL lists them as changed."""
        for table, wanted in ids.items():
            waiting = self._touched.setdefault(table, [])
            waiting.extend(sorted(set(wanted) - set(waiting)))

    def compare(self, ids: Mapping[str, list[str]]) -> None:
        """Read these documents, by table, and count in ``found`` which of them differ."""
        for table, wanted in ids.items():
            self._compared.setdefault(table, set()).update(wanted)
            self.read_again({table: wanted})

    def next_chunk(self, limit: int = DOCUMENTS_PER_CHUNK) -> Chunk:
        """Read on until about ``limit`` documents came, all is read, or BILL failed."""
        chunk = Chunk()
        room = limit
        for stage in STAGES:
            if self._needs_stored_parents(stage, chunk):
                return self._closed(chunk)
            room -= self._read_stage(stage, room, chunk)
            if self.failure is not None or room <= 0:
                return self._closed(chunk)
            if stage == LAST_STAGE_OF_DOCUMENTS:
                room -= self._read_touched(room, chunk)
                if self.failure is not None or self._touched:
                    return self._closed(chunk)
        if not self._rotation.readers:
            self._changed.clear()  # what comparing finds is followed by the next import
        room -= self._read_shares(room, chunk)
        if self.failure is None and room > 0:
            self._read_touched(room, chunk)
        if self.failure is not None or room <= 0 or self._touched:
            return self._closed(chunk)
        self._rotation.note_ends(self.cursors)
        for name, is_done in (("daily_at", self._is_daily), ("share_at", self._rotation.readers)):
            if is_done or name not in self._times:
                self._times[name] = self._now.isoformat()
        chunk.is_last = True
        return self._closed(chunk)

    def _needs_stored_parents(self, stage: int, chunk: Chunk) -> bool:
        """Whether a list goes through all documents of a table of which this chunk has some."""
        return any(
            row.parent in chunk.documents
            and (self._full or not self.cursors[row.table].completions)
            for row in self._rows
            if row.stage == stage and row.parent
        )

    def _closed(self, chunk: Chunk) -> Chunk:
        chunk.state = {
            "lists": {name: cursor.as_dict() for name, cursor in sorted(self.cursors.items())},
            "touched": {name: ids for name, ids in sorted(self._touched.items()) if ids},
            "changed": sorted(self._changed),
            "comparing": self._rotation.as_dict(),
            "refused": {name: ids for name, ids in sorted(self.refused.items()) if ids},
            **self._times,
        }
        return chunk

    # --- lists -------------------------------------------------------------------------------

    def _read_stage(self, stage: int, room: int, chunk: Chunk) -> int:
        readers = [reader for reader in self._readers_of(stage) if not reader.is_done]
        taken = self._read_lists(readers, room, chunk, self._read_list)
        # Nothing may be read of the next stage before this one is complete.
        unfinished = any(not reader.is_done for reader in readers)
        return max(taken, room) if unfinished else min(taken, room - 1)

    def _read_shares(self, room: int, chunk: Chunk) -> int:
        """Compare this import's share of lists."""
        readers = self._rotation.open(self._api, self._rows, self._now, self._known.next_id)
        taken = self._read_lists(readers, room, chunk, self._read_share)
        unfinished = any(not self._rotation.is_over(reader) for reader in readers)
        return max(taken, room) if unfinished and self.failure is None else min(taken, room - 1)

    def _read_lists(self, readers: list[ListReader], room: int, chunk: Chunk, read: _Read) -> int:
        if not readers:
            return 0
        collected: dict[str, dict[str, Document]] = {reader.row.table: {} for reader in readers}
        pages = Room(room)
        threads = ThreadPoolExecutor(IN_FLIGHT_PER_ORGANIZATION)
        try:
            jobs = [
                threads.submit(read, reader, collected[reader.row.table], chunk, pages)
                for reader in readers
            ]
            for job in jobs:
                job.result()
        except BaseException:  # of this thread or of a list's: nobody waits for the others
            self._is_over = True
            self._api.clock.stop()
            raise
        finally:
            threads.shutdown(wait=not self._is_over, cancel_futures=True)
        for reader in readers:
            row, documents = reader.row, collected[reader.row.table]
            if reader.is_comparing:
                self._finding(row).compared += len(documents)
            self._ask_for_absent(reader, chunk)
            self._keep_changed(row, documents, chunk, is_comparing=reader.is_comparing)
        return pages.taken

    def _ask_for_absent(self, reader: ListReader, chunk: Chunk) -> None:
        """Have what is stored and was not shown asked for by its id, where it may be there."""
        row, spans, shown = reader.row, reader.take_spans(), reader.take_parents()
        if not reader.is_comparing:
            return
        absent = ids_not_shown(row, self._known, spans, shown)
        if row.can_vanish:
            gone = [d for one in absent for d in tombstone(self._known, row.table, one)]
            self._keep_changed(row, {d.id: d for d in gone}, chunk, is_comparing=True)
        elif row.can_be_missed:
            self.compare({row.table: sorted(absent)})

    def _read_list(
        self, reader: ListReader, collected: dict[str, Document], chunk: Chunk, pages: Room
    ) -> None:
        table = reader.row.table
        while not (reader.is_done or self._must_end(pages)):
            if reader.row.is_v2 and self._v2_problem:
                reader.outcome.skipped = self._v2_problem
                reader.is_done = True
                break
            try:
                self._take_page(reader, collected, chunk, pages)
            except errors.BillError as error:
                self._give_up(reader, error)
                break
            self._watch(table, reader.outcome)

    def _read_share(
        self, reader: ListReader, collected: dict[str, Document], chunk: Chunk, pages: Room
    ) -> None:
        while not (self._rotation.is_over(reader) or self._must_end(pages)):
            try:
                self._take_page(reader, collected, chunk, pages)
            except errors.ConnectionRefused as error:
                self.failure = self.failure or error
            except errors.BillError as error:  # the lists were read: the books can be made
                self._rotation.give_up(reader, for_good=errors.refuses_list(error))

    @staticmethod
    def _take_page(
        reader: ListReader, collected: dict[str, Document], chunk: Chunk, pages: Room
    ) -> None:
        documents, strays = reader.next_page()
        pages.taken += len(documents)
        collected.update((document.id, document) for document in documents)
        if strays:
            chunk.strays.setdefault(reader.row.table, []).extend(strays)

    def _give_up(self, reader: ListReader, error: errors.BillError) -> None:
        """Leave out a list that may not be read; end the run for anything worse."""
        is_v2_trouble = is_trouble_of_v2(reader.row, error)
        if not errors.refuses_list(error) and not is_v2_trouble:
            self.failure = self.failure or error
            return
        reader.outcome.skipped = why_left_out(error, is_v2_trouble=is_v2_trouble)
        if is_v2_trouble and isinstance(error, TROUBLE_OF_ALL_V2):
            # The other v2 lists would wait as long, or log in as often, for nothing.
            self._v2_problem = reader.outcome.skipped
        reader.is_done = True
        # Where none of these can be read it is no matter of one list, and there are no books.
        if all(self._is_left_out(table) for table in ESSENTIAL):
            self.failure = self.failure or error

    def _is_left_out(self, table: str) -> bool:
        return table in self._readers and bool(self._readers[table].outcome.skipped)

    def _readers_of(self, stage: int) -> Iterator[ListReader]:
        for row in self._rows:
            if row.stage != stage or not self._is_due(row):
                continue
            if row.table not in self._readers:
                self._readers[row.table] = ListReader(
                    self._api,
                    row,
                    self.cursors[row.table],
                    now=self._now,
                    full=self._full,
                    since=self._since,
                    next_parent=self._known.next_id,
                    archived_are_shown=self._archived_are_shown,
                    recent=RECENT if self._is_daily else None,
                )
            yield self._readers[row.table]

    def _is_due(self, row: BillList) -> bool:
        cursor = self.cursors[row.table]
        if not row.follows or self._full or cursor.walk is not None or cursor.completions == 0:
            return True
        return row.follows in self._changed

    # --- what changed ------------------------------------------------------------------------

    def _must_end(self, pages: Room) -> bool:
        return pages.is_full or self.failure is not None or self._is_over

    def _finding(self, row: BillList) -> Finding:
        return self.found.setdefault(row.table, Finding())

    def _keep_changed(
        self,
        row: BillList,
        documents: dict[str, Document],
        chunk: Chunk,
        *,
        is_comparing: bool = False,
    ) -> None:
        """Put into the chunk what differs from what is stored, and note what it touches."""
        hashes = self._known.hashes(row.table, list(documents)) if documents else {}
        changed = [d for d in documents.values() if hashes.get(d.id) != d.content_hash]
        if not changed:
            return
        if is_comparing:
            in_chunk = {document.id for document in chunk.documents.get(row.table, [])}
            self._finding(row).count(
                [document for document in changed if document.id not in in_chunk],
                hashes,
                self._known_until.get(row.table),
                self._now,
                self._in_the_news.get(row.table, ()),
            )
        kept = {document.id: document for document in chunk.documents.get(row.table, [])}
        kept.update((document.id, document) for document in changed)
        chunk.documents[row.table] = list(kept.values())
        self._changed.add(row.table)
        self._note_touched(row, changed)
        for child in self._rows:
            if child.parent == row.table and self.cursors[child.table].completions:
                pending = self.cursors[child.table].pending_parents
                pending.extend(sorted({d.id for d in changed} - set(pending)))

    def _note_touched(self, row: BillList, changed: list[Document]) -> None:
        halves = silent_halves(self._rows, row, changed, self._known_until)
        for table, ids in (named_by(row, self._known, changed) | halves).items():
            self._in_the_news.setdefault(table, set()).update(ids)
            # A table whose first read is still to come will see what these documents did.
            if self.cursors[table].completions or self._since is not None:
                self.read_again({table: sorted(ids)})

    def _read_touched(self, room: int, chunk: Chunk) -> int:
        """Read bills, invoices and credits again whose payments changed.

        BILL does not say whether paying a document moves its updatedTime.
        """
        taken = 0
        for table in list(self._touched):
            row = LISTS[table]
            while self._touched[table] and taken < max(room, 1):
                ids = self._touched[table][:IDS_PER_REQUEST]
                is_thin = self.cursors[table].has_thin_rows is True
                try:
                    documents, refused = read_each(self._api, row, self._known, ids, singly=is_thin)
                except errors.BillError as error:
                    if not is_trouble_of_v2(row, error):
                        self.failure = error
                        return taken
                    documents, refused, ids = [], [], self._touched[table]
                self._note_refused(table, ids, refused)
                taken += len(ids)
                self.follow_ups.pages += 1
                self.follow_ups.documents += len(documents)
                compared = self._compared.get(table, set())
                by_id = {document.id: document for document in documents}
                for is_comparing in (True, False):
                    some = {key: d for key, d in by_id.items() if (key in compared) == is_comparing}
                    self._keep_changed(row, some, chunk, is_comparing=is_comparing)
                del self._touched[table][: len(ids)]
            if not self._touched[table]:
                del self._touched[table]
        return taken

    def _note_refused(self, table: str, asked: list[str], refused: list[str]) -> None:
        waiting = [one for one in self.refused.get(table, ()) if one not in set(asked)]
        waiting += sorted(self._known.hashes(table, refused) if refused else ())
        self.refused[table] = [] if self._is_left_out(table) else waiting
