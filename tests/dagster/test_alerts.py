"""Where an alert goes: to the open internet, and nowhere near unless somebody said so."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from bill_pipeline.dagster import alerts
from bill_pipeline.dagster.alerts import AlertNotSent
from bill_pipeline.runtime.reach import NotReached, checked_addresses, is_public

NEAR = (
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001", "0", "::1", "::",
    "169.254.169.254", "2852039166", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
    "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "fe80::1",
    "fc00::1", "fd00:ec2::254", "224.0.0.1", "255.255.255.255", "168.63.129.16", "localhost",
)  # fmt: skip


@pytest.mark.parametrize("host", NEAR)
def test_an_alert_reaches_nothing_near(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BILL_PIPELINE_ALERT_HOSTS", raising=False)
    address = f"[{host}]" if ":" in host else host
    reached: list[object] = []
    monkeypatch.setattr(socket, "create_connection", lambda *a, **_: reached.append(a) or 1 / 0)
    for scheme in ("http", "https"):
        with pytest.raises(AlertNotSent, match="ALERT_HOSTS"):
            alerts._post(SecretStr(f"{scheme}://{address}/s3cret"), {})
    for scheme in ("smtp", "smtps"):
        with pytest.raises(AlertNotSent, match="ALERT_HOSTS"):
            alerts._send_mail("a@b.example", SecretStr(f"{scheme}://{address}:25"), "s", "t")
    assert reached == []


def test_a_name_is_what_it_means_when_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """One near address among public ones is enough, and a port is no part of the name."""

    def means(*addresses: str) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 443)) for a in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_n: found)

    means("93.184.215.14", "169.254.169.254")
    with pytest.raises(NotReached):
        checked_addresses("metadata.example", 443, ())
    means("93.184.215.14")
    assert checked_addresses("hooks.example", 443, ()) == ["93.184.215.14"]
    means("10.0.0.9")
    assert checked_addresses("Pager.Internal", 443, {"pager.internal"}) == ["10.0.0.9"]
    assert is_public("2606:4700::1111")


def test_what_was_looked_at_is_asked_by_its_name_and_redirects_end_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Any] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append((self.headers["host"], self.path, json.loads(body)))
            self.send_response(307)
            self.send_header("location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")  # type: ignore[attr-defined]
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("BILL_PIPELINE_ALERT_HOSTS", "x.example, localhost")
    with pytest.raises(AlertNotSent, match="307"):
        alerts._post(SecretStr(f"http://localhost:{server.server_port}/hook"), {"text": "a"})
    server.shutdown()
    assert seen == [(f"localhost:{server.server_port}", "/hook", {"text": "a"})]
