"""Read many lists in the table's order, three requests at a time, in chunks of bounded size.

A ``Reading`` is one import. Each ``next_chunk`` returns the documents that changed and the state
that goes with them; whoever stores the chunk stores both or neither, so that an import killed at
any moment continues behind the last stored chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.budget import IN_FLIGHT_PER_ORGANIZATION
from bill_pipeline.bill.cursor import Cursor
from bill_pipeline.bill.documents import Document, Stray
from bill_pipeline.bill.lists import ESSENTIAL, LISTS, STAGES, BillList
from bill_pipeline.bill.pages import IDS_PER_REQUEST, read_by_ids
from bill_pipeline.bill.reader import ListOutcome, ListReader
from bill_pipeline.bill.stored import KnownDocuments, ids_at, read_or_tombstone

# About 15 MB of JSON: small enough for memory, large enough that storing it is not the cost.
DOCUMENTS_PER_CHUNK = 10_000
# Follow-up reads come after these stages, before the lists that follow a changed list.
LAST_STAGE_OF_DOCUMENTS = 3

_TROUBLE_OF_ALL_V2 = errors.BillUnavailable | errors.MalformedAnswer | errors.SessionLost
_SESSION_OF_V3 = (
    " BILL's v2 took no session of v3; if that lasts, set BILL_PIPELINE_READ_V2=false and each "
    "sync saves the logins."
)

State = dict[str, Any]
Watch = Callable[[str, ListOutcome], None]
Seen = Callable[[str, list[Document]], None]


@dataclass
class Chunk:
    """Changed documents by table, what could not be a document, and the state behind them."""

    documents: dict[str, list[Document]] = field(default_factory=dict)
    strays: dict[str, list[Stray]] = field(default_factory=dict)
    state: State = field(default_factory=dict)
    is_last: bool = False

    @property
    def count(self) -> int:
        return sum(len(documents) for documents in self.documents.values())


class Reading:
    """One import's way through BILL's lists.

    ``state`` is what the last chunk stored (``{}`` at first). ``failure`` is the error that
    ended the reading early; the chunk that came with it is good and should be stored.
    """

    def __init__(
        self,
        api: BillApi,
        rows: Iterable[BillList],
        state: State,
        known: KnownDocuments,
        *,
        now: datetime,
        full: bool = False,
        since: datetime | None = None,
    ) -> None:
        self.failure: errors.BillError | None = None
        self._is_over = False
        self._api = api
        self._rows = list(rows)
        self._known = known
        self._now = now
        self._full = full
        self._since = since
        self._watch: Watch = lambda table, outcome: None
        self._seen: Seen = lambda table, documents: None
        stored = state.get("lists", {})
        self.cursors = {name: Cursor.stored(stored.get(name)) for name in {*LISTS, *stored}}
        self._touched: dict[str, list[str]] = {
            name: list(ids) for name, ids in state.get("touched", {}).items()
        }
        # Tables that changed since the lists that follow them were last read.
        self._changed: set[str] = set(state.get("changed", []))
        self._archived_are_shown = any(c.shows_archived for c in self.cursors.values())
        self._readers: dict[str, ListReader] = {}
        self._v2_problem = ""
        self.follow_ups = ListOutcome()

    @property
    def outcomes(self) -> dict[str, ListOutcome]:
        return {name: reader.outcome for name, reader in self._readers.items()}

    def on_page(self, watch: Watch, seen: Seen | None = None) -> None:
        """Call ``watch(table, outcome)`` and ``seen(table, documents)`` after each page.

        Both are called from several threads.
        """
        self._watch = watch
        self._seen = seen or self._seen

    def parents_to_read(self, table: str) -> int | None:
        """Parents left of a list that hangs below another, -1 for all; ``None`` for other lists."""
        cursor = self.cursors[table]
        if not LISTS[table].parent:
            return None
        is_full = cursor.walk is not None and cursor.walk.is_full
        return -1 if is_full else len(cursor.pending_parents) + 1  # one was read just now

    def read_again(self, ids: dict[str, list[str]]) -> None:
        """Also read these documents, by table, whether or not BILL lists them as changed."""
        for table, wanted in ids.items():
            waiting = self._touched.setdefault(table, [])
            waiting.extend(sorted(set(wanted) - set(waiting)))

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
        self._changed.clear()
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
        }
        return chunk

    # --- lists -------------------------------------------------------------------------------

    def _read_stage(self, stage: int, room: int, chunk: Chunk) -> int:
        readers = [reader for reader in self._readers_of(stage) if not reader.is_done]
        if not readers:
            return 0
        collected: dict[str, dict[str, Document]] = {reader.row.table: {} for reader in readers}
        pages = _Room(room)
        threads = ThreadPoolExecutor(IN_FLIGHT_PER_ORGANIZATION)
        try:
            jobs = [
                threads.submit(self._read_list, reader, collected[reader.row.table], chunk, pages)
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
        for table, documents in collected.items():
            self._keep_changed(LISTS[table], documents, chunk)
        # Nothing may be read of the next stage before this one is complete.
        unfinished = any(not reader.is_done for reader in readers)
        return max(pages.taken, room) if unfinished else min(pages.taken, room - 1)

    def _read_list(
        self, reader: ListReader, collected: dict[str, Document], chunk: Chunk, pages: _Room
    ) -> None:
        table = reader.row.table
        while not (reader.is_done or pages.is_full or self.failure or self._is_over):
            if reader.row.is_v2 and self._v2_problem:
                reader.outcome.skipped = self._v2_problem
                reader.is_done = True
                break
            try:
                documents, strays = reader.next_page()
            except errors.BillError as error:
                self._give_up(reader, error)
                break
            pages.taken += len(documents)
            collected.update((document.id, document) for document in documents)
            if strays:
                chunk.strays.setdefault(table, []).extend(strays)
            self._seen(table, documents)
            self._watch(table, reader.outcome)

    def _give_up(self, reader: ListReader, error: errors.BillError) -> None:
        """Leave out a list that may not be read; end the reading for anything worse."""
        is_v2_trouble = reader.row.is_v2 and not isinstance(
            error, errors.ConnectionRefused | errors.LimitReached
        )
        if not errors.refuses_list(error) and not is_v2_trouble:
            self.failure = self.failure or error
            return
        reader.outcome.skipped = _why_left_out(error)
        if is_v2_trouble and isinstance(error, errors.SessionLost):
            reader.outcome.skipped += _SESSION_OF_V3
        if is_v2_trouble and isinstance(error, _TROUBLE_OF_ALL_V2):
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
                )
            yield self._readers[row.table]

    def _is_due(self, row: BillList) -> bool:
        cursor = self.cursors[row.table]
        if not row.follows or self._full or cursor.walk is not None or cursor.completions == 0:
            return True
        return row.follows in self._changed

    # --- what changed ------------------------------------------------------------------------

    def _keep_changed(
        self, row: BillList, documents: dict[str, Document], chunk: Chunk
    ) -> list[Document]:
        """Put into the chunk what differs from what is stored, and note what it touches."""
        hashes = self._known.hashes(row.table, list(documents)) if documents else {}
        changed = [d for d in documents.values() if hashes.get(d.id) != d.content_hash]
        if not changed:
            return []
        kept = {document.id: document for document in chunk.documents.get(row.table, [])}
        kept.update((document.id, document) for document in changed)
        chunk.documents[row.table] = list(kept.values())
        self._changed.add(row.table)
        if row.touches:
            self._note_touched(row, changed)
        for child in self._rows:
            if child.parent == row.table and self.cursors[child.table].completions:
                pending = self.cursors[child.table].pending_parents
                pending.extend(sorted({d.id for d in changed} - set(pending)))
        return changed

    def _note_touched(self, row: BillList, changed: list[Document]) -> None:
        """Note what the changed documents name, and what they named before.

        A receipt that moved to another invoice changed the one it left as well.
        """
        # A table whose first read is still to come will see what these documents did.
        touches = [
            touch
            for touch in row.touches
            if self.cursors[touch.table].completions or self._since is not None
        ]
        if not touches:
            return
        before = self._known.texts(row.table, [document.id for document in changed])
        contents = [orjson.loads(text) for text in (*before.values(), *(d.text for d in changed))]
        for touch in touches:
            ids = {found for content in contents for found in ids_at(content, touch.path)}
            waiting = self._touched.setdefault(touch.table, [])
            waiting.extend(sorted(ids - set(waiting)))

    def _read_touched(self, room: int, chunk: Chunk) -> int:
        """Read bills, invoices and credits again whose payments changed.

        BILL does not say whether paying a document moves its updatedTime.
        """
        taken = 0
        for table in list(self._touched):
            row = LISTS[table]
            while self._touched[table] and taken < max(room, 1):
                ids = self._touched[table][:IDS_PER_REQUEST]
                try:
                    documents = self._again(row, ids)
                except errors.BillError as error:
                    if not errors.refuses_list(error):
                        self.failure = error
                        return taken
                    documents = []
                taken += len(ids)
                self.follow_ups.pages += 1
                self.follow_ups.documents += len(documents)
                self._keep_changed(row, {d.id: d for d in documents}, chunk)
                del self._touched[table][: len(ids)]
            if not self._touched[table]:
                del self._touched[table]
        return taken

    def _again(self, row: BillList, ids: list[str]) -> list[Document]:
        found: list[Document] = []
        if row.has_id_filter and not self.cursors[row.table].has_thin_rows:
            try:
                found = read_by_ids(self._api, row, ids)
            except errors.RequestRefused as refusal:
                if refusal.status not in (400, 422):
                    raise
        shown = {document.id for document in found}
        for document_id in ids:
            if document_id in shown:
                continue
            try:
                found.extend(read_or_tombstone(self._api, row, self._known, document_id))
            except errors.BillError as error:
                # A document refused by itself stays as it is known; the others are read.
                if not errors.refuses_list(error) or isinstance(error, errors.PermissionMissing):
                    raise
        return found


def _why_left_out(error: errors.BillError) -> str:
    """What BILL said, and what to do about a whole list; its words may be about one document."""
    if isinstance(error, errors.PermissionMissing) or not errors.refuses_list(error):
        return str(error)
    return str(
        errors.ListRefused(
            "BILL does not let this list be read",
            client=error.client,
            subject=error.subject,
            code=error.code,
            status=error.status,
        )
    )


@dataclass
class _Room:
    """How many documents this chunk may still take; pages in flight may exceed it a little."""

    limit: int
    taken: int = 0

    @property
    def is_full(self) -> bool:
        return self.taken >= self.limit
