"""Books to take along: a workbook of everything, or one report as CSV.

Files are made by ``exports``; a report's CSV has the columns of the published ledger.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from datetime import date
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from bill_pipeline.console.period import day_of, period_of
from bill_pipeline.console.statements import book_facts
from bill_pipeline.console.visit import Visit
from bill_pipeline.exports import FORMATS, export, notes_of
from bill_pipeline.exports.spreadsheets import guarded

#: Report → its query; ``$first`` and ``$last`` are the days of the page it is downloaded from.
REPORTS = {
    "trial-balance": "from trial_balance_at($client, report_date := $last) order by account_code",
    "profit-and-loss": (
        "from profit_and_loss_between($client, period_start := $first, period_end := $last) "
        "order by month, account_code"
    ),
    "balance-sheet": "from balance_sheet_at($client, report_date := $last) order by account_code",
    "payables": "from payables_aging_at($client, report_date := $last) order by party",
    "receivables": "from receivables_aging_at($client, report_date := $last) order by party",
    "general-ledger": (
        "from general_ledger_between($client, period_start := $first, period_end := $last) "
        "order by date, entry_id, line_no"
    ),
}


def download_books(visit: Visit) -> Response:
    """The whole books in one of the export formats, up to a day."""
    chosen = FORMATS.get(visit.path("format"))
    if chosen is None or chosen.name == "parquet":
        raise HTTPException(404, "There is no such download.")
    last = day_of(visit.query("to"), date.max)
    folder = tempfile.TemporaryDirectory(prefix="bill-pipeline-download-")
    try:
        path = export(
            visit.console.home,
            visit.client,
            chosen.name,
            Path(folder.name) / f"{visit.client}.{chosen.ending}",
            last_day=None if last == date.max else last,
        )
        path = _with_notes(path)
    except BaseException:
        folder.cleanup()
        raise
    visit.record("downloaded the books", visit.client, format=chosen.name)
    return FileResponse(path, filename=path.name, background=BackgroundTask(folder.cleanup))


def _with_notes(path: Path) -> Path:
    """``path``, or an archive of it and the list of names that could not be made safe."""
    notes = notes_of(path)
    if not notes.exists():
        return path
    archive = path.with_name(f"{path.name}.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for file in (path, notes):
            files.write(file, file.name)
    return archive


def download_report(visit: Visit) -> Response:
    """One report as CSV, for the days that the page shows."""
    name = visit.path("report")
    sql = REPORTS.get(name)
    with visit.console.ledger.reading([visit.client]) as books:
        facts = book_facts(books, visit.client)
        if sql is None or facts is None:
            raise HTTPException(404, "There is no such report.")
        days = period_of(visit.query("from"), visit.query("to"), facts.today, facts.fiscal_year_end)
        values = {"client": visit.client, "last": days.last}
        if "$first" in sql:
            values["first"] = days.first
        columns, rows = books.table(sql, values)
    visit.record("downloaded a report", visit.client, report=name)
    incomplete = "-incomplete" if visit.lists_missing(visit.client) else ""
    file_name = f"{visit.client}-{name}-{days.last}{incomplete}.csv"
    return Response(
        _csv(columns, rows),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{file_name}"'},
    )


def _csv(columns: list[str], rows: list[tuple[object, ...]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([guarded(value) for value in row] for row in rows)
    return "\ufeff" + out.getvalue()  # the mark makes spreadsheets read it as UTF-8
