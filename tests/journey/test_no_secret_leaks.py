"""A token's password is in no byte that the product wrote, printed or showed.

The command line and the console run in processes of their own, so that their arguments, their
output and whatever they leave behind are those of a real use; Dagster runs over the same home. What
goes wrong (a wrong password, a revoked token, a sync that crashes) goes wrong too, because that is
when secrets leak.
"""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import duckdb
import httpx
import pytest
from pydantic import SecretStr

from bill_pipeline.console.auth.users import Role, Users
from bill_pipeline.console.database import ConsoleDatabase
from bill_pipeline.console.routes import PAGES
from bill_pipeline.dagster.definitions import defs
from bill_pipeline.dagster.instance import write_instance
from bill_pipeline.dagster.sensors import sweep_config
from bill_pipeline.registry.clients import Registry
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from tests.journey.every_byte import ProcessList, everything_in, forms_of

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]

WRONG = "wrong-password-canary"
CONSOLE_PASSWORD = "console-password-canary"
COMMAND = [sys.executable, "-X", "faulthandler", "-c", "from bill_pipeline.cli import main; main()"]
PATIENCE_SECONDS = 60.0


class Product:
    """The product as installed, over one home; keeps all that it prints and shows."""

    def __init__(self, folder: Path, sandbox: SandboxServer) -> None:
        self.folder, self.home = folder, Home.at(folder / "home")
        self.said: list[bytes] = []
        self._environment = os.environ | {
            "BILL_PIPELINE_HOME": str(self.home.path),
            "BILL_PIPELINE_DEV_KEY": sandbox.dev_key,
            "BILL_PIPELINE_BILL_HOSTS": "127.0.0.1",
            "TMPDIR": str(folder),
        }

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=_allow_core_dumps,
        )

    def run(self, *arguments: str, typed: str = "", ends_with: int = 0) -> None:
        process = self.start(*arguments)
        said, _none = process.communicate(f"{typed}\n".encode())
        self.said.append(said)
        assert process.returncode == ends_with, said.decode()

    def crash(self, *arguments: str) -> None:
        """Start a sync, and have it die with a dump of its stacks once it has logged in."""
        process = self.start(*arguments)
        _wait_until(lambda: bool(Registry(self.home).status("acme").progress))
        process.send_signal(signal.SIGABRT)
        said, _none = process.communicate()
        assert b"Fatal Python error: Aborted" in said
        self.said.append(said)

    @contextmanager
    def console(self) -> Iterator[httpx.Client]:
        """The console's pages, signed in as an administrator; every answer is kept."""
        users = Users(ConsoleDatabase(self.home.path / "console.sqlite"))
        users.create(
            "admin", SecretStr(CONSOLE_PASSWORD), Role.ADMIN, clients="all", created_by="test"
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = self.start("console", "--port", str(port))
        keep = {"response": [self._keep]}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", event_hooks=keep, timeout=30) as web:
            _wait_until(lambda: _answers(web))
            post(web, "/sign-in", "/sign-in", name="admin", password=CONSOLE_PASSWORD)
            yield web
        process.send_signal(signal.SIGINT)
        self.said.append(process.communicate()[0])

    def _keep(self, answer: httpx.Response) -> None:
        self.said.append(str(answer.headers).encode() + b"\n" + answer.read())


def post(web: httpx.Client, page: str, path: str, **form: str) -> httpx.Response:
    """Send a form as ``page`` holds it."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', web.get(page).text)
    assert token
    return web.post(path, data={"csrf_token": token.group(1), **form})


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads Linux's process list")
def test_the_password_is_nowhere(tmp_path: Path) -> None:
    processes = ProcessList()
    with SandboxServer(companies=1, documents=40, seed=5) as sandbox, processes.watched():
        product = Product(tmp_path, sandbox)
        _use_the_command_line(product, sandbox)
        _sweep_with_dagster(product.home)
        cookie = _use_the_console(product, sandbox)
        sandbox.control.revoke_token(sandbox.companies[0].client)
        product.run("sync", "acme", ends_with=1)
        secrets = {
            "token's password": sandbox.companies[0].token_password,
            "developer key": sandbox.dev_key,
            "refused password": WRONG,
            "console's password": CONSOLE_PASSWORD,
            **{f"session {id_[-6:]}": id_ for id_ in sandbox.state.sessions._sessions},
        }
    everything = everything_in(tmp_path)
    for part in ("home/dagster", "home/dlt", "home/clients", "home/published", "books.xlsx"):
        assert any(path.startswith(part) for path in everything), part
    everything |= {"what it said": b"\n".join(product.said), "the process list": processes.seen}
    leaks = [
        (path, name)
        for path, content in everything.items()
        for name, secret in secrets.items()
        if any(form in content for form in forms_of(secret))
    ]
    # The browser has the cookie of its session; no file may.
    leaks += [
        (path, "cookie")
        for path, content in everything.items()
        if path != "what it said" and cookie.encode() in content
    ]
    assert not leaks


def test_the_search_finds_what_is_packed(tmp_path: Path) -> None:
    """Or the test above would prove little: a canary in every kind of file that is opened."""
    with duckdb.connect(str(tmp_path / "a.duckdb")) as database:
        database.execute(f"create table t as select '{WRONG}' as x from range(5000)")
        database.execute(f"copy t to '{tmp_path}/b.parquet' (compression zstd)")
    with closing(sqlite3.connect(tmp_path / "c.sqlite")) as file, file as other:
        other.execute("create table t (x)")
        other.execute("insert into t values (?)", [WRONG])
    with zipfile.ZipFile(tmp_path / "d.xlsx", "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("sheet.xml", WRONG * 10)
    found = everything_in(tmp_path)
    assert len(found) == 4
    assert all(WRONG.encode() in content for content in found.values())


def _use_the_command_line(product: Product, sandbox: SandboxServer) -> None:
    (company,) = sandbox.companies
    token = (
        "--organization-id", company.organization_id, "--token-name", company.token_name,
        "--token-password-stdin", "--environment", sandbox.base_url,
    )  # fmt: skip
    product.run("connect", "acme", *token, typed=WRONG, ends_with=1)
    product.run("connect", "acme", *token, typed=company.token_password)
    product.run("sync", "acme")
    product.run("query", "from sync_status")
    product.run("export", "acme", "--format", "xlsx", "-o", "books.xlsx")
    product.run("rotate-key")
    product.crash("sync", "acme", "--full")
    product.run("clients", "--json")


def _sweep_with_dagster(home: Home) -> None:
    """One sweep, its event log and its run's configuration under ``home``."""
    instance = dg.DagsterInstance.from_config(str(write_instance(home, uses_postgres=False)))
    instance.add_dynamic_partitions("client", Registry(home).names())
    config = sweep_config(["acme"]).to_config_dict()
    config["resources"]["sync"]["config"]["home"] = str(home.path)
    job = defs.resolve_job_def("sync_due_clients")
    assert job.execute_in_process(instance=instance, run_config=config).success
    instance.dispose()


def _use_the_console(product: Product, sandbox: SandboxServer) -> str:
    """A wrong and a right reconnect, a sync, and every page; returns the session's cookie."""
    (company,) = sandbox.companies
    path = "/clients/acme/reconnect"
    token = {
        "organization_id": company.organization_id,
        "token_name": company.token_name,
        "environment": "other",
        "address": sandbox.base_url,
    }
    with product.console() as web:
        assert post(web, path, path, **token, token_password=WRONG).status_code == 422
        accepted = post(web, path, path, **token, token_password=company.token_password)
        assert accepted.status_code == 303
        _wait_until(lambda: "Up to date" in web.get("/clients/acme/progress").text)
        for page in PAGES:
            if page.method == "GET" and "{" not in page.path.replace("{client}", ""):
                assert web.get(page.path.replace("{client}", "acme")).status_code < 400, page
        return str(web.cookies["bill_pipeline_session"])


def _answers(web: httpx.Client) -> bool:
    try:
        return web.get("/sign-in").status_code == 200
    except httpx.TransportError:
        return False


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _allow_core_dumps() -> None:
    """As on a machine whose owner wants them: ours must not hold secrets all the same."""
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
