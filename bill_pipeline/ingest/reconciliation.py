"""Compare a client's file with BILL whole, and keep nothing: ``bill-pipeline verify``.

Between two comparisons a sync trusts BILL's updatedTime. Here nothing is trusted: every list is
read to its end, every stored document must be seen again, and one that is not is asked for by its
id. A full sync does the same and keeps what it finds; a sync of all lists does a share of it
(``bill.comparing``). The nightly comparison of what is open is ``open_documents``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

from bill_pipeline.bill.api import BillApi
from bill_pipeline.bill.lists import lists_to_read
from bill_pipeline.ingest.document_versions import make_archive
from bill_pipeline.ingest.loading import (
    ImportReport,
    count_import_run,
    expected_pages,
    new_import_run,
)
from bill_pipeline.ingest.progress import ProgressWatch, Watcher
from bill_pipeline.ingest.raw import (
    StoredDocuments,
    make_raw_tables,
    open_client_file,
    stored_state,
)
from bill_pipeline.registry.whose_books import require_own_books


def compare_lists(
    api: BillApi, *, database: Path, with_v2: bool = True, progress: Watcher | None = None
) -> ImportReport:
    """Compare every list whole with BILL and keep nothing: what differs is in ``found``.

    Raises ``BillError``, and ``ForeignBooks`` when ``database`` is another organization's.
    """
    started = monotonic()
    report = ImportReport(api.client, datetime.fromtimestamp(api.clock.time(), UTC))
    with open_client_file(database) as connection:
        require_own_books(connection, api.client, database, api.connection.organization_id)
        make_raw_tables(connection)
        make_archive(connection)
        state, _ = stored_state(connection)
    state = {**state, "touched": {}, "comparing": {}, "refused": {}}
    for cursor in state.get("lists", {}).values():
        cursor["walk"] = None  # what an import left half read is read from its beginning here
    rows = list(lists_to_read(with_v2=with_v2))
    known = StoredDocuments(database, is_doubted=True)
    run = new_import_run(api, rows, state, known, database, full=True)
    run.on_page(ProgressWatch(progress, partial(expected_pages, run, database, True)))
    while run.failure is None and not run.next_chunk().is_last:
        pass
    count_import_run(run, api, report, started)
    if run.failure is not None:
        raise run.failure
    return report
