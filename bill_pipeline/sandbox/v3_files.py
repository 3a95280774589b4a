"""The v3 plane's documents of bills and attachments of vendors, customers and invoices."""

from __future__ import annotations

from typing import Any

import orjson

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.clock import timestamp
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.lists import LISTS
from bill_pipeline.sandbox.organization import Organization
from bill_pipeline.sandbox.v3_below import list_below
from bill_pipeline.sandbox.v3_reading import find_document

_EMPTY_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
#: BILL takes files up to this size.
LARGEST_FILE_BYTES = 6_000_000


def list_files(kind: str, parent_list: str, call: Call) -> bytes:
    """Files of one object, each with its ``downloadLink``."""
    body = orjson.loads(list_below(kind, parent_list, call))
    body["results"] = [_shown(call, kind, call.parts["object_id"], f) for f in body["results"]]
    return orjson.dumps(body)


def get_below(kind: str, parent_list: str, call: Call) -> Document:
    parent = find_document(LISTS[parent_list], call)
    found = call.signed_in().organization.below(kind, parent["id"]).get(call.parts["nested_id"])
    if found is None:
        raise errors.not_found(call.parts["nested_id"])
    return _shown(call, kind, parent["id"], found)


def get_file(kind: str, call: Call) -> Document:
    """``GET /v3/attachments/{id}``, ``GET /v3/documents/{id}``: found whatever it hangs below."""
    parent_id, found = _find(call.signed_in().organization, kind, call.parts["file_id"])
    return _shown(call, kind, parent_id, found)


def delete_file(kind: str, call: Call) -> None:
    """Attachments are deleted for good."""
    books = call.signed_in().organization
    _, found = _find(books, kind, call.parts["file_id"])
    books.deleted_files.add(found["id"])


def upload(kind: str, parent_list: str, call: Call) -> Document:
    """``POST …/{id}?name=``: the body is the file."""
    parent = find_document(LISTS[parent_list], call)
    name = dict(call.parameters).get("name", "")
    if not name:
        raise errors.required("name")
    made = keep_file(call, kind, parent["id"], name, call.body)
    call.status = 201
    return _shown(call, kind, parent["id"], made)


def keep_file(call: Call, kind: str, parent_id: str, name: str, content: bytes) -> Document:
    """A new file below an object. Raises ``ApiError`` for one that BILL would not take."""
    if not content:
        raise errors.invalid("The file is empty")
    if len(content) > LARGEST_FILE_BYTES:
        raise errors.invalid(f"The file is larger than {LARGEST_FILE_BYTES // 1_000_000} MB")
    books, at_ms = call.signed_in().organization, call.state.clock.stamp_ms()
    fields = {"name": name, "numOfPages": 1, "scanStatus": "CLEAN"}
    made = books.below(kind, parent_id).add(fields, at_ms)
    books.files[made["id"]] = content
    return made


def download(kind: str, call: Call) -> bytes:
    """The file behind a ``downloadLink``; an invented one is a PDF of one empty page."""
    books = call.signed_in().organization
    files = books.below(kind, call.parts["object_id"])
    found = files.get(call.parts["nested_id"])
    if found is None or found["id"] in books.deleted_files:
        raise errors.not_found(call.parts["nested_id"])
    is_pdf = str(found.get("name", "")).lower().endswith(".pdf")
    call.media_type = "application/pdf" if is_pdf else "application/octet-stream"
    return books.files.get(found["id"], _EMPTY_PDF)


def _find(books: Organization, kind: str, file_id: str) -> tuple[str, Document]:
    for (one, parent_id), files in list(books.nested.items()):
        found = files.get(file_id) if one == kind else None
        if found is not None and file_id not in books.deleted_files:
            return parent_id, found
    raise errors.not_found(file_id)


def _shown(call: Call, kind: str, parent_id: str, file: Document) -> dict[str, Any]:
    link = f"{call.state.base_url}/v3/{kind}/download/{parent_id}/{file['id']}"
    shown = {name: value for name, value in file.items() if name != "updatedTime"}
    return {**shown, "downloadLink": link, "createdTime": file.get("createdTime", timestamp(0))}
