"""v2's documents and attachments: uploaded as a multipart form, listed and fetched by id."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from email.message import Message
from email.parser import BytesParser
from typing import Any

from bill_pipeline.sandbox import errors
from bill_pipeline.sandbox.call import Call
from bill_pipeline.sandbox.documents import Document
from bill_pipeline.sandbox.v2_codes import v2_time
from bill_pipeline.sandbox.v2_writing import data_of, page_bounds
from bill_pipeline.sandbox.v3_files import keep_file

#: Below what an object's files hang: bills have documents, the others attachments.
_KINDS = {"00n": "documents", "009": "attachments", "0cu": "attachments", "00e": "attachments"}
_LISTS = {"00n": "bills", "009": "vendors", "0cu": "customers", "00e": "invoices"}


def form_parts(body: bytes, content_type: str) -> tuple[dict[str, str], bytes]:
    """(text fields, the file) of a multipart form."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message: Message = BytesParser().parsebytes(head + body)
    fields: dict[str, str] = {}
    content = b""
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if not name or not isinstance(payload, bytes):
            continue
        if part.get_filename() is None:
            fields[str(name)] = payload.decode("utf-8", "replace")
        else:
            content = payload
    return fields, content


def upload(call: Call) -> Document:
    """``UploadAttachment``: a part of the form, or base64 in ``document``."""
    data = data_of(call)
    parent_id, name = str(data.get("id", "")), str(data.get("fileName") or "document.pdf")
    kind = _KINDS.get(parent_id[:3])
    books = call.signed_in().organization
    if kind is None or books[_LISTS[parent_id[:3]]].position(parent_id) is None:
        raise errors.not_found(parent_id)
    content = call.notes.get("file") or _decoded(data.get("document"))
    made = keep_file(call, kind, parent_id, name, content)
    return {"documentUploadedId": made["id"], "documentId": made["id"], "fileName": name}


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text or ""))
    except binascii.Error:
        return str(text).encode()


def list_files(call: Call) -> Document:
    """``GetDocuments``: the files of one object."""
    data, books = data_of(call), call.signed_in().organization
    parent_id = str(data.get("id", ""))
    found = books.below(_KINDS.get(parent_id[:3], "documents"), parent_id)
    root = call.state.base_url.removesuffix("/connect")
    rows = [
        {
            "id": file["id"],
            "fileName": file["name"],
            "numPages": str(file.get("numOfPages", 1)),
            "fileUrl": f"{root}/connect/v3/documents/download/{parent_id}/{file['id']}",
            "createdTime": v2_time(file["createdTime"]),
        }
        for file in found
        if file["id"] not in books.deleted_files
    ]
    start, count = page_bounds(data)
    return {"documents": rows[start : start + count]}


OPERATIONS: dict[str, Callable[[Call], Any]] = {
    "UploadAttachment": upload,
    "GetDocuments": list_files,
}
