"""Open every page of the console, in a firm of many clients, and say how long each takes.

    python benchmarks/console_pages.py --clients 1000 --rounds 40 [--home FOLDER]

The console runs as `bill-pipeline console` runs it, in its own process, and is asked over HTTP.
The books of two invented companies are published under every client's name, and each opening of a
client's page is of another client, so that nothing was opened before. The baseline is a static file
of the same server, asked for in turn with the pages. Beside the time a person waits stands the time
the server's threads worked, which other programs on the machine hardly stretch. With --home the
firm is kept, and used again.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import re
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import duckdb
from pydantic import SecretStr

from bill_pipeline.bill.connection import Connection
from bill_pipeline.console.auth.users import Role, Users
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.console.routes import PAGES
from bill_pipeline.pipeline.sync_many import sync_clients
from bill_pipeline.pipeline.sync_report import SyncReport
from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.clients import Registry, State, utc_now
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home

#: Pages that do not answer a person's click with a page: downloads are files of any size.
NOT_TIMED = {"/clients/{client}/download/books/{format}", "/sign-in", "/connect/many/{batch}"}
#: Settled so that figures of different runs are of the same books.
SEED = 11


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--documents", type=int, default=400, help="about, per company")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--home", type=Path, default=None)
    options = parser.parse_args()
    home = Home.at(options.home or tempfile.mkdtemp(prefix="console-pages-"))
    if not Registry(home).names():
        started = time.perf_counter()
        make_firm(home, options.clients, options.documents)
        print(f"{options.clients} clients in {time.perf_counter() - started:.0f} s: {home.path}")
    password = secrets.token_urlsafe(16)
    users = Users(ConsoleDatabase(home.path / "console.sqlite"))
    name = f"measuring-{secrets.token_hex(3)}"
    users.create(name, SecretStr(password), Role.ADMIN, clients="all", created_by="benchmark")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from bill_pipeline.cli import main; main()", "console"]
    server = subprocess.Popen([*command, "--port", str(port), "--home", str(home.path)])
    try:
        browser = Browser(port)
        browser.sign_in(name, password)
        measure(browser, home, options.rounds, Path(f"/proc/{server.pid}/task"))
    finally:
        server.terminate()
        server.wait(10)


def make_firm(home: Home, clients: int, documents: int) -> None:
    """Two invented companies, really imported, and their books under everybody's name."""
    registry = Registry(home)
    with SandboxServer(companies=2, documents=documents, seed=SEED) as sandbox:
        real = [f"client-{number:04}" for number in range(2)]
        for client, company in zip(real, sandbox.companies, strict=True):
            connection = Connection(
                organization_id=company.organization_id,
                token_name=company.token_name,
                token_password=SecretStr(company.token_password),
                dev_key=SecretStr(sandbox.dev_key),
                base_url=sandbox.base_url,
                v2_url=sandbox.v2_url,
            )
            registry.connect(client, connection, environment=sandbox.base_url)
        for outcome in sync_clients(Registry(home), real):
            print(outcome.sentence() if isinstance(outcome, SyncReport) else outcome.client_error)
    status = registry.status(real[0])
    names = [f"client-{number:04}" for number in range(2, clients)]
    for number, client in enumerate(names):
        connection = registry.connection(real[number % 2])
        registry.connect(client, connection, environment=connection.base_url)
        registry.update(
            client,
            state=State.UP_TO_DATE if number % 50 else State.FAILING,
            last_success_at=utc_now(),
            document_count=status.document_count,
            review_count=status.review_count if number % 4 == 0 else 0,
        )
    for number, client in enumerate(real):
        mine = names[number::2]
        with duckdb.connect(str(home.client_file(client)), read_only=True) as books:
            publish(Registry(home), mine, connections=dict.fromkeys(mine, books))


def read_ids(home: Home) -> list[dict[str, str]]:
    """Of each of the two companies, what stands for ``{transaction}`` and so on in addresses."""
    found = []
    with duckdb.connect(str(home.ledger), read_only=True) as ledger:
        for client in ("client-0000", "client-0001"):
            line = ledger.execute(
                "select transaction_id, document_type, document_id from transactions "
                "where client = ? order by needs_review desc, date desc limit 1",
                [client],
            ).fetchone()
            entry = ledger.execute(
                "select max(entry_id) from journal_entries where client = ?", [client]
            ).fetchone()
            assert line
            assert entry
            names = ("transaction", "type", "document", "entry", "report")
            found.append(dict(zip(names, (*line, *entry, "general-ledger"), strict=True)))
    return found


def address(page: str, client: str, ids: list[dict[str, str]]) -> str:
    """The page of ``client``, whose books are those of the first or of the second company."""
    known = {"client": client, **ids[int(client[-4:]) % 2]}
    path = re.sub(r"\{(\w+)\}", lambda part: quote(known[part.group(1)], safe=":"), page)
    return f"{path}?from=2026-01-01&to=2026-03-31" if page.endswith("/general-ledger") else path


class Browser:
    """One keep-alive connection with its cookies, as a browser has."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookies: dict[str, str] = {}
        for _ in range(300):
            try:
                self.get("/sign-in")
            except ConnectionRefusedError:
                self._http.close()
                time.sleep(0.1)
            else:
                return
        raise SystemExit("the console did not start")

    def get(self, path: str) -> tuple[int, str]:
        return self._ask("GET", path)

    def sign_in(self, name: str, password: str) -> None:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/sign-in")[1])
        assert token
        form = {"csrf_token": token.group(1), "name": name, "password": password}
        status, _text = self._ask("POST", "/sign-in", urlencode(form))
        if status != 303:
            raise SystemExit(f"signing in answered {status}")

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if body:
            headers["content-type"] = "application/x-www-form-urlencoded"
        self._http.request(method, path, body, headers)
        answer = self._http.getresponse()
        text = answer.read().decode()
        for header in answer.headers.get_all("set-cookie") or []:
            name, _, value = header.partition(";")[0].partition("=")
            self._cookies[name] = value
        return answer.status, text


def worked(tasks: Path) -> float:
    """Milliseconds that the threads of a process ran until now (Linux)."""
    ran = 0
    for path in tasks.glob("*/schedstat"):
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            ran += int(path.read_text().split()[0])
    return ran / 1e6


def measure(browser: Browser, home: Home, rounds: int, tasks: Path) -> None:
    """Every page ``rounds`` times, in turn with the baseline, each time of another client."""
    clients = itertools.cycle(name for name in Registry(home).names() if name > "client-0001")
    baseline = "/static/console.css"
    ids = read_ids(home)
    pages = [page.path for page in PAGES if page.method == "GET" and page.path not in NOT_TIMED]
    took: dict[str, list[tuple[float, float]]] = {}
    for _ in range(rounds):
        for page in pages:
            for name, path in ((baseline, baseline), (page, address(page, next(clients), ids))):
                worked_before, started = worked(tasks), time.perf_counter()
                status, _text = browser.get(path)
                waited = (time.perf_counter() - started) * 1000
                took.setdefault(name, []).append((waited, worked(tasks) - worked_before))
                if status not in (200, 303):
                    raise SystemExit(f"{path} answered {status}")
    base = statistics.median(waited for waited, _worked in took[baseline])
    print("| page | median ms | p95 ms | median ÷ static file | worked, median | worked, p95 |")
    print("|---|---|---|---|---|---|")
    for name, values in sorted(took.items(), key=lambda item: -percentile_95(item[1], 1)):
        median, work = (statistics.median(pair[column] for pair in values) for column in (0, 1))
        print(
            f"| `{name}` | {median:.1f} | {percentile_95(values, 0):.1f} | {median / base:.1f} "
            f"| {work:.1f} | {percentile_95(values, 1):.1f} |"
        )


def percentile_95(pairs: list[tuple[float, float]], column: int) -> float:
    return statistics.quantiles([pair[column] for pair in pairs], n=20)[-1]


if __name__ == "__main__":
    main()
