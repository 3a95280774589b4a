"""BILL as a client's archive last saw it: serves the documents that the client's file holds.

A home of an earlier release was filled by a look-alike that is gone. Its documents are not: this
server gives them out again, and a test may change one.
"""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlparse

import duckdb

from bill_pipeline.bill.lists import LISTS

Document = dict[str, Any]
_REFUSED = [{"code": "BDC_1171", "message": "No permission", "severity": "ERROR"}]
_NOT_FOUND = [{"code": "BDC_1205", "message": "Object not found", "severity": "ERROR"}]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("+0000", "+00:00").replace("Z", "+00:00"))


class ArchivedBill:
    """Use as a context manager; ``documents`` is list → id → document, free to be changed."""

    def __init__(self, client_file: Path, organization_id: str) -> None:
        self.organization_id = organization_id
        self.documents: dict[str, dict[str, Document]] = {}
        with duckdb.connect(str(client_file), read_only=True) as connection:
            rows = connection.execute(
                "select list, id, arg_max(document, version)::varchar from raw.document_versions "
                "group by all having not arg_max(is_deleted, version)"
            ).fetchall()
        for table, document_id, text in rows:
            self.documents.setdefault(table, {})[document_id] = json.loads(text)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ArchivedBill:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def touch(self, document: Document) -> None:
        """``document`` was changed just now, later than any other."""
        now = datetime.now(UTC) + timedelta(seconds=1)
        document["updatedTime"] = now.isoformat(timespec="milliseconds")

    def answer(self, path: str, query: dict[str, list[str]], body: str) -> tuple[int, Any]:
        """(status, JSON) for one request."""
        session = {"sessionId": "s", "organizationId": self.organization_id, "userId": "u"}
        if path.endswith("/v3/login"):
            return 200, {**session, "trusted": False}
        if path.endswith("/login/session"):
            return 200, session
        if path.startswith("/api/v2/"):
            return 200, self._answer_v2(path, body)
        if path.endswith(f"/organizations/{self.organization_id}"):
            return 403, _REFUSED
        v3 = path.split("/connect", 1)[-1].replace(self.organization_id, "{organization_id}")
        for table, row in LISTS.items():
            if row.path and not row.parent and row.path == v3:
                chosen = self._chosen(table, ",".join(query.get("filters", [])))
                return 200, chosen if row.shape == "array" else {"results": chosen}
        parent, _, document_id = v3.rpartition("/")
        for table, row in LISTS.items():
            if row.path == parent and document_id in self.documents.get(table, {}):
                return 200, self.documents[table][document_id]
        return 404, _NOT_FOUND

    def _answer_v2(self, path: str, body: str) -> Any:
        entity = path.rpartition("/")[2].removesuffix(".json")
        given = {"sessionId": "s", "orgId": self.organization_id, "apiEndPoint": self.root}
        data: Any = given if entity == "Login" else []
        asked = json.loads(parse_qs(body).get("data", ["{}"])[0])
        for table, row in LISTS.items():
            if row.entity == entity:
                rows = list(self.documents.get(table, {}).values())
                start = asked.get("start", 0)
                data = rows[start : start + asked.get("max", 999)]
        return {"response_status": 0, "response_message": "Success", "response_data": data}

    def _chosen(self, table: str, filters: str) -> list[Document]:
        rows = list(self.documents.get(table, {}).values())
        if "archived:eq:true" in filters:
            rows = [row for row in rows if row.get("archived")]
        if found := re.search(r'id:in:"?([^"]+)', filters):
            rows = [row for row in rows if row["id"] in found[1].split(",")]
        if found := re.search(r'updatedTime:gte:"?([^",]+)', filters):
            since = _moment(found[1])
            rows = [r for r in rows if "updatedTime" in r and _moment(r["updatedTime"]) >= since]
        return rows


def _handler(bill: ArchivedBill) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            """A test's output is not an access log."""

        def _give(self) -> None:
            url = urlparse(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size).decode()
            status, answer = bill.answer(url.path.rstrip("/"), parse_qs(url.query), body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _give  # noqa: N815 - http.server's names

    return Handler
