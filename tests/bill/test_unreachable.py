"""What is said when something between this machine and BILL is in the way."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bill_pipeline.bill import errors
from bill_pipeline.bill.api import BillApi, _trusted
from tests.bill.fake_bill import FakeClock, connection


def connect_to(base_url: str) -> errors.BillError:
    """What is said of a BILL at ``base_url`` that does not answer."""
    there = connection().model_copy(update={"base_url": base_url})
    api = BillApi(there, client="acme", clock=FakeClock())
    with api, pytest.raises(errors.BillError) as caught:
        api.log_in()
    return caught.value


def test_a_certificate_that_nobody_vouches_for_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(tmp_path) as (port, certificate):
        said = connect_to(f"https://localhost:{port}/connect")
        assert "its certificate is not trusted" in said.what
        assert "SSL_CERT_FILE" in said.remedy
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        _trusted.cache_clear()  # another process would ask anew
        assert "certificate" not in connect_to(f"https://localhost:{port}/connect").what
    _trusted.cache_clear()


def test_a_proxy_in_the_way_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://firm:invented-password@127.0.0.1:1")
    said = connect_to("https://gateway.prod.bill.com/connect")
    assert "through a proxy" in said.what
    assert "HTTPS_PROXY" in said.remedy
    assert "invented-password" not in str(said)


@contextlib.contextmanager
def tls_server(folder: Path) -> Iterator[tuple[int, Path]]:
    """A port of this machine with a certificate of its own making, and that one's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today)
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "both.pem").write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server.server_port, folder / "both.pem"
    server.shutdown()
