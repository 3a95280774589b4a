"""Books to take along, in each format that ``exports`` writes."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from bill_pipeline.console.parts.period import day_of
from bill_pipeline.console.request_context import RequestContext
from bill_pipeline.exports import FORMATS, export, notes_of
from bill_pipeline.runtime.private_folder import PrivateFolder


def download_books(context: RequestContext) -> Response:
    """The whole books in one of the export formats, up to a day."""
    chosen = FORMATS.get(context.path("format"))
    if chosen is None or chosen.name == "parquet":
        raise HTTPException(404, "There is no such download.")
    last = day_of(context.query("to"), date.max)
    folder = PrivateFolder()
    try:
        path = export(
            context.console.home,
            context.client,
            chosen.name,
            Path(folder.name) / f"{context.client}.{chosen.ending}",
            last_day=None if last == date.max else last,
        )
        path = _with_notes(path)
    except BaseException:
        folder.cleanup()
        raise
    context.record("downloaded the books", context.client, format=chosen.name)
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
