"""The same books on any machine: its zone, language, encoding and permissions change nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bill_pipeline.sandbox.server import SandboxServer

pytestmark = [pytest.mark.slow, pytest.mark.rotating(days=8)]

BOOKS = """
select date, account_id, debit, credit, journal_lines.document_id, cause
from journal_lines join journal_entries using (client, entry_id, date)
order by all
"""


def run(home: Path, machine: dict[str, str], umask: int, *words: str, given: str = "") -> str:
    """What a command says on a machine with ``machine``'s environment. It must succeed."""
    program = Path(sys.executable).with_name("bill-pipeline")
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run(
        [program, *words, "--home", str(home)], input=given, capture_output=True, check=False,
        text=True, encoding="utf-8", env={**environment, **machine}, umask=umask,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_books_do_not_depend_on_the_machine(tmp_path: Path) -> None:
    machines: dict[str, tuple[dict[str, str], int]] = {
        "plain": ({"TZ": "UTC", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)}, 0o022),
        "a day ahead": ({"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8"}, 0o077),
        "without letters": ({"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONUTF8": "0",
                             "PYTHONCOERCECLOCALE": "0"}, 0o027),
        "no such zone": ({"TZ": "Nowhere/Land", "LC_ALL": "tr_TR.UTF-8", "LANG": "ar_EG"}, 0o002),
    }  # fmt: skip
    books = {}
    with SandboxServer(companies=1, documents=120, seed=5) as sandbox:
        company = sandbox.companies[0]
        for name, (environment, umask) in machines.items():
            home = tmp_path / name
            machine = {**environment, "BILL_PIPELINE_DEV_KEY": sandbox.dev_key}
            run(home, machine, umask,
                "connect", company.client, "--organization-id", company.organization_id,
                "--token-name", company.token_name, "--token-password-stdin",
                "--environment", sandbox.base_url, given=company.token_password + "\n")  # fmt: skip
            run(home, machine, umask, "sync", company.client)
            books[name] = run(home, machine, umask, "query", BOOKS, "--format", "csv")
    assert len(books["plain"].splitlines()) > 100
    assert {name for name, text in books.items() if text != books["plain"]} == set()
