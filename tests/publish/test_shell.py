"""``bill-pipeline shell`` starts DuckDB's own shell read-only, or a plain one."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from bill_pipeline.cli import main
from bill_pipeline.publishing.publish import publish
from bill_pipeline.registry.clients import Registry
from bill_pipeline.runtime.signals import GRACE_SECONDS
from bill_pipeline.settings import Home
from tests.publish.publish_fixture import SCHEMA

pytestmark = pytest.mark.parametrize("store", ["files"], indirect=True)


def test_without_duckdbs_shell_a_plain_one_answers(
    home: Home, clients: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    monkeypatch.setattr("shutil.which", lambda _name: None)
    typed = "select client,\n amount from totals order by 1;\nfrom nothing;\nselect 7 as n;\n"
    result = CliRunner().invoke(main, ["shell", "--home", str(home.path)], input=typed)
    assert result.exit_code == 0, result.output
    assert "is not installed" in result.output
    assert "211.90" in result.output
    assert "Table with name nothing does not exist" in result.output
    assert result.output.rstrip().endswith("(1 row)")


@pytest.mark.slow
def test_ctrl_c_forgets_the_line_and_the_plain_prompt_stays(
    home: Home, clients: list[str], tmp_path: Path
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    shell = subprocess.Popen(
        [Path(sys.executable).with_name("bill-pipeline"), "shell", "--home", str(home.path)],
        env={**os.environ, "PATH": str(tmp_path)}, text=True, bufsize=1, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert shell.stdin is not None
    assert shell.stdout is not None
    assert "plain one" in shell.stdout.readline() + shell.stdout.readline()
    time.sleep(0.5)  # it reads now
    shell.send_signal(signal.SIGINT)
    time.sleep(GRACE_SECONDS + 1)
    said, _ = shell.communicate("select 7 as n;\n", timeout=60)
    assert shell.returncode == 0
    assert said.rstrip().endswith("(1 row)")


def test_duckdbs_shell_is_started_read_only(
    home: Home, clients: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(Registry(home), clients, schema=SCHEMA)
    program = tmp_path / "bin" / "duckdb"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(program.parent))
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _path, arguments: started.append(arguments))
    CliRunner().invoke(main, ["shell", "--home", str(home.path)], catch_exceptions=False)
    CliRunner().invoke(main, ["shell", "--ui", "--home", str(home.path)], catch_exceptions=False)
    here = f"set variable ledger_home = '{home.path}'"
    assert started == [
        [str(program), "-readonly", "-cmd", here, str(home.ledger)],
        [str(program), "-ui", "-readonly", "-cmd", here, str(home.ledger)],
    ]
