"""The audit tells a known vulnerability from a service that cannot be asked."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

_PATH = Path(__file__).parents[2] / ".ci" / "audit.py"
_SPEC = importlib.util.spec_from_file_location("audit", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
audit = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(audit)

GOOD = {"name": "jinja2", "version": "3.1.6", "vulns": []}
BAD = {**GOOD, "vulns": [{"id": "PYSEC-2019-217", "fix_versions": ["2.10.1"]}]}
UNKNOWN = {"name": "jinja2", "skip_reason": "not found on PyPI"}


@contextlib.contextmanager
def service(status: int, content: bytes) -> Iterator[str]:
    """An address that answers every question in the same way."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "content", "is_answer"),
    [
        (200, json.dumps({"vulnerabilities": [{"id": "PYSEC-2019-217"}]}).encode(), True),
        (200, json.dumps({"vulnerabilities": []}).encode(), False),  # a mirror without them
        (200, json.dumps({"info": {}}).encode(), False),
        (200, b"[]", False),
        (200, b"<html>Sign in to this network</html>", False),
        (200, b"", False),
        (404, b"", False),
        (503, b"{}", False),
    ],
)
def test_only_the_known_answer_is_one(status: int, content: bytes, is_answer: bool) -> None:
    with service(status, content) as url:
        assert audit.answers(url) is is_answer


def test_nobody_there_is_no_answer() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        assert not audit.answers(f"http://127.0.0.1:{taken.getsockname()[1]}/", seconds=1)
    assert not audit.answers("http://nobody.invalid/", seconds=1)


@pytest.mark.parametrize(
    ("dependencies", "answering", "end"),
    [
        ([GOOD], [True], audit.NOTHING_KNOWN),
        ([GOOD, BAD], [True], audit.FOUND),
        ([GOOD, UNKNOWN], [True], audit.FOUND),
        ([BAD], [True, False], audit.FOUND),  # what was learned is not forgotten
        (None, [False], audit.NOT_ASKED),
        (None, [True, False], audit.NOT_ASKED),  # the network went away on the way
        (None, [True, True], audit.FOUND),  # something else is wrong: never a silent pass
    ],
)
def test_the_three_ends(
    dependencies: list[dict[str, Any]] | None, answering: list[bool], end: int
) -> None:
    report = None if dependencies is None else {"dependencies": dependencies}
    given = iter(answering)
    assert audit.audit(lambda: (report, "words"), lambda: next(given)) == end


def test_only_ci_takes_no_answer_for_an_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "audit", lambda *_: audit.NOT_ASKED)
    assert audit.main(["--or-say-so"]) == 0
    assert "NOT AUDITED" in capsys.readouterr().err
    assert audit.main([]) == audit.NOT_ASKED
    monkeypatch.setattr(audit, "audit", lambda *_: audit.FOUND)
    assert audit.main(["--or-say-so"]) == audit.FOUND
