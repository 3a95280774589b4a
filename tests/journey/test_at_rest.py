"""Whom a home lets in, and what a backup of it is worth with and without the key."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from bill_pipeline import at_rest
from bill_pipeline.console.auth.users import Role
from bill_pipeline.console.console import Console
from bill_pipeline.ingest.client_import import requests_left
from bill_pipeline.registry.clients import Registry
from bill_pipeline.registry.vault import VaultError
from bill_pipeline.sandbox.server import SandboxServer
from bill_pipeline.settings import Home
from tests.console.console_browser import add_users, connect_invented_client, signed_in
from tests.journey.every_byte import everything_in, forms_of
from tests.journey.firm import Firm
from tests.journey.test_no_secret_leaks import _sweep_with_dagster

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=4, part=1, together=True)]

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
BALANCE = "select account_code, account_name, balance from trial_balance order by all"
PUBLISHED = {"published", "ledger.duckdb"}


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """The careless one, before every test: the home decides, not who starts a command."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    """A home that every part of the product has written to, under the careless umask."""
    folder = tmp_path_factory.mktemp("at_rest")
    before = os.umask(0)
    with SandboxServer(companies=1, documents=40, seed=5) as sandbox:
        firm = Firm(sandbox, folder / "home")
        assert firm.connect().exit_code == 0
        assert firm.run("sync", firm.client).exit_code == 0
        _sweep_with_dagster(firm.home)
        console = Console.at(firm.home)
        add_users(console)
        assert signed_in(console, Role.ADMIN).get("/clients").status_code == 200
        console.ledger.close()
        assert firm.run("query", "from sync_status").exit_code == 0
        os.umask(before)
        yield firm


def open_to_others(folder: Path, bits: int = 0o077) -> set[str]:
    """What in ``folder``, itself included, has any of ``bits``, by its path in it."""
    found = [folder, *folder.rglob("*")]
    return {
        str(path.relative_to(folder))
        for path in found
        if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & bits
    }


def opened_again(firm: Firm, copy: Path) -> str:
    """What any command over ``copy`` says."""
    return Firm(firm.sandbox, copy).run("clients").output


def test_a_home_is_its_owners_alone_whatever_the_umask(firm: Firm) -> None:
    for part in ("dagster", "dlt", "clients", "published", "console.sqlite", "secret.key"):
        assert (firm.home.path / part).exists()
    assert open_to_others(firm.home.path) == set()


@pytest.mark.parametrize("umask", [0o177, 0o277, 0o777])
def test_whatever_the_umask_takes_from_the_owner_a_home_and_an_export_are_the_owners(
    umask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.umask(umask)
    monkeypatch.setattr(at_rest, "_given", [])
    home = Home.at(tmp_path / "firms" / "home")
    connect_invented_client(home, "acme")
    Console.at(home).ledger.close()
    with at_rest.umask_as_given():
        (tmp_path / "exports" / "acme").mkdir(parents=True)
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_an_old_home_that_was_open_is_closed_and_said_once(
    firm: Firm, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = Path(shutil.copytree(firm.home.path, tmp_path / "old"))
    for path in (old, *old.rglob("*")):
        if path.name != "secret.key":
            path.chmod(0o777 if path.is_dir() else 0o666)
    opened_again(firm, old)
    assert open_to_others(old) == set()
    assert [r.getMessage() for r in caplog.records if "chmod 750" in r.getMessage()]
    caplog.clear()
    opened_again(firm, old)
    assert not [r for r in caplog.records if "chmod 750" in r.getMessage()]


def test_a_group_that_is_let_in_reads_the_published_ledger_and_nothing_else(
    firm: Firm, tmp_path: Path
) -> None:
    home = Home(Path(shutil.copytree(firm.home.path, tmp_path / "home")))
    home.path.chmod(0o750)
    copied = Firm(firm.sandbox, home.path)
    assert copied.run("publish", firm.client).exit_code == 0
    shown = open_to_others(home.path)
    assert {path.split("/")[0] for path in shown} == {".", *PUBLISHED}
    assert open_to_others(home.path, 0o027) == set()
    assert len(shown) > 50
    assert {str(p.relative_to(home.path)) for p in home.published.rglob("*.parquet")} <= shown
    home.path.chmod(0o700)
    opened_again(firm, home.path)
    assert open_to_others(home.path) == set()


@pytest.mark.parametrize(("mode", "bits"), [(0o750, 0o077), (0o700, 0o077), (0o770, 0o007)])
def test_a_new_file_is_as_closed_from_the_first_command_on(
    mode: int, bits: int, tmp_path: Path
) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    folder.chmod(mode)
    home = Home.at(folder)
    Registry(home).names()
    connect_invented_client(home, "acme")
    Console.at(home).ledger.close()
    requests_left(home)
    made = [path for path in folder.rglob("*") if path.is_file()]
    assert {"registry.sqlite", "budget.sqlite", "console.sqlite"} <= {path.name for path in made}
    assert [path for path in made if path.stat().st_mode & bits] == []
    shared = {path.name for path in made if path.stat().st_mode & 0o020}
    assert ("budget.sqlite" in shared, "secret.key" in shared) == (mode == 0o770, False)


def _may_open(path: Path, user: int, group: int) -> bool:
    """Whether DuckDB reads the file for another account, in a process of its own."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            with duckdb.connect(str(path), read_only=True) as db:
                db.execute("select count(*) from journal_lines").fetchall()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another account")
def test_another_account_of_the_group_reads_the_ledger_with_duckdb_alone(firm: Firm) -> None:
    # Not in pytest's folder, which is its owner's.
    home = Home(Path("/tmp") / f"bill-pipeline-group-{os.getpid()}")  # noqa: S108
    try:
        shutil.copytree(firm.home.path, home.path)
        group = 54_321
        section = OPERATIONS.read_text().split("## Who on the machine")[1].split("\n## ")[0]
        [commands] = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
        for command in commands.replace("HOME", str(home.path)).splitlines():
            named = command.removeprefix("$ ").replace("analysts", str(group))
            subprocess.run(["sh", "-c", named], check=True)
        copied = Firm(firm.sandbox, home.path)
        assert copied.run("publish", firm.client).exit_code == 0
        assert _may_open(home.ledger, 54_321, group)
        assert not _may_open(home.client_file(firm.client), 54_321, group)
        assert not _may_open(home.ledger, 54_321, 54_322)
    finally:
        shutil.rmtree(home.path, ignore_errors=True)


def test_a_group_that_works_in_the_home_has_all_but_the_key(firm: Firm, tmp_path: Path) -> None:
    home = Path(shutil.copytree(firm.home.path, tmp_path / "home"))
    home.chmod(0o770)
    opened_again(firm, home)
    assert Firm(firm.sandbox, home).run("sync", firm.client).exit_code == 0
    every = {str(path.relative_to(home)) for path in home.rglob("*")}
    assert every - open_to_others(home, 0o070) == {"secret.key"}
    assert open_to_others(home, 0o007) == set()


def _guide() -> tuple[str, str]:
    """The commands of the page: to back up, and to restore."""
    section = OPERATIONS.read_text().split("## Back up and restore")[1].split("\n## ")[0]
    back_up, restore = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    return back_up, restore


def test_the_backup_guide_brings_the_books_back_and_is_nothing_without_the_key(
    firm: Firm, tmp_path: Path
) -> None:
    home = Home(Path(shutil.copytree(firm.home.path, tmp_path / "home")))
    backup, safe = tmp_path / "backup", tmp_path / "safe"
    backup.mkdir()
    safe.mkdir()
    copied = Firm(firm.sandbox, home.path)
    places = {"BILL_PIPELINE_HOME": str(home.path), "BACKUP": str(backup), "SAFE": str(safe)}

    def follow(commands: str) -> None:
        lines = commands.replace("acme", firm.client).splitlines()
        mine = [shlex.split(line, comments=True) for line in lines if "bill-pipeline" in line]
        others = "\n".join(line for line in lines if "bill-pipeline" not in line)
        subprocess.run(["sh", "-ec", others], env=os.environ | places, check=True)
        for _program, *words in mine:
            done = copied.run(*words)
            assert done.exit_code == 0, (words, done.output)

    balance = copied.run("query", BALANCE, "--format", "csv").output
    assert len(balance.splitlines()) > 3
    back_up, restore = _guide()
    follow(back_up)
    assert open_to_others(backup) | open_to_others(safe) <= {"."}
    shutil.rmtree(home.path)
    follow(restore)
    assert copied.run("query", BALANCE, "--format", "csv").output == balance
    assert open_to_others(home.path) == set()

    (company,) = firm.sandbox.companies
    without = tmp_path / "without"
    without.mkdir()
    subprocess.run(["tar", "-xzf", backup / "books.tar.gz", "-C", without], check=True)
    assert not (without / "secret.key").exists()
    for secret in (company.token_password, firm.sandbox.dev_key, company.token_name):
        assert not [
            path
            for path, content in everything_in(without).items()
            if any(form in content for form in forms_of(secret))
        ]
    with pytest.raises(VaultError, match="connect the client anew"):
        Registry(Home.at(without)).connection(firm.client)
    read = Firm(firm.sandbox, without).run("query", BALANCE, "--format", "csv")
    assert read.output == balance
