"""A look-alike of an object store on localhost: what DuckDB asks of S3, over files of a folder.

One bucket, whose objects are the folder's files, so a test looks at them and changes them as files.
Signatures are not checked. An object appears whole, when its last part has arrived.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterator
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

BUCKET = "lake"


@contextlib.contextmanager
def object_store(folder: Path) -> Iterator[int]:
    """Serve ``folder`` as the bucket; gives the port on 127.0.0.1."""
    with tempfile.TemporaryDirectory() as parts:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.folder, server.parts = folder, Path(parts)  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def _asked(self) -> tuple[str, dict[str, str]]:
        """The key within the bucket, and the query."""
        address = urlsplit(self.path)
        bucket, _, key = unquote(address.path).lstrip("/").partition("/")
        assert bucket == BUCKET, f"asked for the bucket {bucket!r}"
        query = parse_qs(address.query, keep_blank_values=True)
        return key, {name: values[0] for name, values in query.items()}

    def _file(self, key: str) -> Path:
        folder: Path = self.server.folder  # type: ignore[attr-defined]
        path = (folder / key).resolve()
        assert path.is_relative_to(folder.resolve())
        return path

    def _upload(self, query: dict[str, str]) -> Path:
        parts: Path = self.server.parts  # type: ignore[attr-defined]
        return parts / query["uploadId"]

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "content_length" not in headers:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _xml(self, text: str) -> None:
        self._answer(200, f'<?xml version="1.0"?>{text}'.encode(), content_type="application/xml")

    def do_HEAD(self) -> None:
        self._give()

    def do_GET(self) -> None:
        _key, query = self._asked()
        if "list-type" in query:
            self._list(query.get("prefix", ""))
        else:
            self._give()

    def _give(self) -> None:
        path = self._file(self._asked()[0])
        if not path.is_file():
            self._answer(404)
            return
        content = path.read_bytes()
        known = {
            "etag": f'"{md5(content).hexdigest()}"',  # noqa: S324 - as S3 makes them
            "last_modified": formatdate(path.stat().st_mtime, usegmt=True),
            "accept_ranges": "bytes",
        }
        if wanted := self.headers.get("range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            end = int(last) + 1 if last else len(content)
            part = content[int(first) : end]
            span = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
            self._answer(206, part, content_range=span, **known)
        else:
            self._answer(200, content, content_length=str(len(content)), **known)

    def _list(self, prefix: str) -> None:
        folder: Path = self.server.folder  # type: ignore[attr-defined]
        found = [p for p in sorted(folder.rglob("*")) if p.is_file()]
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{path.stat().st_size}</Size>"
            "<LastModified>2020-01-01T00:00:00.000Z</LastModified><ETag>x</ETag></Contents>"
            for path in found
            if (key := path.relative_to(folder).as_posix()).startswith(prefix)
        )
        self._xml(f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>")

    def do_PUT(self) -> None:
        key, query = self._asked()
        body = self._body()
        if "uploadId" in query:
            (self._upload(query) / f"{int(query['partNumber']):06}").write_bytes(body)
        else:
            self._store(key, body)
        self._answer(200, etag=f'"{md5(body).hexdigest()}"')  # noqa: S324

    def _store(self, key: str, content: bytes) -> None:
        path = self._file(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        draft.write_bytes(content)
        draft.replace(path)

    def do_POST(self) -> None:
        key, query = self._asked()
        if "uploads" in query:
            parts: Path = self.server.parts  # type: ignore[attr-defined]
            upload = Path(tempfile.mkdtemp(dir=parts)).name
            self._body()
            self._xml(
                f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId>"
                "</InitiateMultipartUploadResult>"
            )
        elif "delete" in query:
            for element in ET.fromstring(self._body()).iter():  # noqa: S314 - DuckDB's own
                if element.tag.rpartition("}")[2] == "Key":
                    self._file(element.text or "").unlink(missing_ok=True)
            self._xml("<DeleteResult></DeleteResult>")
        else:
            self._body()
            upload_folder = self._upload(query)
            self._store(key, b"".join(p.read_bytes() for p in sorted(upload_folder.iterdir())))
            shutil.rmtree(upload_folder)
            self._xml(
                "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
            )

    def do_DELETE(self) -> None:
        key, query = self._asked()
        if "uploadId" in query:
            shutil.rmtree(self._upload(query), ignore_errors=True)
        else:
            self._file(key).unlink(missing_ok=True)
        self._answer(204)
